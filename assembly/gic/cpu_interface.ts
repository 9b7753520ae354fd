// The physical CPU interface of one PE: acknowledge, priority drop, deactivation, preemption (sections 1.5, 8.2, 8.3).
import { Counter, Diagnostic, Event, Policy } from '../abi';
import { report } from '../diag/diagnostics';
import { emit } from '../diag/events';
import { count } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { ActivePriorities, NO_LEVEL } from './active_priorities';
import { BankField } from './bank';
import { bankOf, FIRST_LPI, isLpi, isSpecial, SPURIOUS, slotOf } from './intid';
import { touchCpu, touchSignal } from './outputs';
import { redistributorOf } from './redistributor';
import { rerouteOneOfN } from './routing';

/** No interrupt is pending, in `CpuInterface.highestPending`. */
export const NOTHING_PENDING: u32 = 0xffffffff;
/** The INTID in it. */
export const INTID: u32 = 0x7fffff;

/** `CpuInterface.outputs`. */
export const IRQ: u32 = 1;
export const FIQ: u32 = 2;

@unmanaged
export class CpuInterface extends ActivePriorities {
  /** The best pending interrupt as priority << 24 | group << 23 | INTID, or NOTHING_PENDING. */
  highestPending: u32;
  /** The best of the SGIs, PPIs and SPIs, and the best LPI, likewise. They are ahead of `highestPending` during an action. */
  bestWired: u32;
  bestLpi: u32;
  /** Groups of which interrupts are candidates: bit 0 Group 0, bit 1 Group 1. */
  considered: u32;
  /** What of these is to be looked for again when the action is over: see outputs.ts. */
  stale: u32;
  /** IRQ where the highest pending interrupt is signalled and of Group 1, FIQ where it is of Group 0. */
  outputs: u32;

  /** Whether the pending interrupt would be signalled to the PE now. */
  canSignal(priority: u32, group: u32): bool {
    return this.groupEnabled(group) && this.preempts(priority, group);
  }
}

export function cpuInterfaceOf(cpu: u32): CpuInterface {
  return changetype<CpuInterface>(machine().cpuInterfaces + <usize>cpu * offsetof<CpuInterface>());
}

/** ICC_IAR0_EL1 or ICC_IAR1_EL1: section 8.3. */
export function acknowledge(cpu: u32, group: u32): u32 {
  const self = cpuInterfaceOf(cpu);
  if ((self.outputs & (group ? IRQ : FIQ)) == 0) {
    count(Counter.SPURIOUS);
    return SPURIOUS;
  }
  const pending = self.highestPending;
  const priority = pending >> 24;
  const intid = pending & INTID;
  if (isLpi(intid)) {
    redistributorOf(cpu).physicalLpis.take(intid);
    count(Counter.ACKNOWLEDGED_LPI);
  } else {
    const bank = bankOf(intid, cpu);
    const slot = <u32>slotOf(intid);
    bank.setBit(BankField.LATCH, slot, false);
    bank.setBit(BankField.ACTIVE, slot, intid >= 16 || machine().noActiveSgis == 0);
    bank.update(slot);
    count(
      intid < 16
        ? Counter.ACKNOWLEDGED_SGI
        : bank.cpu < machine().cpuCount
          ? Counter.ACKNOWLEDGED_PPI
          : Counter.ACKNOWLEDGED_SPI,
    );
  }
  emit(Event.ACKNOWLEDGED, cpu, intid, group);
  self.activate(priority, group);
  touchSignal(cpu);
  return intid;
}

/** ICC_HPPIR0_EL1 or ICC_HPPIR1_EL1: whatever ICC_PMR and the running priority are. */
export function highestPendingIntid(cpu: u32, group: u32): u32 {
  const self = cpuInterfaceOf(cpu);
  const pending = self.highestPending;
  const visible = pending != NOTHING_PENDING && ((pending >> 23) & 1) == group && self.groupEnabled(group);
  return visible ? pending & INTID : SPURIOUS;
}

/**
 * ICC_EOIR0_EL1 or ICC_EOIR1_EL1. The write must name the interrupt acknowledged last in this group. Where it can't be
 * that, the choice is: an INTID that is not implemented, no active priority, or an active priority that belongs to
 * the other group make the write do nothing.
 */
export function endOfInterrupt(cpu: u32, group: u32, intid: u32): void {
  if (isSpecial(intid)) return;
  const m = machine();
  const known = isLpi(intid) ? intid < m.lpiLimit : slotOf(intid) >= 0;
  if (!known) {
    report(Diagnostic.EOI_OF_UNKNOWN_INTID, cpu, intid);
    return;
  }
  const self = cpuInterfaceOf(cpu);
  const own = self.highestActive(group);
  const other = self.highestActive(group ^ 1);
  if (own == NO_LEVEL && other == NO_LEVEL) {
    report(Diagnostic.EOI_WITHOUT_ACTIVE_PRIORITY, cpu, intid);
    return;
  }
  // The same level active in both groups is UNPREDICTABLE; Group 0 is then the one that is dropped.
  if (other < own || (other == own && group == 1)) {
    report(Diagnostic.EOI_OF_OTHER_GROUP, cpu, intid, group);
    return;
  }
  self.drop(group, own);
  count(Counter.PRIORITY_DROPS);
  emit(Event.PRIORITY_DROPPED, cpu, intid);
  touchSignal(cpu);
  if (self.eoiMode == 0) deactivate(cpu, intid);
}

/** ICC_DIR_EL1: section 8.3. */
export function deactivateInterrupt(cpu: u32, intid: u32): void {
  if (cpuInterfaceOf(cpu).eoiMode == 0) {
    report(Diagnostic.DIR_WITHOUT_EOIMODE, cpu, intid);
    return;
  }
  deactivate(cpu, intid);
}

/** Active -> Inactive, Active and pending -> Pending. LPIs have no active state. */
export function deactivate(cpu: u32, intid: u32): void {
  if (intid >= FIRST_LPI || isSpecial(intid)) return;
  const slot = slotOf(intid);
  if (slot < 0) return;
  const bank = bankOf(intid, cpu);
  if (!bank.bit(BankField.ACTIVE, <u32>slot)) return;
  bank.setBit(BankField.ACTIVE, <u32>slot, false);
  bank.update(<u32>slot);
  count(Counter.DEACTIVATIONS);
  emit(Event.DEACTIVATED, cpu, intid);
}

/** ICC_IGRPEN0_EL1 or ICC_IGRPEN1_EL1. */
export function enableGroup(cpu: u32, group: u32, enable: bool): void {
  const self = cpuInterfaceOf(cpu);
  const mask: u32 = (<u32>1) << group;
  self.groupEnables = enable ? self.groupEnables | mask : self.groupEnables & ~mask;
  touchCpu(cpu);
  rerouteOneOfN();
}

/** The state after power-on: nothing enabled, nothing active, priority mask 0. */
export function resetCpuInterface(cpu: u32): void {
  cpuInterfaceOf(cpu).reset();
  touchCpu(cpu);
  rerouteOneOfN();
}

/** Whether a group that the CPU interface has disabled is left out when the best interrupt is looked for. */
export function groupConsidered(self: CpuInterface, group: u32): bool {
  return policy(Policy.groupEnableGatesHppi) == 0 || self.groupEnabled(group);
}

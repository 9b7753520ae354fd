// The virtual CPU interface of one PE: list registers, the resident vPE's VLPIs, and what the guest sees of them
// (sections 8.4 to 8.9).
import { Choice, Counter, Diagnostic, Event, Policy } from '../abi';
import { report } from '../diag/diagnostics';
import { emit } from '../diag/events';
import { ActivePriorities, IDLE_PRIORITY } from '../gic/active_priorities';
import { deactivate } from '../gic/cpu_interface';
import { isLpi, isSpecial, SPURIOUS } from '../gic/intid';
import { redistributorOf } from '../gic/redistributor';
import { VpeConfiguration } from '../gicv4/vpe_configuration';
import { bestVsgi, NO_VSGI } from '../gicv4/vsgi';
import { count } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { keyBit, keyPriority, NONE } from '../memory/priority_index';
import * as lr from './list_register';
import { touchVirtual, touchVirtualSignal } from './outputs';

export const HCR_EN: u32 = 1;
/** vSGIEOICount: the end of a vSGI does not count. */
const HCR_VSGI_EOI_COUNT: u32 = 1 << 8;
/** Directly injected interrupts are masked. */
const HCR_DVIM: u32 = 1 << 15;
const HCR_EOI_COUNT_SHIFT: u32 = 27;

/** `winner`: nothing is pending, or the best VLPI or vSGI rather than a list register. */
export const NO_WINNER: u32 = 0xffffffff;
export const WINNER_VLPI: u32 = 16;
export const WINNER_VSGI: u32 = 17;

/** `outputs`. */
export const VIRQ: u32 = 1;
export const VFIQ: u32 = 2;
export const MAINTENANCE: u32 = 4;

/** `stale`: the best VLPI, and the winner. */
export const STALE_VLPI: u32 = 1;
export const STALE_WINNER: u32 = 2;
export const STALE_ALL: u32 = 3;

@unmanaged
export class VirtualCpuInterface extends ActivePriorities {
  /** The best candidate: number of a list register, WINNER_VLPI, WINNER_VSGI or NO_WINNER. */
  winner: u32;
  /** The best pending and enabled VLPI of the resident vPE as priority << 22 | INTID, or NONE. */
  bestVlpi: u32;
  /** The best pending and enabled vSGI of the resident vPE as `bestVsgi` gives it. */
  bestVsgi: u32;
  /** VIRQ where the winner is signalled and of Group 1, VFIQ where it is of Group 0; MAINTENANCE. */
  outputs: u32;
  /** `bestVlpi` after the last action: it is ahead during an action. */
  shownVlpi: u32;
  /** What is to be looked for again when the action is over. */
  stale: u32;

  /** ICH_HCR_EL2. */
  hcr: u32;
  /** HCR_EL2.IMO and FMO: bits 0 and 1. */
  routing: u32;
  /** Bit n for list register n: not Invalid, Pending, and what ICH_EISR_EL2 shows. Derived in `setListRegister`. */
  valid: u32;
  pending: u32;
  ended: u32;
  /** ICH_LR0_EL2; ICH_LR1-15_EL2 follow. */
  listRegister0: u64;

  listRegister(n: u32): u64 {
    return load<u64>(this.listRegisterAt(n));
  }

  setListRegister(n: u32, value: u64): void {
    store<u64>(this.listRegisterAt(n), value);
    this.stale |= STALE_WINNER;
    const bit: u32 = (<u32>1) << n;
    const state = lr.state(value);
    this.valid = state != lr.INVALID ? this.valid | bit : this.valid & ~bit;
    this.pending = state == lr.PENDING ? this.pending | bit : this.pending & ~bit;
    this.ended = lr.isEoi(value) ? this.ended | bit : this.ended & ~bit;
  }

  setGroupEnables(groups: u32): void {
    this.groupEnables = groups;
    this.stale |= STALE_WINNER;
  }

  get winnerPriority(): u32 {
    if (this.winner == WINNER_VLPI) return keyPriority(this.bestVlpi);
    return this.winner == WINNER_VSGI ? this.bestVsgi >> 8 : lr.priority(this.listRegister(this.winner));
  }

  /** VLPIs are always virtual Group 1. */
  get winnerGroup(): u32 {
    if (this.winner == WINNER_VLPI) return 1;
    return this.winner == WINNER_VSGI ? (this.bestVsgi >> 4) & 1 : lr.group(this.listRegister(this.winner));
  }

  get winnerIntid(): u32 {
    if (this.winner == WINNER_VLPI) return keyBit(this.bestVlpi);
    return this.winner == WINNER_VSGI ? this.bestVsgi & 0xf : lr.vintid(this.listRegister(this.winner));
  }

  /** Whether the winner would be signalled to the guest now. */
  canSignal(): bool {
    if (!(this.hcr & HCR_EN) || this.winner == NO_WINNER) return false;
    return this.preempts(this.winnerPriority, this.winnerGroup);
  }

  /** Finds the winner: the lowest priority value, then the lowest list register, then the vSGI, then the VLPI. */
  selectWinner(): void {
    let best = IDLE_PRIORITY;
    this.winner = NO_WINNER;
    for (let pending = this.pending; pending; pending &= pending - 1) {
      const n = <u32>ctz(pending);
      const value = this.listRegister(n);
      if (!this.groupEnabled(lr.group(value)) || lr.priority(value) >= best) continue;
      best = lr.priority(value);
      this.winner = n;
    }
    this.selectDirect(best);
  }

  /** Directly injected interrupts, where one beats the priority of the best list register. */
  private selectDirect(listRegisterPriority: u32): void {
    const rd = redistributorOf(this.cpu);
    const groups = this.groupEnables & rd.virtualGroups;
    if (this.stale & STALE_VLPI) this.bestVlpi = rd.virtualLpis.best.best();
    this.bestVsgi = bestVsgi(rd, groups);
    if (this.hcr & HCR_DVIM) return;
    let best = listRegisterPriority;
    if (this.bestVsgi != NO_VSGI && this.bestVsgi >> 8 < best) {
      best = this.bestVsgi >> 8;
      this.winner = WINNER_VSGI;
    }
    if (this.bestVlpi != NONE && groups & 2 && keyPriority(this.bestVlpi) < best) this.winner = WINNER_VLPI;
  }

  /** Drops the highest active priority of both groups; returns it, or IDLE_PRIORITY. Group 0 first at equal level. */
  dropPriority(): u32 {
    const dropped = this.runningPriority;
    if (dropped == IDLE_PRIORITY) return dropped;
    const level0 = this.highestActive(0);
    const level1 = this.highestActive(1);
    this.drop(level0 <= level1 ? 0 : 1, min<u32>(level0, level1));
    return dropped;
  }

  /** The list register that holds an active interrupt, or -1. */
  findActive(intid: u32): i32 {
    for (let valid = this.valid; valid; valid &= valid - 1) {
      const n = <i32>ctz(valid);
      const value = this.listRegister(n);
      if (lr.isActive(value) && lr.vintid(value) == intid) return n;
    }
    return -1;
  }

  /** An INTID that no list register holds was deactivated. The count has five bits and wraps. */
  incrementEoiCount(): void {
    const counted = ((this.hcr >> HCR_EOI_COUNT_SHIFT) + 1) & 31;
    this.hcr = (this.hcr & ~(31 << HCR_EOI_COUNT_SHIFT)) | (counted << HCR_EOI_COUNT_SHIFT);
  }

  /** Active -> Inactive, pending and active -> pending; with HW=1 the physical interrupt is deactivated too. */
  deactivateListRegister(n: u32): void {
    const value = this.listRegister(n);
    this.setListRegister(n, lr.withoutActive(value));
    emit(Event.VIRTUAL_DEACTIVATED, this.cpu, lr.vintid(value), n);
    if (lr.isHardware(value)) deactivate(this.cpu, lr.pintid(value));
  }

  private listRegisterAt(n: u32): usize {
    return changetype<usize>(this) + offsetof<VirtualCpuInterface>('listRegister0') + (n << 3);
  }
}

const LIST_REGISTERS_MAX: u32 = 16;

/** A record with all its list registers. */
export const VIRTUAL_INTERFACE_BYTES: usize =
  (offsetof<VirtualCpuInterface>('listRegister0') + ((<usize>LIST_REGISTERS_MAX) << 3) + 63) & ~63;

export function virtualInterfaceOf(cpu: u32): VirtualCpuInterface {
  return changetype<VirtualCpuInterface>(machine().virtualInterfaces + <usize>cpu * VIRTUAL_INTERFACE_BYTES);
}

/** ICV_IAR0_EL1 or ICV_IAR1_EL1. A better candidate of the other group hides ours. */
export function acknowledgeVirtual(cpu: u32, group: u32): u32 {
  const self = virtualInterfaceOf(cpu);
  if ((self.outputs & (group ? VIRQ : VFIQ)) == 0) {
    count(Counter.VIRTUAL_SPURIOUS);
    return SPURIOUS;
  }
  const intid = self.winnerIntid;
  const priority = self.winnerPriority;
  touchVirtualSignal(cpu);
  emit(Event.VIRTUAL_ACKNOWLEDGED, cpu, intid, self.winner);
  if (self.winner == WINNER_VLPI) {
    redistributorOf(cpu).virtualLpis.take(intid);
    count(Counter.VIRTUAL_ACKNOWLEDGED_VLPI);
  } else if (self.winner == WINNER_VSGI) {
    const entry = changetype<VpeConfiguration>(redistributorOf(cpu).residentEntry);
    entry.pendingSgis = entry.pendingSgis & ~((<u32>1) << intid);
    self.stale |= STALE_WINNER;
    count(Counter.VIRTUAL_ACKNOWLEDGED_VSGI);
  } else {
    const value = self.listRegister(self.winner);
    count(Counter.VIRTUAL_ACKNOWLEDGED_LR);
    if (isSpecial(intid)) {
      self.setListRegister(self.winner, lr.withState(value, lr.INVALID));
      return intid;
    }
    self.setListRegister(self.winner, lr.withState(value, lr.ACTIVE));
  }
  self.activate(priority, group);
  return intid;
}

/** ICV_HPPIR0_EL1 or ICV_HPPIR1_EL1: VPMR and the running priority are not considered. */
export function highestVirtualIntid(cpu: u32, group: u32): u32 {
  const self = virtualInterfaceOf(cpu);
  return self.winner != NO_WINNER && self.winnerGroup == group ? self.winnerIntid : SPURIOUS;
}

/** ICV_EOIR0_EL1 or ICV_EOIR1_EL1. The priority drop comes before the checks. */
export function endOfVirtualInterrupt(cpu: u32, group: u32, intid: u32): void {
  if (isSpecial(intid)) return;
  const self = virtualInterfaceOf(cpu);
  touchVirtualSignal(cpu);
  const dropped = self.dropPriority();
  if (dropped == IDLE_PRIORITY) {
    report(Diagnostic.VIRTUAL_EOI_WITHOUT_ACTIVE_PRIORITY, cpu, intid);
    if (policy(Policy.virtualEoiWithoutActive) != Choice.EXAMINE_LIST_REGISTERS) return;
  }
  if (dropped != IDLE_PRIORITY) emit(Event.VIRTUAL_PRIORITY_DROPPED, cpu, intid);
  const n = self.findActive(intid);
  if (n < 0) {
    const counts = self.eoiMode == 0 || policy(Policy.eoiCountInEoiMode1) != 0;
    const exempt = isLpi(intid) || (intid < 16 && (self.hcr & HCR_VSGI_EOI_COUNT) != 0);
    if (counts && !exempt) self.incrementEoiCount();
    return;
  }
  const value = self.listRegister(n);
  if (lr.group(value) != group) return;
  if (dropped != IDLE_PRIORITY && (lr.priority(value) & self.preemptionMask(group)) != dropped) return;
  if (self.eoiMode == 0 || isLpi(intid)) self.deactivateListRegister(n);
}

/** ICV_DIR_EL1. */
export function deactivateVirtualInterrupt(cpu: u32, intid: u32): void {
  const self = virtualInterfaceOf(cpu);
  if (self.eoiMode == 0) {
    report(Diagnostic.DIR_WITHOUT_EOIMODE, cpu, intid);
    return;
  }
  if (isLpi(intid) || isSpecial(intid)) return;
  touchVirtualSignal(cpu);
  const n = self.findActive(intid);
  if (n >= 0) self.deactivateListRegister(n);
  else if (intid >= 16 || (self.hcr & HCR_VSGI_EOI_COUNT) == 0) self.incrementEoiCount();
}

/** The state after power-on: nothing enabled, list registers empty. */
export function resetVirtualInterface(cpu: u32): void {
  const self = virtualInterfaceOf(cpu);
  self.reset();
  self.hcr = 0;
  self.routing = 0;
  for (let n: u32 = 0; n < LIST_REGISTERS_MAX; n++) self.setListRegister(n, 0);
  touchVirtual(cpu);
}

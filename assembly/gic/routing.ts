// Which PE an affinity names, and which PE an SPI goes to.
import { Feature, Policy } from '../abi';
import { machine, policy } from '../memory/machine';
import { IDLE_PRIORITY } from './active_priorities';
import { Bank, BankField, EXTENDED_SPI_SLOT, NO_CPU } from './bank';
import { cpuInterfaceOf } from './cpu_interface';
import { redistributorOf } from './redistributor';

/** GICR_CTLR.DPG0 and DPG1NS: the PE takes no 1-of-N interrupts of the group. */
const DPG0: u32 = 1 << 24;
const DPG1NS: u32 = 1 << 25;

const ROUTING_MODE: u64 = 1 << 31;

// The affinity map: (affinity, PE) pairs, sorted by affinity.
function mapAffinity(entry: u32): u32 {
  return load<u32>(machine().affinities + (entry << 3));
}

function mapCpu(entry: u32): u32 {
  return load<u32>(machine().affinities + (entry << 3), 4);
}

/** The first entry of the affinity map that is not below `affinity`. */
export function affinityLowerBound(affinity: u32): u32 {
  let low: u32 = 0;
  let high = machine().cpuCount;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (mapAffinity(middle) < affinity) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function affinityAt(entry: u32): u32 {
  return mapAffinity(entry);
}

export function cpuAt(entry: u32): u32 {
  return mapCpu(entry);
}

export function cpuOfAffinity(affinity: u32): u32 {
  const entry = affinityLowerBound(affinity);
  return entry < machine().cpuCount && mapAffinity(entry) == affinity ? mapCpu(entry) : NO_CPU;
}

/** Sets where an SPI goes from its GICD_IROUTER value (section 2.6); the caller updates the SPI. */
export function setRoute(bank: Bank, slot: u32, router: u64): void {
  bank.setRouter(slot, router);
  const anyPe = (router & ROUTING_MODE) != 0;
  const oneOfN = anyPe && machine().has(Feature.ONE_OF_N);
  bank.setBit(BankField.ONE_OF_N, slot, oneOfN);
  if (anyPe) bank.setTarget(slot, 0);
  else bank.setTarget(slot, cpuOfAffinity((<u32>(router >> 8) & 0xff000000) | (<u32>router & 0x00ffffff)));
}

/**
 * The PE for an SPI that is about to become a candidate. A 1-of-N SPI goes to the lowest-numbered participating
 * PE that is idle, else to the lowest-numbered participating one; it stays with a participating PE (`current`)
 * that it was forwarded to.
 */
export function routeSpi(bank: Bank, slot: u32, group: u32, current: u32): u32 {
  if (!bank.bit(BankField.ONE_OF_N, slot)) return bank.target(slot);
  if (current != NO_CPU && participates(current, group)) return current;
  let fallback = NO_CPU;
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    if (!participates(cpu, group)) continue;
    if (cpuInterfaceOf(cpu).runningPriority == IDLE_PRIORITY) return cpu;
    if (fallback == NO_CPU) fallback = cpu;
  }
  return fallback;
}

/** Whether a PE takes 1-of-N interrupts of a group (sections 2.6, 3.2). */
function participates(cpu: u32, group: u32): bool {
  const redistributor = redistributorOf(cpu);
  if (redistributor.asleep && policy(Policy.sleepHoldsInterrupts)) return false;
  if (redistributor.ctlr & (group ? DPG1NS : DPG0)) return false;
  return cpuInterfaceOf(cpu).groupEnabled(group);
}

/** Chooses again for all 1-of-N SPIs, after a PE began or ceased to participate. */
export function rerouteOneOfN(): void {
  const m = machine();
  if (!m.has(Feature.ONE_OF_N)) return;
  rerouteWords(0, (m.spiSlots + 31) >> 5);
  const extended = EXTENDED_SPI_SLOT >> 5;
  rerouteWords(extended, extended + ((m.extendedSpiSlots + 31) >> 5));
}

function rerouteWords(first: u32, end: u32): void {
  const bank = changetype<Bank>(machine().spiBank);
  for (let index = first; index < end; index++) {
    const oneOfN = bank.word(BankField.ONE_OF_N, index);
    if (oneOfN) bank.updateWord(index, oneOfN & bank.pendingWord(index));
  }
}

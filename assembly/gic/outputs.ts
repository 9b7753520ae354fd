// Which PEs an action may have affected, and what they see once it is over. An action marks PEs as it goes and
// settles once at its end, so nobody observes a state in between. Of a marked PE only that is looked for again which the
// action may have changed.
import { Policy } from '../abi';
import { machine, policy } from '../memory/machine';
import { keyBit, keyPriority, NONE, PriorityIndex } from '../memory/priority_index';
import { takeArrivals } from '../threads/arrivals';
import { settleVirtual } from '../virt/outputs';
import { IDLE_PRIORITY } from './active_priorities';
import { ordinalIntid } from './bank';
import {
  CpuInterface,
  cpuInterfaceOf,
  FIQ,
  groupConsidered,
  INTID,
  IRQ,
  NOTHING_PENDING,
} from './cpu_interface';
import { redistributorOf } from './redistributor';

const GROUP_0: u32 = 1;
const GROUP_1: u32 = 2;

/** `CpuInterface.stale`: the best SGI, PPI or SPI, the best LPI, or all, with what is considered at all. */
const WIRED: u32 = 1;
const LPIS: u32 = 2;
const ALL: u32 = 7;

/** Anything may have changed for a PE. */
export function touchCpu(cpu: u32): void {
  touchStale(cpu, ALL);
}

/** An SGI, PPI or SPI has been added to those that are pending and enabled, or taken from them. */
export function touchWired(cpu: u32): void {
  touchStale(cpu, WIRED);
}

/** LPIs have been added to those that are pending and enabled, or taken from them. */
export function touchLpis(cpu: u32): void {
  touchStale(cpu, LPIS);
}

/** One LPI has been added to those that are pending and enabled. */
export function touchForLpi(cpu: u32, intid: u32, priority: u32): void {
  const self = cpuInterfaceOf(cpu);
  if (self.stale & LPIS || (self.considered & GROUP_1) == 0) return;
  const candidate = candidateOf(priority, 1, intid);
  if (better(self.bestLpi, candidate) != candidate) return;
  self.bestLpi = candidate;
  touchSignal(cpu);
}

/** One LPI has been taken from those that are pending and enabled. */
export function touchWithoutLpi(cpu: u32, intid: u32): void {
  if ((cpuInterfaceOf(cpu).bestLpi & INTID) == intid) touchStale(cpu, LPIS);
}

/** Whether the best pending interrupt is signalled may have changed, but not which one it is. */
export function touchSignal(cpu: u32): void {
  const m = machine();
  const word = cpu >> 6;
  const at = m.dirtyCpus + (word << 3);
  store<u64>(at, load<u64>(at) | ((<u64>1) << (cpu & 63)));
  m.dirtyCpuWords |= 1 << word;
}

export function touchAllCpus(): void {
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) touchCpu(cpu);
}

function touchStale(cpu: u32, what: u32): void {
  const self = cpuInterfaceOf(cpu);
  self.stale |= what;
  touchSignal(cpu);
}

/** Recomputes the outputs of the marked PEs and notes which of them changed. */
export function settle(): void {
  takeArrivals();
  const m = machine();
  if (m.dirtyVirtualWords | m.dirtyCpuWords) settleMarked();
}

function settleMarked(): void {
  settleVirtual();
  const m = machine();
  const words = m.dirtyCpuWords;
  m.dirtyCpuWords = 0;
  for (let rest = words; rest; rest &= rest - 1) settleWord(<u32>ctz(rest));
}

function settleWord(index: u32): void {
  const at = machine().dirtyCpus + (index << 3);
  let dirty = load<u64>(at);
  store<u64>(at, 0);
  for (; dirty; dirty &= dirty - 1) {
    const bit = ctz(dirty);
    if (recompute((index << 6) | <u32>bit)) noteChanged(index, (<u64>1) << bit);
  }
}

/** PEs whose outputs changed, as bits of a word of the bitmaps. */
export function noteChanged(index: u32, cpus: u64): void {
  const changed = machine().changedCpus + (index << 3);
  const attention = machine().attention + (index << 3);
  store<u64>(changed, load<u64>(changed) | cpus);
  store<u64>(attention, load<u64>(attention) | cpus);
}

function recompute(cpu: u32): bool {
  const self = cpuInterfaceOf(cpu);
  if (self.stale) refresh(self, cpu);
  // A tie is one between an LPI and an interrupt with a lower INTID.
  const wiredFirst = policy(Policy.tieBreak) == 0;
  const wired = self.bestWired;
  const lpi = self.bestLpi;
  const isWired = wired >> 24 < lpi >> 24 || (wiredFirst && wired >> 24 == lpi >> 24);
  const pending = isWired ? wired : lpi;
  let outputs: u32 = 0;
  if (pending != NOTHING_PENDING) {
    const group = (pending >> 23) & 1;
    if (self.canSignal(pending >> 24, group)) outputs = group ? IRQ : FIQ;
  }
  if (pending == self.highestPending && outputs == self.outputs) return false;
  self.highestPending = pending;
  self.outputs = outputs;
  return true;
}

/** Looks for the candidates of section 1.3, before ICC_PMR and the running priority. */
function refresh(self: CpuInterface, cpu: u32): void {
  const redistributor = redistributorOf(cpu);
  const stale = self.stale;
  self.stale = 0;
  if (stale == ALL) {
    const held = redistributor.asleep != 0 && policy(Policy.sleepHoldsInterrupts) != 0;
    const groups = (groupConsidered(self, 0) ? GROUP_0 : 0) | (groupConsidered(self, 1) ? GROUP_1 : 0);
    self.considered = held ? 0 : machine().groupEnables & groups;
  }
  const considered = self.considered;
  if (stale & WIRED) {
    const best0 = considered & GROUP_0 ? wiredBest(redistributor.wired0, 0) : NOTHING_PENDING;
    const best1 = considered & GROUP_1 ? wiredBest(redistributor.wired1, 1) : NOTHING_PENDING;
    self.bestWired = better(best0, best1);
  }
  if (stale & LPIS) {
    const key = considered & GROUP_1 ? redistributor.physicalLpis.best.best() : NONE;
    self.bestLpi = key == NONE ? NOTHING_PENDING : candidateOf(keyPriority(key), 1, keyBit(key));
  }
}

/** The idle priority is never signalled. */
function wiredBest(index: usize, group: u32): u32 {
  const key = changetype<PriorityIndex>(index).best();
  if (key == NONE || keyPriority(key) == IDLE_PRIORITY) return NOTHING_PENDING;
  return candidateOf(keyPriority(key), group, ordinalIntid(keyBit(key)));
}

/** As `CpuInterface.highestPending` has it. */
function candidateOf(priority: u32, group: u32, intid: u32): u32 {
  return (priority << 24) | (group << 23) | intid;
}

/** The better of two candidates: the lower priority value; on a tie the lower INTID by default. */
function better(one: u32, other: u32): u32 {
  if (one >> 24 != other >> 24) return one >> 24 < other >> 24 ? one : other;
  return (one & INTID) < (other & INTID) != (policy(Policy.tieBreak) != 0) ? one : other;
}

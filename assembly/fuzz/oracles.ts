// What must hold after any input: of state that software cannot reach, always; of what follows from tables in RAM, where
// software kept to the rules.

import { Counter, Outcome } from '../abi';
import { cpuInterfaceOf, groupConsidered, NOTHING_PENDING } from '../gic/cpu_interface';
import { LpiSet } from '../gic/lpi_set';
import { redistributorOf } from '../gic/redistributor';
import { inspectCollection, inspectInterrupt } from '../its/commands';
import { itsOf } from '../its/its';
import { collectionCpu, interruptIcid, interruptIntid, isVirtual } from '../its/tables';
import { machine } from '../memory/machine';
import { VirtualCpuInterface, virtualInterfaceOf } from '../virt/virtual_cpu_interface';
import { FuzzFault } from './abi';
import { CPUS } from './layout';
import { pendingWordOf } from './ledger';

export const FINE: u32 = FuzzFault.NONE;
export const LEDGER: u32 = FuzzFault.LEDGER;
export const OUTCOME: u32 = FuzzFault.OUTCOME;
export const STRAY: u32 = FuzzFault.STRAY;

/** Fields of a list register. */
const HW: u64 = 1 << 61;
const EOI: u64 = 1 << 41;

const FIRST: u32 = 8192;
const USED_LPIS: u32 = 64;

/** Index and tables of the LPIs that inputs use: pending and enabled is what is indexed, under its priority. */
function indexed(set: LpiSet): bool {
  if (set.end <= FIRST || set.pendingTable == 0) return set.best.isEmpty;
  let expected: u32 = 0;
  for (let rest = load<u64>(set.pendingTable + (FIRST >> 3)); rest; rest &= rest - 1) {
    const intid = FIRST + <u32>ctz(rest);
    const config = set.cachedConfig(intid);
    if ((config & 1) == 0) continue;
    if (!set.best.has(intid, config & 0xfc)) return false;
    expected++;
  }
  return set.best.countWord(FIRST >> 6) == expected;
}

/** Bits [63:0] of the LPIs that are pending and enabled at a PE by what is cached, and the best priority of them. */
let bestPriority: u32 = 0;
function findBest(cpu: u32): bool {
  const set = redistributorOf(cpu).physicalLpis;
  bestPriority = 256;
  for (let rest = pendingWordOf(cpu); rest; rest &= rest - 1) {
    const config: u32 = set.cachedConfig(FIRST + <u32>ctz(rest));
    if ((config & 3) == 3) bestPriority = min<u32>(bestPriority, config & 0xfc);
  }
  return bestPriority < 255;
}

/** A PE presents nothing worse than its best enabled LPI, unless it leaves Group 1 out. */
function presents(cpu: u32): bool {
  const rd = redistributorOf(cpu);
  const self = cpuInterfaceOf(cpu);
  if (rd.asleep || !rd.lpisEnabled || (machine().groupEnables & 2) == 0) return true;
  if (!groupConsidered(self, 1) || !findBest(cpu)) return true;
  return self.highestPending != NOTHING_PENDING && self.highestPending >> 24 <= bestPriority;
}

/** Of two list registers: State is not Invalid, State is Pending, and invalid with an end that is to be told about. */
let validOfTwo: u32 = 0;
let pendingOfTwo: u32 = 0;
let endedOfTwo: u32 = 0;
function deriveTwo(self: VirtualCpuInterface, n: u32): void {
  const values = i64x2(self.listRegister(n), self.listRegister(n + 1));
  const states = i64x2.shr_u(values, 62);
  const invalid = i64x2.eq(states, i64x2.splat(0));
  // HW=0 and EOI=1.
  const told = i64x2.eq(v128.and(values, i64x2.splat(HW | EOI)), i64x2.splat(EOI));
  validOfTwo = <u32>i64x2.bitmask(invalid) ^ 3;
  pendingOfTwo = <u32>i64x2.bitmask(i64x2.eq(states, i64x2.splat(1)));
  endedOfTwo = <u32>i64x2.bitmask(v128.and(invalid, told));
}

/** What is derived of list registers when they are written, derived again. */
function listRegistersAgree(cpu: u32): bool {
  const self = virtualInterfaceOf(cpu);
  let valid: u32 = 0;
  let pending: u32 = 0;
  let ended: u32 = 0;
  for (let n: u32 = 0; n < machine().listRegisters; n += 2) {
    deriveTwo(self, n);
    valid |= validOfTwo << n;
    pending |= pendingOfTwo << n;
    ended |= endedOfTwo << n;
  }
  return valid == self.valid && pending == self.pending && ended == self.ended;
}

/** After an MSI: an LPI that is said to be pending is. */
export function arrived(its: u32, deviceId: u32, eventId: u32, outcome: u32): bool {
  if (outcome > <u32>Outcome.COALESCED) return true;
  const entry = inspectInterrupt(itsOf(its), deviceId, eventId);
  if (entry == 0) return false;
  if (isVirtual(entry)) return true;
  const collection = inspectCollection(itsOf(its), interruptIcid(entry));
  const intid = interruptIntid(entry);
  if (collection == 0 || intid < FIRST || intid >= FIRST + USED_LPIS) return false;
  return ((pendingWordOf(collectionCpu(collection)) >> (intid & 63)) & 1) != 0;
}

function counter(n: u32): u64 {
  return load<u64>(machine().counters + ((<usize>n) << 3));
}

/** MSIs that were counted, whatever became of them. */
export function countedMsis(): u64 {
  let sum: u64 = 0;
  for (let outcome: u32 = 0; outcome < <u32>Outcome.COUNT; outcome++) sum += counter(Counter.MSI + outcome);
  return sum;
}

/** The first thing that is wrong. */
export function examine(orderly: bool, msis: u64): u32 {
  for (let cpu: u32 = 0; cpu < CPUS; cpu++) {
    if (!listRegistersAgree(cpu)) return FuzzFault.LIST_REGISTERS;
    if (!orderly) continue;
    const rd = redistributorOf(cpu);
    if (!indexed(rd.physicalLpis) || (rd.resident && !indexed(rd.virtualLpis))) return FuzzFault.INDEX;
    if (!presents(cpu)) return FuzzFault.OUTPUT;
  }
  return orderly && countedMsis() != msis ? FuzzFault.COUNTERS : FuzzFault.NONE;
}

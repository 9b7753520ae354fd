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
import { emptyStatus } from '../virt/status';
import { virtualInterfaceOf } from '../virt/virtual_cpu_interface';
import { FuzzFault } from './abi';
import { CPUS } from './layout';
import { pendingWordOf } from './ledger';

export const FINE: u32 = FuzzFault.NONE;
export const LEDGER: u32 = FuzzFault.LEDGER;
export const OUTCOME: u32 = FuzzFault.OUTCOME;
export const STRAY: u32 = FuzzFault.STRAY;

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

/** What is derived of list registers when they are written, derived again. */
function listRegistersAgree(cpu: u32): bool {
  const self = virtualInterfaceOf(cpu);
  let valid: u32 = 0;
  let pending: u32 = 0;
  let ended: u32 = 0;
  let empty: u32 = 0;
  for (let n: u32 = 0; n < machine().listRegisters; n++) {
    const value = self.listRegister(n);
    const bit: u32 = 1 << n;
    const state = <u32>(value >> 62);
    // ICH_EISR_EL2 and ICH_ELRSR_EL2 divide the invalid ones: HW=0 with EOI=1, and the others.
    const toldAbout = (value & ((<u64>1) << 61)) == 0 && (value & ((<u64>1) << 41)) != 0;
    if (state) valid |= bit;
    if (state == 1) pending |= bit;
    if (state == 0 && toldAbout) ended |= bit;
    if (state == 0 && !toldAbout) empty |= bit;
  }
  return valid == self.valid && pending == self.pending && ended == self.ended && empty == emptyStatus(self);
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

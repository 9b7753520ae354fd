// What may happen to pending LPIs and VLPIs, told from the pending tables alone: nothing appears that nobody asked for,
// nothing disappears that nobody took. Inputs use the first 64 LPIs, one word of each table.
import { redistributorOf } from '../gic/redistributor';
import { ADDS, REMOVES } from './commands';
import { areaAt, CPUS, PENDING, VIRTUAL_PENDING, VPE_COUNT } from './layout';

/** Bytes before the word of LPIs 8192 to 8255. */
const WORD: usize = 8192 >> 3;
/** Doorbells, LPIs 8248 to 8255, ring on their own. */
const WITHOUT_DOORBELLS: u64 = 0x00ffffffffffffff;

let physicalBefore: u64 = 0;
let virtualBefore: u64 = 0;

export function pendingWordOf(cpu: u32): u64 {
  return load<u64>(areaAt(PENDING + cpu) + WORD);
}

function physical(): u64 {
  let word: u64 = 0;
  for (let cpu: u32 = 0; cpu < CPUS; cpu++) word |= pendingWordOf(cpu);
  return word & WITHOUT_DOORBELLS;
}

function virtual(): u64 {
  let word: u64 = 0;
  for (let vpe: u32 = 0; vpe < VPE_COUNT; vpe++) word |= load<u64>(areaAt(VIRTUAL_PENDING + vpe) + WORD);
  return word;
}

/** What is pending is as it has to be. */
export function openLedger(): void {
  physicalBefore = physical();
  virtualBefore = virtual();
}

/** After an operation: whether all that changed may have changed. What is found stands for what is before the next. */
export function balances(effect: u32): bool {
  const before = physicalBefore;
  const virtualBeforeIt = virtualBefore;
  const changed = physical() ^ before;
  const virtualChanged = virtual() ^ virtualBeforeIt;
  if ((changed | virtualChanged) == 0) return true;
  physicalBefore = before ^ changed;
  virtualBefore = virtualBeforeIt ^ virtualChanged;
  if (popcnt(changed) + popcnt(virtualChanged) > 1) return false;
  if (effect == ADDS) return (changed & before) == 0 && (virtualChanged & virtualBeforeIt) == 0;
  return effect == REMOVES && (changed & ~before) == 0 && (virtualChanged & ~virtualBeforeIt) == 0;
}

/** After an LPI was acknowledged: it was pending before and is not pending there any more. */
export function balancesAcknowledged(cpu: u32, intid: u32, wordBefore: u64): bool {
  if (intid < 8192 || intid > 8255) return balances(0);
  const bit = (<u64>1) << (intid & 63);
  return (wordBefore & bit) != 0 && pendingWordOf(cpu) == (wordBefore & ~bit) && balances(REMOVES);
}

/** The word of the vPE that is resident on a PE. */
export function residentWord(cpu: u32): u64 {
  const table = redistributorOf(cpu).virtualLpis.pendingTable;
  return table ? load<u64>(table + WORD) : 0;
}

export function balancesVirtualAcknowledged(cpu: u32, intid: u32, wordBefore: u64, taken: bool): bool {
  if (!taken) return balances(0);
  const bit = (<u64>1) << (intid & 63);
  return (wordBefore & bit) != 0 && residentWord(cpu) == (wordBefore & ~bit) && balances(REMOVES);
}

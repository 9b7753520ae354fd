// LPI numbers: a sorted list of free ranges, first fit, neighbours merged when a range comes back (its_lpi_alloc).
import { FIRST_LPI } from '../gic/intid';
import { chip, ERA_S, lpiRangesAt, MAX_LPI_RANGES } from './state';

/** Before 5.6 LPIs were handed out in chunks. */
const CHUNK: u32 = 32;

/** No LPIs are left. */
export const NO_LPI: u32 = 0;

function baseOf(n: u32): u32 {
  return load<u32>(lpiRangesAt() + (n << 3));
}

function spanOf(n: u32): u32 {
  return load<u32>(lpiRangesAt() + (n << 3), 4);
}

function setRange(n: u32, base: u32, span: u32): void {
  store<u32>(lpiRangesAt() + (n << 3), base);
  store<u32>(lpiRangesAt() + (n << 3), span, 4);
}

export function initLpis(end: u32): void {
  setRange(0, FIRST_LPI, end - FIRST_LPI);
  chip().lpiRanges = 1;
}

/** How many LPIs a request for `count` takes from the allocator. */
export function lpisFor(count: u32): u32 {
  return chip().era == ERA_S ? (count + CHUNK - 1) & ~(CHUNK - 1) : count;
}

/** The first of `count` consecutive LPIs, or NO_LPI. */
export function allocateLpis(count: u32): u32 {
  for (let n: u32 = 0; n < chip().lpiRanges; n++) {
    if (spanOf(n) < count) continue;
    const base = baseOf(n);
    if (spanOf(n) == count) removeRange(n);
    else setRange(n, base + count, spanOf(n) - count);
    return base;
  }
  return NO_LPI;
}

/** The block to ask for when one of `count` LPIs was not to be had: half of it, in 2017 a chunk less; 0 for none. */
export function smallerBlock(count: u32): u32 {
  return chip().era == ERA_S ? count - CHUNK : count >> 1;
}

export function freeLpis(base: u32, count: u32): void {
  let n: u32 = 0;
  while (n < chip().lpiRanges && baseOf(n) < base) n++;
  const joinsBefore = n > 0 && baseOf(n - 1) + spanOf(n - 1) == base;
  const joinsAfter = n < chip().lpiRanges && base + count == baseOf(n);
  if (joinsBefore && joinsAfter) {
    setRange(n - 1, baseOf(n - 1), spanOf(n - 1) + count + spanOf(n));
    removeRange(n);
  } else if (joinsBefore) {
    setRange(n - 1, baseOf(n - 1), spanOf(n - 1) + count);
  } else if (joinsAfter) {
    setRange(n, base, count + spanOf(n));
  } else {
    insertRange(n, base, count);
  }
}

/** LPIs that are free. */
export function freeLpiCount(): u32 {
  let total: u32 = 0;
  for (let n: u32 = 0; n < chip().lpiRanges; n++) total += spanOf(n);
  return total;
}

function removeRange(n: u32): void {
  const rest = chip().lpiRanges - n - 1;
  memory.copy(lpiRangesAt() + (n << 3), lpiRangesAt() + ((n + 1) << 3), (<usize>rest) << 3);
  chip().lpiRanges--;
}

/** There is always room: at most one range more than there are allocations, which have fixed tables themselves. */
function insertRange(n: u32, base: u32, count: u32): void {
  if (chip().lpiRanges >= MAX_LPI_RANGES) return;
  const rest = chip().lpiRanges - n;
  memory.copy(lpiRangesAt() + ((n + 1) << 3), lpiRangesAt() + (n << 3), (<usize>rest) << 3);
  setRange(n, base, count);
  chip().lpiRanges++;
}

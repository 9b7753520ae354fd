// Going back to a state that was kept, at a cost that follows what was written since. The instrumented engine sets a
// byte of the map before each store.
import { HEADER, machine } from '../memory/machine';
import { clearPages, endPage, nextUsed, PAGE } from '../memory/state';
import {
  DIRTY_MAP,
  DIRTY_MAP_BYTES,
  GRANULE,
  GRANULE_SHIFT,
  KEPT_NUMBERS,
  KEPT_NUMBERS_MAX,
  KEPT_PAGES,
  KEPT_PAGES_MAX,
  REACH,
} from './areas';

const PAGE_SHIFT: u32 = 12;
/** Bytes of the map that are looked at together. */
const LINE: usize = 64;

/** The parts of the map that inputs set: before and after the areas of the layers that no input reaches. */
let lowEnd: usize = 0;
let highBegin: usize = 0;
let highEnd: usize = 0;
let stateEnd: usize = 0;

function mapAt(at: usize): usize {
  return DIRTY_MAP + (at >> GRANULE_SHIFT);
}

/** Notes a copy. */
export function fuzzMarkRange(at: usize, _from: usize, bytes: usize): void {
  if (bytes == 0) return;
  const last = lastOf(at, bytes);
  memory.fill(mapAt(at), 1, mapAt(last) - mapAt(at) + 1);
}

/** Notes a fill, but for granules that are zero and stay so. */
export function fuzzMarkFill(at: usize, value: u32, bytes: usize): void {
  if (bytes == 0) return;
  const last = lastOf(at, bytes) >> GRANULE_SHIFT;
  for (let granule = at >> GRANULE_SHIFT; granule <= last; granule++) {
    if (value || !isZero(granule << GRANULE_SHIFT)) store<u8>(DIRTY_MAP + granule, 1);
  }
}

function lastOf(at: usize, bytes: usize): usize {
  const last = <u64>at + bytes - 1;
  if (last >= (<u64>memory.size()) << 16) unreachable();
  return <usize>last;
}

function isZero(granule: usize): bool {
  for (let at = granule; at < granule + GRANULE; at += LINE) if (holdsAny(at)) return false;
  return true;
}

/** Keeps the state. Once for an instance. */
export function fuzzKeep(): void {
  if (endPage() > KEPT_NUMBERS_MAX) unreachable();
  let kept: u32 = 0;
  for (let page = nextUsed(0); page < endPage(); page = nextUsed(page + 1)) {
    if (++kept == KEPT_PAGES_MAX) unreachable();
    store<u16>(KEPT_NUMBERS + (page << 1), <u16>kept);
    memory.copy(KEPT_PAGES + ((<usize>kept) << PAGE_SHIFT), (<usize>page) << PAGE_SHIFT, PAGE);
  }
  stateEnd = (<usize>endPage()) << PAGE_SHIFT;
  lowEnd = (mapAt(machine().irqchip) + LINE) & ~(LINE - 1);
  highBegin = mapAt(machine().itsRecords) & ~(LINE - 1);
  highEnd = (mapAt(stateEnd) + LINE - 1) & ~(LINE - 1);
  memory.fill(DIRTY_MAP, 0, DIRTY_MAP_BYTES);
}

/** Back to what was kept; how many granules were put back. */
export function fuzzRestore(): u32 {
  store<u8>(mapAt(HEADER), 1);
  return restoreNoted(mapAt(HEADER), lowEnd) + restoreNoted(highBegin, highEnd);
}

function restoreNoted(from: usize, to: usize): u32 {
  let count: u32 = 0;
  for (let line = from; line < to; line += LINE) {
    if (!holdsAny(line)) continue;
    for (let part: usize = 0; part < LINE; part += 16) {
      const at = line + part;
      let noted = i8x16.bitmask(i8x16.neg(v128.load(at)));
      if (noted == 0) continue;
      count += popcnt(noted);
      v128.store(at, i64x2.splat(0));
      for (; noted; noted &= noted - 1) putBack(<usize>(at - DIRTY_MAP) + ctz(noted));
    }
  }
  return count;
}

/** Whether any of 64 bytes is not 0. */
function holdsAny(line: usize): bool {
  const low = v128.or(v128.load(line), v128.load(line, 16));
  return v128.any_true(v128.or(low, v128.or(v128.load(line, 32), v128.load(line, 48))));
}

function putBack(granule: usize): void {
  const at = granule << GRANULE_SHIFT;
  copyBack(at, GRANULE);
  if (at + GRANULE < stateEnd) copyBack(at + GRANULE, REACH);
}

/** Within a page. */
function copyBack(at: usize, bytes: usize): void {
  const number: usize = load<u16>(KEPT_NUMBERS + ((at >> PAGE_SHIFT) << 1));
  const from = KEPT_PAGES + (number << PAGE_SHIFT) + (at & (PAGE - 1));
  for (let offset: usize = 0; offset < bytes; offset += 64) {
    v128.store(at + offset, v128.load(from + offset));
    v128.store(at + offset, v128.load(from + offset, 16), 16);
    v128.store(at + offset, v128.load(from + offset, 32), 32);
    v128.store(at + offset, v128.load(from + offset, 48), 48);
  }
}

/** Back to what was kept after a trap, whatever was noted and wherever: notes of wild addresses stand after the map. */
export function fuzzRestoreAll(): void {
  memory.fill(DIRTY_MAP, 0, DIRTY_MAP_BYTES);
  restorePages(HEADER, min<usize>(DIRTY_MAP + (1 << (32 - GRANULE_SHIFT)), stateEnd));
  restorePages(machine().itsRecords, stateEnd);
}

function restorePages(from: usize, to: usize): void {
  for (let at = from & ~(PAGE - 1); at < to; at += PAGE) {
    const page = <u32>(at >> PAGE_SHIFT);
    if (load<u16>(KEPT_NUMBERS + (page << 1))) copyBack(at, PAGE);
    else clearPages(page, page + 1);
  }
}

/** Whether anything was written outside of the machine, by what was noted. */
export function fuzzStrayed(): bool {
  for (let line = DIRTY_MAP; line < mapAt(HEADER); line += LINE) if (holdsAny(line)) return true;
  return false;
}

/** What was written since, as one number: which granules, and what is in them. */
export function fuzzDirtyDigest(): u32 {
  let digest: u64 = 0xcbf29ce484222325;
  for (let line = mapAt(HEADER); line < highEnd; line += LINE) {
    if (!holdsAny(line)) continue;
    for (let at = line; at < line + LINE; at++) {
      if (load<u8>(at)) digest = mixGranule(digest, at - DIRTY_MAP);
    }
  }
  return <u32>(digest >> 32) ^ <u32>digest;
}

function mixGranule(before: u64, granule: usize): u64 {
  let digest = (before ^ granule) * 0x9e3779b185ebca87;
  const from = granule << GRANULE_SHIFT;
  const end = min<usize>(from + GRANULE + REACH, stateEnd);
  for (let at = from; at < end; at += 8) {
    digest = rotl<u64>((digest ^ load<u64>(at)) * 0x9e3779b185ebca87, 31);
  }
  return digest;
}

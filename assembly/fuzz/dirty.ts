// Going back to a state that was kept, at a cost that follows what was written since. The instrumented engine sets a
// byte of the map before each store, and one for its line of the map, so that lines without notes need no look.
import { HEADER, LAYER_TABLES } from '../memory/machine';
import { clearPages, endPage, nextUsed, PAGE } from '../memory/state';
import {
  DIRTY_LINES,
  DIRTY_MAP,
  DIRTY_MAP_BYTES,
  GRANULE,
  GRANULE_SHIFT,
  KEPT_NUMBERS,
  KEPT_NUMBERS_MAX,
  KEPT_PAGES,
  KEPT_PAGES_MAX,
  KEPT_STRIDE,
  LINE_SHIFT,
  REACH,
} from './areas';

const PAGE_SHIFT: u32 = 12;
/** Bytes that are looked at together: a line of the map, or notes of as many lines. */
const LINE: usize = 1 << LINE_SHIFT;

let stateEnd: usize = 0;

function mapAt(at: usize): usize {
  return DIRTY_MAP + (at >> GRANULE_SHIFT);
}

/** The note of the line of the map that a place's granule stands in. */
function lineAt(at: usize): usize {
  return DIRTY_LINES + (at >> (GRANULE_SHIFT + LINE_SHIFT));
}

/** Notes a copy. */
export function fuzzMarkRange(at: usize, _from: usize, bytes: usize): void {
  if (bytes == 0) return;
  const last = lastOf(at, bytes);
  memory.fill(mapAt(at), 1, mapAt(last) - mapAt(at) + 1);
  memory.fill(lineAt(at), 1, lineAt(last) - lineAt(at) + 1);
}

/** Notes a fill, but for granules that are zero and stay so. */
export function fuzzMarkFill(at: usize, value: u32, bytes: usize): void {
  if (bytes == 0) return;
  const last = lastOf(at, bytes) >> GRANULE_SHIFT;
  for (let granule = at >> GRANULE_SHIFT; granule <= last; granule++) {
    if (value == 0 && isZero(granule << GRANULE_SHIFT)) continue;
    store<u8>(DIRTY_MAP + granule, 1);
    store<u8>(DIRTY_LINES + (granule >> LINE_SHIFT), 1);
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
    memory.copy(KEPT_PAGES + <usize>kept * KEPT_STRIDE, (<usize>page) << PAGE_SHIFT, PAGE);
  }
  stateEnd = (<usize>endPage()) << PAGE_SHIFT;
  forgetNotes();
}

function forgetNotes(): void {
  memory.fill(DIRTY_LINES, 0, DIRTY_MAP - DIRTY_LINES);
  memory.fill(DIRTY_MAP, 0, DIRTY_MAP_BYTES);
}

/** Back to what was kept, the machine's record first; how many granules were put back besides. */
export function fuzzRestore(): u32 {
  copyBack(HEADER, LAYER_TABLES - HEADER);
  let count: u32 = 0;
  for (let part = lineAt(HEADER) & ~15; part <= lineAt(stateEnd); part += 16) {
    let noted = notesIn(part);
    if (noted) v128.store(part, i64x2.splat(0));
    for (; noted; noted &= noted - 1)
      count += restoreLine(DIRTY_MAP + ((part - DIRTY_LINES + ctz(noted)) << LINE_SHIFT));
  }
  return count;
}

function restoreLine(line: usize): u32 {
  let count: u32 = 0;
  for (let part = line; part < line + LINE; part += 16) {
    let noted = notesIn(part);
    if (noted == 0) continue;
    count += popcnt(noted);
    v128.store(part, i64x2.splat(0));
    for (; noted; noted &= noted - 1) putBack(<usize>(part - DIRTY_MAP) + ctz(noted));
  }
  return count;
}

/** Which of 16 bytes are notes. */
function notesIn(part: usize): u32 {
  return i8x16.bitmask(i8x16.neg(v128.load(part)));
}

/** Whether any of 64 bytes is not 0. */
function holdsAny(line: usize): bool {
  const low = v128.or(v128.load(line), v128.load(line, 16));
  return v128.any_true(v128.or(low, v128.or(v128.load(line, 32), v128.load(line, 48))));
}

function putBack(granule: usize): void {
  const at = granule << GRANULE_SHIFT;
  const from = keptOf(at);
  for (let offset: usize = 0; offset < GRANULE; offset += 64) copy64(at + offset, from + offset);
  const next = at + GRANULE;
  if (next & (PAGE - 1)) copy32(next, from + GRANULE);
  else if (next < stateEnd) copy32(next, keptOf(next));
}

/** Where the kept copy of a place stands. */
function keptOf(at: usize): usize {
  const number: usize = load<u16>(KEPT_NUMBERS + ((at >> PAGE_SHIFT) << 1));
  return KEPT_PAGES + number * KEPT_STRIDE + (at & (PAGE - 1));
}

/** Within a page. */
function copyBack(at: usize, bytes: usize): void {
  const from = keptOf(at);
  for (let offset: usize = 0; offset < bytes; offset += 64) copy64(at + offset, from + offset);
}

function copy64(to: usize, from: usize): void {
  copy32(to, from);
  copy32(to + 32, from + 32);
}

function copy32(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
}

/** Back to what was kept after a trap, whatever was noted and wherever: notes of wild addresses stand in the state. */
export function fuzzRestoreAll(): void {
  forgetNotes();
  restorePages(HEADER, stateEnd);
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
  for (let line = DIRTY_LINES; line < lineAt(HEADER); line += LINE) if (holdsAny(line)) return true;
  return false;
}

/** What was written since, as one number: which granules, and what is in them. */
export function fuzzDirtyDigest(): u32 {
  let digest: u64 = 0xcbf29ce484222325;
  for (let line = mapAt(HEADER); line < mapAt(stateEnd); line += LINE) {
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

// Going back to a state that was kept, at a cost that follows what was written since. The instrumented engine calls
// `fuzzMarkRange` at the first store into a granule.
import { HEADER } from '../memory/machine';
import { endPage, nextUnused, nextUsed } from '../memory/state';
import { DIRTY_LIST, DIRTY_LIST_MAX, DIRTY_MAP, DIRTY_MAP_BYTES, GRANULE, GRANULE_SHIFT } from './areas';

/** From a byte of the state to its copy. */
let toCopy: usize = 0;
/** Granules written to since; more than the list holds mean all that the map says. */
let marked: u32 = 0;
/** The first granule after the state, once that is known. */
let firstBeyond: u32 = 0;

/** Notes a store of `bytes` bytes that reaches granules that were not noted yet. */
export function fuzzMarkRange(at: usize, bytes: usize): void {
  if (bytes == 0) return;
  const last = <u32>((at + bytes - 1) >> GRANULE_SHIFT);
  for (let granule = <u32>(at >> GRANULE_SHIFT); granule <= last; granule++) {
    if (!load<u8>(DIRTY_MAP + granule)) mark(granule);
  }
}

/** Once a state is kept, nothing but the state may be written: anything else is a defect, and traps. */
function mark(granule: u32): void {
  if (firstBeyond == 0) return;
  if (granule < <u32>(HEADER >> GRANULE_SHIFT) || granule >= firstBeyond) unreachable();
  store<u8>(DIRTY_MAP + granule, 1);
  if (marked < DIRTY_LIST_MAX) store<u32>(DIRTY_LIST + (marked << 2), granule);
  marked++;
}

/** Keeps the state: its copy stands `distance` bytes further on, where memory is zero. Once for an instance. */
export function fuzzKeep(distance: usize): void {
  for (let page = nextUsed(0); page < endPage(); ) {
    const end = nextUnused(page);
    memory.copy(((<usize>page) << 12) + distance, (<usize>page) << 12, (<usize>(end - page)) << 12);
    page = nextUsed(end);
  }
  memory.fill(DIRTY_MAP, 0, DIRTY_MAP_BYTES);
  marked = 0;
  toCopy = distance;
  firstBeyond = endPage() << 4;
}

/** Back to what was kept; how many granules were put back. */
export function fuzzRestore(): u32 {
  const count = marked;
  if (count > DIRTY_LIST_MAX) {
    for (let granule = <u32>(HEADER >> GRANULE_SHIFT); granule < firstBeyond; granule++) {
      if (load<u8>(DIRTY_MAP + granule)) putBack(granule);
    }
  } else {
    for (let n: u32 = 0; n < count; n++) putBack(load<u32>(DIRTY_LIST + (n << 2)));
  }
  marked = 0;
  return count;
}

function putBack(granule: u32): void {
  const at = (<usize>granule) << GRANULE_SHIFT;
  const from = at + toCopy;
  for (let offset: usize = 0; offset < GRANULE; offset += 32) {
    store<u64>(at + offset, load<u64>(from + offset));
    store<u64>(at + offset, load<u64>(from + offset, 8), 8);
    store<u64>(at + offset, load<u64>(from + offset, 16), 16);
    store<u64>(at + offset, load<u64>(from + offset, 24), 24);
  }
  store<u8>(DIRTY_MAP + granule, 0);
}

/** What was written since, as one number: which granules, in which order, and what is in them. */
export function fuzzDirtyDigest(): u32 {
  let digest: u64 = 0xcbf29ce484222325;
  for (let n: u32 = 0; n < min<u32>(marked, DIRTY_LIST_MAX); n++) {
    const granule = load<u32>(DIRTY_LIST + (n << 2));
    digest = (digest ^ granule) * 0x9e3779b185ebca87;
    const at = (<usize>granule) << GRANULE_SHIFT;
    for (let offset: usize = 0; offset < GRANULE; offset += 8) {
      digest = rotl<u64>((digest ^ load<u64>(at + offset)) * 0x9e3779b185ebca87, 31);
    }
  }
  return <u32>(digest >> 32) ^ <u32>digest;
}

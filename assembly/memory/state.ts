// The whole of a machine's state, for snapshots and digests: memory from the header to the end of simulated RAM, of
// which most pages were never touched and read as zero.
import { HEADER, machine } from './machine';

/** What is looked at together; a machine's memory is a multiple of it. */
export const PAGE: usize = 4096;
const PAGE_SHIFT: u32 = 12;
const FIRST_PAGE: u32 = <u32>HEADER >> PAGE_SHIFT;

/** `Machine.changedCpus`: what the host has not taken notice of yet, which is no state of the GIC. */
const CHANGED_BYTES: usize = 64;

const PRIME1: u64 = 0x9e3779b185ebca87;
const PRIME2: u64 = 0xc2b2ae3d27d4eb4f;

/** The number of the first page after the state. */
export function endPage(): u32 {
  return <u32>((<u64>machine().ramAt + machine().ramSize) >> PAGE_SHIFT);
}

/** The first page from `from` on that holds anything but zeros; `endPage` where there is none. */
export function nextUsed(from: u32): u32 {
  const end = endPage();
  let page = max<u32>(from, FIRST_PAGE);
  while (page < end && isZero(page)) page++;
  return page;
}

/** The first page from `from` on that holds nothing but zeros; `endPage` where there is none. */
export function nextUnused(from: u32): u32 {
  const end = endPage();
  let page = max<u32>(from, FIRST_PAGE);
  while (page < end && !isZero(page)) page++;
  return page;
}

/** Zeroes the pages from `from` up to `to`. Those that are zero are not written, so untouched ones stay untouched. */
export function clearPages(from: u32, to: u32): void {
  for (let page = max<u32>(from, FIRST_PAGE); page < to; page++) {
    if (!isZero(page)) memory.fill(addressOf(page), 0, PAGE);
  }
}

function addressOf(page: u32): usize {
  return (<usize>page) << PAGE_SHIFT;
}

function isZero(page: u32): bool {
  const first = addressOf(page);
  // Compared by offset: the last page may end where 32-bit addresses do.
  for (let offset: usize = 0; offset < PAGE; offset += 64) {
    const at = first + offset;
    if (ASC_FEATURE_SIMD) {
      const low = v128.or(v128.load(at), v128.load(at, 16));
      if (v128.any_true(v128.or(low, v128.or(v128.load(at, 32), v128.load(at, 48))))) return false;
    } else {
      const low = load<u64>(at) | load<u64>(at, 8) | load<u64>(at, 16) | load<u64>(at, 24);
      if (low | load<u64>(at, 32) | load<u64>(at, 40) | load<u64>(at, 48) | load<u64>(at, 56)) return false;
    }
  }
  return true;
}

/**
 * 64 bits over the state. All builds lay memory out alike and leave the same in it, so equal digests mean equal machines,
 * whichever build ran them. What only the host looks at does not count: the upper half of the last result, and which PEs
 * changed.
 */
export function digestState(): u64 {
  const m = machine();
  const resultHigh = m.resultHigh;
  m.resultHigh = 0;
  const hole = m.changedCpus;
  const holePage = <u32>(hole >> PAGE_SHIFT);
  const holeAt = hole & (PAGE - 1);
  const before = digestRange(addressOf(holePage), holeAt, PRIME2);
  let digest = digestRange(hole + CHANGED_BYTES, PAGE - holeAt - CHANGED_BYTES, before);
  for (let page = nextUsed(FIRST_PAGE); page < endPage(); page = nextUsed(page + 1)) {
    if (page != holePage) digest = mix(mix(digest, page), digestRange(addressOf(page), PAGE, PRIME2));
  }
  m.resultHigh = resultHigh;
  return digest ^ (digest >> 29);
}

/** Four lanes, so that one multiplication does not wait for another. `at` and `bytes` are multiples of 64. */
function digestRange(at: usize, bytes: usize, seed: u64): u64 {
  let a = seed;
  let b = seed ^ PRIME1;
  let c = ~seed;
  let d = seed + PRIME2;
  for (let offset: usize = 0; offset < bytes; offset += 32) {
    a = mix(a, load<u64>(at + offset));
    b = mix(b, load<u64>(at + offset, 8));
    c = mix(c, load<u64>(at + offset, 16));
    d = mix(d, load<u64>(at + offset, 24));
  }
  return mix(mix(mix(a, b), c), d);
}

function mix(hash: u64, word: u64): u64 {
  return rotl<u64>((hash ^ word) * PRIME1, 31) * PRIME2;
}

// RAM of the driver: 4 KiB pages, first fit. Pages are zeroed when they are given out.
import { ramAt } from '../memory/ram';
import { chip, ramMapAt } from './state';

const PAGE_SHIFT: u32 = 12;
export const PAGE_64K: u32 = 16;

/** Physical address of `pages` zeroed pages aligned to `alignment` pages; 0 where there is no room. */
export function allocatePages(pages: u32, alignment: u32): u64 {
  const end = chip().ramPages;
  let first: u32 = 0;
  while (first + pages <= end) {
    const taken = lastTaken(first, pages);
    if (taken < 0) {
      mark(first, pages, true);
      const address = chip().ramBase + ((<u64>first) << PAGE_SHIFT);
      memory.fill(ramAt(address, (<u64>pages) << PAGE_SHIFT), 0, (<usize>pages) << PAGE_SHIFT);
      return address;
    }
    first = (<u32>taken + alignment) & ~(alignment - 1);
  }
  return 0;
}

export function freePages(address: u64, pages: u32): void {
  if (address) mark(<u32>((address - chip().ramBase) >> PAGE_SHIFT), pages, false);
}

/** The last page of a run that is taken, or -1. */
function lastTaken(first: u32, pages: u32): i32 {
  for (let n = first + pages; n > first; n--) {
    if (isTaken(n - 1)) return <i32>(n - 1);
  }
  return -1;
}

function isTaken(page: u32): bool {
  return ((load<u8>(ramMapAt() + (page >> 3)) >> (page & 7)) & 1) != 0;
}

function mark(first: u32, pages: u32, taken: bool): void {
  for (let page = first; page < first + pages; page++) {
    const at = ramMapAt() + (page >> 3);
    const bit = (<u32>1) << (page & 7);
    const old: u32 = load<u8>(at);
    store<u8>(at, <u8>(taken ? old | bit : old & ~bit));
  }
}

/** Pages that are not given out. */
export function freePageCount(): u32 {
  let free: u32 = 0;
  for (let page: u32 = 0; page < chip().ramPages; page++) free += isTaken(page) ? 0 : 1;
  return free;
}

/** Pages that hold a number of bytes. */
export function pagesOf(bytes: u32): u32 {
  return (bytes + 4095) >> PAGE_SHIFT;
}

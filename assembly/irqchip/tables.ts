// GITS_BASER<n> and GICR_VPROPBASER as the driver sets them up: flat where that takes at most two pages, else two-level
// with a page of level 2 for each range of IDs in use (its_setup_baser, its_alloc_table_entry).
import { readBus, writeBus } from '../gic/bus';
import { ramAt } from '../memory/ram';
import { EINVAL, ENOMEM } from './errno';
import { LOG_ITS_WRITE, log } from './log';
import { itsAddress } from './queue';
import { allocatePages, PAGE_64K } from './ram';

const GITS_BASER0: u64 = 0x100;
const VALID: u64 = 1 << 63;
const INDIRECT: u64 = 1 << 62;
const PAGE_SIZE_64K: u64 = 2 << 8;
/** InnerCache: read-allocate, write-allocate, write-back. */
const RA_WA_WB: u64 = 7 << 59;
const INNER_SHAREABLE: u64 = 1 << 10;
/** Type and Entry_Size, which the ITS gives. */
const READ_ONLY: u64 = (7 << 56) | (31 << 48);
const PAGE_BYTES: u32 = 0x10000;
const ADDRESS: u64 = 0x0000ffffffff0000;
const FLAT_PAGES: u64 = 2;
const MAX_PAGES: u64 = 256;

function baserAddress(its: u32, n: u32): u64 {
  return itsAddress(its) + GITS_BASER0 + (n << 3);
}

function entryBytes(baser: u64): u32 {
  return (<u32>(baser >> 48) & 31) + 1;
}

/** Programs a table with room for 2^`idBits` IDs. */
export function setUpTable(its: u32, n: u32, idBits: u32): i32 {
  const address = baserAddress(its, n);
  const pages = pagesFor(readBus(address, 8), idBits);
  const indirect = pages > FLAT_PAGES && acceptsIndirect(address);
  const taken = indirect ? 1 : min<u64>(pages, MAX_PAGES);
  const table = allocatePages(<u32>taken * PAGE_64K, PAGE_64K);
  if (table == 0) return ENOMEM;
  const kind = (indirect ? INDIRECT : 0) | (readBus(address, 8) & READ_ONLY);
  const value = VALID | kind | RA_WA_WB | table | INNER_SHAREABLE | PAGE_SIZE_64K | (taken - 1);
  writeBus(address, 8, value);
  log(LOG_ITS_WRITE, its, GITS_BASER0 + (n << 3), value);
  return 0;
}

function pagesFor(baser: u64, idBits: u32): u64 {
  const bytes = (<u64>entryBytes(baser)) << idBits;
  return max<u64>(1, (bytes + PAGE_BYTES - 1) / PAGE_BYTES);
}

function acceptsIndirect(address: u64): bool {
  writeBus(address, 8, INDIRECT);
  return (readBus(address, 8) & INDIRECT) != 0;
}

/** Makes sure that an ID has an entry: EINVAL beyond the table, ENOMEM without RAM for a page of level 2. */
export function ensureEntry(its: u32, n: u32, id: u32): i32 {
  const baser = readBus(baserAddress(its, n), 8);
  const perPage = PAGE_BYTES / entryBytes(baser);
  const pages = (<u32>baser & 0xff) + 1;
  if ((baser & INDIRECT) == 0) return <u64>id < <u64>pages * perPage ? 0 : EINVAL;
  return ensureLevel2(baser & ADDRESS, pages, id / perPage);
}

/** The page of level 2 behind entry `index` of a level 1 table of `pages` pages. */
export function ensureLevel2(level1: u64, pages: u32, index: u32): i32 {
  if (index >= (pages * PAGE_BYTES) >> 3) return EINVAL;
  const at = ramAt(level1 + ((<u64>index) << 3), 8);
  if (at == 0) return EINVAL;
  if (load<u64>(at) & VALID) return 0;
  const page = allocatePages(PAGE_64K, PAGE_64K);
  if (page == 0) return ENOMEM;
  store<u64>(at, VALID | page);
  return 0;
}

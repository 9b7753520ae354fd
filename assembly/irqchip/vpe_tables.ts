// vPE tables. GICv4.0: one for each ITS. GICv4.1: ITSs and redistributors whose affinity says that they share one do
// (GITS_TYPER.SVPET, GICR_TYPER.CommonLPIAff): the first to need it makes it, the others take it over.
import { readBus, writeBus } from '../gic/bus';
import { machine } from '../memory/machine';
import { ENOMEM } from './errno';
import { LOG_ITS_WRITE, log } from './log';
import { itsAddress } from './queue';
import { allocatePages, PAGE_64K } from './ram';
import { GICR_VPROPBASER, readRd, sharesVpeTable, vpeTableGroup, writeRd } from './redistributor';
import { chip, itsNode, NONE } from './state';
import { ensureEntry, ensureLevel2, setUpTable } from './tables';

const VALID: u64 = 1 << 63;
const GITS_TYPER: u64 = 0x08;
const GITS_MPIDR: u64 = 0x18;
const GITS_BASER2: u64 = 0x110;
const BASER_INDIRECT: u64 = 1 << 62;
const VPROPBASER_INDIRECT: u64 = 1 << 55;
const VPROPBASER_PAGE_64K: u64 = 2 << 53;
const INNER_SHAREABLE: u64 = 1 << 10;
const ADDRESS: u64 = 0x0000ffffffff0000;
const SIZE: u64 = 0x7f;
const PAGE_BYTES: u64 = 0x10000;
/** Bytes of an entry of GICv4.1. */
const ENTRY_BYTES: u64 = 32;

/** GITS_BASER2. */
export function setUpItsVpeTable(its: u32): i32 {
  const sibling = siblingOf(its);
  if (sibling == NONE) return setUpTable(its, 2, chip().vpeIdBits);
  const value = readBus(itsAddress(sibling) + GITS_BASER2, 8);
  log(LOG_ITS_WRITE, its, GITS_BASER2, value);
  writeBus(itsAddress(its) + GITS_BASER2, 8, value);
  return 0;
}

/** An earlier ITS that shares its vPE table with this one (find_sibling_its). */
function siblingOf(its: u32): u32 {
  for (let other: u32 = 0; other < its; other++) {
    const shares = sharingLevels(its) != 0 && sharingLevels(other) != 0;
    if (shares && groupOfIts(other) == groupOfIts(its)) return other;
  }
  return NONE;
}

/** GITS_TYPER.SVPET; 0 of an ITS that is not GICv4.1. */
function sharingLevels(its: u32): u32 {
  return itsNode(its).isV4_1 ? <u32>(readBus(itsAddress(its) + GITS_TYPER, 8) >> 41) & 3 : 0;
}

function groupOfIts(its: u32): u32 {
  const affinity = <u32>readBus(itsAddress(its) + GITS_MPIDR, 4);
  return affinity & ~(<u32>0xffffffff >> (sharingLevels(its) << 3));
}

/** GICR_VPROPBASER of GICv4.1: the table of an ITS, or of an earlier redistributor, or a new one. */
export function setUpRdVpeTable(cpu: u32): i32 {
  let value = inherited(cpu);
  if (value == 0) value = newTable(cpu);
  if (value == 0) return ENOMEM;
  writeRd(cpu, GICR_VPROPBASER, 8, value);
  return 0;
}

function inherited(cpu: u32): u64 {
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    if (sharingLevels(its) == 0 || groupOfIts(its) != vpeTableGroup(cpu)) continue;
    const table = readBus(itsAddress(its) + GITS_BASER2, 8);
    const indirect: u64 = table & BASER_INDIRECT ? VPROPBASER_INDIRECT : 0;
    const pages = min<u64>(table & 0xff, SIZE);
    return VALID | indirect | VPROPBASER_PAGE_64K | (table & ADDRESS) | INNER_SHAREABLE | pages;
  }
  for (let other: u32 = 0; other < cpu; other++) {
    if (sharesVpeTable(cpu, other)) return readRd(other, GICR_VPROPBASER, 8);
  }
  return 0;
}

function newTable(cpu: u32): u64 {
  const pages = max<u64>(1, ((ENTRY_BYTES << chip().vpeIdBits) + PAGE_BYTES - 1) / PAGE_BYTES);
  writeRd(cpu, GICR_VPROPBASER, 8, VPROPBASER_INDIRECT);
  const indirect = pages > 1 && (readRd(cpu, GICR_VPROPBASER, 8) & VPROPBASER_INDIRECT) != 0;
  const taken = indirect ? 1 : min<u64>(pages, SIZE + 1);
  const table = allocatePages(<u32>taken * PAGE_64K, PAGE_64K);
  if (table == 0) return 0;
  const levels: u64 = indirect ? VPROPBASER_INDIRECT : 0;
  return VALID | levels | VPROPBASER_PAGE_64K | table | INNER_SHAREABLE | (taken - 1);
}

/** Whether all vPE tables have, or now have, an entry for a vPEID (its_alloc_vpe_table). */
export function ensureVpeEntries(vpeId: u32): bool {
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    if (itsNode(its).isV4 && ensureEntry(its, 2, vpeId) != 0) return false;
  }
  if (!chip().hasRvpeid) return true;
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    if (!ensureRdEntry(cpu, vpeId)) return false;
  }
  return true;
}

function ensureRdEntry(cpu: u32, vpeId: u32): bool {
  const table = readRd(cpu, GICR_VPROPBASER, 8);
  const pages = <u32>(table & SIZE) + 1;
  const perPage = <u32>(PAGE_BYTES / ENTRY_BYTES);
  if ((table & VPROPBASER_INDIRECT) == 0) return vpeId < pages * perPage;
  return ensureLevel2(table & ADDRESS, pages, vpeId / perPage) == 0;
}

// Device tables, collection tables and interrupt translation tables in simulated RAM (sections 5.9, 5.10). Every
// entry is one aligned 64-bit word. Software owns the memory, so nothing in an entry is trusted when it is read.
//
//   DTE  [63] Valid | [51:8] ITT address | [4:0] EventID bits - 1
//   CTE  [63] Valid | [15:0] number of the PE
//   VTE  [63] Valid | [62:53] number of the PE | [51:16] pending table address | [4:0] INTID bits - 1
//   ITE  [63] Valid | [62] 0 | [37:16] INTID | [15:0] ICID
//        [63] Valid | [62] 1 | [59:38] doorbell INTID | [37:16] INTID | [15:0] vPEID
import { Feature } from '../abi';
import { machine } from '../memory/machine';
import { ramAt } from '../memory/ram';
import { loadShared } from '../memory/shared_words';
import { COLLECTION_TABLE, DEVICE_TABLE, Its, Table, VPE_TABLE } from './its';

/** Results of looking for an entry that are not its address. */
export const UNMAPPED: usize = 0;
export const FAULT: usize = 1;

const VALID: u64 = 1 << 63;
const ITE_VIRTUAL: u64 = 1 << 62;
const ITT_ADDRESS: u64 = 0x000fffffffffff00;
const LEVEL1_ADDRESS: u64 = 0x000ffffffffff000;
const VPT_ADDRESS: u64 = 0x000fffffffff0000;
const ITE_BYTES: u64 = 8;

export function isValid(entry: u64): bool {
  return (entry & VALID) != 0;
}

export function deviceEntry(ittAddress: u64, size: u32): u64 {
  return VALID | (ittAddress & ITT_ADDRESS) | size;
}

/** Events that a device's entry has room for: 2^(Size + 1). */
export function deviceEvents(dte: u64): u64 {
  return (<u64>2) << (dte & 31);
}

export function collectionEntry(cpu: u32): u64 {
  return VALID | cpu;
}

/** The PE of a collection's entry; memory that holds anything else counts as unmapped. */
export function collectionCpu(cte: u64): u32 {
  return <u32>cte & 0xffff;
}

export function isMappedCollection(cte: u64): bool {
  return isValid(cte) && collectionCpu(cte) < machine().cpuCount;
}

export function interruptEntry(intid: u32, icid: u32): u64 {
  return VALID | ((<u64>intid) << 16) | icid;
}

/** The entry of an event that is forwarded to a vPE. */
export function virtualInterruptEntry(vintid: u32, vpeId: u32, doorbell: u32): u64 {
  return VALID | ITE_VIRTUAL | ((<u64>doorbell) << 38) | ((<u64>vintid) << 16) | vpeId;
}

export function isVirtual(ite: u64): bool {
  return (ite & ITE_VIRTUAL) != 0;
}

/** A valid entry of a kind that this ITS has. */
export function isMappedInterrupt(ite: u64): bool {
  return isValid(ite) && (!isVirtual(ite) || machine().has(Feature.VIRTUAL_LPIS));
}

export function interruptVpe(ite: u64): u32 {
  return <u32>ite & 0xffff;
}

export function interruptDoorbell(ite: u64): u32 {
  return <u32>(ite >> 38) & 0x3fffff;
}

/** The entry of a mapped vPE. */
export function vpeEntry(cpu: u32, pendingTable: u64, size: u32): u64 {
  return VALID | ((<u64>cpu) << 53) | (pendingTable & VPT_ADDRESS) | size;
}

export function vpeCpu(vte: u64): u32 {
  return <u32>(vte >> 53) & 0x3ff;
}

export function withVpeCpu(vte: u64, cpu: u32): u64 {
  return (vte & ~((<u64>0x3ff) << 53)) | ((<u64>cpu) << 53);
}

/** Physical address of a vPE's pending table. */
export function vpePendingTable(vte: u64): u64 {
  return vte & VPT_ADDRESS;
}

/** The first INTID beyond the VLPIs of a vPE. */
export function vpeEnd(vte: u64): u32 {
  const bits = (<u32>vte & 31) + 1;
  return (<u32>1) << min<u32>(bits, machine().intidBits);
}

export function isMappedVpe(vte: u64): bool {
  return isValid(vte) && vpeCpu(vte) < machine().cpuCount;
}

export function interruptIntid(ite: u64): u32 {
  return <u32>(ite >> 16) & 0x3fffff;
}

export function interruptIcid(ite: u64): u32 {
  return <u32>ite & 0xffff;
}

export function withIcid(ite: u64, icid: u32): u64 {
  return (ite & ~(<u64>0xffff)) | icid;
}

/** IDs below this one are in range for a table; the rest are out of range whatever level 1 says. */
export function deviceCapacity(its: Its): u64 {
  return its.table(DEVICE_TABLE).capacity;
}

export function collectionCapacity(its: Its): u64 {
  const hardware = min<u64>(machine().hardwareCollections, (<u64>1) << machine().collectionIdBits);
  return max<u64>(its.table(COLLECTION_TABLE).capacity, hardware);
}

export function vpeCapacity(its: Its): u64 {
  return its.table(VPE_TABLE).capacity;
}

/** Where the entry of a DeviceID stands, UNMAPPED where it has none, FAULT outside RAM. */
export function deviceEntryAt(its: Its, deviceId: u32): usize {
  return <u64>deviceId < deviceCapacity(its) ? entryAt(its.table(DEVICE_TABLE), deviceId) : UNMAPPED;
}

/** Collections below GITS_TYPER.HCC are held in the ITS, the others in the table. */
export function collectionEntryAt(its: Its, icid: u32): usize {
  if (icid < machine().hardwareCollections) return its.hardwareCollections + (icid << 3);
  const table = its.table(COLLECTION_TABLE);
  return <u64>icid < table.capacity ? entryAt(table, icid) : UNMAPPED;
}

export function vpeEntryAt(its: Its, vpeId: u32): usize {
  return <u64>vpeId < vpeCapacity(its) ? entryAt(its.table(VPE_TABLE), vpeId) : UNMAPPED;
}

export function interruptEntryAt(dte: u64, eventId: u32): usize {
  const at = ramAt((dte & ITT_ADDRESS) + <u64>eventId * ITE_BYTES, ITE_BYTES);
  return at ? at : FAULT;
}

/** The place of an entry in a flat or two-level table that has room for it. */
export function entryAt(table: Table, id: u32): usize {
  if (table.flat) return table.flat + <usize>id * table.entryBytes;
  let page = table.address;
  let place: u64 = id;
  if (table.entriesPerPage) {
    const level1 = ramAt(table.address + ((<u64>(id / table.entriesPerPage)) << 3), 8);
    if (level1 == 0) return FAULT;
    const descriptor = loadShared(level1);
    if (!isValid(descriptor)) return UNMAPPED;
    page = descriptor & LEVEL1_ADDRESS & ~(table.pageBytes - 1);
    place = id % table.entriesPerPage;
  }
  const at = ramAt(page + place * table.entryBytes, 8);
  return at ? at : FAULT;
}

const BASER_INDIRECT: u64 = 1 << 62;

/** Derives place and size of table n from GITS_BASER<n> (section 5.9). */
export function attachTable(its: Its, n: u32, baser: u64): void {
  const table = its.table(n);
  const pageSize = <u32>(baser >> 8) & 3;
  const pageBytes: u64 = pageSize == 0 ? 0x1000 : pageSize == 1 ? 0x4000 : 0x10000;
  const indirect = (baser & BASER_INDIRECT) != 0 && machine().has(Feature.INDIRECT_TABLES);
  table.baser = baser;
  table.entryBytes = (<u32>(baser >> 48) & 31) + 1;
  table.pageBytes = pageBytes;
  table.entriesPerPage = indirect ? <u32>(pageBytes / table.entryBytes) : 0;
  table.address = tableAddress(baser, pageBytes);
  measureTable(table, isValid(baser) ? ((baser & 0xff) + 1) * pageBytes : 0, idBitsOf(n));
}

/** Finds out how many IDs of `idBits` bits a table of `bytes` bytes has room for, once its other fields stand. */
export function measureTable(table: Table, bytes: u64, idBits: u32): void {
  const isFlat = table.entriesPerPage == 0;
  const entries = isFlat ? bytes / table.entryBytes : (bytes >> 3) * table.entriesPerPage;
  table.capacity = min<u64>(entries, (<u64>1) << idBits);
  table.flat = isFlat && table.entryBytes >= 8 ? ramAt(table.address, bytes) : 0;
}

function idBitsOf(table: u32): u32 {
  if (table == DEVICE_TABLE) return machine().deviceIdBits;
  return table == COLLECTION_TABLE ? machine().collectionIdBits : machine().vpeIdBits;
}

/** Only 64 KiB pages reach above 2^48: they have PA[51:48] in [15:12]. Misaligned low bits count as zero. */
function tableAddress(baser: u64, pageBytes: u64): u64 {
  const low = baser & 0x0000fffffffff000 & ~(pageBytes - 1);
  return pageBytes == 0x10000 ? low | ((baser & 0xf000) << 36) : low;
}

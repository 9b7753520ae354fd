// One Interrupt Translation Service: its registers, and what is derived from them when they are written.
import { Feature } from '../abi';
import { machine } from '../memory/machine';

/** GITS_BASER<n> in use. */
export const DEVICE_TABLE: u32 = 0;
export const COLLECTION_TABLE: u32 = 1;
export const VPE_TABLE: u32 = 2;

const BASERS: u32 = 8;

/** Where a table stands, taken from GITS_BASER<n> when it is written. */
@unmanaged
export class Table {
  baser: u64;
  address: u64;
  /** IDs that the table has room for and that the ITS can tell apart; 0 while it is not valid. */
  capacity: u64;
  /** Linear address of a flat table that is wholly inside RAM, 0 of any other. */
  flat: usize;
  entryBytes: u32;
  /** Two-level tables: entries in one page of level 2; 0 for flat tables. */
  entriesPerPage: u32;
  pageBytes: u64;
}

@unmanaged
export class Its {
  number: u32;
  /** GITS_CTLR.ITS_Number xor `number`. */
  renumbered: u32;
  /** GITS_CTLR.Enabled. */
  enabled: u32;
  /** GITS_CREADR.Stalled: the queue waits for a retry. */
  stalled: u32;
  /** What GITS_CREADR.Stalled reads as; differs from `stalled` only by policy. */
  stalledShown: u32;
  cbaser: u64;
  /** Byte offsets in the command queue. */
  cwriter: u32;
  creadr: u32;
  queueBytes: u32;
  statusr: u32;
  umsir: u64;
  /** The VMOVP that this ITS has reached and waits with for its partners; 0 when it waits for none. */
  moving: u32;
  /** Its partners have come: the VMOVP at GITS_CREADR has been carried out. */
  moved: u32;
  /** SequenceNumber << 16 | ITSList, vPEID and PE of that VMOVP. */
  moveKey: u32;
  moveVpe: u32;
  moveCpu: u32;
  /** Linear address of the command queue; 0 where it is not wholly inside RAM. */
  queue: usize;
  /** Collections held in the ITS: one entry each, in the format of the collection table. */
  hardwareCollections: usize;
  /** Eight `Table` records. */
  tables: usize;
  /** GICv4.1: a bit for each vPEID that this ITS has mapped, which a table that several ITSs share cannot tell. */
  mappedVpes: usize;

  /** A GICv4 ITS: it has VLPIs and a vPE table. */
  get isVirtual(): bool {
    const m = machine();
    return m.has(Feature.VIRTUAL_LPIS) && ((m.itsWithoutVlpis >> this.number) & 1) == 0;
  }

  /** GITS_CTLR.ITS_Number, by which ITSList names it. */
  get listNumber(): u32 {
    return this.number ^ this.renumbered;
  }

  table(n: u32): Table {
    return changetype<Table>(this.tables + <usize>n * offsetof<Table>());
  }

  mapsVpe(vpeId: u32): bool {
    return ((load<u64>(this.mappedVpes + ((vpeId >> 6) << 3)) >> (vpeId & 63)) & 1) != 0;
  }

  setMapsVpe(vpeId: u32, mapped: bool): void {
    const at = this.mappedVpes + ((vpeId >> 6) << 3);
    const bit = (<u64>1) << (vpeId & 63);
    store<u64>(at, mapped ? load<u64>(at) | bit : load<u64>(at) & ~bit);
  }
}

const MAX_HARDWARE_COLLECTIONS: u32 = 256;
const MAX_VPES: u32 = 65536;

/** Record, tables, collections and mapped vPEs of one ITS. */
export const ITS_BYTES: usize =
  ((offsetof<Its>() + 7) & ~7) + BASERS * offsetof<Table>() + MAX_HARDWARE_COLLECTIONS * 8 + (MAX_VPES >> 3);

export function itsOf(number: u32): Its {
  return changetype<Its>(machine().itsRecords + <usize>number * ITS_BYTES);
}

export function setItsNumber(number: u32, itsNumber: u32): void {
  itsOf(number).renumbered = number ^ itsNumber;
}

/** GITS_BASER<n>.Page_Size after reset: 64 KiB. */
const RESET_BASER: u64 = 2 << 8;

export function initIts(number: u32): void {
  const its = itsOf(number);
  its.number = number;
  its.tables = changetype<usize>(its) + ((offsetof<Its>() + 7) & ~7);
  its.hardwareCollections = its.tables + BASERS * offsetof<Table>();
  its.mappedVpes = its.hardwareCollections + MAX_HARDWARE_COLLECTIONS * 8;
  for (let n: u32 = 0; n < BASERS; n++) its.table(n).baser = RESET_BASER;
}

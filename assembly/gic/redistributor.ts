// One redistributor per PE: what it knows of its PE's banked interrupts and of its LPIs.
import { Table } from '../its/its';
import { machine } from '../memory/machine';
import { PriorityIndex } from '../memory/priority_index';
import { loadShared, storeShared } from '../memory/shared_words';
import { LPI_SET_BYTES, LpiSet } from './lpi_set';

const RESIDENT: u64 = 1;
const RESIDENT_TABLE: u64 = 0x000fffffffff0000;

export const NOT_RESIDENT: u32 = 0xffffffff;

@unmanaged
export class Redistributor {
  cpu: u32;
  /** Aff3.Aff2.Aff1.Aff0. */
  affinity: u32;
  typer: u64;
  /** A set of `RedistributorTrait`. */
  traits: u32;

  /** GICR_CTLR: EnableLPIs and the DPG bits. */
  ctlr: u32;
  statusr: u32;
  /** GICR_WAKER.ProcessorSleep. */
  asleep: u32;
  /** GICR_PENDBASER.PTZ as last written; it reads as zero where it is honoured. */
  pendingTableZero: u32;
  propbaser: u64;
  pendbaser: u64;

  /** GICR_CTLR.EnableLPIs has taken effect. */
  lpisEnabled: u32;

  vpropbaser: u64;
  vpendbaser: u64;
  /** GICR_VPENDBASER.Valid: a vPE is resident. */
  resident: u32;
  /** Reads of GICR_VPENDBASER that will still see Dirty. */
  dirtyReads: u32;
  /** GICv4.0, in one word for other threads: [51:16] the resident vPE's pending table | [5:1] INTID bits | [0] 1. */
  residentTable: u64;
  /** GICv4.1: the vPEID, its entry in the vPE Configuration table, and the groups that are forwarded. */
  residentVpe: u32;
  virtualGroups: u32;
  residentEntry: usize;
  /** GICv4.1: the table of GICR_VPROPBASER, a `Table`. */
  vpeTable: usize;
  /** GICR_VSGIPENDR: the answer to the last query. */
  vsgiPending: u32;

  /** SGIs and PPIs. */
  bank: usize;
  /** Pending and enabled SGIs, PPIs and SPIs for this PE: one index per group. */
  wired0: usize;
  wired1: usize;
  /** The `LpiSet` of its physical LPIs. */
  lpis: usize;

  /** The `LpiSet` of the resident vPE. */
  vlpis: usize;

  /** GICv4.0: the first INTID beyond the VLPIs of the vPE with this pending table; NOT_RESIDENT where it is not here. */
  residentEnd(pendingTable: u64): u32 {
    const word = loadShared(this.residentTableAt);
    if ((word & (RESIDENT_TABLE | RESIDENT)) != (pendingTable | RESIDENT)) return NOT_RESIDENT;
    const bits = <u32>(word >> 1) & 31;
    return (<u32>1) << bits;
  }

  /** GICv4.0: from here on VLPIs of the vPE with this pending table come here instead of ringing. */
  hold(pendingTable: u64, end: u32): void {
    storeShared(this.residentTableAt, pendingTable | ((<u64>(31 - clz(end | 1))) << 1) | RESIDENT);
  }

  /** GICv4.0: no vPE is resident any more. */
  letGo(): void {
    storeShared(this.residentTableAt, 0);
  }

  private get residentTableAt(): usize {
    return changetype<usize>(this) + offsetof<Redistributor>('residentTable');
  }

  get virtualLpis(): LpiSet {
    return changetype<LpiSet>(this.vlpis);
  }

  get physicalLpis(): LpiSet {
    return changetype<LpiSet>(this.lpis);
  }
}

const INDEX_BYTES: usize = (offsetof<PriorityIndex>() + 7) & ~7;

/** A redistributor's record with its indexes, without their planes. */
export const REDISTRIBUTOR_BYTES: usize =
  ((offsetof<Redistributor>() + 7) & ~7) + 2 * INDEX_BYTES + 2 * LPI_SET_BYTES + offsetof<Table>();

/** Places the parts of a redistributor behind its record. */
export function initRedistributor(rd: Redistributor): void {
  rd.wired0 = changetype<usize>(rd) + ((offsetof<Redistributor>() + 7) & ~7);
  rd.wired1 = rd.wired0 + INDEX_BYTES;
  rd.lpis = rd.wired1 + INDEX_BYTES;
  rd.vlpis = rd.lpis + LPI_SET_BYTES;
  rd.vpeTable = rd.vlpis + LPI_SET_BYTES;
  rd.virtualGroups = 3;
}

export function redistributorOf(cpu: u32): Redistributor {
  return changetype<Redistributor>(machine().redistributors + <usize>cpu * REDISTRIBUTOR_BYTES);
}

export function wiredIndex(redistributor: Redistributor, group: u32): PriorityIndex {
  return changetype<PriorityIndex>(group ? redistributor.wired1 : redistributor.wired0);
}

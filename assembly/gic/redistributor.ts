// One redistributor per PE: what it knows of its PE's banked interrupts and of its LPIs.
import { machine } from '../memory/machine';
import { PriorityIndex } from '../memory/priority_index';

@unmanaged
export class Redistributor {
  cpu: u32;
  /** Aff3.Aff2.Aff1.Aff0. */
  affinity: u32;
  typer: u64;

  /** GICR_CTLR: EnableLPIs and the DPG bits. */
  ctlr: u32;
  statusr: u32;
  /** GICR_WAKER.ProcessorSleep. */
  asleep: u32;
  /** GICR_PENDBASER.PTZ as last written; it reads as zero where it is honoured. */
  pendingTableZero: u32;
  propbaser: u64;
  pendbaser: u64;

  /** The first INTID beyond this redistributor's LPIs; 0 while EnableLPIs=0. */
  lpiEnd: u32;
  /** Linear addresses of the LPI tables; 0 where a table is not wholly inside RAM. */
  configTable: usize;
  pendingTable: usize;
  /** A byte per LPI: its cached configuration, 0 where none is cached. */
  configCache: usize;

  /** SGIs and PPIs. */
  bank: usize;
  /** Pending and enabled SGIs, PPIs and SPIs for this PE: one index per group. */
  wired0: usize;
  wired1: usize;
  /** Pending and enabled LPIs. */
  lpis: usize;

  get lpisEnabled(): bool {
    return this.lpiEnd != 0;
  }

  get lpiIndex(): PriorityIndex {
    return changetype<PriorityIndex>(this.lpis);
  }
}

/** Record and indexes of one redistributor. */
export const REDISTRIBUTOR_BYTES: usize =
  offsetof<Redistributor>() + 3 * ((offsetof<PriorityIndex>() + 7) & ~7) + 64;

export function redistributorOf(cpu: u32): Redistributor {
  return changetype<Redistributor>(machine().redistributors + <usize>cpu * REDISTRIBUTOR_BYTES);
}

export function wiredIndex(redistributor: Redistributor, group: u32): PriorityIndex {
  return changetype<PriorityIndex>(group ? redistributor.wired1 : redistributor.wired0);
}

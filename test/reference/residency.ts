import type { MachineConfig } from '../../bindings/config.ts';
import { field, ones, place } from './bits.ts';
import type { Counters } from './counters.ts';
import type { LpiTables } from './lpi_tables.ts';
import type { VirtualCandidate } from './virtual_interface.ts';

export const Vpendbaser = {
  VALID: ones(63),
  /** IDAI in GICv4.0. */
  DOORBELL: ones(62),
  PENDING_LAST: ones(61),
  DIRTY: ones(60),
} as const;

/**
 * The VLPI frame of one redistributor: GICR_VPROPBASER, GICR_VPENDBASER and what is resident there, for the virtual CPU
 * interface to take. The two versions of GICv4 differ in what the registers mean.
 */
export abstract class Residency {
  readonly cpu: number;
  protected readonly config: MachineConfig;
  protected readonly counters: Counters;
  /** GICR_VPENDBASER without Dirty. */
  protected vpendbaser = 0n;
  protected vpropbaser = 0n;
  /** Reads of GICR_VPENDBASER that still see Dirty=1. */
  #dirtyReads = 0;

  constructor(config: MachineConfig, cpu: number, counters: Counters) {
    this.config = config;
    this.cpu = cpu;
    this.counters = counters;
  }

  /** The VLPIs of the resident vPE. */
  abstract get tables(): LpiTables | undefined;
  /** What is pending, enabled and forwarded, best first among equals: vSGIs, then the best VLPI. */
  abstract direct(): readonly VirtualCandidate[];
  abstract acknowledge(candidate: VirtualCandidate): void;
  abstract writeVpropbaser(value: bigint, written: bigint): void;
  abstract readVpropbaser(): bigint;
  abstract writeVpendbaser(value: bigint, written: bigint): void;

  get valid(): boolean {
    return (this.vpendbaser & Vpendbaser.VALID) !== 0n;
  }

  readVpendbaser(): bigint {
    if (this.#dirtyReads === 0) return this.vpendbaser;
    this.#dirtyReads--;
    return this.vpendbaser | Vpendbaser.DIRTY;
  }

  bestVlpi(): VirtualCandidate | undefined {
    const { policy, storedPriorityBits, virtualPriorityBits } = this.config;
    const lowest = policy.tieBreak === 'lowest-intid';
    // As with LPIs, the redistributor may have bits of priorities that the CPU interface lacks.
    const bits = Math.max(storedPriorityBits, virtualPriorityBits);
    let best: VirtualCandidate | undefined;
    for (const { intid, priority } of this.tables?.candidates(bits) ?? []) {
      const order = best
        ? priority - best.priority || (lowest ? intid - best.vIntid : best.vIntid - intid)
        : -1;
      if (order < 0) best = { source: 'vlpi', vIntid: intid, priority, group: 1 };
    }
    return best;
  }

  /** Whether PendingLast counts the VLPIs: one that is pending and enabled, or any by policy. */
  protected hasPendingVlpi(): boolean {
    const { pendingLastCountsDisabled } = this.config.policy;
    return this.bestVlpi() !== undefined || (pendingLastCountsDisabled && this.tables!.tableHasPending());
  }

  protected setValid(valid: boolean): void {
    const { scheduleIn, scheduleOut } = this.config.dirtyReads;
    this.vpendbaser = (this.vpendbaser & ~Vpendbaser.VALID) | place(valid, 63);
    this.#dirtyReads = valid ? scheduleIn : scheduleOut;
    this.counters.residency[valid ? 'scheduledIn' : 'scheduledOut']++;
  }
}

export function isValid(vpendbaser: bigint): boolean {
  return field(vpendbaser, 63) === 1n;
}

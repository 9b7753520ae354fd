import type { MachineConfig } from '../../bindings/config.ts';
import { merge, numberField, ones, place } from './bits.ts';
import type { Counters } from './counters.ts';
import { ATTRIBUTES, legalizeTable } from './lpi.ts';
import { LpiTables, lpiLimit } from './lpi_tables.ts';
import type { Memory } from './memory.ts';
import { isValid, Residency, Vpendbaser } from './residency.ts';
import type { VirtualCandidate } from './virtual_interface.ts';

const ADDRESS = ones(51, 16);
const VPROPBASER_LEGAL = ATTRIBUTES | ones(51, 12) | ones(4, 0);
const VPENDBASER_LEGAL = ones(63, 61) | ATTRIBUTES | ADDRESS;

/** GICv4.0: the registers hold the tables of the resident vPE (sections 3.11, 3.12, 7.4 and 7.5). */
export class Residency40 extends Residency {
  readonly #memory: Memory;
  #tables: LpiTables | undefined;

  constructor(config: MachineConfig, memory: Memory, cpu: number, counters: Counters) {
    super(config, cpu, counters);
    this.#memory = memory;
  }

  override get tables(): LpiTables | undefined {
    return this.#tables;
  }

  /** Address of the VPT of the resident vPE; undefined without one. */
  get vpt(): number | undefined {
    return this.valid ? Number(this.vpendbaser & ADDRESS) : undefined;
  }

  override direct(): readonly VirtualCandidate[] {
    const best = this.bestVlpi();
    return best ? [best] : [];
  }

  override acknowledge({ vIntid }: VirtualCandidate): void {
    this.#tables?.clear(vIntid);
  }

  override readVpropbaser(): bigint {
    return this.vpropbaser;
  }

  /** A write while a vPE is resident, where it is accepted, counts from the next residency on. */
  override writeVpropbaser(value: bigint, written: bigint): void {
    if (this.valid && this.config.policy.lpiTableWriteWhileEnabled === 'ignore') return;
    this.vpropbaser = legalizeTable(
      this.config.policy,
      merge(this.vpropbaser, value, written),
      VPROPBASER_LEGAL,
    );
  }

  /** While a vPE is resident, a write that leaves Valid=1 is ignored; one with Valid=0 brings its fields. */
  override writeVpendbaser(value: bigint, written: bigint): void {
    const before = this.vpendbaser;
    // Reserved bits never stay, whatever becomes of those of other registers.
    const merged = merge(before, value, written) & VPENDBASER_LEGAL;
    const after = legalizeTable(this.config.policy, merged, VPENDBASER_LEGAL);
    if (this.valid && !isValid(after)) this.#scheduleOut(after);
    else if (!this.valid && isValid(after)) this.#scheduleIn(after);
    else if (!this.valid) this.vpendbaser = after;
  }

  #scheduleIn(written: bigint): void {
    this.vpendbaser = written | Vpendbaser.PENDING_LAST;
    this.setValid(true);
    this.#loadTables();
  }

  #scheduleOut(written: bigint): void {
    this.vpendbaser = (written & ~Vpendbaser.PENDING_LAST) | place(this.hasPendingVlpi(), 61);
    this.setValid(false);
    this.#tables = undefined;
  }

  #loadTables(): void {
    const bits = Math.min(numberField(this.vpropbaser, 4, 0) + 1, this.config.intidBits);
    this.#tables = new LpiTables(this.#memory, {
      pendingTable: Number(this.vpendbaser & ADDRESS),
      configTable: Number(this.vpropbaser & ones(51, 12)),
      limit: lpiLimit(bits),
    }).load();
  }
}

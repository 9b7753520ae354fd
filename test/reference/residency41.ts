import type { MachineConfig } from '../../bindings/config.ts';
import { field, merge, numberField, ones, place } from './bits.ts';
import type { Counters } from './counters.ts';
import { ATTRIBUTES, zeroReservedShareability } from './lpi.ts';
import { LpiTables, lpiLimit } from './lpi_tables.ts';
import type { Memory } from './memory.ts';
import { isValid, Residency, Vpendbaser } from './residency.ts';
import { Table, vpropbaserShape } from './table.ts';
import type { VirtualCandidate } from './virtual_interface.ts';
import type { ConfiguredVpe } from './vpe.ts';

const ENTRY_SIZE = 3n << 59n;
const GROUP0 = ones(59);
const GROUP1 = ones(58);
const VPEID = ones(15, 0);
const VPENDBASER_LEGAL = ones(63, 61) | GROUP0 | GROUP1 | VPEID;
/** What must not change while a vPE is resident. */
const FIXED = GROUP0 | GROUP1 | VPEID;

/** GICv4.1: a vPE is resident by its vPEID (sections 3.11, 3.12 and 7.6). */
export class Residency41 extends Residency {
  /** The vPE Configuration table that GICR_VPROPBASER describes. */
  readonly vpeTable: Table;
  readonly #memory: Memory;
  readonly #find: (cpu: number, vpeId: number) => ConfiguredVpe | undefined;
  /** Undefined also after another redistributor took the resident vPE over, or an ITS unmapped it. */
  #vpe: ConfiguredVpe | undefined;
  #tables: LpiTables | undefined;

  /** @param find the vPE that a redistributor finds in its vPE Configuration table */
  constructor(
    config: MachineConfig,
    memory: Memory,
    cpu: number,
    counters: Counters,
    find: (cpu: number, vpeId: number) => ConfiguredVpe | undefined,
  ) {
    super(config, cpu, counters);
    this.#memory = memory;
    this.#find = find;
    this.vpeTable = new Table(memory, config.vpeIdBits, () => vpropbaserShape(this.vpropbaser));
  }

  override get tables(): LpiTables | undefined {
    return this.#tables;
  }

  override direct(): readonly VirtualCandidate[] {
    const forwarded = this.#forwarded();
    const lowest = this.config.policy.tieBreak === 'lowest-intid';
    const vsgis = (this.#vpe?.vsgis ?? []).flatMap(
      ({ pending, enabled, priority, group }, vIntid): VirtualCandidate[] =>
        pending && enabled && forwarded[group] ? [{ source: 'vsgi', vIntid, priority, group }] : [],
    );
    const vlpi = forwarded[1] ? this.bestVlpi() : undefined;
    return [...(lowest ? vsgis : vsgis.reverse()), ...(vlpi ? [vlpi] : [])];
  }

  override acknowledge({ source, vIntid }: VirtualCandidate): void {
    if (source === 'vsgi') this.#vpe!.vsgis[vIntid]!.pending = false;
    else this.#tables?.clear(vIntid);
  }

  /** Entry_Size is four doublewords. */
  override readVpropbaser(): bigint {
    return this.vpropbaser | ENTRY_SIZE;
  }

  /** Z is of no use to a model whose tables are always live. */
  override writeVpropbaser(value: bigint, written: bigint): void {
    if (this.valid) return;
    const indirect = this.config.indirectTables ? ones(55) : 0n;
    const legal = ones(63) | ATTRIBUTES | indirect | ones(54, 53) | ones(51, 12) | ones(6, 0);
    const merged = merge(this.vpropbaser, value, written) & legal;
    const keeps = this.config.policy.lpiTableReservedBits === 'keep';
    this.vpropbaser = keeps ? merged : zeroReservedShareability(merged);
  }

  override writeVpendbaser(value: bigint, written: bigint): void {
    const before = this.vpendbaser;
    const after = merge(before, value, written) & VPENDBASER_LEGAL;
    if (this.valid) {
      if (!isValid(after)) this.#scheduleOut(after);
    } else if (isValid(after)) this.#scheduleIn(after);
    else this.vpendbaser = after & ~Vpendbaser.DOORBELL;
  }

  /** The vPE goes elsewhere, or is unmapped: nothing of it is forwarded any more. */
  lose(): void {
    this.#vpe = undefined;
    this.#tables = undefined;
  }

  /** A vPEID that the redistributor does not know is taken as Valid=0. */
  #scheduleIn(written: bigint): void {
    const vpe = this.#find(this.cpu, numberField(written, 15, 0));
    if (!vpe) {
      this.vpendbaser = written & ~(Vpendbaser.VALID | Vpendbaser.DOORBELL);
      return;
    }
    vpe.residence?.lose();
    vpe.residence = this;
    vpe.request = undefined;
    this.#vpe = vpe;
    this.#tables = new LpiTables(this.#memory, {
      pendingTable: vpe.vpt,
      configTable: vpe.configTable,
      limit: lpiLimit(Math.min(vpe.size + 1, this.config.intidBits)),
    }).load();
    this.vpendbaser = (written & ~Vpendbaser.DOORBELL) | Vpendbaser.PENDING_LAST;
    this.setValid(true);
  }

  /** The vPEID and the group enables stay those of the residency, whatever is written. */
  #scheduleOut(written: bigint): void {
    const told = field(written, 61) === 1n;
    const last = told || this.#pendingLast();
    if (this.#vpe) {
      this.#vpe.residence = undefined;
      if (!last && field(written, 62) === 1n) this.#vpe.request = this.#forwarded();
    }
    this.lose();
    this.vpendbaser = (this.vpendbaser & FIXED) | place(last, 61);
    this.setValid(false);
  }

  #pendingLast(): boolean {
    const forwarded = this.#forwarded();
    const vsgi = this.#vpe?.vsgis.some(
      ({ pending, enabled, group }) => pending && enabled && forwarded[group],
    );
    return vsgi || (this.#tables !== undefined && forwarded[1] && this.hasPendingVlpi());
  }

  /** VGrp0En and VGrp1En. */
  #forwarded(): [boolean, boolean] {
    return [(this.vpendbaser & GROUP0) !== 0n, (this.vpendbaser & GROUP1) !== 0n];
  }
}

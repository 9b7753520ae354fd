import type { MachineConfig } from '../../bindings/config.ts';
import type { MsiOutcome } from '../../bindings/outcomes.ts';
import type { Policy } from '../../bindings/policy.ts';
import { field, merge, numberField, ones } from './bits.ts';
import { LpiTables, lpiLimit } from './lpi_tables.ts';
import type { Memory } from './memory.ts';

/** InnerCache, OuterCache and Shareability of the table registers: sections 3.6 and 3.7. */
const SHAREABILITY = ones(11, 10);
export const ATTRIBUTES = ones(58, 56) | SHAREABILITY | ones(9, 7);
const PROPBASER_LEGAL = ATTRIBUTES | ones(51, 12) | ones(4, 0);
const PENDBASER_LEGAL = ATTRIBUTES | ones(51, 16);
const PTZ = ones(62);

/** A written value of a table register. Reserved bits become zero, and so does the reserved Shareability 3. */
export function legalizeTable({ lpiTableReservedBits }: Policy, value: bigint, legal: bigint): bigint {
  if (lpiTableReservedBits === 'keep') return value;
  return zeroReservedShareability(value & legal);
}

export function zeroReservedShareability(value: bigint): bigint {
  return field(value, 11, 10) === 3n ? value & ~SHAREABILITY : value;
}

/** The LPIs of one redistributor: sections 3.2, 3.5 to 3.8 and 4. */
export class LpiUnit {
  readonly #config: MachineConfig;
  readonly #memory: Memory;
  /** While LPIs are enabled. */
  #tables: LpiTables | undefined;
  #propbaser = 0n;
  #pendbaser = 0n;

  constructor(config: MachineConfig, memory: Memory) {
    this.#config = config;
    this.#memory = memory;
  }

  /** GICR_CTLR.EnableLPIs. */
  get enabled(): boolean {
    return this.#tables !== undefined;
  }

  /** Writes GICR_CTLR.EnableLPIs: section 3.2. */
  writeEnable(enable: boolean): void {
    if (enable === this.enabled || (!enable && !this.#config.policy.enableLpisClearable)) return;
    if (enable) this.#takeTables();
    else this.#tables = undefined;
  }

  /** With PENDBASER.PTZ the table counts as zero, this once: later there is in it what was pending meanwhile. */
  #takeTables(): void {
    const bits = Math.min(numberField(this.#propbaser, 4, 0) + 1, this.#config.intidBits);
    this.#tables = new LpiTables(this.#memory, {
      pendingTable: Number(this.#pendbaser & ones(51, 16)),
      configTable: Number(this.#propbaser & ones(51, 12)),
      limit: lpiLimit(bits),
    });
    if (this.#config.policy.pendingTableZero === 'honour' && field(this.#pendbaser, 62) === 1n) {
      this.#pendbaser &= ~PTZ;
      this.#tables.clearTable();
    }
    this.#tables.load();
  }

  readPropbaser(): bigint {
    return this.#propbaser;
  }

  readPendbaser(): bigint {
    return this.#config.policy.pendingTableZero === 'honour' ? this.#pendbaser & ~PTZ : this.#pendbaser;
  }

  writePropbaser(value: bigint, written: bigint): void {
    if (!this.#tablesWritable()) return;
    const merged = merge(this.#propbaser, value, written);
    this.#propbaser = legalizeTable(this.#config.policy, merged, PROPBASER_LEGAL);
    if (this.enabled) this.#takeTables();
  }

  /** Where a table is replaced while in use, everything held of both is dropped and read from the new tables. */
  writePendbaser(value: bigint, written: bigint): void {
    if (!this.#tablesWritable()) return;
    const merged = merge(this.#pendbaser, value, written);
    this.#pendbaser = legalizeTable(this.#config.policy, merged, PENDBASER_LEGAL | PTZ);
    if (this.enabled) this.#takeTables();
  }

  /** Makes an LPI pending, and tells what became of that. */
  setPending(intid: number): MsiOutcome {
    if (!this.#tables) return 'lpis-disabled';
    if (this.#tables.has(intid)) return 'coalesced';
    if (!this.#tables.inRange(intid)) return 'intid-out-of-range';
    return this.#tables.set(intid) ? 'pending' : 'table-fault';
  }

  /** Whether it was pending. */
  clearPending(intid: number): boolean {
    const pending = this.#tables?.has(intid) ?? false;
    this.#tables?.clear(intid);
    return pending;
  }

  /** Whether an LPI can be made pending: LPIs are enabled, it is in range (section 4.1) and the table is in RAM. */
  accepts(intid: number): boolean {
    return this.#tables?.accepts(intid) ?? false;
  }

  /** Whether any LPI can be made pending. */
  get usable(): boolean {
    return this.#tables?.usable ?? false;
  }

  isPending(intid: number): boolean {
    return this.#tables?.has(intid) ?? false;
  }

  /** The pending LPIs, in no order. */
  pending(): number[] {
    return this.#tables?.pending() ?? [];
  }

  /** Pending LPIs whose configuration, as cached, enables them. */
  candidates(): Iterable<{ intid: number; priority: number }> {
    return this.#tables?.candidates(this.#config.storedPriorityBits) ?? [];
  }

  /** INV and GICR_INVLPIR. */
  invalidate(intid: number): void {
    this.#tables?.invalidate(intid);
  }

  /** INVALL and GICR_INVALLR. */
  invalidateAll(): void {
    this.#tables?.invalidateAll();
  }

  /** The LPI's interrupt goes to another redistributor. */
  forget(intid: number): void {
    this.#tables?.forget(intid);
  }

  #tablesWritable(): boolean {
    return !this.enabled || this.#config.policy.lpiTableWriteWhileEnabled === 'accept';
  }
}

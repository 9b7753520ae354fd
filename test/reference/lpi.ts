import type { MachineConfig } from '../../bindings/config.ts';
import type { Policy } from '../../bindings/policy.ts';
import { field, merge, numberField, ones } from './bits.ts';
import type { Memory } from './memory.ts';

export const FIRST_LPI = 8192;

/** InnerCache, OuterCache and Shareability of the table registers: sections 3.6 and 3.7. */
const SHAREABILITY = ones(11, 10);
const ATTRIBUTES = ones(58, 56) | SHAREABILITY | ones(9, 7);
const PROPBASER_LEGAL = ATTRIBUTES | ones(51, 12) | ones(4, 0);
const PENDBASER_LEGAL = ATTRIBUTES | ones(51, 16);
const PTZ = ones(62);

/** A written value of a table register. Reserved bits become zero, and so does the reserved Shareability 3. */
export function legalizeTable({ lpiTableReservedBits }: Policy, value: bigint, legal: bigint): bigint {
  if (lpiTableReservedBits === 'keep') return value;
  return field(value, 11, 10) === 3n ? value & legal & ~SHAREABILITY : value & legal;
}

/** The LPIs of one redistributor: sections 3.2, 3.5 to 3.8 and 4. */
export class LpiUnit {
  readonly #config: MachineConfig;
  readonly #memory: Memory;
  /** The pending LPIs: the set bits of the pending table that are in range. Empty while LPIs are disabled. */
  readonly #pending = new Set<number>();
  /** Configuration bytes as they were when first used: section 4.3. Each pending LPI has one. */
  readonly #bytes = new Map<number, number>();
  #enabled = false;
  #propbaser = 0n;
  #pendbaser = 0n;

  constructor(config: MachineConfig, memory: Memory) {
    this.#config = config;
    this.#memory = memory;
  }

  /** GICR_CTLR.EnableLPIs. */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** Writes GICR_CTLR.EnableLPIs: section 3.2. */
  writeEnable(enable: boolean): void {
    if (enable === this.#enabled || (!enable && !this.#config.policy.enableLpisClearable)) return;
    this.#enabled = enable;
    this.#bytes.clear();
    if (enable) this.#takeTable();
    else this.#pending.clear();
  }

  /** With PENDBASER.PTZ the table counts as zero, this once: later there is in it what was pending meanwhile. */
  #takeTable(): void {
    if (this.#config.policy.pendingTableZero === 'honour' && field(this.#pendbaser, 62) === 1n) {
      this.#pendbaser &= ~PTZ;
      this.#clearTable();
    }
    this.#loadPending();
  }

  readPropbaser(): bigint {
    return this.#propbaser;
  }

  readPendbaser(): bigint {
    return this.#config.policy.pendingTableZero === 'honour' ? this.#pendbaser & ~PTZ : this.#pendbaser;
  }

  writePropbaser(value: bigint, written: bigint): void {
    if (!this.#tablesWritable()) return;
    this.#propbaser = legalizeTable(
      this.#config.policy,
      merge(this.#propbaser, value, written),
      PROPBASER_LEGAL,
    );
    this.#reload();
  }

  writePendbaser(value: bigint, written: bigint): void {
    if (!this.#tablesWritable()) return;
    this.#pendbaser = legalizeTable(
      this.#config.policy,
      merge(this.#pendbaser, value, written),
      PENDBASER_LEGAL | PTZ,
    );
    this.#reload();
  }

  /** Where a table is replaced while in use, everything held of both is dropped and read from the new tables. */
  #reload(): void {
    this.#bytes.clear();
    if (this.#enabled) this.#takeTable();
  }

  /** Makes an LPI pending; without effect where LPIs are disabled, out of range or already pending. */
  setPending(intid: number): void {
    if (!this.accepts(intid) || this.#pending.has(intid)) return;
    this.#storeBit(intid, true);
    this.#pending.add(intid);
    this.#use(intid);
  }

  clearPending(intid: number): void {
    if (this.#pending.delete(intid)) this.#storeBit(intid, false);
  }

  /** Whether an LPI can be made pending: LPIs are enabled, it is in range (section 4.1) and the table is in RAM. */
  accepts(intid: number): boolean {
    return this.usable && intid >= FIRST_LPI && intid < this.#limit();
  }

  /** Whether any LPI can be made pending. */
  get usable(): boolean {
    return this.#enabled && this.#limit() > 0 && this.#pendingTable() !== undefined;
  }

  isPending(intid: number): boolean {
    return this.#pending.has(intid);
  }

  /** The pending LPIs, in no order; a copy, so that it can be walked while LPIs come and go. */
  pending(): number[] {
    return [...this.#pending];
  }

  /** Pending LPIs whose configuration, as cached, enables them. */
  *candidates(): Generator<{ intid: number; priority: number }> {
    const mask = 0xfc & (0xff << (8 - this.#config.storedPriorityBits));
    for (const intid of this.#pending) {
      const byte = this.#bytes.get(intid) ?? 0;
      if (byte & 1) yield { intid, priority: byte & mask };
    }
  }

  /** INV and GICR_INVLPIR: the configuration of one LPI is read again, at once if it is pending. */
  invalidate(intid: number): void {
    this.#bytes.delete(intid);
    if (this.#pending.has(intid)) this.#use(intid);
  }

  /** INVALL and GICR_INVALLR. */
  invalidateAll(): void {
    this.#bytes.clear();
    for (const intid of this.#pending) this.#use(intid);
  }

  /** The LPI's interrupt goes to another redistributor: unless it is pending here, its configuration is dropped. */
  forget(intid: number): void {
    if (!this.#pending.has(intid)) this.#bytes.delete(intid);
  }

  #tablesWritable(): boolean {
    return !this.#enabled || this.#config.policy.lpiTableWriteWhileEnabled === 'accept';
  }

  /** First INTID beyond the LPIs: the smaller of GICR_PROPBASER.IDbits and GICD_TYPER.IDbits, none below 14 bits. */
  #limit(): number {
    const bits = Math.min(numberField(this.#propbaser, 4, 0) + 1, this.#config.intidBits);
    return bits < 14 ? 0 : 2 ** bits;
  }

  /** Reads the whole pending table; one that is not wholly in RAM counts as zero. */
  #loadPending(): void {
    this.#pending.clear();
    const table = this.#pendingTable();
    if (table === undefined) return;
    for (let intid = FIRST_LPI; intid < this.#limit(); intid += 8) {
      const byte = this.#memory.loadByte(table + intid / 8) ?? 0;
      if (byte === 0) continue;
      for (let n = 0; n < 8; n++) {
        if (byte & (1 << n)) this.#pending.add(intid + n);
      }
    }
    for (const intid of this.#pending) this.#use(intid);
  }

  /** Fills the cache from the configuration table; without one in RAM every LPI is disabled. */
  #use(intid: number): void {
    if (this.#bytes.has(intid)) return;
    const table = this.#configTable();
    this.#bytes.set(intid, table === undefined ? 0 : this.#memory.loadByte(table + intid - FIRST_LPI)!);
  }

  /** Writes a bit of the pending table, which is in RAM where any LPI is pending. */
  #storeBit(intid: number, one: boolean): void {
    const address = this.#pendingTable()! + Math.floor(intid / 8);
    const byte = this.#memory.loadByte(address)!;
    const bit = 1 << (intid % 8);
    this.#memory.store(address, 1, BigInt(one ? byte | bit : byte & ~bit));
  }

  #clearTable(): void {
    const table = this.#pendingTable();
    if (table === undefined) return;
    for (let intid = FIRST_LPI; intid < this.#limit(); intid += 8) {
      this.#memory.store(table + intid / 8, 1, 0n);
    }
  }

  /** Undefined if the table is not wholly in RAM. */
  #pendingTable(): number | undefined {
    const address = Number(this.#pendbaser & ones(51, 16));
    return this.#memory.contains(address, this.#limit() / 8) ? address : undefined;
  }

  /** Undefined if the table is not wholly in RAM. */
  #configTable(): number | undefined {
    const address = Number(this.#propbaser & ones(51, 12));
    return this.#memory.contains(address, this.#limit() - FIRST_LPI) ? address : undefined;
  }
}

import type { MachineConfig } from '../../bindings/config.ts';
import { field, merge, numberField, ones } from './bits.ts';
import type { Memory } from './memory.ts';

export const FIRST_LPI = 8192;

/** InnerCache, OuterCache and Shareability of the table registers: sections 3.6 and 3.7. */
const SHAREABILITY = ones(11, 10);
const ATTRIBUTES = ones(58, 56) | SHAREABILITY | ones(9, 7);
const PROPBASER_LEGAL = ATTRIBUTES | ones(51, 12) | ones(4, 0);
const PENDBASER_LEGAL = ATTRIBUTES | ones(51, 16);
const PTZ = ones(62);

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
    // A PENDBASER.PTZ that was written stays in force until PENDBASER is written again; no text limits it to the
    // first enable.
    const knownZero = this.#config.policy.pendingTableZero === 'honour' && field(this.#pendbaser, 62) === 1n;
    if (enable && !knownZero) this.#loadPending();
    else this.#pending.clear();
  }

  readPropbaser(): bigint {
    return this.#propbaser;
  }

  readPendbaser(): bigint {
    return this.#config.policy.pendingTableZero === 'honour' ? this.#pendbaser & ~PTZ : this.#pendbaser;
  }

  writePropbaser(value: bigint, written: bigint): void {
    if (!this.#tablesWritable()) return;
    this.#propbaser = this.#legalize(merge(this.#propbaser, value, written), PROPBASER_LEGAL);
    this.#reload();
  }

  writePendbaser(value: bigint, written: bigint): void {
    if (!this.#tablesWritable()) return;
    this.#pendbaser = this.#legalize(merge(this.#pendbaser, value, written), PENDBASER_LEGAL | PTZ);
    this.#reload();
  }

  /** Where a table is replaced while in use, everything held of both is dropped and read from the new tables. */
  #reload(): void {
    this.#bytes.clear();
    if (this.#enabled) this.#loadPending();
  }

  /** Makes an LPI pending; without effect where LPIs are disabled, out of range or already pending. */
  setPending(intid: number): void {
    if (!this.#enabled || !this.inRange(intid) || this.#pending.has(intid)) return;
    if (!this.#storeBit(intid, true)) return;
    this.#pending.add(intid);
    this.#use(intid);
  }

  clearPending(intid: number): void {
    if (this.#pending.delete(intid)) this.#storeBit(intid, false);
  }

  /** Section 4.1. */
  inRange(intid: number): boolean {
    return intid >= FIRST_LPI && intid < this.#limit();
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

  /** As `forget`, for all LPIs. */
  forgetAll(): void {
    for (const intid of this.#bytes.keys()) this.forget(intid);
  }

  #tablesWritable(): boolean {
    return !this.#enabled || this.#config.policy.lpiTableWriteWhileEnabled === 'accept';
  }

  /** Reserved bits become zero, and so does the reserved Shareability 3. */
  #legalize(value: bigint, legal: bigint): bigint {
    if (this.#config.policy.lpiTableReservedBits === 'keep') return value;
    return field(value, 11, 10) === 3n ? value & legal & ~SHAREABILITY : value & legal;
  }

  /** First INTID beyond the LPIs: the smaller of GICR_PROPBASER.IDbits and GICD_TYPER.IDbits, none below 14 bits. */
  #limit(): number {
    const bits = Math.min(numberField(this.#propbaser, 4, 0) + 1, this.#config.intidBits);
    return bits < 14 ? 0 : 2 ** bits;
  }

  /** Reads the whole pending table; bytes outside RAM count as zero. */
  #loadPending(): void {
    this.#pending.clear();
    const table = this.#pendingTable();
    for (let intid = FIRST_LPI; intid < this.#limit(); intid += 8) {
      const byte = this.#memory.loadByte(table + intid / 8) ?? 0;
      if (byte === 0) continue;
      for (let n = 0; n < 8; n++) {
        if (byte & (1 << n)) this.#pending.add(intid + n);
      }
    }
    for (const intid of this.#pending) this.#use(intid);
  }

  /** Fills the cache from the configuration table; a byte outside RAM counts as a disabled LPI. */
  #use(intid: number): void {
    if (this.#bytes.has(intid)) return;
    const table = Number(this.#propbaser & ones(51, 12));
    this.#bytes.set(intid, this.#memory.loadByte(table + intid - FIRST_LPI) ?? 0);
  }

  /** Writes a bit of the pending table. False if it lies outside RAM: such an LPI cannot be made pending. */
  #storeBit(intid: number, one: boolean): boolean {
    const address = this.#pendingTable() + Math.floor(intid / 8);
    const byte = this.#memory.loadByte(address);
    if (byte === undefined) return false;
    const bit = 1 << (intid % 8);
    return this.#memory.store(address, 1, BigInt(one ? byte | bit : byte & ~bit));
  }

  #pendingTable(): number {
    return Number(this.#pendbaser & ones(51, 16));
  }
}

import type { Memory } from './memory.ts';

export const FIRST_LPI = 8192;

/** Where the two tables of a set of LPIs stand: section 4. */
export interface LpiTablePlaces {
  readonly pendingTable: number;
  readonly configTable: number;
  /** First INTID beyond the LPIs; 0 for none. */
  readonly limit: number;
}

/** First INTID beyond the LPIs of tables for INTIDs of `bits` bits: none below 14 bits (section 3.6). */
export function lpiLimit(bits: number): number {
  return bits < 14 ? 0 : 2 ** bits;
}

export function testPendingBit(memory: Memory, table: number, intid: number): boolean {
  const byte = memory.loadByte(table + Math.floor(intid / 8)) ?? 0;
  return ((byte >> (intid % 8)) & 1) === 1;
}

export function writePendingBit(memory: Memory, table: number, intid: number, one: boolean): void {
  const address = table + Math.floor(intid / 8);
  const byte = memory.loadByte(address) ?? 0;
  const bit = 1 << (intid % 8);
  memory.store(address, 1, BigInt(one ? byte | bit : byte & ~bit));
}

/**
 * The LPIs of a redistributor, or the VLPIs of the vPE that is resident there: what is pending, in the table in RAM and
 * here alike, and the configuration as it was when it was first used (sections 4.1 to 4.4).
 */
export class LpiTables {
  readonly #memory: Memory;
  readonly #places: LpiTablePlaces;
  /** The set bits of the pending table that are in range. */
  readonly #pending = new Set<number>();
  /** Configuration bytes as they were when first used: section 4.3. Each pending LPI has one. */
  readonly #bytes = new Map<number, number>();

  constructor(memory: Memory, places: LpiTablePlaces) {
    this.#memory = memory;
    this.#places = places;
  }

  /** First INTID beyond the LPIs; 0 for none. */
  get limit(): number {
    return this.#places.limit;
  }

  /** Whether any LPI can be pending: there are some, and the pending table is wholly in RAM. */
  get usable(): boolean {
    return this.limit > 0 && this.#memory.contains(this.#places.pendingTable, this.limit / 8);
  }

  inRange(intid: number): boolean {
    return intid >= FIRST_LPI && intid < this.limit;
  }

  accepts(intid: number): boolean {
    return this.usable && this.inRange(intid);
  }

  /** Reads the whole pending table; one that is not wholly in RAM counts as zero. */
  load(): this {
    for (const intid of this.#pendingInTable()) this.#pending.add(intid);
    for (const intid of this.#pending) this.#use(intid);
    return this;
  }

  /** Whether the table in RAM has anything pending, wherever it came from. */
  tableHasPending(): boolean {
    return this.#pendingInTable().next().done !== true;
  }

  *#pendingInTable(): Generator<number> {
    if (!this.usable) return;
    for (let intid = FIRST_LPI; intid < this.limit; intid += 8) {
      const byte = this.#memory.loadByte(this.#places.pendingTable + intid / 8) ?? 0;
      for (let n = 0; byte >> n; n++) {
        if ((byte >> n) & 1) yield intid + n;
      }
    }
  }

  /** Makes the table in RAM all zero, apart from its first 1 KiB, before it is read. */
  clearTable(): void {
    if (!this.usable) return;
    for (let intid = FIRST_LPI; intid < this.limit; intid += 8) {
      this.#memory.store(this.#places.pendingTable + intid / 8, 1, 0n);
    }
  }

  /** Makes an LPI pending; whether it was not yet. Without effect where it is not accepted. */
  set(intid: number): boolean {
    if (!this.accepts(intid)) return false;
    writePendingBit(this.#memory, this.#places.pendingTable, intid, true);
    if (this.#pending.has(intid)) return false;
    this.#pending.add(intid);
    this.#use(intid);
    return true;
  }

  clear(intid: number): void {
    if (this.#pending.delete(intid)) {
      writePendingBit(this.#memory, this.#places.pendingTable, intid, false);
    }
  }

  has(intid: number): boolean {
    return this.#pending.has(intid);
  }

  /** The pending LPIs, in no order; a copy, so that it can be walked while LPIs come and go. */
  pending(): number[] {
    return [...this.#pending];
  }

  /** Pending LPIs whose configuration, as cached, enables them; `bits` of their priorities are implemented. */
  *candidates(bits: number): Generator<{ intid: number; priority: number }> {
    const mask = 0xfc & (0xff << (8 - bits));
    for (const intid of this.#pending) {
      const byte = this.#bytes.get(intid) ?? 0;
      if (byte & 1) yield { intid, priority: byte & mask };
    }
  }

  /** The configuration of one LPI is read again, at once if it is pending. */
  invalidate(intid: number): void {
    this.#bytes.delete(intid);
    if (this.#pending.has(intid)) this.#use(intid);
  }

  invalidateAll(): void {
    this.#bytes.clear();
    for (const intid of this.#pending) this.#use(intid);
  }

  /** As `invalidate`, with the pending state in RAM, which others than this redistributor may have changed. */
  reread(intid: number): void {
    if (this.accepts(intid) && testPendingBit(this.#memory, this.#places.pendingTable, intid)) {
      this.#pending.add(intid);
    }
    this.invalidate(intid);
  }

  rereadAll(): void {
    this.#bytes.clear();
    this.#pending.clear();
    this.load();
  }

  /** The LPI's interrupt goes elsewhere: unless it is pending here, its configuration is dropped. */
  forget(intid: number): void {
    if (!this.#pending.has(intid)) this.#bytes.delete(intid);
  }

  #use(intid: number): void {
    if (!this.#bytes.has(intid)) this.#bytes.set(intid, readConfiguration(this.#memory, this.#places, intid));
  }
}

/** An LPI's configuration byte in RAM; without a table wholly in RAM every LPI is disabled. */
export function readConfiguration(
  memory: Memory,
  { configTable, limit }: Pick<LpiTablePlaces, 'configTable' | 'limit'>,
  intid: number,
): number {
  if (!memory.contains(configTable, limit - FIRST_LPI)) return 0;
  return memory.loadByte(configTable + intid - FIRST_LPI) ?? 0;
}

import type { Ram } from './ram.ts';

const VALID = 0x8000_0000 | 0;
const ENTRY_BYTES = 8;
const ID_BITS = 16;
const PAGE_BYTES = [0x1000, 0x4000, 0x1_0000, 0x1_0000];

/** A flat device, collection or vPE table in RAM. */
export class Table {
  /** IDs that the table has room for; 0 while it is not valid. */
  capacity = 0;
  /** The word of RAM where a table that is wholly inside RAM begins, -1 of any other. */
  #flat = -1;
  #low = 0;
  #high = 0;
  readonly #ram: Ram;

  constructor(ram: Ram) {
    this.#ram = ram;
  }

  /** Takes place and size from GITS_BASER<n>. */
  attach(low: number, high: number): void {
    const bytes = ((low & 0xff) + 1) * (PAGE_BYTES[(low >>> 8) & 3] as number);
    this.#low = low;
    this.#high = high;
    this.capacity = high & VALID ? Math.min(bytes / ENTRY_BYTES, 2 ** ID_BITS) : 0;
    const offset = this.#ram.atField(low, high, 12, 0, bytes);
    this.#flat = offset < 0 ? -1 : offset >> 2;
  }

  /** The word of RAM where the entry of an ID begins that the table has room for; -1 outside RAM. */
  entryAt(id: number): number {
    if (this.#flat >= 0) return this.#flat + 2 * id;
    const offset = this.#ram.atField(this.#low, this.#high, 12, id * ENTRY_BYTES, ENTRY_BYTES);
    return offset < 0 ? -1 : offset >> 2;
  }
}

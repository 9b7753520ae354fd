import { field, numberField, ones } from './bits.ts';
import type { Memory } from './memory.ts';

/** A table, a level-1 entry or an ITT that lies outside RAM. */
export class TableFault extends Error {}

export const VALID = ones(63);

/** Where a register puts a table in memory. */
export interface TableShape {
  readonly valid: boolean;
  /** Aligned to a page: low bits of a misaligned address count as zero. */
  readonly base: number;
  readonly pageBits: number;
  readonly pages: number;
  readonly indirect: boolean;
  readonly entryBytes: number;
}

/** Page_Size: 3 is treated as 2. */
const PAGE_BITS = [12, 14, 16, 16] as const;

/** GITS_BASER<n>: section 5.9. 64 KiB pages keep address bits [51:48] where the smaller pages have [15:12]. */
export function baserShape(baser: bigint, entryBytes: number): TableShape {
  const pageBits = PAGE_BITS[numberField(baser, 9, 8)]!;
  const base =
    pageBits === 16
      ? numberField(baser, 47, 16) * 2 ** 16 + numberField(baser, 15, 12) * 2 ** 48
      : Number(baser & ones(47, pageBits));
  const pages = numberField(baser, 7, 0) + 1;
  return {
    valid: field(baser, 63) === 1n,
    base,
    pageBits,
    pages,
    indirect: field(baser, 62) === 1n,
    entryBytes,
  };
}

/** GICR_VPROPBASER of GICv4.1: section 3.11. The address is plain; entries have 32 bytes. */
export function vpropbaserShape(value: bigint): TableShape {
  const pageBits = PAGE_BITS[numberField(value, 54, 53)]!;
  return {
    valid: field(value, 63) === 1n,
    base: Number(value & ones(51, pageBits)),
    pageBits,
    pages: numberField(value, 6, 0) + 1,
    indirect: field(value, 55) === 1n,
    entryBytes: 32,
  };
}

/** A flat or two-level table: sections 5.9 and 5.10. */
export class Table {
  readonly #memory: Memory;
  readonly #ids: number;
  readonly #shape: () => TableShape;

  /** @param idBits width of the IDs that index it */
  constructor(memory: Memory, idBits: number, shape: () => TableShape) {
    this.#memory = memory;
    this.#ids = 2 ** idBits;
    this.#shape = shape;
  }

  get valid(): boolean {
    return this.#shape().valid;
  }

  /** Whether the table has room for an ID. In two levels, an ID in range may still be without an entry. */
  inRange(id: number): boolean {
    const { valid, pageBits, pages, indirect, entryBytes } = this.#shape();
    const bytes = pages * 2 ** pageBits;
    const room = indirect
      ? (bytes / 8) * Math.floor(2 ** pageBits / entryBytes)
      : Math.floor(bytes / entryBytes);
    return valid && id < Math.min(room, this.#ids);
  }

  /** The address of the entry of `id`; undefined if it has none. */
  locate(id: number): number | undefined {
    if (!this.inRange(id)) return undefined;
    const { base, pageBits, indirect, entryBytes } = this.#shape();
    if (!indirect) return base + id * entryBytes;
    const idsPerPage = Math.floor(2 ** pageBits / entryBytes);
    const level1 = load(this.#memory, base + Math.floor(id / idsPerPage) * 8);
    if ((level1 & VALID) === 0n) return undefined;
    return Number(level1 & ones(51, pageBits)) + (id % idsPerPage) * entryBytes;
  }
}

/** A doubleword of a table; throws a `TableFault` outside RAM. */
export function load(memory: Memory, address: number): bigint {
  const word = memory.load(address, 8);
  if (word === undefined) throw new TableFault();
  return word;
}

export function store(memory: Memory, address: number, word: bigint): void {
  if (!memory.store(address, 8, word)) throw new TableFault();
}

/** Simulated RAM as words of 32 bits and as bytes. */
export class Ram {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly #baseHigh: number;
  readonly #baseLow: number;

  constructor(
    readonly base: number,
    readonly size: number,
  ) {
    if (Math.floor(base / 2 ** 32) !== Math.floor((base + size - 1) / 2 ** 32)) {
      throw new RangeError('RAM reaches over a multiple of 4 GiB');
    }
    const buffer = new ArrayBuffer(size);
    this.words = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.#baseHigh = Math.floor(base / 2 ** 32);
    this.#baseLow = base >>> 0;
  }

  /** The offset of `size` bytes at a physical address; -1 where any of them is outside RAM. */
  at(address: number, size: number): number {
    const offset = address - this.base;
    return offset >= 0 && offset + size <= this.size ? offset | 0 : -1;
  }

  /**
   * The same of `within` bytes beyond the address that stands in the bits [51:shift] of a 64-bit word. Halves of addresses
   * are small integers, which V8 is quicker with than with whole ones.
   */
  atField(low: number, high: number, shift: number, within: number, size: number): number {
    if ((high & 0xf_ffff) !== this.#baseHigh) return -1;
    const offset = (((low >>> shift) << shift) >>> 0) + within - this.#baseLow;
    return offset >= 0 && offset + size <= this.size ? offset | 0 : -1;
  }
}

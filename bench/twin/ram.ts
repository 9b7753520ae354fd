/** Simulated RAM as words of 32 bits and as bytes. */
export class Ram {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;

  constructor(
    readonly base: number,
    readonly size: number,
  ) {
    const buffer = new ArrayBuffer(size);
    this.words = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
  }

  /** The offset of `size` bytes at a physical address; -1 where any of them is outside RAM. */
  at(address: number, size: number): number {
    const offset = address - this.base;
    return offset >= 0 && offset + size <= this.size ? offset : -1;
  }
}

/** The physical address in the bits [51:shift] of a 64-bit word. */
export function addressIn(low: number, high: number, shift: number): number {
  return (high & 0xf_ffff) * 2 ** 32 + (((low >>> shift) << shift) >>> 0);
}

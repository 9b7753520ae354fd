const PAGE = 4096;

/** Simulated RAM, in pages that exist once something was stored. Accesses outside the window are memory faults. */
export class Memory {
  readonly #pages = new Map<number, Uint8Array>();
  readonly #base: number;
  readonly #size: number;

  constructor(window: { readonly base: number; readonly size: number }) {
    this.#base = window.base;
    this.#size = window.size;
  }

  contains(address: number, length: number): boolean {
    return address >= this.#base && address + length <= this.#base + this.#size;
  }

  /** A little-endian load; undefined is a memory fault. */
  load(address: number, size: number): bigint | undefined {
    if (!this.contains(address, size)) return undefined;
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#byte(address + i));
    return value;
  }

  /** A little-endian store; false is a memory fault, and nothing was stored. */
  store(address: number, size: number, value: bigint): boolean {
    if (!this.contains(address, size)) return false;
    for (let i = 0; i < size; i++)
      this.#page(address + i)[(address + i) % PAGE] = Number((value >> BigInt(8 * i)) & 0xffn);
    return true;
  }

  /** One byte; undefined is a memory fault. */
  loadByte(address: number): number | undefined {
    return this.contains(address, 1) ? this.#byte(address) : undefined;
  }

  #byte(address: number): number {
    return this.#pages.get(Math.floor(address / PAGE))?.[address % PAGE] ?? 0;
  }

  #page(address: number): Uint8Array {
    const number = Math.floor(address / PAGE);
    let page = this.#pages.get(number);
    if (!page) {
      page = new Uint8Array(PAGE);
      this.#pages.set(number, page);
    }
    return page;
  }

  /** Copies out of RAM; the range must lie in the window. */
  copyOut(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const offset = (address + done) % PAGE;
      const count = Math.min(PAGE - offset, length - done);
      const page = this.#pages.get(Math.floor((address + done) / PAGE));
      if (page) bytes.set(page.subarray(offset, offset + count), done);
      done += count;
    }
    return bytes;
  }

  /** Copies into RAM; the range must lie in the window. */
  copyIn(address: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const offset = (address + done) % PAGE;
      const count = Math.min(PAGE - offset, bytes.length - done);
      this.#page(address + done).set(bytes.subarray(done, done + count), offset);
      done += count;
    }
  }
}

import { ones } from './bits.ts';

/** A register of a frame. One without `read` is write-only, one without `write` read-only. */
export interface Register {
  readonly width: 32 | 64;
  /** Bytes of a narrower access that the register takes too; 64-bit registers take their two halves. */
  readonly narrow?: 1 | 2;
  /** A 64-bit register that is accessed as a whole only. */
  readonly whole?: boolean;
  readonly read?: () => bigint;
  /** `written` has a one in each bit that the access covers; the others of `value` are zero. */
  readonly write?: (value: bigint, written: bigint) => void;
}

/** Bits of GICD_STATUSR, GICR_STATUSR and GITS_STATUSR that record a bad access (sections 2.1 and 5.6). */
export const BadAccess = {
  /** Read of a reserved location. */
  RRD: ones(0),
  /** Write of a reserved location. */
  WRD: ones(1),
  /** Read of a write-only register. */
  RWOD: ones(2),
  /** Write of a read-only register. */
  WROD: ones(3),
} as const;

/** A 64 KiB frame of registers (section 0: access sizes, and reserved locations as zero that ignores writes). */
export class Frame {
  readonly #registers = new Map<number, Register>();
  readonly #report: (bit: bigint) => void;

  /** @param report told of each bad access, with its bit of a STATUSR register */
  constructor(report: (bit: bigint) => void) {
    this.#report = report;
  }

  define(offset: number, register: Register): void {
    this.#registers.set(offset, register);
  }

  /** A register that reads as a constant. */
  constant(offset: number, value: bigint, width: 32 | 64 = 32): void {
    this.define(offset, { width, read: () => value });
  }

  /** A register all of whose fields read as zero and ignore writes; unlike a reserved location, it exists. */
  zero(offset: number, { width = 32, narrow }: Pick<Partial<Register>, 'width' | 'narrow'> = {}): void {
    const size = narrow === undefined ? {} : { narrow };
    this.define(offset, { width, ...size, read: () => 0n, write: () => {} });
  }

  read(offset: number, size: number): bigint {
    const found = this.#find(offset, size);
    if (!found) {
      this.#report(BadAccess.RRD);
      return 0n;
    }
    if (!found.register.read) {
      this.#report(BadAccess.RWOD);
      return 0n;
    }
    return (found.register.read() >> found.shift) & ones(8 * size - 1, 0);
  }

  write(offset: number, size: number, value: bigint): void {
    const found = this.#find(offset, size);
    if (!found) this.#report(BadAccess.WRD);
    else if (!found.register.write) this.#report(BadAccess.WROD);
    else found.register.write(value << found.shift, ones(8 * size - 1, 0) << found.shift);
  }

  // Section 0 does not say what an access of a size that a register does not take does: it is taken for one to a
  // reserved location.
  #find(offset: number, size: number): { register: Register; shift: bigint } | undefined {
    if (offset % size !== 0) return undefined;
    const wide = this.#registers.get(offset - (offset % 8));
    if (wide?.width === 64) {
      return size >= (wide.whole ? 8 : 4) ? { register: wide, shift: BigInt(8 * (offset % 8)) } : undefined;
    }
    const register = this.#registers.get(offset - (offset % 4));
    if (!register || register.width === 64 || (size !== 4 && size !== register.narrow)) return undefined;
    return { register, shift: BigInt(8 * (offset % 4)) };
  }
}

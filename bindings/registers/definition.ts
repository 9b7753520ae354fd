import type { Frame, Register } from '../../assembly/abi.ts';
import type { MachineConfig } from '../config.ts';

/** Something that may depend on how the machine is configured. */
export type Configured<Value> = Value | ((config: MachineConfig) => Value);

/** One register, or an array of registers that differ only in their offset. */
export interface RegisterDefinition {
  /** The architectural name; arrays have `<n>` where the number goes. */
  readonly name: string;
  /** The frame that it is in. */
  readonly frame: Frame;
  /** Offset in its 64 KiB frame of the first register. */
  readonly offset: number;
  /** Number of registers in the array, default 1. */
  readonly count?: number;
  /** Number of the first register in the array, default 0: the `n` of its name. */
  readonly first?: number;
  /** Bits. */
  readonly width: 32 | 64;
  /** RO, RW or WO; `W1` where each written 1 is an action and the register can be read too. */
  readonly access: 'RO' | 'RW' | 'WO' | 'W1';
  /** Bytes of the smallest access, where that is not a word. */
  readonly smallest?: 1 | 2 | 8;
  /** Bits that software can change or, for WO and W1, that mean something. Default: all for RW and W1, else none. */
  readonly legal?: Configured<bigint>;
  /** Bits that always read as one; for registers without behaviour of their own, the value. */
  readonly fixed?: Configured<bigint>;
  /**
   * Behaviour of its own; without it the register is constant.
   *
   * @internal
   */
  readonly register?: Register;
  /** Where it is described. */
  readonly spec: string;
  /** Absent registers are reserved locations. Default present. */
  readonly present?: (config: MachineConfig) => boolean;
}

export const word = 0xffff_ffffn;
export const doubleword = 0xffff_ffff_ffff_ffffn;

/** A value with the bits `high` down to `low` set. */
export function bits(high: number, low = high): bigint {
  return ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
}

/** The same byte in all four lanes of a word. */
export function eachByte(byte: number): bigint {
  return BigInt(byte) * 0x0101_0101n;
}

/** PIDR and CIDR: the identification block at the end of a frame; `part` is PIDR0, bits [7:0] of the part number (section 2.1). */
export function identificationBlock(prefix: string, frame: Frame, part: number): RegisterDefinition[] {
  const constant = (name: string, offset: number, value: Configured<bigint>): RegisterDefinition => ({
    name: `${prefix}_${name}`,
    frame,
    offset,
    width: 32,
    access: 'RO',
    fixed: value,
    spec: '2.1',
  });
  return [
    constant('PIDR4', 0xffd0, 0x44n),
    constant('PIDR5', 0xffd4, 0n),
    constant('PIDR6', 0xffd8, 0n),
    constant('PIDR7', 0xffdc, 0n),
    constant('PIDR0', 0xffe0, BigInt(part)),
    constant('PIDR1', 0xffe4, 0xb4n),
    constant('PIDR2', 0xffe8, (config) =>
      BigInt(config.identification.PIDR2 ?? (config.architecture === 'GICv3' ? 0x3b : 0x4b)),
    ),
    constant('PIDR3', 0xffec, 0n),
    constant('CIDR0', 0xfff0, 0x0dn),
    constant('CIDR1', 0xfff4, 0xf0n),
    constant('CIDR2', 0xfff8, 0x05n),
    constant('CIDR3', 0xfffc, 0xb1n),
  ];
}

/** GICD_STATUSR, GICR_STATUSR and the same bits of GITS_STATUSR: RRD, WRD, RWOD, WROD. */
export const STATUSR_ACCESS_BITS = 0xfn;

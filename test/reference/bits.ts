/** Bits `high` down to `low` of a value, as a number from 0 on. */
export function field(value: bigint, high: number, low = high): bigint {
  return (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
}

/** As `field`, for fields that fit a JavaScript number. */
export function numberField(value: bigint, high: number, low = high): number {
  return Number(field(value, high, low));
}

/** A value with the bits `high` down to `low` set. */
export function ones(high: number, low = high): bigint {
  return ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
}

/** `value` moved up so that its bit 0 stands at bit `low`. */
export function place(value: number | bigint | boolean, low: number): bigint {
  return BigInt(value) << BigInt(low);
}

/** `old` with the bits of `written` taken from `value`. */
export function merge(old: bigint, value: bigint, written: bigint): bigint {
  return (old & ~written) | (value & written);
}

/** The number of the lowest bit that is set; undefined for zero. */
export function lowestBit(bits: bigint): number | undefined {
  return bits === 0n ? undefined : (bits & -bits).toString(2).length - 1;
}

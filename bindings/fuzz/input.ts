// An input: one byte that chooses the machine and whether operations stay within the architecture's rules, then eight
// bytes for each operation. Any bytes are an input.

export const HEADING_BYTES = 1;
export const OPERATION_BYTES = 8;
/** Bit of the first byte: operations stay within the rules, and more is checked. */
export const ORDERLY = 0x80;

/** Whole operations of an input. */
export function operationCount(input: Uint8Array): number {
  return Math.max(0, Math.floor((input.length - HEADING_BYTES) / OPERATION_BYTES));
}

/** Where an operation stands. */
export function operationAt(n: number): number {
  return HEADING_BYTES + n * OPERATION_BYTES;
}

/** The input without the operations from `first` up to `end`. */
export function without(input: Uint8Array, first: number, end: number): Uint8Array {
  const result = new Uint8Array(input.length - (end - first) * OPERATION_BYTES);
  result.set(input.subarray(0, operationAt(first)));
  result.set(input.subarray(operationAt(end)), operationAt(first));
  return result;
}

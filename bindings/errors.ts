/** What went wrong, for programs; the message says it for people. */
export type GicErrorCode =
  /** A field of the machine's configuration is out of range or contradicts another. */
  | 'INVALID_CONFIG'
  /** An argument of an API call is out of range. */
  | 'INVALID_ARGUMENT'
  /** A register, command or preset of that name does not exist. */
  | 'UNKNOWN_NAME'
  /** The configuration needs more linear memory than WebAssembly can address. */
  | 'OUT_OF_MEMORY'
  /** A guest's access traps to EL2 (ICH_HCR_EL2.TALL0, TALL1, TC, TDIR): the hypervisor has to emulate it. */
  | 'TRAPPED'
  /** An input file or stream is not what it claims to be. */
  | 'INVALID_INPUT'
  /** The call is not possible now: a vCPU is not in the guest, or the machine does not come to rest. */
  | 'INVALID_STATE'
  /** The host lacks something that the call needs. */
  | 'UNSUPPORTED_HOST'
  /** The machine, or the worker that it ran in, has been disposed. */
  | 'DISPOSED';

/** Misuse of the configuration or of the API. Nothing has changed when it is thrown. */
export class GicError extends Error {
  /** The name of the class. */
  override readonly name = 'GicError';

  /**
   * @param code what kind of misuse
   * @param field the configuration field or argument at fault, as its author wrote it
   * @param value the value that was given
   * @param expected the allowed range or form, in words
   */
  constructor(
    readonly code: GicErrorCode,
    readonly field: string,
    readonly value: unknown,
    readonly expected: string,
  ) {
    super(`${field}: ${show(value)} is not allowed; expected ${expected}`);
  }
}

function show(value: unknown): string {
  if (typeof value === 'bigint') return value < 0n ? String(value) : `0x${value.toString(16)}`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return String(value);
}

/** Returns `value` if it is an integer in `[low, high]`, else throws. */
export function requireInteger(
  code: GicErrorCode,
  field: string,
  value: number,
  low: number,
  high: number,
): number {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new GicError(code, field, value, `an integer from ${low} to ${high}`);
  }
  return value;
}

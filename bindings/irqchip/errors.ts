/** Results of kernel functions that the irqchip layer returns. */
export type Errno =
  | 'ENXIO'
  | 'ENOMEM'
  | 'EACCES'
  | 'EFAULT'
  | 'EBUSY'
  | 'EEXIST'
  | 'ENODEV'
  | 'EINVAL'
  | 'ENOSYS'
  | 'ETIMEDOUT';

const errnos: ReadonlyMap<number, Errno> = new Map([
  [-6, 'ENXIO'],
  [-12, 'ENOMEM'],
  [-13, 'EACCES'],
  [-14, 'EFAULT'],
  [-16, 'EBUSY'],
  [-17, 'EEXIST'],
  [-19, 'ENODEV'],
  [-22, 'EINVAL'],
  [-38, 'ENOSYS'],
  [-110, 'ETIMEDOUT'],
]);

/** An operation that the driver refused, or that the hardware did not complete. */
export class IrqChipError extends Error {
  /** The name of the class. */
  override readonly name = 'IrqChipError';

  /**
   * @param code the errno that the kernel function returns
   * @param operation the operation, as the library names it
   * @param reason what that errno means for this operation
   */
  constructor(
    readonly code: Errno,
    readonly operation: string,
    readonly reason: string,
  ) {
    super(`${operation}: ${code}: ${reason}`);
  }
}

/** What an operation can fail with, and what each means. */
export type Reasons = Partial<Record<Errno, string>>;

/** Reasons that hold for every operation. */
const common: Reasons = {
  EINVAL: 'not possible in this state, or an operand out of range',
  ENOMEM: 'a table, an LPI range or RAM of the driver is used up',
  ETIMEDOUT: 'the ITS or the redistributor did not complete the request',
};

/** Returns a result that is no errno; throws the errno as an `IrqChipError` otherwise. */
export function succeed(result: number, operation: string, reasons: Reasons = {}): number {
  if (result >= 0) return result;
  const code = errnos.get(result) ?? 'EINVAL';
  throw new IrqChipError(code, operation, reasons[code] ?? common[code] ?? 'refused');
}

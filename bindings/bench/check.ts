/** A benchmark case that did not do what its name says. */
export class CheckError extends Error {
  override readonly name = 'CheckError';
}

/** Throws a `CheckError` unless `actual` is `expected`. */
export function expectEqual<Value>(what: string, actual: Value, expected: Value): void {
  if (!Object.is(actual, expected)) throw new CheckError(`${what}: expected ${expected}, got ${actual}`);
}

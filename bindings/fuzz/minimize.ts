import { FuzzFailure } from './failure.ts';
import type { Fuzzer } from './fuzzer.ts';
import { OPERATION_BYTES, operationAt, operationCount, without } from './input.ts';

/** How an input fails, if it does. */
export function failureWith(fuzzer: Fuzzer, input: Uint8Array): FuzzFailure | undefined {
  try {
    fuzzer.fuzzOne(input);
    fuzzer.targetOf(input).checkDeterminism(input);
    return undefined;
  } catch (error) {
    if (error instanceof FuzzFailure) return error;
    throw error;
  }
}

/** The input with as few operations, and as many zeros as operands, as still fail in the same way. */
export function minimize(fuzzer: Fuzzer, input: Uint8Array): Uint8Array {
  const kind = failureWith(fuzzer, input)?.kind;
  if (kind === undefined) return input;
  const fails = (candidate: Uint8Array): boolean => failureWith(fuzzer, candidate)?.kind === kind;
  return withPlainOperands(withoutOperations(input.slice(), fails), fails);
}

function withoutOperations(input: Uint8Array, fails: (input: Uint8Array) => boolean): Uint8Array {
  let best = input;
  for (let chunk = operationCount(best); chunk >= 1; ) {
    let removed = false;
    for (let first = 0; first < operationCount(best); ) {
      const candidate = without(best, first, Math.min(first + chunk, operationCount(best)));
      if (fails(candidate)) {
        best = candidate;
        removed = true;
      } else first += chunk;
    }
    if (!removed || chunk > 1) chunk = chunk === 1 ? 0 : chunk >> 1;
  }
  return best;
}

function withPlainOperands(input: Uint8Array, fails: (input: Uint8Array) => boolean): Uint8Array {
  let best = input;
  for (let n = 0; n < operationCount(best); n++) {
    // The kind, in the first byte, stays: another one would be another operation.
    for (let byte = 1; byte < OPERATION_BYTES; byte++) {
      const at = operationAt(n) + byte;
      if (best[at] === 0) continue;
      const candidate = best.slice();
      candidate[at] = 0;
      if (fails(candidate)) best = candidate;
    }
  }
  return best;
}

import fc from 'fast-check';
import type { Random } from './random.ts';

/**
 * One thing done to a machine, as four numbers. What performs it gives any numbers a meaning, so operations can be
 * drawn at random quickly, and shrunk by fast-check.
 */
export type Operation = readonly [kind: number, a: number, b: number, c: number];

export function randomOperation(random: Random): Operation {
  return [random.next(), random.next(), random.next(), random.next()];
}

/** Any 32-bit number, small ones more often: they name the same things more often. */
const number = fc.oneof(fc.nat(63), fc.nat(0xffff_ffff));

/** Sequences of operations for fast-check. */
export function operations(maxLength: number): fc.Arbitrary<Operation[]> {
  return fc.array(fc.tuple(fc.nat(255), number, number, number), { minLength: 1, maxLength, size: 'max' });
}

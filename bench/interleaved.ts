import type { Work } from '../bindings/bench/case.ts';
import { measureWork } from '../bindings/bench/measure.ts';

const ROUNDS = 5;

/** What is measured against something else: a piece of work here, or elsewhere whatever tells nanoseconds an operation. */
export type Contender = Omit<Work, 'verify'> | (() => number);

/**
 * Nanoseconds an operation of each contender: they take turns, and the best round of each counts, so that other work on
 * the host meets all of them alike and hardly shows. `time` in milliseconds is for each of them.
 */
export function interleaved<Name extends string>(
  contenders: Readonly<Record<Name, Contender>>,
  time: number,
): Record<Name, number> {
  const entries = Object.entries(contenders) as [Name, Contender][];
  const best = Object.fromEntries(entries.map(([name]) => [name, Infinity])) as Record<Name, number>;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, contender] of entries) {
      const nsPerOp =
        typeof contender === 'function'
          ? contender()
          : measureWork(name, contender, { time: time / ROUNDS, runs: 5 }).nsPerOp;
      best[name] = Math.min(best[name], nsPerOp);
    }
  }
  return best;
}

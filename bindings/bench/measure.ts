import { Bench } from 'tinybench';
import type { BenchCase, MakeGic, Work } from './case.ts';

/** How long and in what portions to measure. */
export interface Effort {
  /** Milliseconds of timed runs for each case. */
  readonly time: number;
  /** The least number of timed runs. */
  readonly runs: number;
  /** Operations in a run, where the case is free: 16 to 16,384. */
  readonly batch: number;
}

/**
 * Runs are long enough for the clock and for tinybench to vanish beside what is measured, and short enough for most
 * of them not to be interrupted on a host that has other work.
 */
export const fullEffort: Effort = { time: 200, runs: 10, batch: 1024 };

/** What one operation of a case costs. */
export interface Measurement {
  readonly name: string;
  /** Operations that were timed. */
  readonly ops: number;
  /** The median over all runs. */
  readonly nsPerOp: number;
  /** As the median has it. */
  readonly opsPerSecond: number;
  /** Median absolute deviation of the runs from their median, in percent of it: other load on the host hardly counts. */
  readonly marginPercent: number;
}

/** Does a case once. Throws a `CheckError` if it does not do what its name says. */
export function checkCase(benchCase: BenchCase, make: MakeGic, { batch }: Pick<Effort, 'batch'>): void {
  check(benchCase.prepare(make, batch));
}

/** Measures a case, and checks before and after that it does what its name says, else throws a `CheckError`. */
export function measureCase(benchCase: BenchCase, make: MakeGic, effort: Effort = fullEffort): Measurement {
  const work = benchCase.prepare(make, effort.batch);
  check(work);
  const result = measureWork(benchCase.name, work, effort);
  check(work);
  return result;
}

/** Measures what a case prepared, or something like it, without a check. */
export function measureWork(
  name: string,
  work: Omit<Work, 'verify'>,
  effort: Omit<Effort, 'batch'>,
): Measurement {
  const bench = new Bench({
    time: effort.time,
    iterations: effort.runs,
    warmupTime: effort.time / 2,
    warmupIterations: 2,
    subtractTimerOverhead: true,
    throws: true,
  });
  // Told that it is not async, tinybench does not try the function out, which would be a run without its reset.
  bench.add(name, () => work.run(), { async: false, beforeEach: () => work.reset?.() });
  const [task] = bench.runSync();
  if (task?.result.state !== 'completed') throw new Error(`${name}: the measurement did not complete`);
  const { p50, mad, samplesCount } = task.result.latency;
  const nsPerOp = (p50 * 1e6) / work.ops;
  return {
    name,
    ops: samplesCount * work.ops,
    nsPerOp,
    opsPerSecond: 1e9 / nsPerOp,
    marginPercent: (100 * mad) / p50,
  };
}

function check(work: Work): void {
  work.reset?.();
  work.run();
  work.verify();
}

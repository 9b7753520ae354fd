import { Campaign } from './campaign.ts';
import type { FuzzExports } from './exports.ts';
import type { Fuzzer } from './fuzzer.ts';
import { operationCount } from './input.ts';
import { Mutator } from './mutation.ts';
import { Random } from './random.ts';

/** What a campaign costs on this machine. */
export interface FuzzMeasurement {
  /** Where the random numbers began. */
  readonly seed: number;
  /** Inputs that were timed. */
  readonly executions: number;
  /** Operations that an input has on average. */
  readonly operations: number;
  /** Executions a second by the clock, whatever else the host does meanwhile. */
  readonly perSecond: number;
  /** Executions in a second of processor time of this process. */
  readonly perCpuSecond: number;
  /** Executions a second in the tenth of the batches that went fastest, which other work hardly disturbed. */
  readonly perSecondAtBest: number;
  /** Where the time goes: nanoseconds of an execution, undisturbed. */
  readonly nsOf: {
    /** Mutation. */
    readonly making: number;
    /** Operations, counters of edges, notes of writes, oracles. */
    readonly performing: number;
    /** Telling whether an edge is new. */
    readonly looking: number;
    /** Back to the state before. */
    readonly restoring: number;
  };
  /** Pieces of 128 bytes that an execution writes to. */
  readonly granules: number;
  /** Microseconds to put 20 pages of 4 KiB back that were written all over. */
  readonly restoreOf20Pages: {
    /** The fastest of all rounds. */
    readonly best: number;
    /** The middle of all rounds. */
    readonly median: number;
  };
  /** Inputs that led somewhere new. */
  readonly corpus: number;
  /** Inputs that failed. */
  readonly crashes: number;
}

/** Executions between two looks at the clock: far less than what an operating system gives a process at once. */
const BATCH = 64;
/** Inputs and rounds over them that the parts are measured with. */
const INPUTS = 2048;
const ROUNDS = 9;

/** Runs a campaign as `gicv4 fuzz` does, for `seconds` after a quarter of that to warm up, and times it. */
export function measureFuzzing(fuzzer: Fuzzer, seconds = 10, seed = 1): FuzzMeasurement {
  const campaign = new Campaign(fuzzer, { seed });
  batchesOf(campaign, seconds / 4);
  const first = campaign.executions;
  const [cpu, clock] = [process.cpuUsage(), performance.now()];
  const batches = batchesOf(campaign, seconds);
  const elapsed = (performance.now() - clock) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const executions = campaign.executions - first;
  const best = batches.sort((a, b) => a - b)[Math.floor(batches.length / 10)] as number;
  return {
    seed,
    executions,
    perSecond: executions / elapsed,
    perCpuSecond: executions / ((user + system) / 1e6),
    perSecondAtBest: (BATCH * 1000) / best,
    ...measureParts(campaign, seed),
    restoreOf20Pages: measureRestore(fuzzer),
    corpus: campaign.corpus.length,
    crashes: campaign.crashes.length,
  };
}

/** Milliseconds that each batch took. */
function batchesOf(campaign: Campaign, seconds: number): number[] {
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  for (let before = performance.now(); before < end; ) {
    campaign.run(BATCH);
    const after = performance.now();
    times.push(after - before);
    before = after;
  }
  return times;
}

/** The parts of an execution, for each input the best of some rounds: what is left is hardly disturbed. */
function measureParts(
  { fuzzer, corpus }: Campaign,
  seed: number,
): Pick<FuzzMeasurement, 'nsOf' | 'granules' | 'operations'> {
  const random = new Random(seed);
  const mutator = new Mutator(random);
  const any = (): Uint8Array => corpus[random.below(corpus.length)] as Uint8Array;
  const best = Array.from({ length: 4 }, () => new Float64Array(INPUTS).fill(Number.POSITIVE_INFINITY));
  const clock = clockCost();
  let granules = 0;
  const inputs = Array.from({ length: INPUTS }, () => {
    mutator.mutate(any(), any());
    return mutator.bytes.slice(0, mutator.length);
  });
  for (let round = 0; round < ROUNDS; round++) {
    granules = 0;
    for (const [n, input] of inputs.entries()) {
      const [parent, other] = [any(), any()];
      const times = [performance.now()];
      mutator.mutate(parent, other);
      times.push(performance.now());
      granules += performInParts(fuzzer, input, times);
      for (const [part, row] of best.entries()) {
        const [from, to] = intervals[part] as [number, number];
        row[n] = Math.min(row[n] as number, (times[to] as number) - (times[from] as number) - clock);
      }
    }
  }
  const [making, performing, looking, restoring] = best.map((row) => mean(row) * 1e6) as Parts;
  return {
    operations: mean(inputs.map(operationCount)),
    nsOf: { making, performing, looking, restoring },
    granules: granules / INPUTS,
  };
}

type Parts = [making: number, performing: number, looking: number, restoring: number];

/** Looks at the clock that a part is between. The input is handed over after the first part. */
const intervals: readonly [number, number][] = [
  [0, 1],
  [2, 3],
  [3, 4],
  [4, 5],
];

/** Performs an input, with four looks at the clock; how many granules were put back. */
function performInParts(fuzzer: Fuzzer, input: Uint8Array, times: number[]): number {
  const { machine, edges } = fuzzer.targetOf(input);
  const engine = machine.engine as FuzzExports;
  new Uint8Array(machine.memory.buffer, engine.fuzzInput.value, input.length).set(input);
  times.push(performance.now());
  engine.fuzzRun(input.length);
  times.push(performance.now());
  engine.fuzzTakeCoverage(edges);
  times.push(performance.now());
  const granules = engine.fuzzRestore();
  times.push(performance.now());
  return granules;
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

/** Milliseconds between two looks at the clock. */
function clockCost(): number {
  let best = Number.POSITIVE_INFINITY;
  for (let n = 0; n < 10_000; n++) best = Math.min(best, -performance.now() + performance.now());
  return best;
}

function measureRestore(fuzzer: Fuzzer): FuzzMeasurement['restoreOf20Pages'] {
  const { machine } = fuzzer.targetOf(new Uint8Array(1));
  const engine = machine.engine as FuzzExports;
  const { base, size } = machine.config.ram;
  const first = base + size - 20 * 4096;
  const times = Array.from({ length: 2000 }, () => {
    for (let at = first; at < first + 20 * 4096; at += 256) engine.write(at, 4, 1, 0);
    const start = performance.now();
    engine.fuzzRestore();
    return (performance.now() - start) * 1000;
  }).sort((a, b) => a - b);
  return { best: times[0] as number, median: times[times.length / 2] as number };
}

/**
 * MSIs injected by two threads against one, each to devices of its own, in one run on one host.
 *
 *     npm run bench:threads -- [--rounds N] [--json]
 *
 * A round is over when the slowest thread is done. Rounds of one thread and of two take turns. Before each round of
 * "pending" nothing is pending, so each MSI makes an LPI pending; before each of "coalesced" everything is.
 */
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { FIRST_LPI, perEvent, Rig } from '../bindings/bench/rig.ts';
import { printJson, printLine } from '../bindings/cli/output.ts';
import { loadEngine } from '../bindings/engine_loading.ts';
import { GicError } from '../bindings/errors.ts';
import { Machine } from '../bindings/machine.ts';

const THREADS = 2;
/** A thread's devices, which make all LPIs of one PE pending. */
const DEVICES_EACH = 14;
const EVENT_BITS = 12;
const EVENTS = 2 ** EVENT_BITS;
const MSIS_EACH = DEVICES_EACH * EVENTS;
/** DESIGN: MSI injection on two threads against one. */
const TARGET = 1.7;

interface Row {
  readonly name: string;
  readonly unit: 'million MSIs per second';
  /** The best rounds: other work on the host slows two threads down more often than one. */
  readonly oneThread: number;
  readonly twoThreads: number;
  /** How many times as fast two threads are by the median rounds. */
  readonly medianRatio: number;
  readonly value: number;
  readonly ratio: number;
  readonly target: number;
  readonly rounds: number;
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '1000' }, json: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  throw new GicError('INVALID_ARGUMENT', 'rounds', values.rounds, 'an integer from 1');
}

const machine = await prepareMachine();
const crews = [await startThreads(1), await startThreads(2)];
const rows = [measure('pending', clearAll), measure('coalesced', () => machine.takeArrivals())];
for (const crew of crews) crew.end();
const besides = rows.map(({ oneThread, medianRatio }) => ({
  'one thread, million MSIs per second': oneThread,
  'ratio of medians': medianRatio,
}));
if (values.json) {
  printJson({
    section: 'threads',
    node: process.version,
    rows: rows.map((row, n) => ({ ...row, beside: besides[n] })),
  });
} else printTable();

async function prepareMachine(): Promise<Machine> {
  const engine = await loadEngine('shared');
  const options = { cpus: THREADS, ram: { base: 0x8000_0000, size: 0x400_0000 } };
  const rig = new Rig((given) => new Machine(engine, given), options);
  for (let deviceId = 0; deviceId < THREADS * DEVICES_EACH; deviceId++) {
    rig.mapDevice(deviceId, EVENT_BITS);
    const icid = Math.floor(deviceId / DEVICES_EACH);
    const first = FIRST_LPI + (deviceId % DEVICES_EACH) * EVENTS;
    const mapti = (eventId: number) =>
      ({ command: 'MAPTI', deviceId, eventId, pIntid: first + eventId, icid }) as const;
    rig.execute(perEvent(EVENTS, mapti));
  }
  return rig.gic as Machine;
}

interface Crew {
  readonly threads: number;
  /** Lets every thread send its MSIs once; how many milliseconds it took. */
  round(): number;
  end(): void;
}

async function startThreads(threads: number): Promise<Crew> {
  const words = new Int32Array(new SharedArrayBuffer(12));
  const times = new BigInt64Array(new SharedArrayBuffer(16 * threads));
  const workers = Array.from({ length: threads }, (_, thread) => {
    const own = { thread, msis: msisOf(thread) };
    const workerData = { shared: machine.shared, threads, rounds: words, times, ...own };
    return new Worker(new URL('./threads_device.js', import.meta.url), { workerData });
  });
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('online', resolve))));
  const awaitAll = (): void => {
    for (let done = Atomics.load(words, 1); done < threads; done = Atomics.load(words, 1)) {
      Atomics.wait(words, 1, done);
    }
  };
  return {
    threads,
    round() {
      awaitAll();
      Atomics.store(words, 1, 0);
      Atomics.add(words, 0, 1);
      Atomics.notify(words, 0);
      awaitAll();
      const moments = (end: 0 | 1): number[] =>
        workers.map((_, thread) => Number(times[2 * thread + end] as bigint));
      return (Math.max(...moments(1)) - Math.min(...moments(0))) / 1e6;
    },
    end() {
      awaitAll();
      Atomics.store(words, 0, -1);
      Atomics.notify(words, 0);
    },
  };
}

/** Every event of the devices of a thread, once. */
function msisOf(thread: number): Uint32Array {
  const msis = new Uint32Array(2 * MSIS_EACH);
  for (let n = 0; n < MSIS_EACH; n++) {
    msis[2 * n] = thread * DEVICES_EACH + (n % DEVICES_EACH);
    // An odd step: neighbours in time are no neighbours in the tables.
    msis[2 * n + 1] = (Math.floor(n / DEVICES_EACH) * 1_283) % EVENTS;
  }
  return msis;
}

/** Takes all pending state away. */
function clearAll(): void {
  const its = machine.its();
  for (let cpu = 0; cpu < THREADS; cpu++) {
    const table = machine.redistributor(cpu).read('GICR_PENDBASER');
    machine.ram(Number(table), 2 ** 16 / 8).fill(0);
  }
  machine.takeArrivals();
  for (let icid = 0; icid < THREADS; icid++) its.command({ command: 'INVALL', icid });
}

function measure(name: string, before: () => unknown): Row {
  const times = crews.map((): number[] => []);
  // The first rounds let the engine be compiled.
  for (let round = -10; round < rounds; round++) {
    crews.forEach((crew, index) => {
      before();
      const time = crew.round();
      if (round >= 0) times[index]?.push(time);
      verify();
    });
  }
  const sorted = times.map((list) => list.sort((a, b) => a - b));
  const rate = (crew: number, time: number | undefined): number =>
    ((crews[crew]?.threads as number) * MSIS_EACH) / (time as number) / 1000;
  const [oneThread, twoThreads] = [rate(0, sorted[0]?.[0]), rate(1, sorted[1]?.[0])];
  const middle = rounds >> 1;
  const medianRatio = rate(1, sorted[1]?.[middle]) / rate(0, sorted[0]?.[middle]);
  const ratio = twoThreads / oneThread;
  const unit = 'million MSIs per second';
  const value = twoThreads;
  return { name, unit, oneThread, twoThreads, medianRatio, value, ratio, target: TARGET, rounds };
}

/** Nothing was dropped. */
function verify(): void {
  const { dropped } = machine.counters().msi;
  if (Object.keys(dropped).length > 0) throw new Error(`MSIs were dropped: ${JSON.stringify(dropped)}`);
}

function printTable(): void {
  printLine(`Node ${process.version}, best of ${rounds} rounds, million MSIs per second`);
  printLine('LPIs are    one thread  two threads  ratio  target  by medians');
  for (const { name, oneThread, twoThreads, ratio, target, medianRatio } of rows) {
    printLine(
      `${name.padEnd(10)}  ${oneThread.toFixed(1).padStart(10)}  ${twoThreads.toFixed(1).padStart(11)}  ` +
        `${ratio.toFixed(2).padStart(5)}  ${target.toFixed(1).padStart(6)}  ${medianRatio.toFixed(2).padStart(10)}`,
    );
  }
}

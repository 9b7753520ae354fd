// A thread of bench/threads.ts: at each round it sends its MSIs once, each to an event of its own.
import { workerData } from 'node:worker_threads';
import type { SharedMachine } from '../bindings/shared_machine.ts';
import { Injector } from '../bindings/worker/index.ts';

interface Work {
  readonly shared: SharedMachine;
  readonly threads: number;
  readonly thread: number;
  /** [0] the number of the round, [1] threads that wait for it, [2] threads that have woken up for any round so far. */
  readonly rounds: Int32Array;
  /** When each thread began and ended its round: ns of a clock that all threads have in common. */
  readonly times: BigInt64Array;
  readonly msis: Uint32Array;
}

const { shared, threads, thread, rounds, times, msis } = workerData as Work;
const injector = new Injector(shared);
for (let round = 0; ; round++) {
  Atomics.add(rounds, 1, 1);
  Atomics.notify(rounds, 1);
  Atomics.wait(rounds, 0, round);
  if (Atomics.load(rounds, 0) < 0) break;
  // To wake up takes long and never equally long: the threads begin together.
  Atomics.add(rounds, 2, 1);
  while (Atomics.load(rounds, 2) < (round + 1) * threads) {}
  times[2 * thread] = process.hrtime.bigint();
  injector.sendMsis(msis);
  times[2 * thread + 1] = process.hrtime.bigint();
}
injector.dispose();

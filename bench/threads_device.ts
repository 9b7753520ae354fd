// A thread of bench/threads.ts: at each round it sends its MSIs once, each to an event of its own.
import { workerData } from 'node:worker_threads';
import type { SharedMachine } from '../bindings/shared_machine.ts';
import { Injector } from '../bindings/worker/index.ts';

interface Work {
  readonly shared: SharedMachine;
  /** [0] the number of the round, [1] threads that are ready or have finished. */
  readonly rounds: Int32Array;
  readonly msis: Uint32Array;
}

const { shared, rounds, msis } = workerData as Work;
const injector = new Injector(shared);
for (let round = 0; ; round++) {
  Atomics.add(rounds, 1, 1);
  Atomics.notify(rounds, 1);
  Atomics.wait(rounds, 0, round);
  if (Atomics.load(rounds, 0) < 0) break;
  injector.sendMsis(msis);
}
injector.dispose();

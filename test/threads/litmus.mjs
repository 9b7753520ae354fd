// A thread of the tests that sends one MSI in each round, a random moment after the round has begun.
import { workerData } from 'node:worker_threads';
import { Injector } from '../../dist/bindings/worker/index.js';

const { shared, deviceId, eventId, roundAt } = workerData;
const injector = new Injector(shared);
const words = new Int32Array(shared.memory.buffer, roundAt, 2);
let state = 12345;
for (let round = 1; ; round++) {
  let now = Atomics.load(words, 0);
  while (now === round - 1) now = Atomics.load(words, 0);
  if (now !== round) break;
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  for (let wait = (state >>> 8) % 64; wait > 0; wait--) Atomics.load(words, 0);
  injector.sendMsi(deviceId, eventId);
  Atomics.store(words, 1, round);
}
injector.dispose();

// A thread of the tests that injects MSIs into random events, by the library as it was built.
import { parentPort, workerData } from 'node:worker_threads';
import { Injector } from '../../dist/bindings/worker/index.js';

const { shared, seed, msis, devices, events, stopAt } = workerData;
const injector = new Injector(shared);
const stop = new Int32Array(shared.memory.buffer, stopAt, 1);

let state = seed | 1;
/** xorshift32 */
function random(below) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

const batch = new Uint32Array(2 * 4096);
let sent = 0;
while (sent < msis || !Atomics.load(stop, 0)) {
  const count = batch.length / 2;
  for (let n = 0; n < count; n++) {
    batch[2 * n] = random(devices);
    batch[2 * n + 1] = random(events);
  }
  injector.sendMsis(batch);
  sent += count;
}
parentPort.postMessage({ sent, counters: injector.counters() });
injector.dispose();

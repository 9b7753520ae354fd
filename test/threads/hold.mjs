// A thread that stands still in the middle of a translation: some time after it is told to, it says so and goes on.
import { workerData } from 'node:worker_threads';

const { buffer, word, flag } = workerData;
const words = new BigUint64Array(buffer, word, 1);
const flags = new Int32Array(buffer, flag, 1);
Atomics.wait(flags, 0, 0);
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
Atomics.store(flags, 0, 2);
Atomics.store(words, 0, 0n);

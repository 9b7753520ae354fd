// A worker of the tests. It runs the library as it was built, as a user's worker does.
import { parentPort } from 'node:worker_threads';
import { serveMachine } from '../../dist/bindings/worker/index.js';

parentPort.postMessage('a message of the worker’s own');

serveMachine({
  add: (_, a, b) => a + b,
  cpus: async (gic) => gic.cpus,
  /** Sends MSIs until a byte of RAM is set; how many it were. */
  storm(gic, stopAt) {
    let sent = 0;
    for (; gic.read(stopAt, 1) === 0; sent++) gic.sendMsi(1, sent & 0xff);
    return sent;
  },
  returnsFunction: () => () => {},
  fails() {
    throw new RangeError('a mistake of the program');
  },
  dies: () => process.exit(3),
});

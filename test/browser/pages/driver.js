import { serveMachine } from '/dist/browser/worker.js';
import { boot, deliver, stopByte } from './hello.js';

serveMachine({
  boot,
  deliver,
  /** Fails where nothing catches it. */
  stray: () =>
    new Promise(() => {
      setTimeout(() => {
        throw new RangeError('gone astray');
      });
    }),
  /** Delivers interrupts until the page tells to stop, and one more that stays pending; how many it were. */
  storm(gic) {
    let delivered = 0;
    for (; gic.read(stopByte, 1) === 0; delivered++) deliver(gic);
    gic.sendMsi(0x10, 5);
    return delivered;
  },
});

// A worker of a page that injects MSIs into a machine that runs elsewhere.
import { Injector } from '/dist/browser/worker.js';

addEventListener('message', ({ data: shared }) => {
  const injector = new Injector(shared);
  const msis = new Uint32Array(2000).map((_, n) => (n % 2 ? 5 : 0x10));
  injector.sendMsis(msis);
  postMessage(injector.counters());
  injector.dispose();
});

import { GicError, Injector, startWorker } from '/dist/browser/worker.js';
import { options, pendingByte, stopByte } from './hello.js';

const refusal = (error) => {
  if (!(error instanceof GicError)) throw error;
  return { code: error.code, message: error.message };
};

/** Lets the worker's messages in. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

/** Looks at the machine while the worker runs it, and stops it when there was enough to see. */
async function watch(gic) {
  const { view } = gic;
  let running = true;
  const storm = gic.run('storm').finally(() => {
    running = false;
  });
  const counts = new Set();
  const kinds = new Set();
  while (running && counts.size < 20) {
    counts.add(view.counters().acknowledged.lpi);
    for (const { kind } of view.takeEvents()) kinds.add(kind);
    await turn();
  }
  const whileRunning = running;
  view.ram(stopByte, 1)[0] = 1;
  const delivered = await storm;
  return {
    whileRunning,
    counts: counts.size,
    kinds: [...kinds].sort(),
    delivered,
    acknowledged: view.counters().acknowledged.lpi,
    pendingByte: view.ram(pendingByte, 1)[0],
    irq: view.irq(0),
    highestPending: view.highestPending(0),
  };
}

/** Two threads inject besides the one that runs the machine: a worker, and the page. */
async function inject(gic) {
  const device = new Worker('device.js', { type: 'module' });
  const counted = new Promise((resolve) => {
    device.addEventListener('message', ({ data }) => resolve(data));
  });
  device.postMessage(gic.shared);
  const page = new Injector(gic.shared);
  for (let n = 0; n < 1000; n++) page.sendMsi(0x10, 5);
  const ofWorker = await counted;
  await gic.call('takeArrivals');
  return { page: page.counters().total, worker: ofWorker.total, irq: gic.view.irq(0) };
}

const own = new Worker('driver.js', { type: 'module' });
const gic = await startWorker(options, { worker: own });
await gic.run('boot');
await gic.call('recordEvents', true);
const plain = await startWorker(options);
const result = {
  build: gic.build,
  delivered: await gic.run('deliver'),
  watched: gic.build === 'shared' ? await watch(gic) : undefined,
  injected: gic.build === 'shared' ? await inject(gic) : undefined,
  whileItsIsOff: await plain.call('sendMsi', 1, 1),
  unknownProgram: await plain.run('nothing').catch(refusal),
  badArgument: await plain.call('setPpi', 7, 16, true).catch(refusal),
  badOptions: await startWorker({ cpus: 0 }).catch(refusal),
  shared: await startWorker(options, 'shared').then(({ build }) => build, refusal),
};
if (gic.build === 'single') {
  try {
    gic.view.irq(0);
  } catch (error) {
    result.view = refusal(error);
  }
}
const unanswered = gic.run('deliver').catch(refusal);
gic.dispose();
result.disposed = [await unanswered, await gic.call('counters').catch(refusal)];

const third = await startWorker(options, { worker: new Worker('driver.js', { type: 'module' }) });
result.stray = [await third.run('stray').catch(String), await third.call('counters').catch(String)];
const missing = new Worker('no-such-script.js', { type: 'module' });
result.missing = await startWorker(options, { worker: missing }).catch(String);
globalThis.result = result;

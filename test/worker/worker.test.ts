import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import type { MachineEvent } from '../../bindings/events.ts';
import type { MachineView } from '../../bindings/machine_view.ts';
import type * as entry from '../../bindings/worker/index.ts';

// The library as it was built: a worker of Node 20 cannot run TypeScript.
const built = join(import.meta.dirname, '../../dist/bindings');
const { startWorker, serveMachine }: typeof entry = await import(join(built, 'worker/index.js'));

const RAM = { base: 0x4000_0000, size: 0x10_0000 };
const STOP = RAM.base + 0x8_0000;
const DISPOSED = { name: 'GicError', code: 'DISPOSED' };

const started: entry.WorkerMachine[] = [];
const start = async (...args: Parameters<typeof startWorker>): Promise<entry.WorkerMachine> => {
  const gic = await startWorker(...args);
  started.push(gic);
  return gic;
};
const startDriver = (
  build: 'single' | 'shared' = 'shared',
  eventCapacity = 65_536,
): Promise<entry.WorkerMachine> =>
  start(
    { cpus: 3, ram: RAM, eventCapacity },
    { build, worker: new Worker(new URL('driver.mjs', import.meta.url)) },
  );

/** How many MSIs came to a machine whose ITS is off. */
const sentIn = (view: MachineView): number => view.counters().msi.dropped['its-disabled'] ?? 0;

afterEach(() => {
  for (const gic of started.splice(0)) gic.dispose();
});

describe.each(['single', 'shared'] as const)('a machine in a worker, build %s', (build) => {
  it('does what it is called for, in order', async () => {
    const gic = await start({ ram: RAM }, build);
    const address = gic.shape.config.addressMap.gicd;
    const [written, read] = [gic.call('write', address, 4, 2), gic.call('read', address, 4)];
    expect(await written).toBeUndefined();
    expect(Number(await read) & 2).toBe(2);
    await gic.call('writeMemory', RAM.base, Uint8Array.of(1, 2, 3));
    expect(await gic.call('readMemory', RAM.base, 3)).toEqual(Uint8Array.of(1, 2, 3));
    expect(await gic.call('readSystemRegister', 0, 'ICC_IAR1_EL1')).toBe(1023n);
    expect(await gic.call('sendMsi', 1, 1)).toBe('its-disabled');
  });

  it('runs the programs of its script', async () => {
    const gic = await startDriver(build);
    expect(await gic.run('add', 2n, 3n)).toBe(5n);
    expect(await gic.run('cpus')).toBe(3);
  });

  it('says what it refuses, as the machine does', async () => {
    const gic = await startDriver(build);
    await expect(gic.call('irq', 3)).rejects.toMatchObject({
      name: 'GicError',
      ...{ code: 'INVALID_ARGUMENT', field: 'cpu', value: 3, expected: 'a PE of this machine, 0 to 2' },
    });
    await expect(gic.call('dispose' as 'irq', 0)).rejects.toMatchObject({
      code: 'UNKNOWN_NAME',
      field: 'method',
    });
    await expect(gic.run('toString')).rejects.toThrow(/^program: "toString" .* expected add, cpus, storm/);
    await expect(gic.run('fails')).rejects.toThrow(RangeError);
    await expect(gic.run('returnsFunction')).rejects.toThrow(/could not be cloned/);
    expect(await gic.run('add', 1, 1)).toBe(2);
  });

  it('is gone once disposed', async () => {
    const gic = await startDriver(build);
    const unanswered = expect(gic.run('cpus')).rejects.toMatchObject(DISPOSED);
    gic[Symbol.dispose]();
    await unanswered;
    await expect(gic.call('irq', 0)).rejects.toMatchObject(DISPOSED);
  });

  it('rejects what it has not answered when its worker ends', async () => {
    const gic = await startDriver(build);
    await expect(gic.run('dies')).rejects.toThrow('the worker ended with code 3');
    await expect(gic.run('cpus')).rejects.toThrow('the worker ended with code 3');
  });
});

describe('views of a machine in a worker', () => {
  it('show what the worker does while it does it', async () => {
    const gic = await startDriver();
    const { view } = gic;
    const storm = gic.run('storm', STOP);
    const seen = new Set<number>();
    // The worker cannot answer before it is told to stop: what changes here comes by the memory alone.
    for (const end = performance.now() + 10_000; seen.size < 50 && performance.now() < end; )
      seen.add(sentIn(view));
    view.ram(STOP, 1)[0] = 1;
    expect(await storm).toBe(sentIn(view));
    expect(seen.size).toBe(50);
    expect([...seen]).toEqual([...seen].sort((a, b) => a - b));
  });

  it('never show a torn event', async () => {
    // A small ring, so that the worker overtakes the view all the time.
    const gic = await startDriver('shared', 64);
    await gic.call('recordEvents', true);
    const storm = gic.run('storm', STOP);
    const kinds = ['msi', 'msi-outcome', 'diagnostic'];
    const torn: MachineEvent[] = [];
    let events = 0;
    for (const end = performance.now() + 10_000; events < 10_000 && performance.now() < end; ) {
      for (const event of gic.view.takeEvents()) {
        // Each MSI makes three events, and each has the EventID that follows.
        const [msi, step] = [Math.floor(event.sequence / 3), event.sequence % 3];
        const right = event.kind === kinds[step] && (event.kind !== 'msi' || event.eventId === (msi & 0xff));
        if (!right) torn.push(event);
        events++;
      }
    }
    expect(events).toBeGreaterThanOrEqual(10_000);
    expect(torn).toEqual([]);
    gic.view.ram(STOP, 1)[0] = 1;
    await storm;
  });

  it('can be had in a further thread', async () => {
    const gic = await startDriver();
    await gic.call('sendMsi', 1, 1);
    const script = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.library).then(({ MachineView }) => {
        const { shape, memory } = workerData.shared;
        parentPort.postMessage(new MachineView(shape, memory).counters());
      });`;
    const workerData = { library: join(built, 'index.js'), shared: gic.shared };
    const worker = new Worker(script, { eval: true, workerData });
    const counters = await new Promise((resolve, reject) =>
      worker.on('message', resolve).on('error', reject),
    );
    expect(counters).toEqual(gic.view.counters());
  });

  it('show a memory that was given', async () => {
    const memory = new WebAssembly.Memory({ initial: 4096, maximum: 4096, shared: true });
    const gic = await start({ ram: RAM }, { memory });
    expect(gic.build).toBe('shared');
    await gic.call('write', RAM.base, 1, 9);
    expect(new Uint8Array(memory.buffer)[gic.shape.layout.ramAt]).toBe(9);
  });

  it('are not there for the build single', async () => {
    const gic = await start({}, 'single');
    const refused = { code: 'UNSUPPORTED_HOST', value: 'single' };
    expect(() => gic.view).toThrow(expect.objectContaining({ ...refused, field: 'view' }));
    expect(() => gic.shared).toThrow(expect.objectContaining({ ...refused, field: 'shared' }));
  });
});

describe('what does not work', () => {
  it('options that no machine can have end the worker', async () => {
    const worker = new Worker(new URL('driver.mjs', import.meta.url));
    const ended = new Promise((resolve) => worker.on('exit', resolve));
    await expect(startWorker({ cpus: 0 }, { worker })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      field: 'cpus',
    });
    await ended;
  });

  it('a worker whose script fails', async () => {
    const worker = new Worker('throw new Error("no such luck")', { eval: true });
    await expect(startWorker({}, { worker })).rejects.toThrow('no such luck');
  });

  it('serving in the main thread', () => {
    // Vitest runs tests in processes, not in threads.
    expect(() => serveMachine()).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_HOST' }));
  });
});

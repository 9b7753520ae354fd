import { Worker } from 'node:worker_threads';
import type { LpiRequestCounts, Machine } from '../../bindings/index.ts';

/** What each thread sends: MSIs to random events of devices 0 to `devices` - 1, `msis` or more. */
export interface StormOptions {
  readonly threads: number;
  /** Steps that the owner does at least: the threads go on until then. */
  readonly steps: number;
  readonly msis: number;
  readonly devices: number;
  readonly events: number;
}

export interface ThreadReport {
  readonly sent: number;
  readonly counters: LpiRequestCounts;
}

/**
 * Threads that inject MSIs while this one does `step` again and again; what they report. The last word of RAM tells them to
 * stop. GICV4_STORM multiplies what they send.
 */
export async function storm(
  machine: Machine,
  options: StormOptions,
  step: () => void,
): Promise<ThreadReport[]> {
  const { threads, steps, devices, events } = options;
  const stopAt = machine.shape.layout.ramAt + machine.config.ram.size - 4;
  const stop = new Int32Array(machine.memory.buffer, stopAt, 1);
  const msis = options.msis * Number(process.env.GICV4_STORM ?? 1);
  const workers = Array.from({ length: threads }, (_, thread) => {
    const seed = 0x9e37 + 7919 * thread;
    const workerData = { shared: machine.shared, seed, msis, devices, events, stopAt };
    return new Worker(new URL('device.mjs', import.meta.url), { workerData });
  });
  let running = threads;
  const reports = workers.map(
    (worker) =>
      new Promise<ThreadReport>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
        worker.once('exit', () => running--);
      }),
  );
  for (let done = 0; running > 0; done += 64) {
    for (let n = 0; n < 64; n++) step();
    if (done >= steps) Atomics.store(stop, 0, 1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return Promise.all(reports);
}

/** A seeded source of integers. */
export function randomSource(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

import { expectEqual } from '../check.ts';
import type { StressPath } from './path.ts';
import type { StressShape } from './shape.ts';

/** What a shape came to on one path. */
export interface StressResult {
  readonly path: string;
  /** Each is pending, coalesced or dropped. */
  readonly injections: number;
  readonly pending: number;
  readonly coalesced: number;
  readonly dropped: number;
  /** Acknowledged and ended by the guests: as many as became pending. */
  readonly delivered: number;
  /** Injections by the time that injecting takes, which is what the selftest counts. */
  readonly injectionsPerSecond: number;
  /** Deliveries by all of the time: injection, acknowledgement and end. */
  readonly deliveriesPerSecond: number;
}

/**
 * Sends `iterations` times all events of all devices; after each time the guests take what is pending. Throws a
 * `CheckError` where the counts do not add up.
 */
export function runStress(path: StressPath, shape: StressShape): StressResult {
  warmUp(path, shape);
  const clock = clockCost();
  const before = path.counts();
  let injecting = 0;
  let delivering = 0;
  let delivered = 0;
  for (let n = 0; n < shape.iterations; n++) {
    const start = performance.now();
    path.inject();
    const between = performance.now();
    delivered += path.deliver();
    injecting += between - start - clock;
    delivering += performance.now() - between - clock;
  }
  const now = path.counts();
  const injections = shape.devices * shape.events * shape.iterations;
  const pending = now.pending - before.pending;
  const coalesced = now.coalesced - before.coalesced;
  const dropped = now.dropped - before.dropped;
  expectEqual('pending, coalesced and dropped injections', pending + coalesced + dropped, injections);
  expectEqual('deliveries', delivered, pending);
  return {
    path: path.name,
    injections,
    pending,
    coalesced,
    dropped,
    delivered,
    injectionsPerSecond: (1000 * injections) / injecting,
    deliveriesPerSecond: (1000 * delivered) / (injecting + delivering),
  };
}

const WARM_UP_INJECTIONS = 20_000;

/** V8 compiles what runs often: that is over before the clock starts. */
function warmUp(path: StressPath, { devices, events, iterations }: StressShape): void {
  const rounds = Math.min(iterations, Math.ceil(WARM_UP_INJECTIONS / (devices * events)));
  for (let n = 0; n < rounds; n++) {
    path.inject();
    path.deliver();
  }
}

/** Milliseconds that a look at the clock takes: the least, so that never too much is taken off. */
function clockCost(): number {
  let least = Infinity;
  for (let n = 0; n < 10_000; n++) {
    const first = performance.now();
    const cost = performance.now() - first;
    if (cost > 0) least = Math.min(least, cost);
  }
  return least;
}

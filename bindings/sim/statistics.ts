import { SimFlow, SimHistogram, SimUse } from '../../assembly/abi.ts';
import type { Machine } from '../machine.ts';

/** What became of the interrupts of one origin: `injected` is the sum of the next four. */
export interface FlowStatistics {
  /** How often they fired. */
  readonly injected: number;
  /** How many the guest acknowledged. */
  readonly delivered: number;
  /** Merged with one that was pending: a single delivery stands for both. */
  readonly coalesced: number;
  /** How many never became pending. */
  readonly dropped: number;
  /** Fired and not acknowledged yet. */
  readonly pending: number;
  /** Acknowledged without having been fired anew: a line that was still high. */
  readonly repeated: number;
  /** ns from firing to the guest's acknowledge. */
  readonly latency: Latency;
}

/** A distribution of latencies in ns. Percentiles are known to 1/16 of their value; `mean` and `max` are exact. */
export interface Latency {
  /** How many were measured. */
  readonly count: number;
  /** Average. */
  readonly mean: number;
  /** Median. */
  readonly p50: number;
  /** 90 of 100 are not above it. */
  readonly p90: number;
  /** 99 of 100 are not above it. */
  readonly p99: number;
  /** 999 of 1,000 are not above it. */
  readonly p999: number;
  /** The longest. */
  readonly max: number;
}

/** Where flows and histograms of an origin stand. */
export const DEVICE_FLOW = 0;
export const TIMER_FLOW = 1;
export const SGI_FLOW = 2;

export function readFlow(
  machine: Machine,
  kind: number,
  n: number,
  sgis: readonly number[] = [0],
): FlowStatistics {
  const { engine } = machine;
  const sum = (field: SimFlow): number =>
    sgis.reduce((total, sgi) => total + engine.simFlow(kind, n, sgi, field), 0);
  return {
    injected: sum(SimFlow.INJECTED),
    delivered: sum(SimFlow.DELIVERED),
    coalesced: sum(SimFlow.COALESCED),
    dropped: sum(SimFlow.DROPPED),
    pending: sum(SimFlow.PENDING),
    repeated: sum(SimFlow.REPEATED),
    latency: readHistogram(machine, engine.simHistogramAt(kind, n) >>> 0),
  };
}

const SUB = 2 ** SimHistogram.SUB_BITS;

/** The largest value of a bucket. */
export function bucketEnd(bucket: number): number {
  if (bucket < 2 * SUB) return bucket;
  const exponent = Math.floor(bucket / SUB) - 1;
  return (SUB + (bucket % SUB) + 1) * 2 ** exponent - 1;
}

function readHistogram(machine: Machine, at: number): Latency {
  const view = new DataView(machine.memory.buffer, at);
  const wide = (offset: number): number => Number(view.getBigUint64(offset, true));
  const count = wide(SimHistogram.COUNT);
  const max = wide(SimHistogram.MAX);
  const percentile = (share: number): number => {
    const rank = Math.ceil(count * share);
    let seen = 0;
    for (let bucket = 0; bucket < SimHistogram.BUCKET_COUNT; bucket++) {
      seen += view.getUint32(SimHistogram.BUCKETS + 4 * bucket, true);
      if (seen >= rank) return Math.min(bucketEnd(bucket), max);
    }
    return max;
  };
  return {
    count,
    mean: count ? wide(SimHistogram.SUM) / count : 0,
    p50: percentile(0.5),
    p90: percentile(0.9),
    p99: percentile(0.99),
    p999: percentile(0.999),
    max,
  };
}

/** ns by use. */
export interface TimeByUse {
  /** Nothing runs. */
  readonly idle: number;
  /** The guest's code runs. */
  readonly guest: number;
  /** The guest waits in the PE, in a WFI that does not trap. */
  readonly guestWait: number;
  /** KVM runs. */
  readonly hypervisor: number;
  /** Interrupts of the host are handled. */
  readonly hostIrq: number;
  /** halt_poll: KVM waits for an interrupt without sleeping. */
  readonly poll: number;
  /** Switching threads, waking up. */
  readonly switch: number;
  /** User space runs. */
  readonly user: number;
}

export function readTimes(read: (use: SimUse) => number): TimeByUse {
  return {
    idle: read(SimUse.IDLE),
    guest: read(SimUse.GUEST),
    guestWait: read(SimUse.GUEST_WAIT),
    hypervisor: read(SimUse.HYPERVISOR),
    hostIrq: read(SimUse.HOST_IRQ),
    poll: read(SimUse.POLL),
    switch: read(SimUse.SWITCH),
    user: read(SimUse.USER),
  };
}

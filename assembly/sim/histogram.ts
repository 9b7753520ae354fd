// Histograms of latencies in ns, log-linear: sixteen equal steps in each power of two, so a value is known to 1/16.
import { SimHistogram } from '../abi';
import { simTables } from './areas';

/** One for each device, then for each vCPU one of its timer and one of its SGIs. */
export const HISTOGRAMS_OF_VCPU: u32 = 2;
export const HISTOGRAM_BYTES: usize = <usize>SimHistogram.BUCKETS + <usize>SimHistogram.BUCKET_COUNT * 4;

const SUB_BITS: u64 = SimHistogram.SUB_BITS;
const STEPS: u64 = (<u64>1) << SUB_BITS;

export function histogramAt(n: u32): usize {
  return simTables().histograms + <usize>n * HISTOGRAM_BYTES;
}

/** Values below 16 have buckets of their own; the last bucket takes what is beyond. */
function bucketOf(value: u64): u32 {
  if (value < STEPS) return <u32>value;
  const exponent = 63 - clz(value) - SUB_BITS;
  const bucket = <u32>((exponent << SUB_BITS) + (value >> exponent));
  return min<u32>(bucket, SimHistogram.BUCKET_COUNT - 1);
}

export function addToHistogram(n: u32, value: u64): void {
  const base = histogramAt(n);
  store<u64>(base, load<u64>(base, SimHistogram.COUNT) + 1, SimHistogram.COUNT);
  store<u64>(base, load<u64>(base, SimHistogram.SUM) + value, SimHistogram.SUM);
  store<u64>(base, max<u64>(load<u64>(base, SimHistogram.MAX), value), SimHistogram.MAX);
  const at = base + ((<usize>bucketOf(value)) << 2);
  store<u32>(at, load<u32>(at, SimHistogram.BUCKETS) + 1, SimHistogram.BUCKETS);
}

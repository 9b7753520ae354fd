// What happened, in a ring that the host reads, and a digest of all of it.
import { SimRecord } from '../abi';
import { areaAt, TRACE_AT } from './areas';
import { sim } from './state';

const MULTIPLIER: u64 = 0x9e3779b97f4a7c15;

/** Where record `n` since the beginning stands. */
export function recordAt(n: u32): usize {
  return areaAt(TRACE_AT) + <usize>(n % SimRecord.CAPACITY) * <usize>SimRecord.BYTES;
}

/** Adds a record of this moment. `cpu` and `vcpu` may be NONE. */
export function record(kind: u32, cpu: u32, vcpu: u32, a: u32, b: u32): void {
  const self = sim();
  const at = recordAt(self.records++);
  store<u64>(at, self.now, SimRecord.TIME);
  store<u64>(at, 0, SimRecord.DURATION);
  store<u32>(at, kind, SimRecord.KIND);
  store<u32>(at, cpu, SimRecord.CPU);
  store<u32>(at, vcpu, SimRecord.VCPU);
  store<u32>(at, a, SimRecord.A);
  store<u32>(at, b, SimRecord.B);
  const where = ((<u64>kind) << 56) ^ ((<u64>cpu) << 40) ^ vcpu;
  const what = ((<u64>a) << 32) | b;
  self.digest = rotl<u64>((self.digest ^ self.now ^ where) * MULTIPLIER, 29) ^ what;
}

/** The step that the last record tells of takes so long. */
export function setDuration(duration: u64): void {
  store<u64>(recordAt(sim().records - 1), duration, SimRecord.DURATION);
}

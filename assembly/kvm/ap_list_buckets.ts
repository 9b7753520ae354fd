// The buckets of a vCPU's list, one for each key of the sort: a head and a tail each.
import { kvmTables } from './areas';
import { NONE } from './limits';

/** Priorities that a key tells apart: a guest's interrupts have at most 6 bits. */
export const PRIORITY_LEVELS: u32 = 64;
/** Keys of one state, pending or active, in the 6.19 order: by priority, HW first. */
export const STATE_KEYS: u32 = 2 * PRIORITY_LEVELS;
/** Pending, then active. */
export const GROUP_KEYS: u32 = 2 * STATE_KEYS;
/** Group enabled, group disabled, not for this vCPU. */
export const KEYS: u32 = 2 * GROUP_KEYS + 1;
/** Heads and tails. */
export const BUCKETS_BYTES: usize = (<usize>KEYS * 8 + 63) & ~63;

function bucketAt(vcpu: u32, key: u32): usize {
  return kvmTables().buckets + <usize>vcpu * BUCKETS_BYTES + ((<usize>key) << 3);
}

export function headOf(vcpu: u32, key: u32): u32 {
  return load<u32>(bucketAt(vcpu, key));
}

export function tailOf(vcpu: u32, key: u32): u32 {
  return load<u32>(bucketAt(vcpu, key), 4);
}

export function setHead(vcpu: u32, key: u32, irq: u32): void {
  store<u32>(bucketAt(vcpu, key), irq);
}

export function setTail(vcpu: u32, key: u32, irq: u32): void {
  store<u32>(bucketAt(vcpu, key), irq, 4);
}

export function emptyBuckets(vcpu: u32): void {
  memory.fill(bucketAt(vcpu, 0), 0xff, BUCKETS_BYTES);
}

/** Nothing in a bucket. */
export const EMPTY: u32 = NONE;

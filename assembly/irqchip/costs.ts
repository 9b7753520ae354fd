// What the operations of the hypervisor cost: each is counted, and its price in nanoseconds added to what the running PE
// has spent. The prices belong to the simulation; without one everything is free.
import { Cost } from '../abi';
import { costsAt } from './state';

export { Cost };

/** Price in ns, how often, and the ns spent since they were taken. */
const PRICE_BYTES: usize = 4;
const TIMES_AT: usize = 256;
const SPENT_AT: usize = 512;

/** Counts an operation that happened `times` times, and what it cost. */
export function spend(cost: Cost, times: u32): void {
  tally(cost, times);
  const base = costsAt();
  const spent = <u64>priceOf(cost) * times;
  store<u64>(base, load<u64>(base, SPENT_AT) + spent, SPENT_AT);
}

/** Counts an operation that keeps nobody busy. */
export function tally(cost: Cost, times: u32): void {
  const at = costsAt() + TIMES_AT + ((<usize>cost) << 3);
  store<u64>(at, load<u64>(at) + times);
}

/** Nanoseconds spent since the last call. */
export function takeSpent(): u64 {
  const base = costsAt();
  const spent = load<u64>(base, SPENT_AT);
  store<u64>(base, 0, SPENT_AT);
  return spent;
}

/** In nanoseconds. */
export function priceOf(cost: Cost): u32 {
  return load<u32>(costsAt() + <usize>cost * PRICE_BYTES);
}

export function setPrice(cost: Cost, nanoseconds: u32): void {
  store<u32>(costsAt() + <usize>cost * PRICE_BYTES, nanoseconds);
}

/** How often an operation happened. */
export function timesOf(cost: Cost): u64 {
  return load<u64>(costsAt() + TIMES_AT + ((<usize>cost) << 3));
}

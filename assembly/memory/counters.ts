import { injects, ownLane } from '../threads/lane';
import { machine } from './machine';

export function count(counter: u32): void {
  const at = placeOf(counter);
  store<u64>(at, load<u64>(at) + 1);
}

/** Counts so many at once. */
export function countMany(counter: u32, times: u32): void {
  const at = placeOf(counter);
  store<u64>(at, load<u64>(at) + times);
}

export function countOf(counter: u32): u64 {
  return load<u64>(machine().counters + ((<usize>counter) << 3));
}

function placeOf(counter: u32): usize {
  const counters = injects() ? ownLane().counters : machine().counters;
  return counters + ((<usize>counter) << 3);
}

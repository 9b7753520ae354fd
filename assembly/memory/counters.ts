import { injects, ownLane } from '../threads/lane';
import { machine } from './machine';

export function count(counter: u32): void {
  const counters = injects() ? ownLane().counters : machine().counters;
  const at = counters + ((<usize>counter) << 3);
  store<u64>(at, load<u64>(at) + 1);
}

export function countOf(counter: u32): u64 {
  return load<u64>(machine().counters + ((<usize>counter) << 3));
}

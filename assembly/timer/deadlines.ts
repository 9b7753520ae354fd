// When a timer of each PE changes its PPI next, and the earliest of all: a tree of minima, eight to a node. The PEs are its
// leaves, `Machine.nextTimer` is its root.
import { machine } from '../memory/machine';

/** No timer will fire. */
export const NEVER: u64 = 0xffffffffffffffff;

const FAN_OUT_BITS: u32 = 3;
const FAN_OUT: u32 = 1 << FAN_OUT_BITS;
/** PEs of the largest machine: a power of the fan-out. */
const LEAVES: u32 = 512;
const NODES: u32 = LEAVES + (LEAVES >> 3) + (LEAVES >> 6);

/** Bytes of the tree without its root. */
export const DEADLINES_BYTES: usize = (<usize>NODES) << 3;

function nodeAt(n: u32): usize {
  return machine().deadlines + ((<usize>n) << 3);
}

export function initDeadlines(): void {
  memory.fill(nodeAt(0), 0xff, DEADLINES_BYTES);
  machine().nextTimer = NEVER;
}

/** The earliest deadline of a PE. */
export function deadlineOf(cpu: u32): u64 {
  return load<u64>(nodeAt(cpu));
}

export function setDeadline(cpu: u32, deadline: u64): void {
  let value = deadline;
  let first: u32 = 0;
  let place = cpu;
  for (let width = LEAVES; width > 1; width >>= FAN_OUT_BITS) {
    const at = nodeAt(first + place);
    if (load<u64>(at) == value) return;
    store<u64>(at, value);
    value = earliestOf(nodeAt(first + (place & ~(FAN_OUT - 1))));
    first += width;
    place >>= FAN_OUT_BITS;
  }
  machine().nextTimer = value;
}

function earliestOf(children: usize): u64 {
  const a = min<u64>(load<u64>(children), load<u64>(children, 8));
  const b = min<u64>(load<u64>(children, 16), load<u64>(children, 24));
  const c = min<u64>(load<u64>(children, 32), load<u64>(children, 40));
  const d = min<u64>(load<u64>(children, 48), load<u64>(children, 56));
  return min<u64>(min<u64>(a, b), min<u64>(c, d));
}

/** The first PE whose deadline is not after a value of the counter. There has to be one. */
export function firstDue(counter: u64): u32 {
  let place: u32 = 0;
  let first = NODES;
  for (let width = FAN_OUT; width <= LEAVES; width <<= FAN_OUT_BITS) {
    first -= width;
    place <<= FAN_OUT_BITS;
    while (load<u64>(nodeAt(first + place)) > counter) place++;
  }
  return place;
}

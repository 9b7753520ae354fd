// Sets of PEs, a bit each.

import { machine } from '../memory/machine';
import { NONE } from './limits';

function wordAt(set: usize, cpu: u32): usize {
  return set + ((cpu >> 6) << 3);
}

export function hasPe(set: usize, cpu: u32): bool {
  return ((load<u64>(wordAt(set, cpu)) >> (cpu & 63)) & 1) != 0;
}

export function addPe(set: usize, cpu: u32): void {
  const at = wordAt(set, cpu);
  store<u64>(at, load<u64>(at) | ((<u64>1) << (cpu & 63)));
}

export function removePe(set: usize, cpu: u32): void {
  const at = wordAt(set, cpu);
  store<u64>(at, load<u64>(at) & ~((<u64>1) << (cpu & 63)));
}

/** The first PE from `from` on, NONE for none. */
export function nextPe(set: usize, from: u32): u32 {
  const count = machine().cpuCount;
  let below: u32 = from & 63;
  for (let first = from - below; first < count; first += 64) {
    const bits = (load<u64>(wordAt(set, first)) >> below) << below;
    if (bits) return first | <u32>ctz(bits);
    below = 0;
  }
  return NONE;
}

// The PEs that are idle, a bit each.
import { NONE } from '../kvm/limits';
import { machine } from '../memory/machine';
import { Sim, sim } from './state';

function wordAt(word: u32): usize {
  return changetype<usize>(sim()) + offsetof<Sim>('idle0') + (word << 3);
}

export function isIdle(cpu: u32): bool {
  return ((load<u64>(wordAt(cpu >> 6)) >> (cpu & 63)) & 1) != 0;
}

export function addToIdle(cpu: u32): void {
  const at = wordAt(cpu >> 6);
  store<u64>(at, load<u64>(at) | ((<u64>1) << (cpu & 63)));
}

export function removeFromIdle(cpu: u32): void {
  const at = wordAt(cpu >> 6);
  store<u64>(at, load<u64>(at) & ~((<u64>1) << (cpu & 63)));
}

/** The first idle PE, NONE for none. */
export function firstIdle(): u32 {
  for (let word: u32 = 0; word << 6 < machine().cpuCount; word++) {
    const idle = load<u64>(wordAt(word));
    if (idle) return (word << 6) | <u32>ctz(idle);
  }
  return NONE;
}

// The PEs that are idle.
import { addPe, hasPe, nextPe, removePe } from '../kvm/pe_set';
import { Sim, sim } from './state';

function idlePes(): usize {
  return changetype<usize>(sim()) + offsetof<Sim>('idle0');
}

export function isIdle(cpu: u32): bool {
  return hasPe(idlePes(), cpu);
}

export function addToIdle(cpu: u32): void {
  addPe(idlePes(), cpu);
}

export function removeFromIdle(cpu: u32): void {
  removePe(idlePes(), cpu);
}

/** The first idle PE, NONE for none. */
export function firstIdle(): u32 {
  return nextPe(idlePes(), 0);
}

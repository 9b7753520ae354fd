import { NONE } from '../limits';
export const ITSES_BYTES: usize = 64;
export function destroyItses(vm: u32): void {
  if (vm > 64) return;
}
export function itsAtAddress(vm: u32, address: u64): u32 {
  return vm > 64 && address ? 0 : NONE;
}

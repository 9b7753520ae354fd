// Which vCPU a PE has loaded.
import { areaAt, LOADED_AT } from './areas';
import { NONE } from './limits';

/** Number of a vCPU and one, 0 for none: PEs up to the largest machine. */
export const LOADED_BYTES: usize = 512 * 4;

export function loadedVcpu(cpu: u32): u32 {
  const entry = load<u32>(areaAt(LOADED_AT) + ((<usize>cpu) << 2));
  return entry ? entry - 1 : NONE;
}

export function setLoadedVcpu(cpu: u32, vcpu: u32): void {
  store<u32>(areaAt(LOADED_AT) + ((<usize>cpu) << 2), vcpu == NONE ? 0 : vcpu + 1);
}

// Where the tables of the machine that is fuzzed stand.
import { machine } from '../memory/machine';
import { FuzzArea, FuzzMachine } from './abi';

export const CONFIG: u32 = FuzzArea.CONFIG;
export const PENDING: u32 = FuzzArea.PENDING;
export const VIRTUAL_CONFIG: u32 = FuzzArea.VIRTUAL_CONFIG;
export const VIRTUAL_PENDING: u32 = FuzzArea.VIRTUAL_PENDING;
export const QUEUE: u32 = FuzzArea.QUEUE;
export const AREAS: u32 = FuzzArea.COUNT;

export const CPUS: u32 = FuzzMachine.CPUS;
export const VPE_COUNT: u32 = FuzzMachine.VPES;

/** Physical address of an area. */
export function area(n: u32): u64 {
  return machine().ramBase + ((<u64>n) << 16);
}

/** Linear address of an area. */
export function areaAt(n: u32): usize {
  return machine().ramAt + ((<usize>n) << 16);
}
export const ITSES: u32 = FuzzMachine.ITSES;

/** Where the ITT of a device stands: each a little further into its area, lest all want the same lines of a cache. */
export function ittAddress(its: u32, device: u32): u64 {
  const n = (its << 2) + device;
  return area(FuzzArea.ITTS + n) + ((<u64>n + 1) << 8);
}

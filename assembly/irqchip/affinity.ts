// The affinity mask that the host fills in, a bit for each PE, and how many LPIs each PE has: its_select_cpu.
import { machine } from '../memory/machine';
import { affinityMaskAt, chip, ERA_S, lpiLoadAt, NONE } from './state';

/** No PE is in the mask. */
export const NO_CPU: u32 = NONE;

export function hasCpu(cpu: u32): bool {
  return ((load<u8>(affinityMaskAt() + (cpu >> 3)) >> (cpu & 7)) & 1) != 0;
}

/** The PE of the mask with the fewest LPIs; in 2017 the first one. NO_CPU for an empty mask. */
export function leastLoaded(): u32 {
  let best = NO_CPU;
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    if (!hasCpu(cpu)) continue;
    if (best == NO_CPU) best = cpu;
    else if (loadOf(cpu) < loadOf(best) && chip().era != ERA_S) best = cpu;
  }
  return best;
}

function loadOf(cpu: u32): u32 {
  return load<u32>(lpiLoadAt(cpu));
}

/** An LPI came to a PE, or left it. */
export function addLoad(cpu: u32, change: i32): void {
  store<u32>(lpiLoadAt(cpu), loadOf(cpu) + change);
}

import { machine } from './machine';

/**
 * Where `size` bytes at a physical address stand in linear memory; 0 when any of them is outside simulated RAM,
 * which the caller treats as a memory fault.
 */
export function ramAt(address: u64, size: u64): usize {
  const m = machine();
  const offset = address - m.ramBase;
  if (offset >= m.ramSize || size > m.ramSize - offset) return 0;
  return m.ramAt + <usize>offset;
}

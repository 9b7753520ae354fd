export const ITSES_BYTES: usize = 64;
export function destroyItses(vm: u32): void {
  if (vm > 64) return;
}

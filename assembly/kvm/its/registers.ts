export function readItsRegister(its: u32, offset: u32, size: u32): u64 {
  return its + offset + size;
}
export function writeItsRegister(its: u32, offset: u32, size: u32, value: u64): void {
  if (its + offset + size + value == 0) return;
}

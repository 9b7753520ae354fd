export function enableLpis(vcpu: u32): void {
  if (vcpu) return;
}
export function disableLpis(vcpu: u32): void {
  if (vcpu) return;
}
export function invalidateLpi(vcpu: u32, intid: u32): void {
  if (vcpu + intid) return;
}
export function invalidateAllLpis(vcpu: u32): void {
  if (vcpu) return;
}

// Affinities of vCPUs: KVM gives vCPU n Aff0 = n[3:0], Aff1 = n[11:4], Aff2 = n[19:12] (kvm_arm_reset_vcpu).
import { NONE } from './limits';
import { vmOf } from './state';

/** Aff3.Aff2.Aff1.Aff0, 8 bits each, as GICR_TYPER has them. */
export function affinityOfIndex(index: u32): u32 {
  return (index & 0xf) | (((index >> 4) & 0xff) << 8) | ((index >> 12) << 16);
}

/** The vCPU of a VM with an affinity as GICD_IROUTER<n> has it ([39:32] Aff3, [23:0] Aff2 to Aff0), or NONE. */
export function numberOfVcpuOf(vm: u32, affinity: u64): u32 {
  const aff0 = <u32>affinity & 0xff;
  const aff3 = <u32>(affinity >> 32) & 0xff;
  if (aff0 > 15 || aff3) return NONE;
  const index = aff0 | ((<u32>(affinity >> 8) & 0xff) << 4) | ((<u32>(affinity >> 16) & 0xff) << 12);
  return index < vmOf(vm).vcpus ? vmOf(vm).firstVcpu + index : NONE;
}

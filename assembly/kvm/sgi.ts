// A guest's write to ICC_SGI1R_EL1 and its like, which traps (vgic_v3_dispatch_sgi).
import { SystemRegister } from '../abi';
import { setPending } from '../irqchip/api';
import { affinityOfIndex } from './affinity';
import { latchIrq } from './inject';
import { numberOfVcpu, Vcpu, vcpuOf, vmOfVcpu } from './state';
import { privateIrq } from './vgic_irq';

const IRM: u64 = 1 << 40;

/** SGI1R reaches SGIs of both groups, SGI0R and ASGI1R those of Group 0. */
export function dispatchSgi(sender: Vcpu, register: u32, value: u64): void {
  const anyGroup = register == <u32>SystemRegister.ICC_SGI1R_EL1;
  const sgi = <u32>(value >> 24) & 15;
  const vm = vmOfVcpu(sender);
  for (let i: u32 = 0; i < vm.vcpus; i++) {
    const n = vm.firstVcpu + i;
    const isTarget = value & IRM ? n != numberOfVcpu(sender) : isListed(vcpuOf(n), value);
    if (isTarget) raise(n, sgi, anyGroup);
  }
}

function isListed(vcpu: Vcpu, value: u64): bool {
  const affinity = affinityOfIndex(vcpu.index);
  const aff0 = affinity & 0xff;
  const cluster =
    (<u32>(value >> 16) & 0xff) | ((<u32>(value >> 32) & 0xff) << 8) | ((<u32>(value >> 48) & 0xff) << 16);
  return affinity >> 8 == cluster && aff0 < 16 && ((<u32>value >> aff0) & 1) != 0;
}

function raise(vcpu: u32, sgi: u32, anyGroup: bool): void {
  const irq = privateIrq(vcpu, sgi);
  if (irq.group && !anyGroup) return;
  if (irq.hw) setPending(irq.hostIrq, true);
  else latchIrq(irq);
}

// Coming onto a vCPU's list and leaving it: the references of LPIs, and the count of SPIs that 6.19 traps DIR by.
import { addToList, removeFromList } from './ap_list';
import { requestInterrupt } from './kick';
import { LAST_PPI } from './limits';
import { kvm, vcpuOf, vmOf } from './state';
import { holdIrq, isNewEra, putIrq, VgicIrq } from './vgic_irq';

export function enlist(irq: VgicIrq, vcpu: u32): void {
  holdIrq(irq);
  addToList(irq, vcpu);
  if (!isSpi(irq)) return;
  const vm = vmOf(irq.vm);
  vm.activeSpis++;
  // Any vCPU may deactivate an SPI, so all have to trap ICV_DIR_EL1 from the first one on.
  if (!isNewEra() || vm.activeSpis != 1 || !kvm().trapsDir) return;
  for (let i: u32 = 0; i < vm.vcpus; i++) requestInterrupt(vcpuOf(vm.firstVcpu + i));
}

/** An LPI whose last reference this was is gone afterwards. */
export function delist(irq: VgicIrq): void {
  removeFromList(irq);
  if (isSpi(irq)) vmOf(irq.vm).activeSpis--;
  putIrq(irq);
}

/** From one vCPU's list to the end of another's. */
export function changeList(irq: VgicIrq, vcpu: u32): void {
  removeFromList(irq);
  addToList(irq, vcpu);
}

function isSpi(irq: VgicIrq): bool {
  return irq.intid > LAST_PPI && !irq.isLpi;
}

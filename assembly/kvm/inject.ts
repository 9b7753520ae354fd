// Interrupts coming in: kvm_vgic_inject_irq and vgic_queue_irq_unlock.
import { touch } from './ap_list';
import { Cost, spend } from './costs';
import { requestInterrupt } from './kick';
import { NONE } from './limits';
import { enlist } from './membership';
import { vcpuOf } from './state';
import { irqOf, isNull, oracle, VgicIrq } from './vgic_irq';

/**
 * Sets the line of an SGI, PPI or SPI. Ignored as KVM does: a line that another owner drives, a level that does not
 * change, the falling edge of an edge interrupt. False where there is no such interrupt.
 */
export function injectIrq(vm: u32, vcpu: u32, intid: u32, level: bool, owner: u32): bool {
  const irq = irqOf(vm, vcpu, intid);
  if (isNull(irq)) return false;
  if (irq.owner != owner) return true;
  if (irq.isLevel ? irq.lineLevel == level : !level) return true;
  spend(Cost.INJECT, 1);
  if (irq.isLevel) irq.lineLevel = level;
  else irq.latch();
  queueIrq(irq);
  return true;
}

/**
 * vgic_queue_irq_unlock, after any change that can make an interrupt deliverable: it goes to the list of the vCPU that
 * it belongs to. Whether it was put on one. A vCPU that has it already is kicked all the same: the guest may have handled
 * an edge without an exit, and nothing else would load the next one.
 */
export function queueIrq(irq: VgicIrq): bool {
  touch(irq);
  const to = oracle(irq);
  if (irq.vcpu != NONE || to == NONE) {
    if (to != NONE) requestInterrupt(vcpuOf(to));
    return false;
  }
  enlist(irq, to);
  requestInterrupt(vcpuOf(to));
  return true;
}

/** Makes an edge interrupt pending by software: an SGI, an MSI. */
export function latchIrq(irq: VgicIrq): void {
  spend(Cost.INJECT, 1);
  irq.latch();
  queueIrq(irq);
}

// Interrupts that are on a vCPU's list and do not belong there any more: what the next exit prunes. In the order of the
// list, as KVM meets them when it walks it.
import { isBefore } from './ap_list';
import { NONE } from './limits';
import { Vcpu } from './state';
import { irqAt, numberOf, VgicIrq } from './vgic_irq';

export function strayAdd(irq: VgicIrq, vcpu: Vcpu): void {
  let before: u32 = NONE;
  let after = vcpu.firstStray;
  while (after != NONE && isBefore(irqAt(after), irq, vcpu)) {
    before = after;
    after = irqAt(after).nextStray;
  }
  irq.stray = true;
  irq.nextStray = after;
  irq.previousStray = before;
  if (after != NONE) irqAt(after).previousStray = numberOf(irq);
  if (before != NONE) irqAt(before).nextStray = numberOf(irq);
  else vcpu.firstStray = numberOf(irq);
}

export function strayRemove(irq: VgicIrq, vcpu: Vcpu): void {
  irq.stray = false;
  if (irq.nextStray != NONE) irqAt(irq.nextStray).previousStray = irq.previousStray;
  if (irq.previousStray != NONE) irqAt(irq.previousStray).nextStray = irq.nextStray;
  else vcpu.firstStray = irq.nextStray;
}

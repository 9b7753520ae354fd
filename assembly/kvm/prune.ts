// vgic_prune_ap_list, at each exit after the fold: interrupts that do not belong on this vCPU's list leave it.
import { requestInterrupt } from './kick';
import { NONE } from './limits';
import { changeList, delist } from './membership';
import { Vcpu, vcpuOf } from './state';
import { irqAt, oracle } from './vgic_irq';

export function pruneList(vcpu: Vcpu): void {
  while (vcpu.firstStray != NONE) {
    const irq = irqAt(vcpu.firstStray);
    const to = oracle(irq);
    if (to == NONE) {
      delist(irq);
      continue;
    }
    changeList(irq, to);
    requestInterrupt(vcpuOf(to));
  }
}

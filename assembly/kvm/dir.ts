// 6.19: a guest's write to ICV_DIR_EL1 that traps, because what it names may be in no list register
// (vgic_v3_deactivate).
import { deactivateInMemory } from './fold';
import { haltGuest, resumeGuest } from './halt';
import { kick, request } from './kick';
import { LAST_SPI, NONE } from './limits';
import { setIrqActive } from './mmio/irq_state';
import { numberOfVcpu, REQ_VGIC_PROCESS_UPDATE, Vcpu, vcpuOf, vmOfVcpu } from './state';
import { irqOf, isNull } from './vgic_irq';

const VMCR_VEOIM: u32 = 1 << 9;

/** Nothing with EOImode 0, and nothing for an LPI: its end is EOIR alone. */
export function deactivateByDir(vcpu: Vcpu, intid: u32): void {
  if ((vcpu.vmcr & VMCR_VEOIM) == 0 || intid > LAST_SPI) return;
  const irq = irqOf(vcpu.vm, numberOfVcpu(vcpu), intid);
  if (isNull(irq) || irq.vcpu == NONE) return;
  if (irq.onLr) {
    // Some vCPU has it in a list register: all come out, as for GICD_ICACTIVER<n>.
    haltGuest(vmOfVcpu(vcpu));
    setIrqActive(irq, false);
    resumeGuest(vmOfVcpu(vcpu));
    return;
  }
  const owner = vcpuOf(irq.vcpu);
  deactivateInMemory(irq, vcpu);
  request(owner, REQ_VGIC_PROCESS_UPDATE);
  kick(owner);
}

// GICv4.1's virtual SGIs for a guest: while GICD_CTLR.nASSGIreq is set SGIs are the hardware's (vgic_v4_configure_vsgis).
import { activate, deactivate, setPending } from '../irqchip/api';
import { irqOf as hostIrqOf, vpeOf } from '../irqchip/state';
import { isSgiPending } from '../irqchip/vsgi';
import { touch } from './ap_list';
import { haltGuest, resumeGuest } from './halt';
import { NONE } from './limits';
import { Vcpu, vcpuOf, vmOf } from './state';
import { privateIrq, VgicIrq } from './vgic_irq';

const SGIS: u32 = 16;
/** its_vpe.sgi_config. */
const SGI_ENABLED: u32 = 1;
const SGI_GROUP1: u32 = 2;

/** Switches all SGIs of a VM to or from vSGIs, with their pending state, while all vCPUs are out. */
export function switchSgis(vm: u32, direct: bool): void {
  const self = vmOf(vm);
  haltGuest(self);
  for (let i: u32 = 0; i < self.vcpus; i++) {
    const n = self.firstVcpu + i;
    if (vcpuOf(n).firstSgiIrq == NONE) continue;
    for (let sgi: u32 = 0; sgi < SGIS; sgi++) {
      if (direct) toHardware(vcpuOf(n), privateIrq(n, sgi));
      else toSoftware(privateIrq(n, sgi));
    }
  }
  resumeGuest(self);
}

/** vgic_v4_enable_vsgis. */
function toHardware(vcpu: Vcpu, irq: VgicIrq): void {
  if (irq.hw) return;
  irq.hw = true;
  irq.active = false;
  irq.hostIrq = vcpu.firstSgiIrq + irq.intid;
  const config = (irq.priority & 0xf0) | (irq.group ? SGI_GROUP1 : 0) | (irq.enabled ? SGI_ENABLED : 0);
  vpeOf(vcpu.vpe).setSgiConfig(irq.intid, config);
  hostIrqOf(irq.hostIrq).masked = irq.enabled ? 0 : 1;
  activate(irq.hostIrq);
  setPending(irq.hostIrq, irq.pendingLatch);
  irq.pendingLatch = false;
  touch(irq);
}

/** vgic_v4_disable_vsgis. */
function toSoftware(irq: VgicIrq): void {
  if (!irq.hw) return;
  irq.hw = false;
  irq.pendingLatch = isSgiPending(hostIrqOf(irq.hostIrq)) > 0;
  deactivate(irq.hostIrq);
  irq.hostIrq = NONE;
  touch(irq);
}

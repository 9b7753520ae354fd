// More interrupts than list registers: which events bring the vCPU out to refill them (vgic_v3_configure_hcr).
import { kvm, Vcpu, vmOf } from './state';
import { isNewEra } from './vgic_irq';

export const HCR_EN: u32 = 1 << 0;
/** Underflow: at most one list register is valid. */
const HCR_UIE: u32 = 1 << 1;
/** An end of interrupt that no list register was found for. */
const HCR_LRENPIE: u32 = 1 << 2;
/** No list register is pending. */
const HCR_NPIE: u32 = 1 << 3;
const HCR_VGRP0EIE: u32 = 1 << 4;
const HCR_VGRP0DIE: u32 = 1 << 5;
const HCR_VGRP1EIE: u32 = 1 << 6;
const HCR_VGRP1DIE: u32 = 1 << 7;
const HCR_VSGI_EOI_COUNT: u32 = 1 << 8;
const HCR_TDIR: u32 = 1 << 14;
const VMCR_VENG0: u32 = 1;
const VMCR_VENG1: u32 = 2;

/** The list has to be sorted. Up to 6.18 everything on it counts, from 6.19 on what is for this vCPU. */
export function isOverflowing(vcpu: Vcpu): bool {
  const count = isNewEra() ? vcpu.waitingCount + vcpu.activeCount : vcpu.listed;
  return count > kvm().listRegisters;
}

/** ICH_HCR_EL2 for the list as it is before it is loaded. */
export function hcrOf(vcpu: Vcpu): u32 {
  const overflows = isOverflowing(vcpu);
  if (!isNewEra()) return HCR_EN | (overflows ? HCR_UIE : 0);
  const room = kvm().listRegisters;
  let hcr = HCR_EN | groupEdges(vcpu);
  const activeOutside = overflows && vcpu.activeCount != 0;
  if (overflows) hcr |= HCR_UIE;
  if (vcpu.waitingCount > room) hcr |= HCR_NPIE;
  if (activeOutside) hcr |= HCR_LRENPIE;
  if (kvm().hasGicv4_1 && vcpu.listedSgis == 0) hcr |= HCR_VSGI_EOI_COUNT;
  if (activeOutside || vmOf(vcpu.vm).activeSpis) hcr |= HCR_TDIR;
  return hcr;
}

/** An exit when the guest switches a group on or off: what is deliverable changes. */
function groupEdges(vcpu: Vcpu): u32 {
  const group0 = vcpu.vmcr & VMCR_VENG0 ? HCR_VGRP0DIE : HCR_VGRP0EIE;
  return group0 | (vcpu.vmcr & VMCR_VENG1 ? HCR_VGRP1DIE : HCR_VGRP1EIE);
}

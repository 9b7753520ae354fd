// The virtual CPU interface between memory and hardware: list registers at each flush and sync (__vgic_v3_restore_state,
// __vgic_v3_save_state), the rest when a vCPU is loaded and put (__vgic_v3_restore_vmcr_aprs and its counterpart).
import { SystemRegister as Register } from '../abi';
import { machine } from '../memory/machine';
import { readVirtualRegister, writeVirtualRegister } from '../virt/system_registers';
import { touchAll } from './ap_list';
import { Cost, spend } from './costs';
import { NONE } from './limits';
import { HCR_EN } from './overflow';
import { Vcpu } from './state';
import { isNewEra } from './vgic_irq';

const HCR_EL2_FMO: u64 = 1 << 3;
const HCR_EL2_IMO: u64 = 1 << 4;
const STATE: u64 = (<u64>3) << 62;
/** The guest's group enables, which the list is sorted by from 6.19 on. */
const VMCR_ENABLES: u32 = 3;
const EOI_COUNT_SHIFT: u64 = 27;
const EOI_COUNT_MASK: u32 = 31;

/** ICH_AP<m>R<n>_EL2 registers that there are: one for 32 preemption levels. */
function activePriorityRegisters(): u32 {
  return (<u32>1) << (machine().virtualPreemptionBits - 5);
}

/** VMCR and the active priorities, on the PE that the vCPU is loaded on; ICH_HCR_EL2.En, which VLPIs need. */
export function restoreInterface(vcpu: Vcpu): void {
  const cpu = vcpu.loadedOn;
  writeVirtualRegister(cpu, Register.ICH_VMCR_EL2, vcpu.vmcr);
  for (let n: u32 = 0; n < activePriorityRegisters(); n++) {
    writeVirtualRegister(cpu, Register.ICH_AP0R0_EL2 + n, vcpu.activePriorities(0, n));
    writeVirtualRegister(cpu, Register.ICH_AP1R0_EL2 + n, vcpu.activePriorities(1, n));
  }
  if (vcpu.vpe != NONE) writeVirtualRegister(cpu, Register.ICH_HCR_EL2, HCR_EN);
}

export function saveInterface(vcpu: Vcpu): void {
  const cpu = vcpu.loadedOn;
  readVmcr(vcpu);
  for (let n: u32 = 0; n < activePriorityRegisters(); n++) {
    vcpu.setActivePriorities(0, n, <u32>readVirtualRegister(cpu, Register.ICH_AP0R0_EL2 + n));
    vcpu.setActivePriorities(1, n, <u32>readVirtualRegister(cpu, Register.ICH_AP1R0_EL2 + n));
  }
  if (vcpu.vpe != NONE) writeVirtualRegister(cpu, Register.ICH_HCR_EL2, 0);
}

/** kvm_vgic_vmcr_sync: the guest's mask and enables have to be known before it is decided whether it may sleep. */
export function readVmcr(vcpu: Vcpu): void {
  if (vcpu.loadedOn == NONE) return;
  const old = vcpu.vmcr;
  vcpu.vmcr = <u32>readVirtualRegister(vcpu.loadedOn, Register.ICH_VMCR_EL2);
  if (isNewEra() && ((old ^ vcpu.vmcr) & VMCR_ENABLES) != 0) touchAll(vcpu);
}

/** The hardware needs the virtual interface on: something is in it, can come without the hypervisor, or traps. */
function isInterfaceUsed(vcpu: Vcpu): bool {
  return vcpu.usedLrs != 0 || vcpu.vpe != NONE || (vcpu.hcr & ~HCR_EN) != 0;
}

/** The end of the flush: ICH_HCR_EL2 and list registers. With VHE this does not wait for the world switch. */
export function restoreLists(vcpu: Vcpu): void {
  if (!isInterfaceUsed(vcpu)) return;
  const cpu = vcpu.loadedOn;
  writeVirtualRegister(cpu, Register.ICH_HCR_EL2, vcpu.hcr | HCR_EN);
  for (let n: u32 = 0; n < vcpu.usedLrs; n++) {
    writeVirtualRegister(cpu, Register.ICH_LR0_EL2 + n, vcpu.lr(n));
  }
  spend(Cost.LR_RESTORE, vcpu.usedLrs);
}

/** World switch in: from here on EL1's ICC_* reach the virtual interface. */
export function giveInterface(vcpu: Vcpu): void {
  writeVirtualRegister(vcpu.loadedOn, Register.HCR_EL2, HCR_EL2_FMO | HCR_EL2_IMO);
}

/** World switch out. */
export function takeInterface(vcpu: Vcpu): void {
  writeVirtualRegister(vcpu.loadedOn, Register.HCR_EL2, 0);
}

/**
 * The begin of the sync; ends of interrupts that no list register held (ICH_HCR_EL2.EOIcount). Up to 6.18 nothing happens
 * where the list is empty and nothing was loaded: the interface stays on.
 */
export function saveLists(vcpu: Vcpu): u32 {
  const isIdle = vcpu.listed == 0 && vcpu.usedLrs == 0;
  if (!isInterfaceUsed(vcpu) || (isIdle && !isNewEra())) return 0;
  const cpu = vcpu.loadedOn;
  const empty = <u32>readVirtualRegister(cpu, Register.ICH_ELRSR_EL2);
  const hcr = readVirtualRegister(cpu, Register.ICH_HCR_EL2);
  writeVirtualRegister(cpu, Register.ICH_HCR_EL2, 0);
  for (let n: u32 = 0; n < vcpu.usedLrs; n++) {
    const isEmpty = ((empty >> n) & 1) != 0;
    const register = Register.ICH_LR0_EL2 + n;
    vcpu.setLr(n, isEmpty ? vcpu.lr(n) & ~STATE : readVirtualRegister(cpu, register));
    writeVirtualRegister(cpu, register, 0);
  }
  spend(Cost.LR_SAVE, vcpu.usedLrs);
  return <u32>(hcr >> EOI_COUNT_SHIFT) & EOI_COUNT_MASK;
}

// Direct injection: a vCPU's vPE follows it from PE to PE, is resident while it is loaded (in 2017 while it is in the
// guest), and has a doorbell while it sleeps (kvm/vgic-v4.c).
import { activate, deactivate, mask, setPending } from '../irqchip/api';
import { commitVpe as commitResidency, descheduleVpe, scheduleVpe } from '../irqchip/residency';
import { chip, ERA_S, irqOf as hostIrqOf, vmOf as itsVmOf, vpeOf } from '../irqchip/state';
import { allocateVm, freeVm } from '../irqchip/vm';
import { moveVpe } from '../irqchip/vpe_moves';
import { allocateSgis } from '../irqchip/vsgi';
import { handleLpi, LPI_DOORBELL } from './host';
import { requestInterrupt } from './kick';
import { NONE } from './limits';
import { kvm, Vcpu, VgicVm, vcpuOf, vmOf } from './state';

/** vgic_supports_direct_msis: GICv4.1 always, GICv4.0 once there is a virtual ITS. */
export function isDirect(vm: VgicVm): bool {
  return kvm().hasGicv4_1 != 0 || (kvm().hasGicv4 != 0 && vm.hasIts);
}

/** vgic_v4_init, from the VGIC's initialisation or the virtual ITS's, whichever is later. */
export function initDirect(n: u32): i32 {
  const vm = vmOf(n);
  if (!isDirect(vm) || vm.itsVm != NONE) return 0;
  const itsVm = allocateVm(vm.vcpus);
  if (itsVm < 0) return itsVm;
  vm.itsVm = <u32>itsVm;
  for (let i: u32 = 0; i < vm.vcpus; i++) {
    const failed = initVpe(vm.firstVcpu + i, itsVmOf(<u32>itsVm).firstVpe + i);
    if (failed) {
      tearDownDirect(n);
      return failed;
    }
  }
  return 0;
}

/** The doorbell of GICv4.0 stays disabled until the vCPU sleeps; that of GICv4.1 is always enabled. */
function initVpe(n: u32, vpe: u32): i32 {
  const vcpu = vcpuOf(n);
  const doorbell = vpeOf(vpe).irq;
  vcpu.vpe = vpe;
  vcpu.firstSgiIrq = NONE;
  if (kvm().hasGicv4_1) {
    const sgis = allocateSgis(vpeOf(vpe), vpe);
    if (sgis < 0) return sgis;
    vcpu.firstSgiIrq = <u32>sgis;
  }
  handleLpi(vpeOf(vpe).doorbell, LPI_DOORBELL, n);
  const failed = activate(doorbell);
  return failed || !kvm().hasGicv4_1 ? failed : mask(doorbell, false);
}

/** vgic_v4_teardown. */
export function tearDownDirect(n: u32): i32 {
  const vm = vmOf(n);
  if (vm.itsVm == NONE) return 0;
  for (let i: u32 = 0; i < vm.vcpus; i++) {
    const vcpu = vcpuOf(vm.firstVcpu + i);
    if (vcpu.vpe == NONE) continue;
    const vpe = vpeOf(vcpu.vpe);
    if (hostIrqOf(vpe.irq).activated) deactivate(vpe.irq);
    handleLpi(vpe.doorbell, 0, 0);
    vcpu.vpe = NONE;
    vcpu.firstSgiIrq = NONE;
  }
  const failed = freeVm(vm.itsVm);
  vm.itsVm = NONE;
  return failed;
}

/** Whether deschedule left something pending, or a doorbell has rung: a hint that the vCPU should not sleep. */
export function isPendingLast(vcpu: Vcpu): bool {
  return vcpu.vpe != NONE && vpeOf(vcpu.vpe).pendingLast != 0;
}

/** KVM of 2017 moved vPEs in and out with each entry and exit. */
function isResidentInGuest(): bool {
  return chip().era == ERA_S;
}

/** vgic_v4_load: the vPE comes to this PE. Not while the vCPU is on its way to sleep: the armed doorbell stays. */
export function loadVpe(vcpu: Vcpu): i32 {
  return isResidentInGuest() || vcpu.inWfi ? 0 : enterVpe(vcpu);
}

/** vgic_v4_put: with a doorbell where the vCPU goes to sleep. */
export function putVpe(vcpu: Vcpu): i32 {
  return isResidentInGuest() ? 0 : leaveVpe(vcpu, vcpu.inWfi);
}

/** vgic_v4_flush_hwstate. */
export function flushVpe(vcpu: Vcpu): i32 {
  return isResidentInGuest() ? enterVpe(vcpu) : 0;
}

/** vgic_v4_sync_hwstate. */
export function syncVpe(vcpu: Vcpu): i32 {
  return isResidentInGuest() ? leaveVpe(vcpu, false) : 0;
}

function enterVpe(vcpu: Vcpu): i32 {
  if (vcpu.vpe == NONE || vpeOf(vcpu.vpe).resident) return 0;
  const vpe = vpeOf(vcpu.vpe);
  const moved = moveVpe(vpe, vcpu.loadedOn);
  if (moved) return moved;
  const group1: u32 = vmOf(vcpu.vm).enabled ? 2 : 0;
  const failed = scheduleVpe(vpe, vcpu.loadedOn, group1);
  if (failed || kvm().hasGicv4_1) return failed;
  // A doorbell that rang before is of no use any more.
  return setPending(vpe.irq, false);
}

function leaveVpe(vcpu: Vcpu, doorbell: bool): i32 {
  if (vcpu.vpe == NONE || !vpeOf(vcpu.vpe).resident) return 0;
  return descheduleVpe(vpeOf(vcpu.vpe), doorbell);
}

/** kvm_vgic_v4_enable_doorbell and its counterpart: in 2017 around sleeping, later part of put and load. */
export function armDoorbell(vcpu: Vcpu, armed: bool): i32 {
  if (vcpu.vpe == NONE || !isResidentInGuest()) return 0;
  const doorbell = vpeOf(vcpu.vpe).irq;
  return (hostIrqOf(doorbell).masked != 0) == armed ? mask(doorbell, !armed) : 0;
}

/** vgic_v4_commit, before each entry: the pending table has to be parsed. */
export function commitVpe(vcpu: Vcpu): i32 {
  if (chip().era == ERA_S || vcpu.vpe == NONE) return 0;
  if (!vpeOf(vcpu.vpe).resident || vpeOf(vcpu.vpe).ready) return 0;
  return commitResidency(vpeOf(vcpu.vpe));
}

/** vgic_v4_doorbell_handler. */
export function handleDoorbell(n: u32): void {
  const vcpu = vcpuOf(n);
  if (vcpu.vpe == NONE) return;
  const vpe = vpeOf(vcpu.vpe);
  if (!kvm().hasGicv4_1 && chip().era != ERA_S && !hostIrqOf(vpe.irq).masked) mask(vpe.irq, true);
  vpe.pendingLast = 1;
  requestInterrupt(vcpu);
}

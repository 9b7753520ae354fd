// The steps of KVM's run loop that concern interrupts (kvm_arch_vcpu_ioctl_run and what it calls), without time: whoever
// runs vCPUs calls them in their order.
import { settle } from '../gic/outputs';
import { bestWaiting } from './ap_list';
import { clearWfit, isTimerPending, timerEntry, timerExit, timerLoad, timerPut } from './arch_timer';
import { Cost, spend } from './costs';
import { flushLists } from './flush';
import { syncLists } from './fold';
import { handleHostInterrupts } from './host';
import { request } from './kick';
import { NONE } from './limits';
import { setLoadedVcpu } from './loaded';
import { HCR_EN } from './overflow';
import { pruneList } from './prune';
import {
  IN_GUEST_MODE,
  kvm,
  numberOfVcpu,
  OUTSIDE_GUEST_MODE,
  REQ_RECORD_STEAL,
  REQ_RELOAD_GICV4,
  REQ_SLEEP,
  REQ_VGIC_PROCESS_UPDATE,
  Vcpu,
  vmOfVcpu,
} from './state';
import { isNewEra } from './vgic_irq';
import { armDoorbell, commitVpe, flushVpe, isPendingLast, loadVpe, putVpe, syncVpe } from './vgic_v4';
import {
  giveInterface,
  readVmcr,
  restoreInterface,
  restoreLists,
  saveInterface,
  saveLists,
  takeInterface,
} from './world_switch';

/** kvm_arch_vcpu_load: the vCPU takes a PE. */
export function loadVcpu(vcpu: Vcpu, cpu: u32): i32 {
  vcpu.loadedOn = cpu;
  vcpu.lastCpu = cpu;
  setLoadedVcpu(cpu, numberOfVcpu(vcpu));
  spend(Cost.LOAD, 1);
  request(vcpu, REQ_RECORD_STEAL);
  restoreInterface(vcpu);
  const failed = loadVpe(vcpu);
  timerLoad(vcpu);
  settle();
  return failed;
}

/** kvm_arch_vcpu_put. */
export function putVcpu(vcpu: Vcpu): i32 {
  spend(Cost.PUT, 1);
  timerPut(vcpu);
  saveInterface(vcpu);
  const failed = putVpe(vcpu);
  setLoadedVcpu(vcpu.loadedOn, NONE);
  vcpu.loadedOn = NONE;
  settle();
  return failed;
}

/** check_vcpu_requests: false where the vCPU has to stay out. */
export function takeRequests(vcpu: Vcpu): bool {
  const requests = vcpu.requests;
  vcpu.requests = 0;
  if (requests & REQ_RELOAD_GICV4) {
    putVpe(vcpu);
    loadVpe(vcpu);
  }
  if (requests & REQ_VGIC_PROCESS_UPDATE) pruneList(vcpu);
  if ((vcpu.paused || vcpu.powerOff) && requests & REQ_SLEEP) request(vcpu, REQ_SLEEP);
  return !vcpu.paused && !vcpu.powerOff;
}

/**
 * With interrupts off: flush, then into the guest, unless a request came meanwhile; then the caller starts over. Whether
 * the guest runs.
 */
export function enterGuest(vcpu: Vcpu): bool {
  prepareEntry(vcpu);
  if (!claimEntry(vcpu)) return false;
  switchIn(vcpu);
  return true;
}

/** The flush, and the wait for the pending table of a vPE that has become resident. The timer's line comes first. */
export function prepareEntry(vcpu: Vcpu): void {
  timerEntry(vcpu);
  flushVpe(vcpu);
  if (vcpu.listed || vcpu.vpe != NONE || isNewEra()) flushLists(vcpu);
  else idleHcr(vcpu);
  restoreLists(vcpu);
  commitVpe(vcpu);
}

/** The last look at the requests: from here on a kick has to send an IPI. */
export function claimEntry(vcpu: Vcpu): bool {
  vcpu.mode = IN_GUEST_MODE;
  if (vcpu.requests == 0) return true;
  cancelEntry(vcpu);
  return false;
}

/** What was prepared is taken back. */
export function cancelEntry(vcpu: Vcpu): void {
  vcpu.mode = OUTSIDE_GUEST_MODE;
  const ended = saveLists(vcpu);
  timerExit(vcpu);
  syncVpe(vcpu);
  syncLists(vcpu, ended);
  settle();
}

/** World switch into the guest. */
export function switchIn(vcpu: Vcpu): void {
  spend(Cost.ENTRY, 1);
  giveInterface(vcpu);
  settle();
}

function idleHcr(vcpu: Vcpu): void {
  vcpu.usedLrs = 0;
  vcpu.hcr = HCR_EN;
}

/** Out of the guest, sync, then the host's interrupts, which are taken as soon as they are on again. */
export function exitGuest(vcpu: Vcpu): void {
  const ended = switchOut(vcpu);
  kvm().currentCpu = vcpu.loadedOn;
  syncExit(vcpu, ended);
  handleHostInterrupts(vcpu.loadedOn);
  kvm().currentCpu = NONE;
  settle();
}

/** World switch out of the guest; ends of interrupts that no list register held. */
export function switchOut(vcpu: Vcpu): u32 {
  spend(Cost.EXIT, 1);
  vcpu.exits++;
  takeInterface(vcpu);
  const ended = saveLists(vcpu);
  vcpu.mode = OUTSIDE_GUEST_MODE;
  return ended;
}

/** The sync, with interrupts still off. */
export function syncExit(vcpu: Vcpu, ended: u32): void {
  if (isNewEra()) readVmcr(vcpu);
  timerExit(vcpu);
  syncVpe(vcpu);
  syncLists(vcpu, ended);
  settle();
}

/** kvm_arch_vcpu_runnable, with what kvm_vcpu_check_block adds: it must not sleep. */
export function isRunnable(vcpu: Vcpu): bool {
  if (vcpu.powerOff || vcpu.paused) return false;
  return hasPendingIrq(vcpu) || isTimerPending(vcpu);
}

/** kvm_vgic_vcpu_pending_irq. Group enables and the running priority are not considered. */
export function hasPendingIrq(vcpu: Vcpu): bool {
  if (!vmOfVcpu(vcpu).enabled) return false;
  return isPendingLast(vcpu) || bestWaiting(vcpu) < vcpu.vmcr >> 24;
}

/**
 * kvm_vcpu_wfi until the thread may sleep: of the interface what decides whether something is pending is read back, in
 * 6.19 all of it; the vPE leaves with its doorbell armed.
 */
export function beginWfi(vcpu: Vcpu): i32 {
  vcpu.inWfi = true;
  if (isNewEra()) saveInterface(vcpu);
  else readVmcr(vcpu);
  const failed = putVpe(vcpu);
  settle();
  return failed;
}

/** The end of kvm_vcpu_wfi, on whatever PE the thread is now. */
export function endWfi(vcpu: Vcpu): i32 {
  vcpu.inWfi = false;
  vcpu.inWfit = false;
  clearWfit(vcpu);
  armDoorbell(vcpu, false);
  if (isNewEra()) restoreInterface(vcpu);
  const failed = loadVpe(vcpu);
  settle();
  return failed;
}

/** The thread goes to sleep: from here on a kick wakes it. */
export function fallAsleep(vcpu: Vcpu): i32 {
  vcpu.blocking = true;
  armDoorbell(vcpu, true);
  const failed = putVcpu(vcpu);
  vcpu.blocking = false;
  vcpu.asleep = true;
  return failed;
}

// KVM's run loop on a PE, a step an event: kvm_arch_vcpu_ioctl_run with what comes before and after it.
import { Cost, SimEvent, SimExit, SimUse } from '../abi';
import { vpeOf } from '../irqchip/state';
import { spend } from '../kvm/costs';
import { handleHostInterrupts } from '../kvm/host';
import { NONE } from '../kvm/limits';
import {
  cancelEntry,
  claimEntry,
  loadVcpu,
  prepareEntry,
  putVcpu,
  switchIn,
  switchOut,
  syncExit,
  takeRequests,
} from '../kvm/run';
import { kvm, OUTSIDE_GUEST_MODE, Vcpu, vmOf } from '../kvm/state';
import { NONE as NO_VLPI } from '../memory/priority_index';
import { virtualInterfaceOf } from '../virt/virtual_cpu_interface';
import { use } from './accounting';
import { lowerLine } from './devices';
import { emulate } from './emulation';
import { cancel, SIGNAL, SOFT_TIMER, STEP, VECTOR } from './event_queue';
import { beginGuest, stepGuest, suspendGuest } from './guest';
import { enqueue } from './run_queue';
import { releaseThread, scheduleNext } from './scheduler';
import { addAt, Pe, Phase, peOf, RUNNABLE, sim, Thread, threadOf, vcpuOfPe } from './state';
import { proceed } from './step';
import { record } from './trace';
import { beginSleep, beginWfi, checkWake, endPoll, endWfi } from './wfi';

/** What a PE does when the time of its step has come. */
export function stepPe(cpu: u32): void {
  const pe = peOf(cpu);
  sim().actor = cpu;
  kvm().currentCpu = cpu;
  step(pe);
  kvm().currentCpu = NONE;
}

function step(pe: Pe): void {
  switch (pe.phase) {
    case Phase.SCHEDULE:
      return scheduleNext(pe);
    case Phase.RUN:
      return run(pe);
    case Phase.LOAD:
      return loadStep(pe);
    case Phase.CHECK:
      return check(pe);
    case Phase.FLUSH:
      return flush(pe);
    case Phase.FINAL_CHECK:
      return finalCheck(pe);
    case Phase.ENTERING:
      return enter(pe);
    case Phase.GUEST:
      return stepGuest(pe);
    case Phase.SYNC:
      return sync(pe);
    case Phase.HANDLE_EXIT:
      return handleExit(pe);
    case Phase.USER:
      return user(pe);
    case Phase.WFI:
      return beginWfi(pe);
    case Phase.POLL:
      return endPoll(pe);
    case Phase.SLEEP:
      return beginSleep(pe);
    case Phase.WAKE_CHECK:
      return checkWake(pe);
    case Phase.WFI_END:
      return endWfi(pe);
    default:
  }
}

/** R1. */
function run(pe: Pe): void {
  use(pe, SimUse.HYPERVISOR);
  threadOf(pe.thread).resume = Phase.LOAD;
  record(SimEvent.RUN, pe.cpu, pe.thread, 0, 0);
  spend(Cost.SYSCALL, 1);
  proceed(pe, Phase.LOAD);
}

/** R2. A thread that slept goes on where it slept. */
function loadStep(pe: Pe): void {
  use(pe, SimUse.HYPERVISOR);
  const vcpu = vcpuOfPe(pe);
  const failed = loadVcpu(vcpu, pe.cpu);
  cancel(SOFT_TIMER + pe.thread);
  pe.trapsWfi = trapsWfi(pe, vcpu);
  record(SimEvent.LOAD, pe.cpu, pe.thread, pe.trapsWfi ? 1 : 0, 0);
  if (failed) record(SimEvent.FAILED, pe.cpu, pe.thread, <u32>failed, 0);
  proceed(pe, vcpu.inWfi ? Phase.WAKE_CHECK : Phase.CHECK);
}

/** Alone on its PE, with something that can be injected directly, a guest may wait in the PE (kvm_arch_vcpu_load). */
function trapsWfi(pe: Pe, vcpu: Vcpu): bool {
  if (sim().trapWfi) return sim().trapWfi == 1;
  if (pe.queued || vcpu.vpe == NONE) return true;
  return vpeOf(vcpu.vpe).vlpis == 0 && !vmOf(vcpu.vm).nassgireq;
}

/** R3 and R4. */
function check(pe: Pe): void {
  use(pe, SimUse.HYPERVISOR);
  const vcpu = vcpuOfPe(pe);
  record(SimEvent.CHECK, pe.cpu, pe.thread, pe.needsResched ? 1 : 0, 0);
  if (pe.needsResched) return preempt(pe);
  const requests = vcpu.requests;
  const stays = !takeRequests(vcpu);
  record(SimEvent.REQUESTS, pe.cpu, pe.thread, requests, stays ? 1 : 0);
  if (stays) return waitOutside(pe, vcpu);
  proceed(pe, Phase.FLUSH);
}

/** R13. */
function preempt(pe: Pe): void {
  const vcpu = vcpuOfPe(pe);
  record(SimEvent.PREEMPT, pe.cpu, pe.thread, 0, 0);
  putVcpu(vcpu);
  const n = pe.thread;
  const thread = releaseThread(pe);
  thread.preemptions++;
  thread.state = RUNNABLE;
  enqueue(n, pe.cpu);
  proceed(pe, Phase.SCHEDULE);
}

/** Paused: the thread sleeps until the halt is over. */
function waitOutside(pe: Pe, vcpu: Vcpu): void {
  putVcpu(vcpu);
  vcpu.asleep = true;
  releaseThread(pe).sleep();
  proceed(pe, Phase.SCHEDULE);
}

/** R5. The redistributor parses the table of a vPE that has just come, the longer the more is in it. */
function flush(pe: Pe): void {
  const vcpu = vcpuOfPe(pe);
  if (vcpu.vpe != NONE && vpeOf(vcpu.vpe).resident && !vpeOf(vcpu.vpe).ready) {
    spend(virtualInterfaceOf(pe.cpu).bestVlpi == NO_VLPI ? Cost.PARSE_EMPTY : Cost.PARSE_BUSY, 1);
  }
  prepareEntry(vcpu);
  record(SimEvent.FLUSH, pe.cpu, pe.thread, vcpu.listed, vcpu.usedLrs);
  proceed(pe, Phase.FINAL_CHECK);
}

/** R6 and R7. */
function finalCheck(pe: Pe): void {
  const vcpu = vcpuOfPe(pe);
  record(SimEvent.FINAL_CHECK, pe.cpu, pe.thread, vcpu.requests, pe.needsResched ? 1 : 0);
  if (pe.needsResched) cancelEntry(vcpu);
  else if (claimEntry(vcpu)) {
    record(SimEvent.ENTRY, pe.cpu, pe.thread, 0, 0);
    switchIn(vcpu);
    return proceed(pe, Phase.ENTERING);
  }
  takeHostInterrupts(pe);
  proceed(pe, Phase.CHECK);
}

/** R8 begins; an interrupt that came during the switch makes it short. */
function enter(pe: Pe): void {
  use(pe, SimUse.GUEST);
  pe.phase = Phase.GUEST;
  record(SimEvent.GUEST, pe.cpu, pe.thread, 0, 0);
  beginGuest(pe);
}

/** R9: the guest is left. */
export function leaveGuest(pe: Pe, reason: u32): void {
  suspendGuest(pe);
  cancel(STEP + pe.cpu);
  cancel(VECTOR + pe.cpu);
  use(pe, SimUse.HYPERVISOR);
  const vcpu = vcpuOfPe(pe);
  const thread = threadOf(pe.thread);
  addAt(changetype<usize>(thread) + offsetof<Thread>('exits0'), reason, 1);
  record(SimEvent.EXIT, pe.cpu, pe.thread, reason, 0);
  pe.exitReason = reason;
  pe.ended = 0;
  // Whoever halts a VM takes its vCPUs out himself.
  if (vcpu.mode != OUTSIDE_GUEST_MODE) pe.ended = switchOut(vcpu);
  proceed(pe, Phase.SYNC);
}

/** R10 and R11. */
function sync(pe: Pe): void {
  const vcpu = vcpuOfPe(pe);
  syncExit(vcpu, pe.ended);
  record(SimEvent.SYNC, pe.cpu, pe.thread, vcpu.listed, 0);
  const taken = takeHostInterrupts(pe);
  record(SimEvent.HOST_INTERRUPTS, pe.cpu, pe.thread, taken, 0);
  if (taken) use(pe, SimUse.HOST_IRQ);
  proceed(pe, Phase.HANDLE_EXIT);
}

/** Interrupts are on: everything that is signalled is taken, the timer of the slice too. */
export function takeHostInterrupts(pe: Pe): u32 {
  let taken = handleHostInterrupts(pe.cpu);
  cancel(SIGNAL + pe.cpu);
  if (!pe.tick) return taken;
  pe.tick = false;
  spend(Cost.HOST_IRQ, 1);
  return ++taken;
}

/** R12. */
function handleExit(pe: Pe): void {
  use(pe, SimUse.HYPERVISOR);
  const reason = pe.exitReason;
  record(SimEvent.HANDLE_EXIT, pe.cpu, pe.thread, reason, 0);
  if (reason == SimExit.WFI) return proceed(pe, Phase.WFI);
  if (reason == SimExit.USER) return proceed(pe, Phase.USER);
  emulate(reason, vcpuOfPe(pe), threadOf(pe.thread));
  proceed(pe, Phase.CHECK);
}

/** R14, and the device in user space. */
function user(pe: Pe): void {
  use(pe, SimUse.USER);
  record(SimEvent.USER, pe.cpu, pe.thread, 0, 0);
  putVcpu(vcpuOfPe(pe));
  lowerLine(threadOf(pe.thread));
  spend(Cost.USER_SPACE, 1);
  proceed(pe, Phase.RUN);
}

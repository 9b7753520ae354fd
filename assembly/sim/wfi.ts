// A WFI that traps: kvm_vcpu_wfi, kvm_vcpu_halt with its polling, kvm_vcpu_block.
import { SimEvent, SimUse } from '../abi';
import { timersOf } from '../kvm/arch_timer';
import * as run from '../kvm/run';
import { Vcpu } from '../kvm/state';
import { insertUse, use } from './accounting';
import { now, timeOfTicks } from './clock';
import { SOFT_TIMER, STEP, schedule } from './event_queue';
import { NEVER } from './limits';
import { beginPolling, endPolling } from './polling';
import { releaseThread } from './scheduler';
import { Pe, Phase, sim, Thread, threadOf, vcpuOfPe } from './state';
import { proceed } from './step';
import { record } from './trace';

/** B1 and B3. */
export function beginWfi(pe: Pe): void {
  const thread = threadOf(pe.thread);
  record(SimEvent.WFI_BEGIN, pe.cpu, pe.thread, 0, 0);
  const failed = run.beginWfi(vcpuOfPe(pe));
  if (failed) record(SimEvent.FAILED, pe.cpu, pe.thread, <u32>failed, 0);
  thread.haltStart = now();
  if (thread.haltPoll) beginPoll(pe, thread);
  else proceed(pe, Phase.SLEEP);
}

/** The PE spins until the window ends, or `checkPolls` finds the vCPU runnable. */
function beginPoll(pe: Pe, thread: Thread): void {
  thread.polls++;
  proceed(pe, Phase.POLL);
  insertUse(pe, SimUse.HYPERVISOR, pe.busyUntil - now());
  pe.use = SimUse.POLL;
  beginPolling(pe.cpu);
  schedule(STEP + pe.cpu, pe.busyUntil + thread.haltPoll);
}

/** A PE polls until its vCPU is runnable or another thread wants it: whether it goes on. */
export function checkPoll(pe: Pe): bool {
  const goesOn = !pe.needsResched && pe.queued == 0;
  if (goesOn && !run.isRunnable(vcpuOfPe(pe))) return true;
  endPolling(pe.cpu);
  schedule(STEP + pe.cpu, max<u64>(now(), pe.busyUntil));
  return false;
}

/** The window of B3 is over, or the vCPU became runnable in it. */
export function endPoll(pe: Pe): void {
  endPolling(pe.cpu);
  const thread = threadOf(pe.thread);
  const found = run.isRunnable(vcpuOfPe(pe));
  record(SimEvent.HALT_POLL, pe.cpu, pe.thread, <u32>thread.haltPoll, found ? 1 : 0);
  use(pe, SimUse.HYPERVISOR);
  if (!found) return proceed(pe, Phase.SLEEP);
  thread.pollsSuccessful++;
  proceed(pe, Phase.WFI_END);
}

/** B4: the last look before the thread sleeps. */
export function beginSleep(pe: Pe): void {
  const vcpu = vcpuOfPe(pe);
  const stays = run.isRunnable(vcpu);
  record(SimEvent.SLEEP, pe.cpu, pe.thread, 0, stays ? 1 : 0);
  if (stays) return proceed(pe, Phase.WFI_END);
  const n = pe.thread;
  const failed = run.fallAsleep(vcpu);
  if (failed) record(SimEvent.FAILED, pe.cpu, n, <u32>failed, 0);
  releaseThread(pe).sleep();
  armSoftTimer(n);
  proceed(pe, Phase.SCHEDULE);
}

export function armSoftTimer(n: u32): void {
  const deadline = timersOf(n).softTimer;
  if (deadline != NEVER) schedule(SOFT_TIMER + n, timeOfTicks(deadline));
}

/** B5 and B6. */
export function checkWake(pe: Pe): void {
  const vcpu = vcpuOfPe(pe);
  record(SimEvent.WOKEN, pe.cpu, pe.thread, 0, 0);
  const isRunnable = run.isRunnable(vcpu);
  record(SimEvent.WAKE_CHECK, pe.cpu, pe.thread, 0, isRunnable ? 1 : 0);
  proceed(pe, isRunnable ? Phase.WFI_END : Phase.SLEEP);
}

/** B7 and B8. */
export function endWfi(pe: Pe): void {
  adaptWindow(threadOf(pe.thread));
  record(SimEvent.WFI_END, pe.cpu, pe.thread, 0, 0);
  const failed = run.endWfi(vcpuOfPe(pe));
  if (failed) record(SimEvent.FAILED, pe.cpu, pe.thread, <u32>failed, 0);
  record(SimEvent.WFI_RETURN, pe.cpu, pe.thread, 0, 0);
  proceed(pe, Phase.CHECK);
}

/** How long the next halt polls, by how long this one was. */
function adaptWindow(thread: Thread): void {
  const halted = now() - thread.haltStart;
  const most = sim().haltPoll;
  const window = thread.haltPoll;
  if (most == 0) thread.haltPoll = 0;
  else if (halted <= window) return;
  else if (window && halted > most) thread.haltPoll = shrunk(window);
  else if (window < most && halted < most) thread.haltPoll = min<u64>(grown(window), most);
}

function grown(window: u64): u64 {
  const factor = sim().haltPollGrow;
  return factor ? max<u64>(window * factor, sim().haltPollGrowStart) : window;
}

function shrunk(window: u64): u64 {
  const divisor = sim().haltPollShrink;
  const value = divisor ? window / divisor : 0;
  return value < sim().haltPollGrowStart ? 0 : value;
}

/** The vCPU that waits with a deadline (WFIT). */
export function setWfitDeadline(vcpu: Vcpu, n: u32, ticks: u64): void {
  vcpu.inWfit = true;
  timersOf(n).wfitDeadline = ticks;
}

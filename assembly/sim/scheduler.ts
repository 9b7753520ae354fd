// Threads on PEs: bound to one, or under a fair scheduler with time slices, wake-up preemption and idle PEs that take
// threads from others.
import { Cost, SimEvent, SimUse } from '../abi';
import { spend } from '../kvm/costs';
import { sendIpi } from '../kvm/kick';
import { NONE } from '../kvm/limits';
import { takeWoken } from '../kvm/woken';
import { leaveState, use } from './accounting';
import { now } from './clock';
import { cancel, isScheduled, SLICE, STEP, schedule } from './event_queue';
import { addToIdle, removeFromIdle } from './idle';
import { lookAtPoll } from './polling';
import { enqueue, limitLead, placeOf, steal, takeNext } from './run_queue';
import { ASLEEP, Pe, Phase, peOf, RUNNING, sim, Thread, threadOf } from './state';
import { proceed } from './step';
import { record } from './trace';

/** Threads that the last event woke. */
export function takeWokenThreads(): void {
  for (let n = takeWoken(); n != NONE; n = takeWoken()) {
    const thread = threadOf(n);
    if (thread.state != ASLEEP) continue;
    leaveState(thread, true);
    thread.wakeups++;
    const cpu = placeOf(thread);
    limitLead(thread, peOf(cpu));
    makeRunnable(n, cpu, cpu == sim().actor ? Cost.WAKEUP_LOCAL : Cost.WAKEUP_REMOTE);
  }
}

/** A thread that is to run from now on. */
export function startThread(n: u32): void {
  const thread = threadOf(n);
  thread.since = now();
  thread.resume = Phase.RUN;
  makeRunnable(n, placeOf(thread), Cost.SWITCH);
}

function makeRunnable(n: u32, cpu: u32, cost: u32): void {
  const thread = threadOf(n);
  const pe = peOf(cpu);
  thread.switchCost = cost;
  enqueue(n, cpu);
  record(SimEvent.RUNNABLE, sim().actor, n, cpu, 0);
  if (pe.phase == Phase.IDLE) rouse(pe);
  else if (pe.thread != NONE) contend(pe, thread);
}

/** An idle PE looks for work. */
export function rouse(pe: Pe): void {
  removeFromIdle(pe.cpu);
  pe.phase = Phase.SCHEDULE;
  schedule(STEP + pe.cpu, now() + (pe.cpu == sim().actor ? 0 : sim().lead));
}

/** A thread joins those that wait for a PE: it may take over at once, or when the slice is over. */
function contend(pe: Pe, thread: Thread): void {
  const current = threadOf(pe.thread);
  if (current.runtime + (now() - pe.started) > thread.runtime + sim().wakeupGranularity) yieldSoon(pe);
  else armSlice(pe);
}

/** set_tsk_need_resched, and what makes the PE see it. */
function yieldSoon(pe: Pe): void {
  if (pe.needsResched) return;
  pe.needsResched = true;
  lookAtPoll(pe.cpu);
  if (pe.cpu != sim().actor) sendIpi(pe.cpu);
}

export function armSlice(pe: Pe): void {
  if (pe.queued == 0 || isScheduled(SLICE + pe.cpu)) return;
  schedule(SLICE + pe.cpu, max<u64>(now(), pe.started + sim().slice));
}

/** The PE takes the next thread. */
export function scheduleNext(pe: Pe): void {
  let n = takeNext(pe);
  if (n == NONE) n = steal(pe);
  if (n == NONE) {
    use(pe, SimUse.IDLE);
    pe.phase = Phase.IDLE;
    addToIdle(pe.cpu);
    record(SimEvent.IDLE, pe.cpu, NONE, 0, 0);
    return;
  }
  const thread = threadOf(n);
  use(pe, SimUse.SWITCH);
  leaveState(thread, false);
  thread.state = RUNNING;
  pe.thread = n;
  pe.started = now();
  armSlice(pe);
  record(SimEvent.SCHEDULE, pe.cpu, n, thread.switchCost, 0);
  spend(thread.switchCost, 1);
  proceed(pe, thread.resume);
}

/** The thread of a PE stops running. */
export function releaseThread(pe: Pe): Thread {
  const thread = threadOf(pe.thread);
  use(pe, SimUse.SWITCH);
  thread.runtime += now() - pe.started;
  thread.since = now();
  thread.switchCost = Cost.SWITCH;
  pe.thread = NONE;
  pe.needsResched = false;
  pe.tick = false;
  cancel(SLICE + pe.cpu);
  return thread;
}

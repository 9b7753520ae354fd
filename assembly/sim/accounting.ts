// Where the time of PEs and threads goes.
import { NONE } from '../kvm/limits';
import { now } from './clock';
import { addAt, Pe, Thread, threadOf } from './state';

/** From now on a PE's time is used otherwise (`SimUse`). */
export function use(pe: Pe, what: u32): void {
  accountFor(pe);
  pe.use = what;
}

/** Time up to now; what `insertUse` accounted for may reach beyond. */
export function accountFor(pe: Pe): void {
  if (now() <= pe.since) return;
  addTime(pe, pe.use, now() - pe.since);
  pe.since = now();
}

/** `duration` from now on is used for something else. */
export function insertUse(pe: Pe, what: u32, duration: u64): void {
  accountFor(pe);
  addTime(pe, what, duration);
  pe.since += duration;
}

function addTime(pe: Pe, what: u32, duration: u64): void {
  if (duration == 0) return;
  addAt(changetype<usize>(pe) + offsetof<Pe>('time0'), what, duration);
  if (pe.thread == NONE) return;
  addAt(changetype<usize>(threadOf(pe.thread)) + offsetof<Thread>('time0'), what, duration);
}

/** A thread stops waiting or sleeping, or starts to: what it did until now. */
export function leaveState(thread: Thread, wasAsleep: bool): void {
  const duration = now() - thread.since;
  if (wasAsleep) thread.slept += duration;
  else thread.waited += duration;
  thread.since = now();
}

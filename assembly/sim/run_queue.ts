// Threads that wait for a PE: a queue for each, of which the one with the least CPU time is taken.
import { NONE } from '../kvm/limits';
import { machine } from '../memory/machine';
import { firstIdle, isIdle } from './idle';
import { lookAtPoll } from './polling';
import { Pe, Phase, peOf, RUNNABLE, sim, Thread, threadOf } from './state';

/** Appends a thread to the queue of a PE. Its CPU time is brought in line with that of the PE's others. */
export function enqueue(n: u32, cpu: u32): void {
  const thread = threadOf(n);
  const pe = peOf(cpu);
  if (thread.cpu != cpu) {
    const lead = thread.runtime - peOf(thread.cpu).minimumRuntime;
    thread.runtime = pe.minimumRuntime + (<i64>lead > 0 ? lead : 0);
    thread.cpu = cpu;
    if (thread.resume != Phase.RUN) thread.migrations++;
  }
  thread.state = RUNNABLE;
  thread.next = NONE;
  if (pe.first == NONE) pe.first = n;
  else threadOf(pe.last).next = n;
  pe.last = n;
  pe.queued++;
  sim().queued += 1;
  lookAtPoll(cpu);
}

/** A thread that slept gets ahead of the others by half a slice at most. */
export function limitLead(thread: Thread, pe: Pe): void {
  const half = sim().slice >> 1;
  const least = pe.minimumRuntime > half ? pe.minimumRuntime - half : 0;
  thread.runtime = max<u64>(thread.runtime, least);
}

/** Takes the thread with the least CPU time, of those that came first; NONE for none. */
export function takeNext(pe: Pe): u32 {
  const n = leastRun(pe, false);
  if (n == NONE) return NONE;
  remove(pe, n);
  pe.minimumRuntime = max<u64>(pe.minimumRuntime, threadOf(n).runtime);
  return n;
}

/** A thread for a PE that has none: from the longest queue, where one is not bound to its PE. */
export function steal(pe: Pe): u32 {
  if (sim().queued == 0) return NONE;
  let from = NONE;
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    const longest: u32 = from == NONE ? 0 : peOf(from).queued;
    if (peOf(cpu).queued > longest && leastRun(peOf(cpu), true) != NONE) from = cpu;
  }
  if (from == NONE) return NONE;
  const n = leastRun(peOf(from), true);
  remove(peOf(from), n);
  enqueue(n, pe.cpu);
  return takeNext(pe);
}

function leastRun(pe: Pe, onlyFree: bool): u32 {
  let best = NONE;
  for (let n = pe.first; n != NONE; n = threadOf(n).next) {
    if (onlyFree && threadOf(n).pinned != NONE) continue;
    if (best == NONE || threadOf(n).runtime < threadOf(best).runtime) best = n;
  }
  return best;
}

function remove(pe: Pe, n: u32): void {
  let previous = NONE;
  for (let at = pe.first; at != n; at = threadOf(at).next) previous = at;
  const next = threadOf(n).next;
  if (previous == NONE) pe.first = next;
  else threadOf(previous).next = next;
  if (pe.last == n) pe.last = previous;
  pe.queued--;
  sim().queued -= 1;
}

/** The PE for a thread that becomes runnable: its own, else where it ran last if that is free, else a free one. */
export function placeOf(thread: Thread): u32 {
  if (thread.pinned != NONE) return thread.pinned;
  if (isFree(thread.cpu)) return thread.cpu;
  const idle = firstIdle();
  return idle == NONE ? thread.cpu : idle;
}

function isFree(cpu: u32): bool {
  return isIdle(cpu) || (peOf(cpu).thread == NONE && peOf(cpu).queued == 0);
}

// Simulated time in nanoseconds, and the counter of the generic timers that follows it.
import { settle } from '../gic/outputs';
import { machine } from '../memory/machine';
import { setCounter } from '../timer/timers';
import { NEVER } from './limits';
import { sim } from './state';

const SECOND: u64 = 1000000000;

export function now(): u64 {
  return sim().now;
}

/** Counter value at a time. */
function ticksAt(time: u64): u64 {
  const frequency: u64 = machine().timerFrequency;
  if (frequency == SECOND) return sim().origin + time;
  return sim().origin + (time / SECOND) * frequency + ((time % SECOND) * frequency) / SECOND;
}

/** When the counter reaches a value; values of the past are now. */
export function timeOfTicks(ticks: u64): u64 {
  if (ticks == NEVER) return NEVER;
  if (ticks <= machine().counter) return sim().now;
  return timeAtTicks(ticks);
}

/** When the counter had or will have a value that it has in the simulation. */
export function timeAtTicks(ticks: u64): u64 {
  const frequency: u64 = machine().timerFrequency;
  const elapsed = ticks - sim().origin;
  if (frequency == SECOND) return elapsed;
  const rest = (elapsed % frequency) * SECOND;
  return (elapsed / frequency) * SECOND + (rest + frequency - 1) / frequency;
}

/** Ticks that a span of time lasts at least. */
export function ticksOfSpan(time: u64): u64 {
  const frequency: u64 = machine().timerFrequency;
  if (frequency == SECOND) return time;
  return (time / SECOND) * frequency + ((time % SECOND) * frequency + SECOND - 1) / SECOND;
}

/** Moves time; timers of PEs whose deadline it is raise their interrupts. */
export function advanceTo(time: u64): void {
  sim().now = time;
  const m = machine();
  const ticks = ticksAt(time);
  if (ticks < m.nextTimer) {
    m.counter = ticks;
    return;
  }
  setCounter(ticks);
  settle();
}

/** When a timer of a PE may raise its interrupt next. */
export function timerTime(): u64 {
  return timeOfTicks(machine().nextTimer);
}

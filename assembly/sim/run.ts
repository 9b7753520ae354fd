// The event loop: the earliest of the queue's events and of the PEs' timers, then what follows from it at once.
import { SimEvent } from '../abi';
import { settle } from '../gic/outputs';
import { NONE } from '../kvm/limits';
import { machine } from '../memory/machine';
import { attend, endSlice, fireSoftTimer, signalPe, vectorPe } from './attention';
import { advanceTo, now, timerTime } from './clock';
import { fireDevice } from './devices';
import { DEVICE, firstTime, SIGNAL, SLICE, SOFT_TIMER, STEP, takeFirst, VECTOR } from './event_queue';
import { NEVER } from './limits';
import { checkPolls, lookAtAllPolls } from './polling';
import { stepPe } from './run_loop';
import { takeWokenThreads } from './scheduler';
import { sim } from './state';
import { record } from './trace';

/** Processes events up to and with a time, at most so many; how many it were. Then it is that time. */
export function runUntil(limit: u64, events: u64): u64 {
  lookAtAllPolls();
  const before = sim().processed;
  while (sim().processed - before < events) {
    if (!processNext(limit)) {
      if (limit != NEVER && limit > now()) advanceTo(limit);
      break;
    }
  }
  return sim().processed - before;
}

/** One event; false where none is due by `limit`. */
function processNext(limit: u64): bool {
  const event = firstTime();
  const timer = timerTime();
  if (timer <= event && timer != NEVER) {
    if (timer > limit) return false;
    fireTimers(timer);
    return true;
  }
  if (event > limit || event == NEVER) return false;
  if (event > now()) advanceTo(event);
  sim().processed += 1;
  sim().lead = 0;
  dispatch(takeFirst());
  follow();
  return true;
}

/** Where no PE has a timer that fires, the time was only an early guess. */
function fireTimers(time: u64): void {
  advanceTo(time);
  if (!hasAttention()) return;
  sim().processed += 1;
  sim().actor = NONE;
  sim().lead = 0;
  record(SimEvent.HARD_TIMER, NONE, NONE, 0, 0);
  follow();
}

function hasAttention(): bool {
  const m = machine();
  for (let word: u32 = 0; word << 6 < m.cpuCount; word++) {
    if (load<u64>(m.attention + (word << 3))) return true;
  }
  return false;
}

function dispatch(source: u32): void {
  if (source < SIGNAL) stepPe(source - STEP);
  else if (source < VECTOR) signalPe(source - SIGNAL);
  else if (source < SLICE) vectorPe(source - VECTOR);
  else if (source < SOFT_TIMER) endSlice(source - SLICE);
  else if (source < DEVICE) fireSoftTimer(source - SOFT_TIMER);
  else fireDevice(source - DEVICE);
}

/** What an event leads to before the next: threads wake up, PEs notice interrupts, polls end. */
export function follow(): void {
  takeWokenThreads();
  settle();
  attend();
  checkPolls();
}

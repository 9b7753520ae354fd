// Generic timers: one counter for the machine, four timers for each PE, each wired to a PPI. Time moves only when the
// host says so.

import { setPpiLevel } from '../gic/wires';
import { machine } from '../memory/machine';
import { deadlineOf, firstDue, NEVER, setDeadline } from './deadlines';

/** The timers of a PE, in the order of their registers: the two of EL1, then EL2's physical and virtual one. */
export const VIRTUAL_TIMER: u32 = 0;
export const PHYSICAL_TIMER: u32 = 1;
export const TIMERS: u32 = 4;

const CTL_ENABLE: u32 = 1;
const CTL_IMASK: u32 = 2;
const CTL_ISTATUS: u32 = 4;

@unmanaged
class Timer {
  /** CNT*_CTL: ENABLE and IMASK. */
  control: u32;
  /** The level of its PPI as last driven. */
  level: u32;
  /** CNT*_CVAL. */
  compare: u64;
  /** Value of the counter at which the level changes by itself. */
  deadline: u64;
}

@unmanaged
export class PeTimers {
  /** CNTVOFF_EL2. */
  virtualOffset: u64;
  timers: u64;
}

/** The timers of one PE with their records. */
export const PE_TIMERS_BYTES: usize = offsetof<PeTimers>('timers') + <usize>TIMERS * offsetof<Timer>();

export function timersOf(cpu: u32): PeTimers {
  return changetype<PeTimers>(machine().timers + <usize>cpu * PE_TIMERS_BYTES);
}

function timerOf(cpu: u32, n: u32): Timer {
  return changetype<Timer>(
    changetype<usize>(timersOf(cpu)) + offsetof<PeTimers>('timers') + n * offsetof<Timer>(),
  );
}

/** What a timer counts: CNTPCT, less CNTVOFF for the EL1 virtual timer. */
export function counterOf(cpu: u32, n: u32): u64 {
  return machine().counter - offsetOf(cpu, n);
}

function offsetOf(cpu: u32, n: u32): u64 {
  return n == VIRTUAL_TIMER ? timersOf(cpu).virtualOffset : 0;
}

/** CNT*_CTL, with ISTATUS while the timer is enabled. */
export function readControl(cpu: u32, n: u32): u32 {
  return timerOf(cpu, n).control | (conditionMet(cpu, n) ? CTL_ISTATUS : 0);
}

export function writeControl(cpu: u32, n: u32, value: u32): void {
  timerOf(cpu, n).control = value & (CTL_ENABLE | CTL_IMASK);
  drive(cpu, n);
}

export function readCompare(cpu: u32, n: u32): u64 {
  return timerOf(cpu, n).compare;
}

export function writeCompare(cpu: u32, n: u32, value: u64): void {
  timerOf(cpu, n).compare = value;
  drive(cpu, n);
}

/** CNT*_TVAL: what is left until the compare value, as a signed 32-bit number. */
export function readTimerValue(cpu: u32, n: u32): u32 {
  return <u32>(timerOf(cpu, n).compare - counterOf(cpu, n));
}

export function writeTimerValue(cpu: u32, n: u32, value: u32): void {
  writeCompare(cpu, n, counterOf(cpu, n) + <u64>(<i64>(<i32>value)));
}

export function setVirtualOffset(cpu: u32, value: u64): void {
  timersOf(cpu).virtualOffset = value;
  drive(cpu, VIRTUAL_TIMER);
}

/** Moves the counter; timers whose compare value is reached raise their PPIs. What they were in between is lost. */
export function setCounter(value: u64): void {
  const m = machine();
  m.counter = value;
  // The last count of all is the number that stands for never.
  if (value == NEVER) {
    for (let cpu: u32 = 0; cpu < m.cpuCount; cpu++) driveAll(cpu);
  } else {
    while (m.nextTimer <= value) driveAll(firstDue(value));
  }
}

/** The counter value at which a timer raises its PPI next. */
export function nextTimer(): u64 {
  let next = NEVER;
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    if (deadlineOf(cpu) >= next) continue;
    for (let n: u32 = 0; n < TIMERS; n++) next = min<u64>(next, riseTime(cpu, n));
  }
  return next;
}

function conditionMet(cpu: u32, n: u32): bool {
  const timer = timerOf(cpu, n);
  return (timer.control & CTL_ENABLE) != 0 && counterOf(cpu, n) >= timer.compare;
}

/** When a timer's count reaches its compare value, as a value of the physical counter. */
function riseTime(cpu: u32, n: u32): u64 {
  const timer = timerOf(cpu, n);
  const at = offsetOf(cpu, n) + timer.compare;
  const rises = timer.control == CTL_ENABLE && timer.compare != 0 && at > machine().counter;
  return rises ? at : NEVER;
}

/** When a count that is ahead of the physical one wraps to zero, which is before any compare value. */
function fallTime(cpu: u32, n: u32): u64 {
  const at = offsetOf(cpu, n);
  return timerOf(cpu, n).control == CTL_ENABLE && at > machine().counter ? at : NEVER;
}

/** Brings a timer's PPI in line with its state, and the time before which it does not have to be looked at. */
function drive(cpu: u32, n: u32): void {
  const timer = timerOf(cpu, n);
  const level: u32 = conditionMet(cpu, n) && (timer.control & CTL_IMASK) == 0 ? 1 : 0;
  if (level != timer.level) {
    timer.level = level;
    const ppi = (machine().timerPpis >> (n << 3)) & 0xff;
    if (ppi) setPpiLevel(cpu, ppi, level != 0);
  }
  const deadline = min<u64>(riseTime(cpu, n), fallTime(cpu, n));
  if (deadline == timer.deadline) return;
  timer.deadline = deadline;
  setDeadline(cpu, earliestDeadline(cpu));
}

function driveAll(cpu: u32): void {
  for (let n: u32 = 0; n < TIMERS; n++) drive(cpu, n);
}

function earliestDeadline(cpu: u32): u64 {
  let earliest = NEVER;
  for (let n: u32 = 0; n < TIMERS; n++) earliest = min<u64>(earliest, timerOf(cpu, n).deadline);
  return earliest;
}

export function initTimers(cpu: u32): void {
  for (let n: u32 = 0; n < TIMERS; n++) timerOf(cpu, n).deadline = NEVER;
}

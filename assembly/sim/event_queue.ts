// The events to come: a 4-ary heap of (time, order of scheduling). Each source has at most one event in it, so its size
// is known beforehand, and an event is cancelled or moved where it stands. The place of the event that was taken last
// stays vacant until the next is needed: mostly what it led to is soon again, and goes there without a way up.
import { MAX_VCPUS } from '../kvm/limits';
import { areaAt, HEAP_AT, POSITIONS_AT } from './areas';
import { MAX_CPUS, MAX_DEVICES, NEVER } from './limits';
import { sim } from './state';

/** Sources by kind: of each PE its next step, a physical interrupt on its way, a virtual one, the end of its slice. */
export const STEP: u32 = 0;
export const SIGNAL: u32 = STEP + MAX_CPUS;
export const VECTOR: u32 = SIGNAL + MAX_CPUS;
export const SLICE: u32 = VECTOR + MAX_CPUS;
/** Of each vCPU its soft timer; of each device its next interrupt. */
export const SOFT_TIMER: u32 = SLICE + MAX_CPUS;
export const DEVICE: u32 = SOFT_TIMER + MAX_VCPUS;
export const SOURCES: u32 = DEVICE + MAX_DEVICES;

@unmanaged
class Event {
  time: u64;
  sequence: u64;
  source: u32;
}

export const EVENT_BYTES: usize = offsetof<Event>();
const CHILDREN: u32 = 4;

function eventAt(place: u32): Event {
  return changetype<Event>(areaAt(HEAP_AT) + <usize>place * EVENT_BYTES);
}

/** Place in the heap and one, 0 for a source without an event. */
function positionAt(source: u32): usize {
  return areaAt(POSITIONS_AT) + ((<usize>source) << 2);
}

function isEarlier(time: u64, sequence: u64, other: Event): bool {
  return time != other.time ? time < other.time : sequence < other.sequence;
}

function put(place: u32, time: u64, sequence: u64, source: u32): void {
  const event = eventAt(place);
  event.time = time;
  event.sequence = sequence;
  event.source = source;
  store<u32>(positionAt(source), place + 1);
}

function move(from: u32, to: u32): void {
  const event = eventAt(from);
  put(to, event.time, event.sequence, event.source);
}

/** Schedules the event of a source, or moves it; behind all events of the same time. */
export function schedule(source: u32, time: u64): void {
  const at = load<u32>(positionAt(source));
  const self = sim();
  const sequence = self.sequence++;
  if (at) settleAt(at - 1, time, sequence, source);
  else if (self.vacant) {
    self.vacant = false;
    put(sink(0, time, sequence), time, sequence, source);
  } else {
    const last = self.events++;
    put(rise(last, time, sequence), time, sequence, source);
  }
}

function settleAt(place: u32, time: u64, sequence: u64, source: u32): void {
  const risen = rise(place, time, sequence);
  put(risen == place ? sink(place, time, sequence) : risen, time, sequence, source);
}

/** Makes room towards the root; where the event belongs. */
function rise(from: u32, time: u64, sequence: u64): u32 {
  let place = from;
  while (place > 0) {
    const parent = (place - 1) / CHILDREN;
    if (!isEarlier(time, sequence, eventAt(parent))) break;
    move(parent, place);
    place = parent;
  }
  return place;
}

/** Makes room towards the leaves. */
function sink(from: u32, time: u64, sequence: u64): u32 {
  const size = sim().events;
  let place = from;
  for (let first = place * CHILDREN + 1; first < size; first = place * CHILDREN + 1) {
    const child = earliest(first, min<u32>(first + CHILDREN, size));
    if (isEarlier(time, sequence, eventAt(child))) break;
    move(child, place);
    place = child;
  }
  return place;
}

function earliest(first: u32, end: u32): u32 {
  let best = first;
  for (let n = first + 1; n < end; n++) {
    const event = eventAt(n);
    if (isEarlier(event.time, event.sequence, eventAt(best))) best = n;
  }
  return best;
}

export function cancel(source: u32): void {
  const at = load<u32>(positionAt(source));
  if (at == 0) return;
  store<u32>(positionAt(source), 0);
  const self = sim();
  const last = --self.events;
  if (at - 1 == last) return;
  const event = eventAt(last);
  settleAt(at - 1, event.time, event.sequence, event.source);
}

/** When a source's event is due, NEVER for none. */
export function timeOf(source: u32): u64 {
  const at = load<u32>(positionAt(source));
  return at ? eventAt(at - 1).time : NEVER;
}

export function isScheduled(source: u32): bool {
  return load<u32>(positionAt(source)) != 0;
}

/** When the first event is due, NEVER for none. */
export function firstTime(): u64 {
  if (sim().vacant) fill();
  return sim().events ? eventAt(0).time : NEVER;
}

/** Takes the first event out; its source. */
export function takeFirst(): u32 {
  const first = eventAt(0);
  store<u32>(positionAt(first.source), 0);
  // Earlier than any other, so that nothing rises into the vacancy.
  first.time = 0;
  first.sequence = 0;
  sim().vacant = true;
  return first.source;
}

/** The last event goes to the vacant place. */
function fill(): void {
  const self = sim();
  self.vacant = false;
  const last = --self.events;
  if (last == 0) return;
  const event = eventAt(last);
  const time = event.time;
  const sequence = event.sequence;
  put(sink(0, time, sequence), time, sequence, event.source);
}

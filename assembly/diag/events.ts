// The event stream: a ring of records of what happened, for hosts that want to watch. It costs one load where it is
// switched off. The owner of the machine alone writes it.
import { Event } from '../abi';
import { Machine, machine } from '../memory/machine';
import { injects } from '../threads/lane';
import { publishCount } from './ring';

@unmanaged
export class EventRecord {
  kind: u32;
  /** The PE or ITS that it happened at. */
  unit: u32;
  a: u32;
  b: u32;
}

/** Adds a record. The oldest one gives way when the ring is full; the count stays exact. */
export function emit(kind: Event, unit: u32, a: u32 = 0, b: u32 = 0): void {
  const m = machine();
  if (m.eventsOn && !injects()) append(kind, unit, a, b);
}

function append(kind: Event, unit: u32, a: u32, b: u32): void {
  const m = machine();
  const slot = m.eventCount % m.eventCapacity;
  const record = changetype<EventRecord>(m.events + <usize>slot * offsetof<EventRecord>());
  record.kind = kind;
  record.unit = unit;
  record.a = a;
  record.b = b;
  publishCount(changetype<usize>(m) + offsetof<Machine>('eventCount'), m.eventCount + 1);
}

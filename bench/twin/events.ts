import type { Event } from '../../assembly/abi.ts';
import type { Ring } from '../../bindings/ring.ts';

const RECORD_WORDS = 4;

/** The event stream: a ring of records of what happened. It costs one look at `on` where it is switched off. */
export class Events {
  on = false;
  /** How many records there were, and behind it the ring. */
  readonly words: Uint32Array;
  readonly ring: Ring;

  constructor(capacity: number) {
    this.words = new Uint32Array(1 + capacity * RECORD_WORDS);
    this.ring = { count: 0, records: 1, recordWords: RECORD_WORDS, capacity, concurrent: false };
  }

  emit(kind: Event, unit: number, a: number, b: number): void {
    if (this.on) this.#append(kind, unit, a, b);
  }

  #append(kind: Event, unit: number, a: number, b: number): void {
    const count = this.words[0] as number;
    const at = 1 + (count % this.ring.capacity) * RECORD_WORDS;
    this.words[at] = kind;
    this.words[at + 1] = unit;
    this.words[at + 2] = a;
    this.words[at + 3] = b;
    this.words[0] = count + 1;
  }
}

import type { Event } from '../../assembly/abi.ts';

const RECORD_WORDS = 4;

/** The event stream: a ring of records of what happened. It costs one look at `on` where it is switched off. */
export class Events {
  on = false;
  count = 0;
  readonly #records: Int32Array;
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#records = new Int32Array(capacity * RECORD_WORDS);
  }

  emit(kind: Event, unit: number, a: number, b: number): void {
    if (this.on) this.#append(kind, unit, a, b);
  }

  /** Kind, PE or ITS, and two operands of a record that the ring still has. */
  record(n: number): number[] {
    const at = (n % this.#capacity) * RECORD_WORDS;
    return Array.from(this.#records.subarray(at, at + RECORD_WORDS), (word) => word >>> 0);
  }

  #append(kind: Event, unit: number, a: number, b: number): void {
    const at = (this.count % this.#capacity) * RECORD_WORDS;
    this.#records[at] = kind;
    this.#records[at + 1] = unit;
    this.#records[at + 2] = a;
    this.#records[at + 3] = b;
    this.count++;
  }
}

/** Where a ring of records stands in a machine's memory: word indexes, and its size in records. */
export interface Ring {
  /** The word with the count of all records ever written. */
  readonly count: number;
  readonly records: number;
  readonly recordWords: number;
  readonly capacity: number;
  /** Another thread writes it, perhaps while it is read. */
  readonly concurrent: boolean;
}

/** One record, as it was in memory. */
export interface RingRecord {
  /** How many were written before it. */
  readonly sequence: number;
  readonly words: Uint32Array;
}

/** Follows a ring. */
export class RingReader {
  readonly #words: Uint32Array;
  readonly #ring: Ring;
  #taken = 0;

  constructor(words: Uint32Array, ring: Ring) {
    this.#words = words;
    this.#ring = ring;
  }

  /** Forgets what was there before. */
  skip(): void {
    this.#taken = Atomics.load(this.#words, this.#ring.count);
  }

  /** Copies of the records since the last call, oldest first. Of more than the ring holds only the newest are left. */
  take(): RingRecord[] {
    const { count, capacity, recordWords, concurrent } = this.#ring;
    const end = Atomics.load(this.#words, count);
    const first = Math.max(this.#taken, end - capacity);
    this.#taken = end;
    const copy = this.#copy(first, end);
    // The writer may have gone on meanwhile, and be at a record that its count does not have yet.
    const intact = concurrent ? Atomics.load(this.#words, count) - capacity + 1 : first;
    const from = Math.min(Math.max(first, intact), end);
    return Array.from({ length: end - from }, (_, n) => {
      const at = (from - first + n) * recordWords;
      return { sequence: from + n, words: copy.subarray(at, at + recordWords) };
    });
  }

  /** The records `[first, end)`, at most as many as the ring holds: all at once, to be done before the writer. */
  #copy(first: number, end: number): Uint32Array {
    const { records, recordWords, capacity } = this.#ring;
    const copy = new Uint32Array((end - first) * recordWords);
    const start = first % capacity;
    const untilWrap = Math.min(end - first, capacity - start);
    const part = (slot: number, length: number): Uint32Array =>
      this.#words.subarray(records + slot * recordWords, records + (slot + length) * recordWords);
    copy.set(part(start, untilWrap));
    copy.set(part(0, end - first - untilWrap), untilWrap * recordWords);
    return copy;
  }
}

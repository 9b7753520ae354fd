/** Where a ring of records stands in a machine's memory: word indexes, and its size in records. */
export interface Ring {
  /** The word with the count of all records ever written. */
  readonly count: number;
  readonly records: number;
  readonly recordWords: number;
  readonly capacity: number;
}

/** One record, as it was in memory. */
export interface RingRecord {
  /** How many were written before it. */
  readonly sequence: number;
  readonly words: Uint32Array;
}

/** Follows a ring, perhaps from another thread than the one that writes it. */
export class RingReader {
  readonly #words: Uint32Array;
  readonly #ring: Ring;
  #taken = 0;

  constructor(words: Uint32Array, ring: Ring) {
    this.#words = words;
    this.#ring = ring;
  }

  /** Copies of the records since the last call, oldest first. Of more than the ring holds only the newest are left. */
  take(): RingRecord[] {
    const { count, capacity } = this.#ring;
    const end = Atomics.load(this.#words, count);
    const first = Math.max(this.#taken, end - capacity);
    const records = Array.from({ length: end - first }, (_, n) => this.#copy(first + n));
    this.#taken = end;
    // A writer in another thread went on meanwhile: what it may have overwritten, and the record at hand, are left out.
    const now = Atomics.load(this.#words, count);
    return now === end ? records : records.filter(({ sequence }) => sequence > now - capacity);
  }

  #copy(sequence: number): RingRecord {
    const { records, recordWords, capacity } = this.#ring;
    const at = records + (sequence % capacity) * recordWords;
    return { sequence, words: this.#words.slice(at, at + recordWords) };
  }
}

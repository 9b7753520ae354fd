import { describe, expect, it } from 'vitest';
import { RingReader } from '../../bindings/ring.ts';

const CAPACITY = 4;
const SHAPE = { count: 0, records: 1, recordWords: 2, capacity: CAPACITY };

/** A ring whose record n has the words n and ~n. */
class Ring {
  readonly words: Uint32Array = new Uint32Array(new SharedArrayBuffer(4 * (1 + CAPACITY * 2)));
  readonly reader: RingReader;

  constructor(concurrent: boolean) {
    this.reader = new RingReader(this.words, { ...SHAPE, concurrent });
  }

  write(records: number): void {
    for (let n = 0; n < records; n++) {
      const sequence = this.words[0] as number;
      this.words.set([sequence, ~sequence], 1 + (sequence % CAPACITY) * 2);
      Atomics.store(this.words, 0, sequence + 1);
    }
  }

  take(): number[] {
    return this.reader.take().map(({ sequence, words }) => {
      expect(words).toEqual(Uint32Array.of(sequence, ~sequence));
      return sequence;
    });
  }
}

it('gives each record once, and the newest of more than it holds', () => {
  const ring = new Ring(false);
  expect(ring.take()).toEqual([]);
  ring.write(3);
  expect(ring.take()).toEqual([0, 1, 2]);
  ring.write(1);
  expect(ring.take()).toEqual([3]);
  ring.write(9);
  expect(ring.take()).toEqual([9, 10, 11, 12]);
  expect(ring.take()).toEqual([]);
});

describe('a ring that another thread writes', () => {
  it('gives all but the record that may be being overwritten', () => {
    const ring = new Ring(true);
    ring.write(3);
    expect(ring.take()).toEqual([0, 1, 2]);
    ring.write(4);
    expect(ring.take()).toEqual([4, 5, 6]);
  });

  it.each([
    [1, [2, 3]],
    [2, [3]],
    [3, []],
    [9, []],
  ])('leaves out what is overwritten by %i records while it is read', (meanwhile, left) => {
    const ring = new Ring(true);
    ring.write(4);
    const { subarray } = Uint32Array.prototype;
    // The writer goes on when the reader begins to copy.
    ring.words.subarray = function (...range) {
      ring.words.subarray = subarray;
      ring.write(meanwhile);
      return subarray.apply(this, range) as ReturnType<typeof this.subarray>;
    };
    expect(ring.take()).toEqual(left);
    ring.write(1);
    expect(ring.take().at(-1)).toBe(4 + meanwhile);
  });
});

import { expect, it } from 'vitest';
import { RingReader } from '../../bindings/ring.ts';

const CAPACITY = 4;
const RING = { count: 0, records: 1, recordWords: 2, capacity: CAPACITY };

/** A ring whose record n has the words n and ~n. */
class Ring {
  readonly words = new Uint32Array(new SharedArrayBuffer(4 * (1 + CAPACITY * 2)));
  readonly reader = new RingReader(this.words, RING);

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
  const ring = new Ring();
  expect(ring.take()).toEqual([]);
  ring.write(3);
  expect(ring.take()).toEqual([0, 1, 2]);
  ring.write(1);
  expect(ring.take()).toEqual([3]);
  ring.write(9);
  expect(ring.take()).toEqual([9, 10, 11, 12]);
  expect(ring.take()).toEqual([]);
});

it('leaves out what a writer in another thread overwrites meanwhile, and what it may be overwriting', () => {
  const ring = new Ring();
  ring.write(4);
  const { slice } = Uint32Array.prototype;
  let reads = 0;
  // The writer goes on after the reader's first copy.
  ring.words.slice = function (...range) {
    if (reads++ === 1) ring.write(2);
    return slice.apply(this, range) as ReturnType<typeof this.slice>;
  };
  expect(ring.take()).toEqual([3]);
  expect(ring.take()).toEqual([4, 5]);
});

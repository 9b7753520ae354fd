// Pending and enabled interrupts in one bitmap ("plane") per priority, each with summary levels, so that adding,
// removing and finding the best one cost the same with one interrupt or fifty thousand.
//
//   plane:  level 0  one bit per interrupt
//           level 1  one bit per non-zero word of level 0
//           level 2  one bit per non-zero word of level 1 (one word up to 2^18 interrupts)
//   used:   one bit per non-empty plane

import { fill64 } from './bytes';

/** Nothing is pending. */
export const NONE: u32 = 0xffffffff;

/** Bits of a key below the priority: the bit number of the interrupt. */
const KEY_SHIFT: u32 = 22;
/** A word with all bits set. */
const ALL: u64 = 0xffffffffffffffff;
const BIT_MASK: u32 = (1 << KEY_SHIFT) - 1;

@unmanaged
export class PriorityIndex {
  planes: usize;
  planeBytes: u32;
  level1: u32;
  level2: u32;
  topWords: u32;
  /** Priority of plane n is n << shift. */
  shift: u32;
  /** XORed into every bit number: all ones makes the highest number win a tie. */
  flip: u32;
  used0: u64;
  used1: u64;
  used2: u64;
  used3: u64;

  /** Adds interrupt `bit` at `priority`. */
  add(bit: u32, priority: u32): void {
    const place = bit ^ this.flip;
    this.addPlaces(place >> 6, (<u64>1) << (place & 63), priority >> this.shift);
  }

  /** Adds up to 64 interrupts at one priority: bit i of `members` stands for interrupt `64 * word + i`. */
  addWord(word: u32, members: u64, priority: u32): void {
    if (this.flip == 0) {
      this.addPlaces(word, members, priority >> this.shift);
      return;
    }
    for (let rest = members; rest; rest &= rest - 1) this.add((word << 6) | <u32>ctz(rest), priority);
  }

  /** Adds 512 interrupts, none of which is there, at one priority: those of 8 words from a multiple of 8 on. */
  addEight(word: u32, priority: u32): void {
    const level = priority >> this.shift;
    const index0 = (word ^ (this.flip >> 6)) & ~7;
    const plane = this.planes + <usize>level * this.planeBytes;
    fill64(plane + (index0 << 3), ALL);
    const word1 = plane + this.level1 + ((index0 >> 6) << 3);
    store<u64>(word1, load<u64>(word1) | ((<u64>0xff) << (index0 & 63)));
    this.mark(plane, index0 >> 6, level);
  }

  private addPlaces(index0: u32, members: u64, level: u32): void {
    const plane = this.planes + <usize>level * this.planeBytes;
    const word0 = plane + (index0 << 3);
    const old0 = load<u64>(word0);
    store<u64>(word0, old0 | members);
    if (old0 != 0) return;
    const word1 = plane + this.level1 + ((index0 >> 6) << 3);
    const old1 = load<u64>(word1);
    store<u64>(word1, old1 | ((<u64>1) << (index0 & 63)));
    if (old1 == 0) this.mark(plane, index0 >> 6, level);
  }

  /** Notes that a word of level 1 is not zero. */
  private mark(plane: usize, index1: u32, level: u32): void {
    const word2 = plane + this.level2 + ((index1 >> 6) << 3);
    store<u64>(word2, load<u64>(word2) | ((<u64>1) << (index1 & 63)));
    const used = this.usedWord(level);
    store<u64>(used, load<u64>(used) | ((<u64>1) << (level & 63)));
  }

  /** Removes interrupt `bit` from `priority`, where it was added. */
  remove(bit: u32, priority: u32): void {
    const level = priority >> this.shift;
    const place = bit ^ this.flip;
    const plane = this.planes + <usize>level * this.planeBytes;
    const word0 = plane + ((place >> 6) << 3);
    const new0 = load<u64>(word0) & ~((<u64>1) << (place & 63));
    store<u64>(word0, new0);
    if (new0 != 0) return;
    const word1 = plane + this.level1 + ((place >> 12) << 3);
    const new1 = load<u64>(word1) & ~((<u64>1) << ((place >> 6) & 63));
    store<u64>(word1, new1);
    if (new1 != 0) return;
    const word2 = plane + this.level2 + ((place >> 18) << 3);
    store<u64>(word2, load<u64>(word2) & ~((<u64>1) << ((place >> 12) & 63)));
    for (let top: u32 = 0; top < this.topWords; top++) {
      if (load<u64>(plane + this.level2 + (top << 3)) != 0) return;
    }
    const used = this.usedWord(level);
    store<u64>(used, load<u64>(used) & ~((<u64>1) << (level & 63)));
  }

  /** The best interrupt as `priority << 22 | bit`, or NONE. */
  best(): u32 {
    let level: u32;
    if (this.used0) level = <u32>ctz(this.used0);
    // Up to 64 priorities there are no further words.
    else if (this.shift >= 2) return NONE;
    else if (this.used1) level = 64 + <u32>ctz(this.used1);
    else if (this.used2) level = 128 + <u32>ctz(this.used2);
    else if (this.used3) level = 192 + <u32>ctz(this.used3);
    else return NONE;
    const plane = this.planes + <usize>level * this.planeBytes;
    let top: u32 = 0;
    let word = load<u64>(plane + this.level2);
    while (word == 0) word = load<u64>(plane + this.level2 + (++top << 3));
    const index1 = (top << 6) | <u32>ctz(word);
    const index0 = (index1 << 6) | <u32>ctz(load<u64>(plane + this.level1 + (index1 << 3)));
    const place = (index0 << 6) | <u32>ctz(load<u64>(plane + (index0 << 3)));
    return ((level << this.shift) << KEY_SHIFT) | (place ^ this.flip);
  }

  has(bit: u32, priority: u32): bool {
    const place = bit ^ this.flip;
    const plane = this.planes + <usize>(priority >> this.shift) * this.planeBytes;
    return ((load<u64>(plane + ((place >> 6) << 3)) >> (place & 63)) & 1) != 0;
  }

  /** How many of the 64 interrupts of a word are there, at any priority. */
  countWord(word: u32): u32 {
    const index0 = word ^ (this.flip >> 6);
    let count: u64 = 0;
    for (let first: u32 = 0; first < 256; first += 64) {
      for (let used = load<u64>(this.usedWord(first)); used; used &= used - 1) {
        const plane = this.planes + <usize>(first | <u32>ctz(used)) * this.planeBytes;
        count += popcnt(load<u64>(plane + (index0 << 3)));
      }
    }
    return <u32>count;
  }

  get isEmpty(): bool {
    return (this.used0 | this.used1 | this.used2 | this.used3) == 0;
  }

  /** Removes everything, at a cost that follows what is there. */
  clear(): void {
    for (let index: u32 = 0; index < 4; index++) {
      const at = this.usedWord(index << 6);
      for (let used = load<u64>(at); used; used &= used - 1) {
        this.clearPlane(this.planes + <usize>((index << 6) | <u32>ctz(used)) * this.planeBytes);
      }
      store<u64>(at, 0);
    }
  }

  private clearPlane(plane: usize): void {
    for (let top: u32 = 0; top < this.topWords; top++) {
      const at2 = plane + this.level2 + (top << 3);
      for (let word2 = load<u64>(at2); word2; word2 &= word2 - 1) {
        const index1 = (top << 6) | <u32>ctz(word2);
        const at1 = plane + this.level1 + (index1 << 3);
        this.clearWords(plane + (index1 << 9), load<u64>(at1));
        store<u64>(at1, 0);
      }
      store<u64>(at2, 0);
    }
  }

  /** Zeroes those of 64 words that `members` names. */
  private clearWords(first: usize, members: u64): void {
    if (members == ALL) {
      memory.fill(first, 0, 512);
      return;
    }
    for (let rest = members; rest; rest &= rest - 1) store<u64>(first + ((<u32>ctz(rest)) << 3), 0);
  }

  private usedWord(level: u32): usize {
    return changetype<usize>(this) + offsetof<PriorityIndex>('used0') + ((level >> 6) << 3);
  }
}

export function keyOf(priority: u32, bit: u32): u32 {
  return (priority << KEY_SHIFT) | bit;
}

export function keyBit(key: u32): u32 {
  return key & BIT_MASK;
}

export function keyPriority(key: u32): u32 {
  return key >> KEY_SHIFT;
}

/** Prepares an index for `capacity` bits (a power of two) and priorities of `priorityBits` bits. */
export function initIndex(
  index: PriorityIndex,
  planes: usize,
  capacity: u32,
  priorityBits: u32,
  highestWinsTies: bool,
): void {
  const words0 = capacity >> 6;
  const words1 = (words0 + 63) >> 6;
  index.planes = planes;
  index.planeBytes = planeBytes(capacity);
  index.level1 = words0 << 3;
  index.level2 = (words0 + words1) << 3;
  index.topWords = (words1 + 63) >> 6;
  index.shift = 8 - priorityBits;
  index.flip = highestWinsTies ? capacity - 1 : 0;
}

function planeBytes(capacity: u32): u32 {
  const words0 = capacity >> 6;
  const words1 = (words0 + 63) >> 6;
  const words2 = (words1 + 63) >> 6;
  return (words0 + words1 + words2) << 3;
}

/** Memory that the planes of an index need. */
export function indexBytes(capacity: u32, priorityBits: u32): u32 {
  return planeBytes(capacity) << priorityBits;
}

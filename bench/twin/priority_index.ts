import { lowestBit } from './bits.ts';

/** Nothing is pending. */
export const NONE = -1;

const KEY_SHIFT = 22;
const BITS = 2 ** 16;
const WORDS0 = BITS / 32;
const WORDS1 = WORDS0 / 32;
const WORDS2 = WORDS1 / 32;
const PLANE_WORDS = WORDS0 + WORDS1 + WORDS2;
const LEVEL1 = WORDS0;
const LEVEL2 = WORDS0 + WORDS1;
/** Five priority bits. */
const SHIFT = 3;
const PLANES = 32;
const ALL = -1;

/** 32 planes, one for each priority, of bitmaps in three levels; words of 32 bits. */
export class PriorityIndex {
  readonly #planes = new Int32Array(PLANES * PLANE_WORDS);
  /** XORed into every bit number: all ones makes the highest number win a tie. */
  readonly #flip: number;
  /** A bit for each plane that is not empty. */
  #used = 0;

  constructor(highestWinsTies: boolean) {
    this.#flip = highestWinsTies ? BITS - 1 : 0;
  }

  add(bit: number, priority: number): void {
    const place = bit ^ this.#flip;
    this.#addPlaces(place >> 5, 1 << (place & 31), priority >> SHIFT);
  }

  /** Adds up to 32 interrupts at one priority: bit i of `members` stands for interrupt `32 * word + i`. */
  addWord(word: number, members: number, priority: number): void {
    if (this.#flip === 0) {
      this.#addPlaces(word, members, priority >> SHIFT);
      return;
    }
    for (let rest = members; rest !== 0; rest &= rest - 1) this.add((word << 5) | lowestBit(rest), priority);
  }

  /** Adds 512 interrupts, none of which is there, at one priority: those of 16 words from a multiple of 16 on. */
  addSixteen(word: number, priority: number): void {
    const planes = this.#planes;
    const level = priority >> SHIFT;
    const plane = level * PLANE_WORDS;
    const index0 = (word ^ (this.#flip >> 5)) & ~15;
    for (let at = plane + index0; at < plane + index0 + 16; at++) planes[at] = ALL;
    const at1 = plane + LEVEL1 + (index0 >> 5);
    planes[at1] = (planes[at1] as number) | (0xffff << (index0 & 31));
    this.#mark(plane, index0 >> 5, level);
  }

  remove(bit: number, priority: number): void {
    const planes = this.#planes;
    const level = priority >> SHIFT;
    const place = bit ^ this.#flip;
    const plane = level * PLANE_WORDS;
    const at0 = plane + (place >> 5);
    const new0 = (planes[at0] as number) & ~(1 << (place & 31));
    planes[at0] = new0;
    if (new0 !== 0) return;
    const at1 = plane + LEVEL1 + (place >> 10);
    const new1 = (planes[at1] as number) & ~(1 << ((place >> 5) & 31));
    planes[at1] = new1;
    if (new1 !== 0) return;
    const at2 = plane + LEVEL2 + (place >> 15);
    planes[at2] = (planes[at2] as number) & ~(1 << ((place >> 10) & 31));
    for (let top = 0; top < WORDS2; top++) if (planes[plane + LEVEL2 + top] !== 0) return;
    this.#used &= ~(1 << level);
  }

  /** The best interrupt as `priority << 22 | bit`, or NONE. */
  best(): number {
    if (this.#used === 0) return NONE;
    const planes = this.#planes;
    const level = lowestBit(this.#used);
    const plane = level * PLANE_WORDS;
    let top = 0;
    while (planes[plane + LEVEL2 + top] === 0) top++;
    const index1 = (top << 5) | lowestBit(planes[plane + LEVEL2 + top] as number);
    const index0 = (index1 << 5) | lowestBit(planes[plane + LEVEL1 + index1] as number);
    const place = (index0 << 5) | lowestBit(planes[plane + index0] as number);
    return ((level << SHIFT) << KEY_SHIFT) | (place ^ this.#flip);
  }

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  /** Removes everything, at a cost that follows what is there. */
  clear(): void {
    for (let used = this.#used; used !== 0; used &= used - 1) this.#clearPlane(lowestBit(used) * PLANE_WORDS);
    this.#used = 0;
  }

  #addPlaces(index0: number, members: number, level: number): void {
    const planes = this.#planes;
    const plane = level * PLANE_WORDS;
    const old0 = planes[plane + index0] as number;
    planes[plane + index0] = old0 | members;
    if (old0 !== 0) return;
    const at1 = plane + LEVEL1 + (index0 >> 5);
    const old1 = planes[at1] as number;
    planes[at1] = old1 | (1 << (index0 & 31));
    if (old1 === 0) this.#mark(plane, index0 >> 5, level);
  }

  /** Notes that a word of level 1 is not zero. */
  #mark(plane: number, index1: number, level: number): void {
    const at2 = plane + LEVEL2 + (index1 >> 5);
    this.#planes[at2] = (this.#planes[at2] as number) | (1 << (index1 & 31));
    this.#used |= 1 << level;
  }

  #clearPlane(plane: number): void {
    const planes = this.#planes;
    for (let top = 0; top < WORDS2; top++) {
      const at2 = plane + LEVEL2 + top;
      for (let word2 = planes[at2] as number; word2 !== 0; word2 &= word2 - 1) {
        const index1 = (top << 5) | lowestBit(word2);
        const at1 = plane + LEVEL1 + index1;
        this.#clearWords(plane + (index1 << 5), planes[at1] as number);
        planes[at1] = 0;
      }
      planes[at2] = 0;
    }
  }

  /** Zeroes those of 32 words that `members` names. */
  #clearWords(first: number, members: number): void {
    if (members === ALL) this.#planes.fill(0, first, first + 32);
    else for (let rest = members; rest !== 0; rest &= rest - 1) this.#planes[first + lowestBit(rest)] = 0;
  }
}

export function keyOf(priority: number, bit: number): number {
  return (priority << KEY_SHIFT) | bit;
}

export function keyBit(key: number): number {
  return key & ((1 << KEY_SHIFT) - 1);
}

export function keyPriority(key: number): number {
  return key >>> KEY_SHIFT;
}

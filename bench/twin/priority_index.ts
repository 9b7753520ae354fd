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

/** The number of the lowest bit that is set. */
export function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** 32 planes, one for each priority, of bitmaps in three levels; words of 32 bits. */
export class PriorityIndex {
  readonly #planes = new Int32Array(PLANES * PLANE_WORDS);
  /** A bit for each plane that is not empty. */
  #used = 0;

  add(bit: number, priority: number): void {
    this.addWord(bit >> 5, 1 << (bit & 31), priority);
  }

  /** Adds up to 32 interrupts at one priority: bit i of `members` stands for interrupt `32 * word + i`. */
  addWord(word: number, members: number, priority: number): void {
    const planes = this.#planes;
    const level = priority >> SHIFT;
    const plane = level * PLANE_WORDS;
    const old0 = planes[plane + word] as number;
    planes[plane + word] = old0 | members;
    if (old0 !== 0) return;
    const at1 = plane + LEVEL1 + (word >> 5);
    const old1 = planes[at1] as number;
    planes[at1] = old1 | (1 << (word & 31));
    if (old1 !== 0) return;
    const at2 = plane + LEVEL2 + (word >> 10);
    planes[at2] = (planes[at2] as number) | (1 << ((word >> 5) & 31));
    this.#used |= 1 << level;
  }

  remove(bit: number, priority: number): void {
    const planes = this.#planes;
    const level = priority >> SHIFT;
    const plane = level * PLANE_WORDS;
    const at0 = plane + (bit >> 5);
    const new0 = (planes[at0] as number) & ~(1 << (bit & 31));
    planes[at0] = new0;
    if (new0 !== 0) return;
    const at1 = plane + LEVEL1 + (bit >> 10);
    const new1 = (planes[at1] as number) & ~(1 << ((bit >> 5) & 31));
    planes[at1] = new1;
    if (new1 !== 0) return;
    const at2 = plane + LEVEL2 + (bit >> 15);
    planes[at2] = (planes[at2] as number) & ~(1 << ((bit >> 10) & 31));
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
    const bit = (index0 << 5) | lowestBit(planes[plane + index0] as number);
    return ((level << SHIFT) << KEY_SHIFT) | bit;
  }

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  /** Removes everything, at a cost that follows what is there. */
  clear(): void {
    for (let used = this.#used; used !== 0; used &= used - 1) this.#clearPlane(lowestBit(used) * PLANE_WORDS);
    this.#used = 0;
  }

  #clearPlane(plane: number): void {
    const planes = this.#planes;
    for (let top = 0; top < WORDS2; top++) {
      const at2 = plane + LEVEL2 + top;
      for (let word2 = planes[at2] as number; word2 !== 0; word2 &= word2 - 1) {
        const index1 = (top << 5) | lowestBit(word2);
        const at1 = plane + LEVEL1 + index1;
        for (let word1 = planes[at1] as number; word1 !== 0; word1 &= word1 - 1) {
          planes[plane + ((index1 << 5) | lowestBit(word1))] = 0;
        }
        planes[at1] = 0;
      }
      planes[at2] = 0;
    }
  }
}

export function keyBit(key: number): number {
  return key & ((1 << KEY_SHIFT) - 1);
}

export function keyPriority(key: number): number {
  return key >>> KEY_SHIFT;
}

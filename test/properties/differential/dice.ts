import { Random } from '../random.ts';

/** Choices drawn from a seed. */
export class Dice {
  #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** Goes on with the choices of another seed. */
  restart(seed: number): void {
    this.#random = new Random(seed);
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    return this.#random.below(limit);
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True `once` in `times`. */
  chance(times: number, once = 1): boolean {
    return this.below(times) < once;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  word(): number {
    return this.#random.next();
  }

  doubleword(): bigint {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }

  /** One bit of a word, of the lowest ones more often. */
  bit(): number {
    return 2 ** this.below(this.pick([10, 32]));
  }

  /** A word of bits as software writes it: one bit, all, none or any. */
  bits(): number {
    return this.pick([this.bit(), this.bit(), 0xffff_ffff, 0, this.word(), this.word() & 0x3ff]);
  }
}

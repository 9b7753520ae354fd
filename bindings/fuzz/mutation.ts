import { HEADING_BYTES, OPERATION_BYTES, ORDERLY, operationAt, operationCount } from './input.ts';
import type { Random } from './random.ts';

/** Operations that inputs of a campaign have at most. */
export const MAX_OPERATIONS = 32;
const MAX_BYTES = HEADING_BYTES + MAX_OPERATIONS * OPERATION_BYTES;

/** Makes inputs out of others, in whole operations and their operands. */
export class Mutator {
  readonly #random: Random;
  readonly #buffer = new Uint8Array(MAX_BYTES);
  #operations = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A random input of 32 operations. */
  fresh(): Uint8Array {
    this.#buffer[0] = this.#random.below(128) | (this.#random.below(2) ? ORDERLY : 0);
    this.#operations = 32;
    for (let n = 0; n < this.#operations; n++) this.#randomOperation(n);
    return this.#input();
  }

  /** `parent` with one to eight changes. The result is overwritten by the next call. */
  mutate(parent: Uint8Array, other: Uint8Array): Uint8Array {
    this.#operations = Math.min(operationCount(parent), MAX_OPERATIONS);
    this.#buffer.set(parent.subarray(0, operationAt(this.#operations)));
    for (let changes = 1 << this.#random.below(4); changes > 0; changes--) this.#change(other);
    return this.#input();
  }

  #input(): Uint8Array {
    return this.#buffer.subarray(0, operationAt(this.#operations));
  }

  #change(other: Uint8Array): void {
    const choice = this.#random.below(16);
    if (this.#operations === 0 || choice < 3) this.#insert();
    else if (choice < 5) this.#remove();
    else if (choice < 8) this.#alterByte();
    else if (choice < 10) this.#flipBit();
    else if (choice < 12) this.#shareOperands();
    else if (choice < 13) this.#repeat();
    else if (choice < 14) this.#swap();
    else if (choice < 15) this.#graft(other);
    else if (this.#random.below(8) === 0) this.#buffer[0] = this.#random.below(256);
  }

  #at(): number {
    return operationAt(this.#random.below(this.#operations));
  }

  #randomOperation(n: number): void {
    const at = operationAt(n);
    for (let byte = 0; byte < OPERATION_BYTES; byte += 4) {
      const word = this.#random.next();
      for (let k = 0; k < 4; k++) this.#buffer[at + byte + k] = word >>> (8 * k);
    }
  }

  /** Moves the operations from `n` on by one and leaves a gap. */
  #open(n: number): boolean {
    if (this.#operations === MAX_OPERATIONS) return false;
    this.#buffer.copyWithin(operationAt(n + 1), operationAt(n), operationAt(this.#operations));
    this.#operations++;
    return true;
  }

  #insert(): void {
    const n = this.#random.below(this.#operations + 1);
    if (this.#open(n)) this.#randomOperation(n);
  }

  #remove(): void {
    const n = this.#random.below(this.#operations);
    this.#buffer.copyWithin(operationAt(n), operationAt(n + 1), operationAt(this.#operations));
    this.#operations--;
  }

  #alterByte(): void {
    this.#buffer[this.#at() + this.#random.below(OPERATION_BYTES)] = this.#random.next();
  }

  #flipBit(): void {
    const at = this.#at() + this.#random.below(OPERATION_BYTES);
    this.#buffer[at] = (this.#buffer[at] as number) ^ (1 << this.#random.below(8));
  }

  /** One operation takes its operands from another: they then concern the same device, PE or interrupt. */
  #shareOperands(): void {
    const [from, to] = [this.#at(), this.#at()];
    const first = 1 + this.#random.below(OPERATION_BYTES - 1);
    this.#buffer.copyWithin(to + first, from + first, from + OPERATION_BYTES);
  }

  #repeat(): void {
    const from = this.#random.below(this.#operations);
    const to = this.#random.below(this.#operations + 1);
    if (!this.#open(to)) return;
    const at = operationAt(from < to ? from : from + 1);
    this.#buffer.copyWithin(operationAt(to), at, at + OPERATION_BYTES);
  }

  #swap(): void {
    const [one, two] = [this.#at(), this.#at()];
    const kept = this.#buffer.slice(one, one + OPERATION_BYTES);
    this.#buffer.copyWithin(one, two, two + OPERATION_BYTES);
    this.#buffer.set(kept, two);
  }

  /** The rest of another input takes the place of the rest of this one. */
  #graft(other: Uint8Array): void {
    const theirs = operationCount(other);
    if (theirs === 0) return;
    const first = this.#random.below(theirs);
    const place = this.#random.below(this.#operations + 1);
    const count = Math.min(theirs - first, MAX_OPERATIONS - place);
    this.#buffer.set(other.subarray(operationAt(first), operationAt(first + count)), operationAt(place));
    this.#operations = Math.max(this.#operations, place + count);
  }
}

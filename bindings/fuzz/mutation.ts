import { HEADING_BYTES, OPERATION_BYTES, ORDERLY, operationAt, operationCount } from './input.ts';
import type { Random } from './random.ts';

/** Operations that inputs of a campaign have at most. */
export const MAX_OPERATIONS = 32;
const MAX_BYTES = HEADING_BYTES + MAX_OPERATIONS * OPERATION_BYTES;

/** Makes inputs out of others, in whole operations and their operands. */
export class Mutator {
  /** What was made last, in the first `length` bytes. */
  readonly bytes = new Uint8Array(MAX_BYTES);
  readonly #random: Random;
  #operations = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get length(): number {
    return operationAt(this.#operations);
  }

  /** Takes an input as it is, but for operations beyond the last. */
  take(input: Uint8Array): void {
    this.#operations = Math.min(operationCount(input), MAX_OPERATIONS);
    this.bytes.set(input.length > MAX_BYTES ? input.subarray(0, MAX_BYTES) : input);
  }

  /** A random input of 32 operations; `machine` is the choice in its first byte, any by default. */
  fresh(machine = this.#random.below(128)): void {
    this.bytes[0] = machine | (this.#random.below(2) ? ORDERLY : 0);
    this.#operations = 32;
    for (let n = 0; n < this.#operations; n++) this.#randomOperation(n);
  }

  /** `parent` with one to eight changes. */
  mutate(parent: Uint8Array, other: Uint8Array): void {
    this.take(parent);
    for (let changes = 1 << this.#random.below(4); changes > 0; changes--) this.#change(other);
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
    else if (this.#random.below(8) === 0) this.bytes[0] = this.#random.below(256);
  }

  #at(): number {
    return operationAt(this.#random.below(this.#operations));
  }

  #randomOperation(n: number): void {
    const at = operationAt(n);
    for (let byte = 0; byte < OPERATION_BYTES; byte += 4) {
      const word = this.#random.next();
      for (let k = 0; k < 4; k++) this.bytes[at + byte + k] = word >>> (8 * k);
    }
  }

  /** Moves the operations from `n` on by one and leaves a gap. */
  #open(n: number): boolean {
    if (this.#operations === MAX_OPERATIONS) return false;
    this.bytes.copyWithin(operationAt(n + 1), operationAt(n), operationAt(this.#operations));
    this.#operations++;
    return true;
  }

  #insert(): void {
    const n = this.#random.below(this.#operations + 1);
    if (this.#open(n)) this.#randomOperation(n);
  }

  #remove(): void {
    const n = this.#random.below(this.#operations);
    this.bytes.copyWithin(operationAt(n), operationAt(n + 1), operationAt(this.#operations));
    this.#operations--;
  }

  #alterByte(): void {
    this.bytes[this.#at() + this.#random.below(OPERATION_BYTES)] = this.#random.next();
  }

  #flipBit(): void {
    const at = this.#at() + this.#random.below(OPERATION_BYTES);
    this.bytes[at] = (this.bytes[at] as number) ^ (1 << this.#random.below(8));
  }

  /** One operation takes its operands from another: they then concern the same device, PE or interrupt. */
  #shareOperands(): void {
    const [from, to] = [this.#at(), this.#at()];
    const first = 1 + this.#random.below(OPERATION_BYTES - 1);
    this.#copy(to + first, from + first, OPERATION_BYTES - first);
  }

  #repeat(): void {
    const from = this.#random.below(this.#operations);
    const to = this.#random.below(this.#operations + 1);
    if (!this.#open(to)) return;
    this.#copy(operationAt(to), operationAt(from < to ? from : from + 1), OPERATION_BYTES);
  }

  /** A few bytes, for which `copyWithin` takes longer. */
  #copy(to: number, from: number, count: number): void {
    for (let byte = 0; byte < count; byte++) this.bytes[to + byte] = this.bytes[from + byte] as number;
  }

  #swap(): void {
    const [one, two] = [this.#at(), this.#at()];
    for (let byte = 0; byte < OPERATION_BYTES; byte++) {
      const kept = this.bytes[one + byte] as number;
      this.bytes[one + byte] = this.bytes[two + byte] as number;
      this.bytes[two + byte] = kept;
    }
  }

  /** The rest of another input takes the place of the rest of this one. */
  #graft(other: Uint8Array): void {
    const theirs = operationCount(other);
    if (theirs === 0) return;
    const first = this.#random.below(theirs);
    const place = this.#random.below(this.#operations + 1);
    const count = Math.min(theirs - first, MAX_OPERATIONS - place);
    this.bytes.set(other.subarray(operationAt(first), operationAt(first + count)), operationAt(place));
    this.#operations = Math.max(this.#operations, place + count);
  }
}

import type { Policy } from '../../bindings/policy.ts';
import { field, merge, numberField, ones } from './bits.ts';
import type { CommandWords } from './its_commands.ts';
import type { Memory } from './memory.ts';

const COMMAND_BYTES = 32;
const OFFSET = ones(19, 5);
const CBASER_LEGAL = ones(63) | ones(61, 59) | ones(55, 53) | ones(51, 10) | ones(7, 0);

/** GITS_CBASER, GITS_CWRITER and GITS_CREADR, and the commands between them: sections 5.7, 5.8 and 5.13. */
export class CommandQueue {
  readonly #memory: Memory;
  readonly #policy: Policy;
  #cbaser = 0n;
  #cwriter = 0n;
  #creadr = 0n;
  /** Nothing is processed until software restarts the queue. */
  #stopped = false;
  /** GITS_CREADR.Stalled: until a command has been processed, or longer where the policy says so. */
  #stalled = false;

  constructor(memory: Memory, policy: Policy) {
    this.#memory = memory;
    this.#policy = policy;
  }

  /** GITS_CBASER.Valid. */
  get valid(): boolean {
    return field(this.#cbaser, 63) === 1n;
  }

  /** Where the next command stands in the queue. */
  get offset(): bigint {
    return this.#creadr;
  }

  readCbaser(): bigint {
    return this.#cbaser;
  }

  writeCbaser(value: bigint, written: bigint): void {
    this.#cbaser = merge(this.#cbaser, value, written) & CBASER_LEGAL;
    this.#restartAt(0n);
  }

  readCwriter(): bigint {
    return this.#cwriter;
  }

  writeCwriter(value: bigint, written: bigint): void {
    this.#cwriter = merge(this.#cwriter, value, written) & OFFSET;
    if (field(value, 0) === 1n || this.#policy.retry === 'any-write') this.#stopped = false;
  }

  readCreadr(): bigint {
    return this.#creadr | (this.#stalled ? 1n : 0n);
  }

  /** Under the policy that accepts it. As in QEMU, Stalled is cleared and nothing is processed by the write itself. */
  writeCreadr(value: bigint, written: bigint): void {
    this.#restartAt(merge(this.#creadr, value, written) & OFFSET);
  }

  /**
   * The command at GITS_CREADR; undefined if there is none to process. An offset beyond the queue, in either
   * register, makes the queue invalid: nothing is processed. The words are undefined if the queue is not wholly in
   * RAM.
   */
  next(): { words: CommandWords | undefined } | undefined {
    if (!this.valid || this.#stopped || this.#creadr === this.#cwriter) return undefined;
    const bytes = this.#bytes();
    if (this.#creadr >= bytes || this.#cwriter >= bytes) return undefined;
    // Section 5.7: address bits [15:12] count as zero.
    const base = Number(this.#cbaser & ones(51, 16));
    if (!this.#memory.contains(base, Number(bytes))) return { words: undefined };
    const word = (n: number): bigint => this.#memory.load(base + Number(this.#creadr) + 8 * n, 8)!;
    return { words: [word(0), word(1), word(2), word(3)] };
  }

  advance(): void {
    this.#creadr = (this.#creadr + BigInt(COMMAND_BYTES)) % this.#bytes();
    if (!this.#policy.stalledSticky) this.#stalled = false;
  }

  stall(): void {
    this.#stopped = true;
    this.#stalled = true;
  }

  #restartAt(offset: bigint): void {
    this.#creadr = offset;
    this.#stopped = false;
    this.#stalled = false;
  }

  #bytes(): bigint {
    return BigInt(4096 * (numberField(this.#cbaser, 7, 0) + 1));
  }
}

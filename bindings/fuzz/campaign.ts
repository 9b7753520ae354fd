import { FuzzFailure } from './failure.ts';
import type { Fuzzer } from './fuzzer.ts';
import { operationAt } from './input.ts';
import { failureWith, minimize } from './minimize.ts';
import { Mutator } from './mutation.ts';
import { Random } from './random.ts';

/** How a campaign begins. */
export interface CampaignOptions {
  /** Where the random numbers begin; equal seeds try equal inputs. Default 1. */
  readonly seed?: number;
  /** Inputs to begin with. */
  readonly corpus?: readonly Uint8Array[];
}

/** An input that fails, of those that fail alike the first one. */
export interface Crash {
  /** How it fails. */
  readonly kind: FuzzFailure['kind'];
  /** What was found, in a sentence. */
  readonly message: string;
  /** Cut down to what it needs. */
  readonly input: Uint8Array;
  /** After how many executions it was found. */
  readonly execution: number;
}

/** Inputs between two looks at whether the machines still go back to where they began. */
const CHECK_INTERVAL = 1 << 18;
/** Random inputs that each machine takes before the first mutation. */
const FRESH = 32;
/**
 * ITS commands in an input that takes long: it moves GITS_CWRITER so that the whole queue is executed. Its offspring would
 * do so too, and take up most of a campaign's time.
 */
const MANY_COMMANDS = 100;
/** One in so many parents may take long. */
const LONG = 16;
/** Inputs made for one machine in a row, so that what it touches stays in the caches of the host. */
const TURN = 256;

/** Inputs of one machine that led somewhere new, those that take long apart. */
interface OwnCorpus {
  readonly short: Uint8Array[];
  readonly long: Uint8Array[];
}

/** Tries one input after the other: mutations of those that led somewhere new. */
export class Campaign {
  /** What the inputs are tried on. */
  readonly fuzzer: Fuzzer;
  /** Inputs that led somewhere new, in the order in which they were found. */
  readonly corpus: Uint8Array[] = [];
  /** Inputs that failed: the first 16 of different kinds. */
  readonly crashes: Crash[] = [];
  /** Inputs that were tried. */
  executions = 0;
  readonly #random: Random;
  readonly #mutator: Mutator;
  readonly #known = new Set<string>();
  readonly #given: Uint8Array[];
  /** The corpus of each machine. */
  readonly #corpora: readonly OwnCorpus[];
  #made = 0;

  constructor(fuzzer: Fuzzer, { seed = 1, corpus = [] }: CampaignOptions = {}) {
    this.fuzzer = fuzzer;
    this.#random = new Random(seed);
    this.#mutator = new Mutator(this.#random);
    this.#given = [...corpus];
    this.#corpora = fuzzer.targets.map(() => ({ short: [], long: [] }));
  }

  /** Tries `count` inputs. */
  run(count: number): void {
    for (let n = 0; n < count; n++) {
      this.#make();
      this.#try();
      if (this.executions % CHECK_INTERVAL === 0) this.checkRestored();
    }
  }

  /** Records a crash where a machine is no longer what it was at the start. */
  checkRestored(): void {
    for (const target of this.fuzzer.targets) {
      try {
        target.checkRestored();
      } catch (error) {
        this.#record(new Uint8Array(), error);
      }
    }
  }

  /** Makes the next input. */
  #make(): void {
    const given = this.#given.pop();
    if (given) {
      this.#mutator.take(given);
      return;
    }
    const machine = Math.floor(this.#made / TURN) % this.#corpora.length;
    const corpus = this.#corpora[machine] as OwnCorpus;
    const begins = this.#made < this.#corpora.length * TURN && this.#made % TURN < FRESH;
    this.#made++;
    if (begins || corpus.short.length === 0) this.#mutator.fresh(machine);
    else this.#mutator.mutate(this.#parent(corpus), this.#parent(corpus));
  }

  /** Half of the time one of the newest. */
  #parent({ short, long }: OwnCorpus): Uint8Array {
    const inputs = long.length > 0 && this.#random.below(LONG) === 0 ? long : short;
    const { length } = inputs;
    const newest = Math.min(length, 64);
    const index =
      this.#random.below(2) === 0 ? this.#random.below(length) : length - 1 - this.#random.below(newest);
    return inputs[index] as Uint8Array;
  }

  #try(): void {
    this.executions++;
    const { bytes, length } = this.#mutator;
    const target = this.fuzzer.targetOf(bytes);
    try {
      if (target.run(bytes, length) === 0) return;
      const input = bytes.slice(0, length);
      this.corpus.push(input);
      const { short, long } = this.#corpora[this.fuzzer.targets.indexOf(target)] as OwnCorpus;
      (target.checkDeterminism(input) < MANY_COMMANDS ? short : long).push(input);
    } catch (error) {
      this.#record(bytes.slice(0, length), error);
    }
  }

  #record(input: Uint8Array, failure: unknown): void {
    if (!(failure instanceof FuzzFailure)) throw failure;
    const operation = input[operationAt(failure.operation)];
    const description = failure.message.replace(/ at operation \d+/, '');
    // What is left behind tells nothing about the cause, and what was performed last little.
    const name = failure.kind === 'not-deterministic' ? failure.kind : `${description} ${operation ?? 'end'}`;
    if (this.#known.has(name) || this.crashes.length >= MAX_CRASHES) return;
    this.#known.add(name);
    const small = minimize(this.fuzzer, input);
    const message = failureWith(this.fuzzer, small)?.message ?? failure.message;
    this.crashes.push({ kind: failure.kind, message, input: small, execution: this.executions });
  }
}

/** Crashes that are kept. A defect shows in many ways; a person looks at the first ones. */
const MAX_CRASHES = 16;

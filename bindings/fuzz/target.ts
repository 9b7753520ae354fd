import type { Architecture } from '../config.ts';
import { createMemory, type Engine, PAGE_BYTES } from '../engine.ts';
import { Machine } from '../machine.ts';
import { boot, fuzzMachineOptions, registerList } from './boot.ts';
import type { FuzzExports } from './exports.ts';
import { FuzzFailure, failureOf } from './failure.ts';

/** What the build keeps of an edge that was never seen. */
const NEW_EDGE = 0x0f;
/** Pages beside the state and its copy. */
const SPARE_PAGES = 64;

/** A machine in the fuzz build that takes one input after the other, each from the same state. */
export class FuzzTarget {
  /** The machine, as it is before each input. */
  readonly machine: Machine;
  /** How many edges the build has. */
  readonly edges: number;
  readonly #engine: FuzzExports;
  readonly #input: Uint8Array;
  readonly #fuel: Uint32Array;
  readonly #atStart: string;

  constructor(engine: Engine, architecture: Architecture) {
    const options = fuzzMachineOptions(architecture);
    const pages = pagesOf(engine, options);
    this.machine = new Machine(engine, options, createMemory('single', 2 * pages + SPARE_PAGES));
    boot(this.machine);
    this.#engine = this.machine.engine as FuzzExports;
    const { buffer } = this.machine.memory;
    const { fuzzInput, fuzzInputBytes, fuzzRegisterList, fuzzRegistersMax, fuzzEdgeCount } = this.#engine;
    const { addresses, harmless } = registerList(this.machine);
    const listed = addresses.slice(0, fuzzRegistersMax.value);
    new Uint32Array(buffer, fuzzRegisterList.value, listed.length).set(listed);
    this.#engine.fuzzRegisters(listed.length, harmless);
    this.#input = new Uint8Array(buffer, fuzzInput.value, fuzzInputBytes.value);
    this.#fuel = new Uint32Array(buffer, this.#engine.fuzzFuel.value, 1);
    this.edges = fuzzEdgeCount.value;
    this.#engine.fuzzKeep(pages * PAGE_BYTES);
    this.#engine.fuzzBeginCoverage(this.edges);
    this.#atStart = this.machine.digest();
  }

  /** Bytes that an input has at most; what is longer is cut. */
  get inputBytes(): number {
    return this.#input.length;
  }

  /**
   * Performs an input and goes back to the state before it. Tells whether it led along edges that none before it did: 2
   * for a new edge, 1 for a known one twice as often as before, 0 for neither. Throws a `FuzzFailure`.
   */
  run(input: Uint8Array): number {
    const engine = this.#engine;
    const length = this.#take(input);
    let fault = 0;
    try {
      fault = engine.fuzzRun(length);
    } catch (error) {
      const operation = engine.fuzzOperation();
      const hangs = this.#fuel[0] === 0;
      this.#reset();
      throw trapOf(error, operation, hangs);
    }
    if (fault !== 0) {
      const operation = engine.fuzzOperation();
      this.#reset();
      throw failureOf(fault, operation);
    }
    const novelty = engine.fuzzTakeCoverage(this.edges);
    engine.fuzzRestore();
    return novelty;
  }

  /** Performs an input twice and compares what is left behind. Throws a `FuzzFailure` where that differs. */
  checkDeterminism(input: Uint8Array): void {
    const [first, second] = [this.#digestAfter(input), this.#digestAfter(input)];
    if (first !== second) {
      const operations = this.#engine.fuzzOperation();
      throw new FuzzFailure('not-deterministic', operations, `${first} and ${second} are left behind`);
    }
  }

  /** Throws a `FuzzFailure` where the machine is not what it was at the start. Takes some milliseconds. */
  checkRestored(): void {
    const now = this.machine.digest();
    if (now !== this.#atStart)
      throw new FuzzFailure('not-restored', 0, `digest ${now} instead of ${this.#atStart}`);
  }

  /** Which edges were seen: a byte for each. */
  seenEdges(): Uint8Array {
    const unseen = new Uint8Array(this.machine.memory.buffer, this.#engine.fuzzUnseen.value, this.edges);
    return unseen.map((counts) => (counts === NEW_EDGE ? 0 : 1));
  }

  #digestAfter(input: Uint8Array): string {
    this.#engine.fuzzRun(this.#take(input));
    const digest = (this.#engine.fuzzDirtyDigest() >>> 0).toString(16);
    this.#reset();
    return digest;
  }

  #take(input: Uint8Array): number {
    const length = Math.min(input.length, this.#input.length);
    this.#input.set(length === input.length ? input : input.subarray(0, length));
    return length;
  }

  #reset(): void {
    this.#engine.fuzzDropCoverage(this.edges);
    this.#engine.fuzzRestore();
    // No limit outside of inputs.
    this.#fuel[0] = 0;
  }
}

/** Pages of 64 KiB that a machine takes. */
function pagesOf(engine: Engine, options: ReturnType<typeof fuzzMachineOptions>): number {
  const { memory } = new Machine(engine, options);
  return memory.buffer.byteLength / PAGE_BYTES;
}

function trapOf(error: unknown, operation: number, hangs: boolean): FuzzFailure {
  if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  const where = /at (?:Array\.)?([\w/#.]+) \(wasm/.exec(error.stack ?? '')?.[1];
  return new FuzzFailure(
    hangs ? 'hang' : 'trap',
    operation,
    `${error.message}${where ? ` in ${where}` : ''}`,
    {
      cause: error,
    },
  );
}

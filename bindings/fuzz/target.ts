import { FuzzFault } from '../../assembly/fuzz/abi.ts';
import type { Architecture } from '../config.ts';
import type { Engine } from '../engine.ts';
import { Machine } from '../machine.ts';
import { boot, fuzzMachineOptions, registerList } from './boot.ts';
import type { FuzzExports } from './exports.ts';
import { FuzzFailure, failureOf } from './failure.ts';

/** What the build keeps of an edge that was never seen. */
const NEW_EDGE = 0x0f;
/** What `fuzzTry` multiplies faults by. */
const FAULT = 4;

/** A machine in the fuzz build that takes one input after the other, each from the same state. */
export class FuzzTarget {
  /** The machine, as it is before each input. */
  readonly machine: Machine;
  /** How many edges the build has. */
  readonly edges: number;
  readonly #engine: FuzzExports;
  /** Called for each input: a look at the exports each time costs as much as ten operations. */
  readonly #try: FuzzExports['fuzzTry'];
  readonly #input: Uint8Array;
  readonly #hang: Uint32Array;
  readonly #unseen: Uint8Array;
  /** What stands below the machine. */
  readonly #below: Uint8Array;
  readonly #atStart: string;

  constructor(engine: Engine, architecture: Architecture) {
    this.machine = new Machine(engine, fuzzMachineOptions(architecture));
    boot(this.machine);
    this.#engine = this.machine.engine as FuzzExports;
    this.#try = this.#engine.fuzzTry;
    const { buffer } = this.machine.memory;
    const { fuzzInput, fuzzInputBytes, fuzzRegisterList, fuzzRegistersMax, fuzzEdgeCount } = this.#engine;
    const { addresses, harmless } = registerList(this.machine);
    const listed = addresses.slice(0, fuzzRegistersMax.value);
    new Uint32Array(buffer, fuzzRegisterList.value, listed.length).set(listed);
    this.#engine.fuzzRegisters(listed.length, harmless);
    this.#input = new Uint8Array(buffer, fuzzInput.value, fuzzInputBytes.value);
    this.#hang = new Uint32Array(buffer, this.#engine.fuzzHang.value, 1);
    this.edges = fuzzEdgeCount.value;
    this.#engine.fuzzKeep();
    this.#engine.fuzzBeginCoverage(this.edges);
    this.#unseen = new Uint8Array(buffer, this.#engine.fuzzUnseen.value, this.edges);
    this.#below = new Uint8Array(buffer, 0, this.#engine.fuzzStateBegin.value).slice();
    this.#atStart = this.machine.digest();
  }

  /** Bytes that an input has at most; what is longer is cut. */
  get inputBytes(): number {
    return this.#input.length;
  }

  /**
   * Performs the first `length` bytes of an input and goes back to the state before it. Tells whether it led along edges that none before it did: 2
   * for a new edge, 1 for a known one twice as often as before, 0 for neither. Throws a `FuzzFailure`.
   */
  run(input: Uint8Array, length = input.length): number {
    const taken = this.#take(input, length);
    let found = 0;
    try {
      found = this.#try(taken, this.edges);
    } catch (error) {
      const operation = this.#engine.fuzzOperation();
      const hangs = this.#hang[0] === 1;
      this.#resetAll();
      throw trapOf(error, operation, hangs);
    }
    if (found < FAULT) return found;
    const fault = found / FAULT;
    const operation = this.#engine.fuzzOperation();
    if (fault === FuzzFault.STRAY) this.#resetAll();
    else this.#reset();
    throw failureOf(fault, operation);
  }

  /**
   * Performs an input twice and compares what is left behind. Throws a `FuzzFailure` where that differs. Returns how many
   * ITS commands the input executes.
   */
  checkDeterminism(input: Uint8Array): number {
    const [first, second] = [this.#leftBehind(input), this.#leftBehind(input)];
    if (first.digest !== second.digest) {
      const operations = this.#engine.fuzzOperation();
      const message = `${first.digest} and ${second.digest} are left behind`;
      throw new FuzzFailure('not-deterministic', operations, message);
    }
    return first.commands;
  }

  /** Throws a `FuzzFailure` where the machine is not what it was at the start. Takes some milliseconds. */
  checkRestored(): void {
    const now = this.machine.digest();
    if (now !== this.#atStart)
      throw new FuzzFailure('not-restored', 0, `digest ${now} instead of ${this.#atStart}`);
  }

  /** Which edges were seen: a byte for each. */
  seenEdges(): Uint8Array {
    return this.#unseen.map((counts) => (counts === NEW_EDGE ? 0 : 1));
  }

  #leftBehind(input: Uint8Array): { digest: string; commands: number } {
    const before = this.machine.counters().commands;
    this.#engine.fuzzRun(this.#take(input));
    const digest = (this.#engine.fuzzDirtyDigest() >>> 0).toString(16);
    const commands = this.machine.counters().commands - before;
    this.#reset();
    return { digest, commands };
  }

  #take(input: Uint8Array, length = input.length): number {
    this.#input.set(input.length > this.#input.length ? input.subarray(0, this.#input.length) : input);
    return Math.min(length, this.#input.length);
  }

  #reset(): void {
    this.#engine.fuzzDropCoverage(this.edges);
    this.#engine.fuzzRestore();
  }

  /** After something that may have been written anywhere. */
  #resetAll(): void {
    const unseen = this.#unseen.slice();
    new Uint8Array(this.machine.memory.buffer).set(this.#below);
    this.#unseen.set(unseen);
    this.#engine.fuzzRestoreAll();
  }
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

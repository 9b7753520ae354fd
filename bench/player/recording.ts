import { AccessList } from '../../assembly/bench/abi.ts';
import type { BenchCase, Work } from '../../bindings/bench/case.ts';
import type { MachineOptions } from '../../bindings/config.ts';
import type { Engine, EngineExports } from '../../bindings/engine.ts';
import type { GicHardware } from '../../bindings/hardware.ts';
import { Machine } from '../../bindings/machine.ts';
import { CallRecorder } from './recorded_engine.ts';

/** A case as lists of accesses: the second one leads from the end of the first back to its beginning. */
export interface Recording {
  readonly name: string;
  /** Operations that the timed list does. */
  readonly ops: number;
  /** `AccessList.WORDS` words each: what is timed, and what comes before each time. */
  readonly run: Uint32Array;
  readonly reset: Uint32Array;
}

/** The exports of the bench build. */
export interface BenchExports extends EngineExports {
  play(at: number, count: number): number;
}

/** Prepares a case on a GIC that `make` makes, and brings it to where it goes round in a circle. */
export function prepareRound<Gic extends GicHardware>(
  benchCase: BenchCase,
  make: (options: MachineOptions) => Gic,
  batch: number,
): { work: Work; gic: Gic } {
  let gic: Gic | undefined;
  const work = benchCase.prepare((options) => {
    gic = make(options);
    return gic;
  }, batch);
  if (!gic) throw new Error(`${benchCase.name}: no machine was made`);
  for (let round = 0; round < 2; round++) {
    work.reset?.();
    work.run();
  }
  return { work, gic };
}

/** Records one round of a case, on a machine that is left at the end of a round. */
export function recordCase(
  benchCase: BenchCase,
  engine: Engine,
  batch: number,
): { recording: Recording; machine: Machine } {
  const make = (options: MachineOptions): RecordedMachine => new RecordedMachine(engine, options);
  const { work, gic } = prepareRound(benchCase, make, batch);
  const reset = gic.recorder.record(() => work.reset?.());
  const run = gic.recorder.record(() => work.run());
  for (const list of [reset, run]) {
    if (list.length > AccessList.CAPACITY * AccessList.WORDS) {
      throw new RangeError(`${benchCase.name}: ${list.length / AccessList.WORDS} accesses are too many`);
    }
  }
  return { recording: { name: benchCase.name, ops: work.ops, run, reset }, machine: gic.unrecorded() };
}

/** A machine whose calls of the engine are recorded. */
class RecordedMachine extends Machine {
  readonly recorder: CallRecorder;
  readonly #exports: EngineExports;

  constructor(engine: Engine, options: MachineOptions) {
    super(engine, options);
    this.#exports = this.engine;
    this.recorder = new CallRecorder(this.engine);
    Object.assign(this, { engine: this.recorder.engine });
  }

  /** The machine with the engine itself. */
  unrecorded(): Machine {
    return Object.assign(this, { engine: this.#exports });
  }
}

/** A list of accesses in the memory of a machine of the bench build. */
export class PlacedRecording {
  readonly #play: BenchExports['play'];
  readonly #runCount: number;
  readonly #resetCount: number;

  constructor({ run, reset }: Recording, machine: Machine) {
    const words = new Uint32Array(machine.memory.buffer);
    words.set(run, AccessList.RUN_AT / 4);
    words.set(reset, AccessList.RESET_AT / 4);
    this.#play = (machine.engine as BenchExports).play;
    this.#runCount = run.length / AccessList.WORDS;
    this.#resetCount = reset.length / AccessList.WORDS;
  }

  /** What comes before each time; a checksum likewise. */
  reset(): number {
    return this.#play(AccessList.RESET_AT, this.#resetCount) >>> 0;
  }

  /** What is timed; a checksum of what the accesses returned. */
  run(): number {
    return this.#play(AccessList.RUN_AT, this.#runCount) >>> 0;
  }
}

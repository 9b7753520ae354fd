import type { Architecture, MachineOptions } from '../config.ts';
import type { GicHardware } from '../hardware.ts';

/** Makes a GIC in its reset state: a machine of the engine, or another model to compare it with. */
export type MakeGic = (options: MachineOptions) => GicHardware;

/** A benchmark case. */
export interface BenchCase {
  readonly name: string;
  /** The least that the model must implement. */
  readonly needs: Architecture;
  /** Uses the engine's layers above the hardware, which no other model has. */
  readonly engineOnly?: true;
  /** Brings a GIC to where the case begins. `batch` is how many operations to do in a run where the case is free. */
  prepare(make: MakeGic, batch: number): Work;
}

/** A case made ready. */
export interface Work {
  /** Operations in each run. */
  readonly ops: number;
  /** Comes before each run and is not timed. */
  reset?(): void;
  /** What is timed. */
  run(): void;
  /**
   * Throws a `CheckError` unless the run just before had the effect that the case is about. Another run, after a
   * reset, can follow.
   */
  verify(): void;
}

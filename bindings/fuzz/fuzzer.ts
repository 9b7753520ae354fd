import type { Architecture } from '../config.ts';
import type { Engine } from '../engine.ts';
import { GicError } from '../errors.ts';
import { FuzzTarget } from './target.ts';

/** The machines that an input can choose, by the lower bits of its first byte. */
export const fuzzArchitectures: readonly Architecture[] = ['GICv3', 'GICv4.0', 'GICv4.1'];

/** Machines that take inputs: what external fuzzers and the campaign call. */
export class Fuzzer {
  /** The machines, one for each of `fuzzArchitectures`. */
  readonly targets: readonly FuzzTarget[];

  constructor(engine: Engine) {
    if (!WebAssembly.Module.exports(engine.module).some(({ name }) => name === 'fuzzRun')) {
      throw new GicError(
        'INVALID_ARGUMENT',
        'engine',
        'a module without fuzzRun',
        'the fuzz build of the engine',
      );
    }
    this.targets = fuzzArchitectures.map((architecture) => new FuzzTarget(engine, architecture));
    this.fuzzOne = this.fuzzOne.bind(this);
  }

  /**
   * Performs one input, any bytes, each time from the same state. Throws a `FuzzFailure` for a defect of the engine.
   * Returns 2 for an input that led along a new edge, 1 for one taken twice as often as before, 0 for nothing new.
   */
  fuzzOne(input: Uint8Array): number {
    return this.targetOf(input).run(input);
  }

  /** The machine that an input chooses. */
  targetOf(input: Uint8Array): FuzzTarget {
    const choice = ((input[0] ?? 0) & 0x7f) % this.targets.length;
    return this.targets[choice] as FuzzTarget;
  }

  /** Edges of the build, and how many of them were seen on any of the machines. */
  coverage(): {
    /** Edges of the build. */
    edges: number;
    /** Edges that were seen. */
    seen: number;
  } {
    const maps = this.targets.map((target) => target.seenEdges());
    const edges = this.targets[0]?.edges ?? 0;
    let seen = 0;
    for (let edge = 0; edge < edges; edge++) if (maps.some((map) => map[edge] === 1)) seen++;
    return { edges, seen };
  }
}

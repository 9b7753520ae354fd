import { type Engine, GicError, Machine, type MachineOptions } from '../../../bindings/index.ts';
import { ReferenceGic } from '../../reference/gic.ts';
import { Side } from './side.ts';

/** One thing done to both models, with the same arguments. */
export interface Step {
  readonly text: string;
  /** Its result is compared. */
  readonly run: (side: Side) => unknown;
}

/** Where the two models part. */
export interface Difference {
  /** Steps that were performed, the one at which they part included. */
  readonly steps: number;
  readonly text: string;
}

/** The engine and the reference model, side by side. */
export class Pair {
  readonly #engine: Side;
  readonly #reference: Side;
  readonly #machine: Machine;
  readonly #gic: ReferenceGic;
  #steps = 0;
  #errors = 0;

  constructor(engine: Engine, options: MachineOptions) {
    this.#machine = new Machine(engine, options);
    this.#gic = new ReferenceGic(options);
    this.#engine = new Side(this.#machine, this.#machine.config);
    this.#reference = new Side(this.#gic, this.#gic.config);
  }

  perform(step: Step): Difference | undefined {
    this.#steps++;
    const text =
      different('the result', [outcome(step, this.#engine)], [outcome(step, this.#reference)]) ??
      different('the command errors', this.#engineErrors(), this.#referenceErrors()) ??
      different('the state', this.#engine.observe(), this.#reference.observe());
    return text === undefined ? undefined : { steps: this.#steps, text };
  }

  /** Error codes of commands since the last call; 0 where section 6.1 has none. */
  #engineErrors(): string[] {
    return this.#machine.takeDiagnostics().flatMap(({ code, unit, operands }) => {
      if (code === 'UNKNOWN_COMMAND') return [`ITS ${unit} 0x0`];
      if (code !== 'COMMAND_ERROR') return [];
      const error = operands.error!;
      return [`ITS ${unit} 0x${(error === SYNC_ERROR ? 0 : error).toString(16)}`];
    });
  }

  #referenceErrors(): string[] {
    const fresh = this.#gic.commandErrors.slice(this.#errors);
    this.#errors = this.#gic.commandErrors.length;
    return fresh.map(({ its, code }) => `ITS ${its} 0x${code.toString(16)}`);
  }
}

/** What the engine calls a SYNC to no PE. */
const SYNC_ERROR = 0x01_0520;

/** Performs a sequence from reset. */
export function play(
  engine: Engine,
  options: MachineOptions,
  steps: readonly Step[],
): Difference | undefined {
  const pair = new Pair(engine, options);
  for (const step of steps) {
    const difference = pair.perform(step);
    if (difference) return difference;
  }
  return undefined;
}

/** The result of a step as text. Misuse of the API must be refused by both. */
export function outcome({ run }: Step, side: Side): string {
  try {
    const result = run(side);
    return Array.isArray(result) ? result.map(show).join('\n') : show(result);
  } catch (error) {
    if (error instanceof GicError) return `GicError ${error.code} for ${error.field}`;
    throw error;
  }
}

function show(result: unknown): string {
  if (typeof result === 'number' || typeof result === 'bigint') return `0x${result.toString(16)}`;
  return String(result);
}

function different(
  what: string,
  engine: readonly string[],
  reference: readonly string[],
): string | undefined {
  const theirs = reference.flatMap((text) => text.split('\n'));
  const ours = engine.flatMap((text) => text.split('\n'));
  for (let n = 0; n < Math.max(ours.length, theirs.length); n++) {
    if (ours[n] === theirs[n]) continue;
    return `${what}: engine "${ours[n] ?? 'nothing'}", reference "${theirs[n] ?? 'nothing'}"`;
  }
  return undefined;
}

import { Driver } from './driver.ts';
import { type Name, namedStep, Renaming } from './names.ts';
import type { Operation, OperationName } from './operations.ts';
import { commandsOf, type DriverStep, isDriverStep } from './steps.ts';

/** A step that only one side has, or that differs. */
export interface Mismatch {
  readonly operation: OperationName;
  /** Place of the operation's first step in the recording. */
  readonly place: number;
  readonly recorded: string | undefined;
  readonly ours: string | undefined;
}

export interface Comparison {
  /** Commands of the recording that our layer sent in the same operation at the same place. */
  readonly equalCommands: number;
  /** The same for register writes and configuration bytes. */
  readonly equalWrites: number;
  readonly mismatches: readonly Mismatch[];
  /** Names of the recording that are others in our run. */
  readonly renamed: readonly Name[];
}

/** A step of the recording that is not ours to compare, by the reason. */
export type Excuse = (operation: OperationName, step: DriverStep) => boolean;

/** Runs the operations on our layer and compares step by step. */
export async function compare(operations: readonly Operation[], excused: Excuse): Promise<Comparison> {
  const driver = await Driver.boot(operations);
  const renaming = new Renaming();
  const mismatches: Mismatch[] = [];
  let equalCommands = 0;
  let equalWrites = 0;
  for (const operation of operations) {
    const recorded = operation.steps.filter(isDriverStep).filter((step) => !excused(operation.name, step));
    const ours = driver.run(operation);
    for (let n = 0; n < Math.max(recorded.length, ours.length); n++) {
      const [there, here] = [recorded[n], ours[n]];
      if (there && here && isSame(there, here, renaming)) {
        equalCommands += commandsOf(there);
        equalWrites += there.kind === 'command' ? 0 : 1;
      } else {
        mismatches.push({
          operation: operation.name,
          place: operation.places[0] as number,
          recorded: there && stepText(there),
          ours: here && stepText(here),
        });
      }
    }
  }
  return { equalCommands, equalWrites, mismatches, renamed: renaming.renamed };
}

function isSame(recorded: DriverStep, ours: DriverStep, renaming: Renaming): boolean {
  const [there, here] = [namedStep(recorded), namedStep(ours)];
  if (there.text !== here.text || there.names.length !== here.names.length) return false;
  const pairs = there.names.map((name, n) => [name, here.names[n] as Name] as const);
  const same = pairs.every(([a, b]) => renaming.pair(a, b));
  if (same && freesTable(recorded)) for (const [a, b] of pairs) renaming.release(a, b);
  return same;
}

/** MAPD with V=0: the ITT's memory goes back, and another device may get it. */
function freesTable(step: DriverStep): boolean {
  return step.kind === 'command' && step.command.command === 'MAPD' && !step.command.valid;
}

function stepText(step: DriverStep): string {
  const { text, names } = namedStep(step);
  return [text, ...names.map(({ space, value }) => `${space} 0x${value.toString(16)}`)].join(', ');
}

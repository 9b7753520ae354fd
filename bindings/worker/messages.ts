import type { MachineOptions } from '../config.ts';
import type { Engine } from '../engine.ts';
import { GicError, type GicErrorCode } from '../errors.ts';
import type { Machine } from '../machine.ts';
import type { MachineShape } from '../machine_view.ts';

/** Methods of a machine that can be called from another thread: all they take and return can be posted. */
export const remoteMethods = [
  ...(['read', 'write', 'readMemory', 'writeMemory'] as const),
  ...(['sendMsi', 'sendMsis', 'setSpi', 'setPpi', 'readSystemRegister', 'writeSystemRegister'] as const),
  ...(['highestPending', 'irq', 'fiq', 'virtualOutputs', 'takeChangedCpus', 'resetCpuInterface'] as const),
  ...(['advanceCounter', 'nextTimerDeadline', 'stepIts'] as const),
  ...(['deviceEntry', 'collectionEntry', 'interruptEntry', 'vpeEntry'] as const),
  ...(['counters', 'recordEvents', 'takeEvents', 'takeDiagnostics'] as const),
  ...(['takeArrivals', 'waitForArrivals', 'releaseInjector', 'checkLpiIndex'] as const),
] satisfies readonly (keyof Machine)[];

/** The methods of `Machine` whose arguments and results can be posted. */
export type RemoteMethod = (typeof remoteMethods)[number];

/** To the worker. Each request is answered once, in the order of the requests where they do not wait. */
export type Request = { readonly id: number } & (
  | {
      readonly kind: 'create';
      readonly engine: Engine;
      readonly options: MachineOptions;
      readonly memory: WebAssembly.Memory | undefined;
    }
  | { readonly kind: 'call'; readonly method: RemoteMethod; readonly args: readonly unknown[] }
  | { readonly kind: 'run'; readonly program: string; readonly args: readonly unknown[] }
);

/** From the worker. */
export type Answer = { readonly id: number } & (
  | { readonly value: unknown }
  | { readonly error: PostedError }
);

/** The answer to `create`. */
export interface Created {
  readonly shape: MachineShape;
  /** Where it can be shared. */
  readonly memory: WebAssembly.Memory | undefined;
}

/** An error on its way between threads, which would make a plain `Error` of a `GicError`. */
export type PostedError =
  | {
      readonly code: GicErrorCode;
      readonly field: string;
      readonly value: unknown;
      readonly expected: string;
    }
  | { readonly cause: unknown };

export function postedError(error: unknown): PostedError {
  if (!(error instanceof GicError)) return { cause: error };
  const { code, field, value, expected } = error;
  return { code, field, value, expected };
}

export function receivedError(posted: PostedError): unknown {
  if (!('code' in posted)) return posted.cause;
  return new GicError(posted.code, posted.field, posted.value, posted.expected);
}

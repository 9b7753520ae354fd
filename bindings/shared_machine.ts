import type { Engine } from './engine.ts';
import { GicError } from './errors.ts';
import type { MachineShape, MachineView } from './machine_view.ts';

/** What it takes to see a running machine, or to inject MSIs into it, from any thread. Can be posted to other threads. */
export interface SharedMachine {
  /** The compiled engine. */
  readonly engine: Engine;
  /** What the machine is. */
  readonly shape: MachineShape;
  /** Its memory. */
  readonly memory: WebAssembly.Memory;
}

/** For the owner of a machine: returns when another thread sends an MSI, or has sent one, or after so many milliseconds. */
export function sleepUntilArrival({ shape, memory }: MachineView, milliseconds: number): void {
  if (!(milliseconds >= 0)) {
    throw new GicError('INVALID_ARGUMENT', 'milliseconds', milliseconds, 'a number from 0');
  }
  if (!mayWait()) {
    throw new GicError('UNSUPPORTED_HOST', 'waitForArrivals', 'main thread', 'a thread that may sleep');
  }
  const { layout, offsets } = shape;
  const words = new Int32Array(memory.buffer);
  const sleeps = (layout.threads + offsets.ownerSleeps) >> 2;
  Atomics.store(words, sleeps, 1);
  Atomics.wait(words, (layout.threads + offsets.arrived) >> 2, 0, milliseconds);
  Atomics.store(words, sleeps, 0);
}

/** Whether this thread may sleep until another one wakes it: the main thread of a browser may not. */
export function mayWait(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}

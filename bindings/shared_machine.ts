import type { Engine } from './engine.ts';
import type { MachineShape } from './machine_view.ts';

/** What it takes to see a running machine, or to inject MSIs into it, from any thread. Can be posted to other threads. */
export interface SharedMachine {
  readonly engine: Engine;
  readonly shape: MachineShape;
  readonly memory: WebAssembly.Memory;
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

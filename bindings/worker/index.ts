/** Threads: machines that run in a worker, seen and driven from another thread, and MSIs from any thread. */

export { GicError, type GicErrorCode } from '../errors.ts';
export { type MachineShape, MachineView } from '../machine_view.ts';
export type { SharedMachine } from '../shared_machine.ts';
export type { NodeWorker, WebWorker } from './endpoint.ts';
export { Injector } from './injector.ts';
export type { RemoteMethod } from './messages.ts';
export { type Programs, serveMachine } from './serve.ts';
export { startWorker, type WorkerMachine, type WorkerOptions } from './worker_machine.ts';

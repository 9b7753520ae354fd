/**
 * Machines that run in a worker, seen and driven from another thread.
 *
 * @module gicv4/worker
 */

export { GicError, type GicErrorCode } from '../errors.ts';
export { type MachineShape, MachineView } from '../machine_view.ts';
export type { NodeWorker, WebWorker } from './endpoint.ts';
export type { RemoteMethod } from './messages.ts';
export { type Programs, serveMachine } from './serve.ts';
export { type SharedMachine, startWorker, type WorkerMachine, type WorkerOptions } from './worker_machine.ts';

/**
 * Conformance vectors: recorded sequences of accesses with the results that an implementation gave.
 *
 * @module gicv4/vectors
 */

export { machineOptionsOf } from './machine_options.ts';
export { parseVector } from './parse.ts';
export { quirkReasons } from './quirks.ts';
export { runVector, type VectorFailure, type VectorOptions, type VectorResult } from './runner.ts';
export type * from './vector.ts';

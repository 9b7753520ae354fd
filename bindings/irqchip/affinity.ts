import { requireInteger } from '../errors.ts';
import type { Machine } from '../machine.ts';

/** One PE, or several of which the driver chooses: a `cpumask`. PEs that do not exist are not chosen. */
export type Affinity = number | readonly number[];

const MASK_BYTES = 64;

/** Writes an affinity where the driver looks for it: a bit for each PE. */
export function writeAffinity({ engine, memory }: Machine, affinity: Affinity): void {
  const list = typeof affinity === 'number' ? [affinity] : affinity;
  for (const cpu of list) requireInteger('INVALID_ARGUMENT', 'affinity', cpu, 0, 8 * MASK_BYTES - 1);
  const mask = new Uint8Array(memory.buffer, engine.irqchipAffinityMask() >>> 0, MASK_BYTES).fill(0);
  for (const cpu of list) mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
}

/** All PEs of a machine. */
export function allCpus({ cpus }: Machine): number[] {
  return Array.from({ length: cpus }, (_, cpu) => cpu);
}

// What the methods of a machine accept: each check returns, or throws a `GicError` that names the argument.
import { type EngineBuild, PAGE_BYTES, pagesOf } from './engine.ts';
import { buildFor } from './engine_loading.ts';
import { GicError, requireInteger } from './errors.ts';
import type { Layout } from './layout.ts';
import { type SystemRegisterDefinition, systemRegisterByName } from './registers/system.ts';

/** The memory that a user gave, once it is known to fit. */
export function fitting(memory: WebAssembly.Memory, build: EngineBuild, layout: Layout): WebAssembly.Memory {
  if (buildFor(memory) !== build) {
    const kind = build === 'shared' ? 'a shared memory' : 'a memory that is not shared';
    throw new GicError('INVALID_ARGUMENT', 'memory', memory.buffer, `${kind}, for the build "${build}"`);
  }
  const pages = memory.buffer.byteLength / PAGE_BYTES;
  const needed = pagesOf(layout.pages);
  if (pages < needed) {
    throw new GicError('INVALID_ARGUMENT', 'memory', `${pages} pages`, `at least ${needed} pages of 64 KiB`);
  }
  return memory;
}

const PHYSICAL_ADDRESS_LIMIT = 2 ** 52;

/** An access of 1, 2, 4 or 8 bytes below 2^52. */
export function requireAccess(address: number, size: number): void {
  if (size !== 1 && size !== 2 && size !== 4 && size !== 8) {
    throw new GicError('INVALID_ARGUMENT', 'size', size, '1, 2, 4 or 8');
  }
  requireInteger('INVALID_ARGUMENT', 'address', address, 0, PHYSICAL_ADDRESS_LIMIT - size);
}

/** A value of so many bits. */
export function requireWide(field: string, value: bigint, bits: number): void {
  if (value < 0n || value >> BigInt(bits) !== 0n) {
    throw new GicError('INVALID_ARGUMENT', field, value, `a value of ${bits} bits`);
  }
}

/** The definition of a register by its name. */
export function systemRegister(name: string): SystemRegisterDefinition {
  const definition = systemRegisterByName.get(name);
  if (!definition) {
    throw new GicError(
      'UNKNOWN_NAME',
      'name',
      name,
      'a system register of the CPU interface, such as ICC_IAR1_EL1',
    );
  }
  return definition;
}

/** The number of an ITS of a machine that has so many. */
export function requireIts(its: number, itsCount: number): void {
  if (!Number.isInteger(its) || its < 0 || its >= itsCount) {
    const expected =
      itsCount === 0 ? 'a machine with an ITS' : `an ITS of this machine, 0 to ${itsCount - 1}`;
    throw new GicError('INVALID_ARGUMENT', 'its', its, expected);
  }
}

/** MSIs that are sent together: a DeviceID and an EventID for each. */
export function requireMsis(msis: Uint32Array): void {
  if (msis instanceof Uint32Array && msis.length % 2 === 0) return;
  const expected = 'a Uint32Array of pairs (DeviceID, EventID)';
  throw new GicError('INVALID_ARGUMENT', 'msis', (msis as { length?: number })?.length, expected);
}

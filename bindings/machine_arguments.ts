// What the methods of a machine accept: each check returns, or throws a `GicError` that names the argument. And how the
// engine takes it.
import type { MachineConfig } from './config.ts';
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

/** A value of so many bits, 64 at most; a number of them only as far as it is exact. */
export function requireWide(field: string, value: number | bigint, bits: number): void {
  if (typeof value !== 'bigint') {
    requireInteger('INVALID_ARGUMENT', field, value, 0, Math.min(2 ** bits - 1, Number.MAX_SAFE_INTEGER));
  } else if (value < 0n || value >> BigInt(bits) !== 0n) {
    throw new GicError('INVALID_ARGUMENT', field, value, `a value of ${bits} bits`);
  }
}

/** Bits 31 to 0 of a value of up to 64 bits, as the engine takes it: of a number it drops the others itself. */
export function lowHalf(value: number | bigint): number {
  return typeof value === 'bigint' ? Number(value & 0xffff_ffffn) : value;
}

/** Bits 63 to 32 of a value of up to 64 bits, as the engine takes it: what is below, it drops itself. */
export function highHalf(value: number | bigint): number {
  return typeof value === 'bigint' ? Number(value >> 32n) : value / 2 ** 32;
}

/** The INTID of an SPI. */
export function requireSpi(intid: number, { spis, extendedSpis }: MachineConfig): void {
  const basic = intid >= 32 && intid < 32 + spis;
  const extended = intid >= 4096 && intid < 4096 + extendedSpis;
  if (Number.isInteger(intid) && (basic || extended)) return;
  const ranges = `32 to ${31 + spis}${extendedSpis ? ` or 4096 to ${4095 + extendedSpis}` : ''}`;
  throw new GicError('INVALID_ARGUMENT', 'intid', intid, `an SPI of this machine, ${ranges}`);
}

/** The INTID of a PPI. */
export function requirePpi(intid: number, { extendedPpis }: MachineConfig): void {
  const basic = intid >= 16 && intid < 32;
  const extended = intid >= 1056 && intid < 1056 + extendedPpis;
  if (Number.isInteger(intid) && (basic || extended)) return;
  const ranges = `16 to 31${extendedPpis ? ` or 1056 to ${1055 + extendedPpis}` : ''}`;
  throw new GicError('INVALID_ARGUMENT', 'intid', intid, `a PPI of this machine, ${ranges}`);
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

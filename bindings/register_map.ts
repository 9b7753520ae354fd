import { Access, FrameLayout, Register } from '../assembly/abi.ts';
import type { MachineConfig } from './config.ts';
import type { Layout } from './layout.ts';
import type { RegisterDefinition } from './registers/definition.ts';
import { doubleword, word } from './registers/definition.ts';

/**
 * Writes the descriptions of a machine's registers where the engine looks them up: for each 32-bit location of each
 * frame the number of a description, and the descriptions themselves.
 */
export function writeRegisterMap(
  buffer: ArrayBufferLike,
  layout: Layout,
  infoBytes: number,
  config: MachineConfig,
  registers: readonly RegisterDefinition[],
): void {
  const index = new Uint16Array(buffer, layout.registerIndex, FrameLayout.COUNT * FrameLayout.WORDS);
  registers.forEach((definition, i) => {
    const number = i + 1;
    const first = definition.frame * FrameLayout.WORDS + definition.offset / 4;
    const words = ((definition.count ?? 1) * definition.width) / 32;
    index.fill(number, first, first + words);
    writeInfo(new DataView(buffer, layout.registerInfo + number * infoBytes, infoBytes), definition, config);
  });
}

/** The layout of `RegisterInfo` in the engine. */
function writeInfo(view: DataView, definition: RegisterDefinition, config: MachineConfig): void {
  const all = definition.width === 64 ? doubleword : word;
  const resolve = (value: RegisterDefinition['legal'], otherwise: bigint): bigint =>
    (typeof value === 'function' ? value(config) : (value ?? otherwise)) & all;
  const changeable = definition.access === 'RW' || definition.access === 'W1';
  view.setUint16(0, definition.register ?? Register.FIXED, true);
  view.setUint16(2, accessBits(definition), true);
  view.setUint16(4, definition.width / 8, true);
  view.setUint16(6, definition.offset, true);
  view.setBigUint64(8, BigInt(definition.first ?? 0), true);
  view.setBigUint64(16, resolve(definition.legal, changeable ? all : 0n), true);
  view.setBigUint64(24, resolve(definition.fixed, 0n), true);
}

function accessBits({ access, smallest }: RegisterDefinition): number {
  const byAccess = {
    RO: Access.READ,
    RW: Access.READ | Access.WRITE,
    WO: Access.WRITE | Access.ACTION,
    W1: Access.READ | Access.WRITE | Access.ACTION,
  }[access];
  if (smallest === undefined) return byAccess;
  return byAccess | { 1: Access.BYTE, 2: Access.HALFWORD, 8: Access.WHOLE }[smallest];
}

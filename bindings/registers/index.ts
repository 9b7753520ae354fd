import { Frame } from '../../assembly/abi.ts';
import { type MachineConfig, redistributorStride } from '../config.ts';
import type { RegisterDefinition } from './definition.ts';
import { gicdRegisters } from './gicd.ts';
import { gicrRegisters, gicrSgiRegisters, gicrVlpiRegisters } from './gicr.ts';
import { gitsRegisters } from './gits.ts';

export type { RegisterDefinition } from './definition.ts';

/** Every memory-mapped register that some configuration has. */
export const registerDefinitions: readonly RegisterDefinition[] = [
  ...gicdRegisters,
  ...gicrRegisters,
  ...gicrSgiRegisters,
  ...gicrVlpiRegisters,
  ...gitsRegisters,
];

/** The registers that a machine has; the others are reserved locations. */
export function implementedRegisters(config: MachineConfig): RegisterDefinition[] {
  return registerDefinitions.filter(({ present }) => present?.(config) ?? true);
}

/** The name of one register of a definition, with its number in the place of `<n>`. */
export function registerName(definition: RegisterDefinition, element = 0): string {
  return definition.name.replace('<n>', String((definition.first ?? 0) + element));
}

/** The base address of a frame: of a PE's redistributor or of an ITS where there are several. */
export function frameAddress(config: MachineConfig, frame: Frame, unit = 0): number {
  const { gicd, gicr, gits, gitsStride } = config.addressMap;
  switch (frame) {
    case Frame.GICD:
      return gicd;
    case Frame.GITS:
    case Frame.GITS_TRANSLATION:
    case Frame.GITS_VSGI:
      return gits + unit * gitsStride + (frame - Frame.GITS) * 0x1_0000;
    default:
      return gicr + unit * redistributorStride(config) + (frame - Frame.GICR_RD) * 0x1_0000;
  }
}

/** The address of one register. */
export function registerAddress(config: MachineConfig, name: string, unit = 0): number | undefined {
  for (const definition of implementedRegisters(config)) {
    const { count = 1, frame, offset, width } = definition;
    for (let element = 0; element < count; element++) {
      if (registerName(definition, element) !== name) continue;
      return frameAddress(config, frame, unit) + offset + (element * width) / 8;
    }
  }
  return undefined;
}

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

/** A register by its name: its definition, and its place in its array. */
interface NamedRegister {
  readonly definition: RegisterDefinition;
  readonly element: number;
}

const namesOfConfig = new WeakMap<MachineConfig, ReadonlyMap<string, NamedRegister>>();

function findRegister(config: MachineConfig, name: string): NamedRegister | undefined {
  let names = namesOfConfig.get(config);
  if (!names) {
    names = new Map(
      implementedRegisters(config).flatMap((definition) =>
        Array.from({ length: definition.count ?? 1 }, (_, element) => [
          registerName(definition, element),
          { definition, element },
        ]),
      ),
    );
    namesOfConfig.set(config, names);
  }
  return names.get(name);
}

/** The address of one register, of a PE or an ITS where there are several; undefined where the machine has none such. */
export function registerAddress(config: MachineConfig, name: string, unit = 0): number | undefined {
  const found = findRegister(config, name);
  if (!found) return undefined;
  const { frame, offset, width } = found.definition;
  return frameAddress(config, frame, unit) + offset + (found.element * width) / 8;
}

/** Bits of a register by its name; undefined where the machine has none such. */
export function registerWidth(config: MachineConfig, name: string): 32 | 64 | undefined {
  return findRegister(config, name)?.definition.width;
}

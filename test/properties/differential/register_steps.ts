import { implementedRegisters, registerAddress, registerName } from '../../../bindings/index.ts';
import type { Step } from './pair.ts';
import type { Side } from './side.ts';

/** Kinds of steps, the more frequent ones with a greater weight. */
export type Kinds = readonly (readonly [weight: number, draw: () => Step])[];

type Size = 1 | 2 | 4 | 8;

export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** A step that writes a register or memory. */
export function write(
  text: string,
  address: (side: Side) => number,
  size: Size,
  value: number | bigint,
): Step {
  return {
    text: `${text} = ${hex(value)}${size === 4 ? '' : ` (${size} bytes)`}`,
    run: (side) => side.model.write(address(side), size, value),
  };
}

export function read(text: string, address: (side: Side) => number, size: Size): Step {
  return {
    text: `read ${text}${size === 4 ? '' : ` (${size} bytes)`}`,
    run: (side) => side.model.read(address(side), size),
  };
}

/** Every register that can be read without side effects. */
export function allRegisters({ model, config }: Side): string[] {
  const lines: string[] = [];
  for (const definition of implementedRegisters(config)) {
    const { name, access, width, count = 1 } = definition;
    if (access === 'WO') continue;
    const units = name.startsWith('GICR') ? config.cpus : name.startsWith('GITS') ? config.itsCount : 1;
    const bytes = (width / 8) as 4 | 8;
    for (let unit = 0; unit < units; unit++) {
      const first = registerAddress(config, registerName(definition), unit) as number;
      for (let n = 0; n < count; n++) {
        lines.push(`${name} ${n} of unit ${unit}: 0x${model.read(first + n * bytes, bytes).toString(16)}`);
      }
    }
  }
  return lines;
}

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

import type { MachineOptions } from '../config.ts';
import type { Vector } from './vector.ts';

/** The machine that a vector is to be run on: preset `qemu-virt`, with what the vector says of its own machine. */
export function machineOptionsOf({ machine }: Vector): MachineOptions {
  const { arch = 'GICv4.0', ramBase, ramSize, gicd, gicr, gits, ...ids } = machine;
  return {
    preset: 'qemu-virt',
    architecture: arch,
    ...ids,
    ...(ramBase !== undefined && ramSize !== undefined && { ram: { base: ramBase, size: ramSize } }),
    addressMap: {
      ...(gicd !== undefined && { gicd }),
      ...(gicr !== undefined && { gicr }),
      ...(gits !== undefined && { gits }),
    },
  };
}

import { Layer } from '../assembly/abi.ts';
import type { MachineConfig } from './config.ts';
import { GicError } from './errors.ts';

const layers = { irqchip: Layer.IRQCHIP, kvm: Layer.KVM, simulation: Layer.SIMULATION } as const;

/**
 * The highest layer above the hardware that a machine has memory for: `irqchip` for `IrqChip`, `kvm` for `Kvm` too,
 * `simulation` for `Simulation` too.
 */
export type LayerName = keyof typeof layers;

export const layerNames = Object.keys(layers) as LayerName[];

/** What the layers have room for. Each VM takes 0.5 MiB, a vCPU 15 KiB, a guest's LPI 0.2 KiB, a device 3 KiB. */
export interface Limits {
  /** VMs at a time, 1 to 64. */
  readonly vms: number;
  /** vCPUs of all VMs together, 1 to 4096. */
  readonly vcpus: number;
  /** LPIs of all guests together, and events that their ITSs map: 0 to 131072. */
  readonly guestLpis: number;
  /** Devices of the simulation, 1 to 1024. */
  readonly devices: number;
}

/** The largest limits; the least are 1, of `guestLpis` 0. */
export const mostLimits: Limits = { vms: 64, vcpus: 4096, guestLpis: 131_072, devices: 1024 };

const none: Limits = { vms: 0, vcpus: 0, guestLpis: 0, devices: 0 };

/** What a layer of a machine has room for: nothing where the machine goes without it. */
export function limitsOf({ layers: highest, limits }: MachineConfig, layer: LayerName): Limits {
  return layers[highest] >= layers[layer] ? limits : none;
}

/** The number of a machine's highest layer. */
export function layerNumber({ layers: highest }: MachineConfig): Layer {
  return layers[highest];
}

/** Throws a `GicError` for a machine that has no memory for a layer. */
export function requireLayer({ layers: highest }: MachineConfig, layer: LayerName, what: string): void {
  if (layers[highest] >= layers[layer]) return;
  const enough = layerNames.filter((name) => layers[name] >= layers[layer]).map((name) => `"${name}"`);
  throw new GicError('INVALID_CONFIG', 'layers', highest, `${enough.join(' or ')} for a ${what}`);
}

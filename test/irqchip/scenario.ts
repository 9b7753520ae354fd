import {
  createMachine,
  type Device,
  type DeviceIrq,
  IrqChipError,
  type KernelEra,
  type LpiProperties,
  type Machine,
  type MachineOptions,
  type VirtualSgiIrq,
  type Vm,
  type Vpe,
} from '../../bindings/index.ts';
import { golden, notation } from './notation.ts';
import { EVENT, System, type SystemName, systems, VINTID } from './system.ts';

/** Two GICv4.1 ITSs, of which one VMOVP moves a vPE for both, or each needs its own. */
export const moreSystems = {
  ...systems,
  v4_1TwoIts: { architecture: 'GICv4.1', itsCount: 2, vmovpOnAnyIts: true },
  v4_1ItsList: { architecture: 'GICv4.1', itsCount: 2, vmovpOnAnyIts: false },
} as const satisfies Record<string, MachineOptions>;

export type AnySystem = SystemName | keyof typeof moreSystems;

/** Machines that are quick to make. */
const SMALL_RAM = { base: 0x8000_0000, size: 2 ** 24 };

export const eras: readonly KernelEra[] = ['2017', '5.6', '6.19'];

export const PROPERTIES: LpiProperties = { priority: 0xa0, enabled: true };

/**
 * A device of eight events whose fourth is activated on PE 1, and a VM, on a system. In its logs `lpi` is that event's
 * LPI, `lpi0` that of event 0, `db0` the doorbell of vPE 0 and `vpt0` its pending table, and so on; `vprop` is the VM's
 * property table.
 */
export class Scenario {
  readonly system: System;
  readonly device: Device;
  readonly irq: DeviceIrq;
  readonly #vm: Vm | undefined;
  readonly #sgis = new Map<number, readonly VirtualSgiIrq[]>();
  /** Another VM, for what wants one. */
  other: Vm | undefined;
  readonly names = new Map<number, string>();

  constructor(machine: Machine, kvm: KernelEra, { its = 0, vpes = 0 } = {}) {
    this.system = new System(machine, kvm);
    const { device, irq } = this.system.device(its);
    this.device = device;
    this.irq = irq;
    for (const [event, { intid }] of device.irqs.entries())
      this.names.set(intid, event === EVENT ? 'lpi' : `lpi${event}`);
    if (vpes > 0) {
      this.#vm = this.system.vm(vpes);
      this.#name(this.#vm);
    }
  }

  #name(vm: Vm): void {
    this.names.set(vm.propertyTable, 'vprop');
    for (const [n, { doorbell, pendingTable }] of vm.vpes.entries()) {
      this.names.set(doorbell.intid, `db${n}`);
      this.names.set(pendingTable, `vpt${n}`);
    }
  }

  get vm(): Vm {
    if (!this.#vm) throw new Error('a scenario without VM');
    return this.#vm;
  }

  vpe(n = 0): Vpe {
    return this.vm.vpes[n] as Vpe;
  }

  /** The vSGIs of a vPE, which are made when they are first asked for. */
  sgis(n = 0): readonly VirtualSgiIrq[] {
    const made = this.#sgis.get(n) ?? this.vpe(n).createSgis();
    this.#sgis.set(n, made);
    return made;
  }

  /** Forwards an event, the fourth unless another is named, to a vPE. */
  forward({ vpe = 0, irq = this.irq, vIntid = VINTID, doorbell = true, properties = PROPERTIES } = {}): void {
    irq.mapVlpi({ vpe: this.vpe(vpe), vIntid, properties, doorbell });
  }

  /** What the driver does to the hardware in an operation, and the errno that it ends with, as `-> EINVAL`. */
  trace(operation: () => unknown): string[] {
    this.system.steps();
    const errno = this.#run(operation);
    const lines = notation(this.system.take(), this.names);
    return errno ? [...lines, `-> ${errno}`] : lines;
  }

  #run(operation: () => unknown): string | undefined {
    try {
      operation();
    } catch (error) {
      if (error instanceof IrqChipError) return error.code;
      throw error;
    }
    return undefined;
  }
}

/** A scenario on a system by name; `vpes` is 0 where the system has no GICv4. */
export async function scenario(
  name: AnySystem,
  kvm: KernelEra = '5.6',
  options: { its?: number; vpes?: number } = {},
) {
  const machine = await createMachine({ cpus: 4, ram: SMALL_RAM, eventCapacity: 1024, ...moreSystems[name] });
  const vpes = machine.config.architecture === 'GICv3' ? 0 : (options.vpes ?? 1);
  return new Scenario(machine, kvm, { ...options, vpes });
}

/** A scenario whose event is forwarded to the first vPE. */
export async function forwarded(name: AnySystem, kvm: KernelEra = '5.6', options = {}) {
  const s = await scenario(name, kvm, options);
  s.forward();
  return s;
}

export { golden };

import {
  actionText,
  createMachine,
  type Device,
  type DeviceIrq,
  type DriverAction,
  type HistoricalBugName,
  IrqChip,
  type Machine,
  type Vm,
} from '../../bindings/index.ts';

/** Systems that the driver treats differently. */
export const systems = {
  v3: { architecture: 'GICv3', directLpi: false },
  v3DirectLpi: { architecture: 'GICv3', directLpi: true },
  v4: { architecture: 'GICv4.0', directLpi: true },
  v4Proxy: { architecture: 'GICv4.0', directLpi: false },
  v4TwoIts: { architecture: 'GICv4.0', directLpi: true, itsCount: 2, vmovpOnAnyIts: true },
  v4ItsList: { architecture: 'GICv4.0', directLpi: true, itsCount: 2, vmovpOnAnyIts: false },
  v4_1: { architecture: 'GICv4.1' },
} as const;

export type SystemName = keyof typeof systems;
type Era = '2017' | '5.6' | '6.19';

export const DEVICE = 0x10;
export const EVENT = 3;
export const VINTID = 8300;

/** The driver on a machine of four PEs whose CPU interfaces take everything. */
export class System {
  readonly chip: IrqChip;
  /** What the driver did since it was started, as far as it was taken. */
  readonly log: DriverAction[] = [];

  constructor(
    readonly machine: Machine,
    kvm: Era,
    bugs: readonly HistoricalBugName[] = [],
    pollLimit = 1000,
  ) {
    this.chip = new IrqChip(machine, { kvm, bugs, pollLimit });
    for (let cpu = 0; cpu < machine.cpus; cpu++) {
      machine.writeSystemRegister(cpu, 'ICC_PMR_EL1', 0xf8);
      machine.writeSystemRegister(cpu, 'ICC_IGRPEN1_EL1', 1);
    }
    this.steps();
  }

  /** What the driver did since the last call. */
  take(): DriverAction[] {
    const actions = this.chip.takeLog();
    this.log.push(...actions);
    return actions;
  }

  /** `take` as lines, addresses of tables by name. */
  steps(): string[] {
    return this.take()
      .map(actionText)
      .map((line) => line.replace(/(ITT_addr|VPT_addr|VCONF_ADDR) 0x[1-9a-f][0-9a-f]*/g, '$1 table'));
  }

  /** A device of eight events; its fourth is activated on PE 1. */
  device(its = 0): { device: Device; irq: DeviceIrq } {
    const device = this.chip.createDevice({ its, deviceId: DEVICE, events: 8 });
    const irq = device.irqs[EVENT] as DeviceIrq;
    irq.activate(1);
    this.steps();
    return { device, irq };
  }

  vm(vpes = 1): Vm {
    const vm = this.chip.createVm(vpes);
    vm.activate();
    this.steps();
    return vm;
  }

  /** A device's event that is forwarded to the first vPE of a VM. */
  forwarded({ its = 0, doorbell = true, vpes = 1 } = {}) {
    const { device, irq } = this.device(its);
    const vm = this.vm(vpes);
    const vpe = first(vm.vpes);
    irq.mapVlpi({ vpe, vIntid: VINTID, properties: { priority: 0xa0, enabled: true }, doorbell });
    this.steps();
    return { device, irq, vm, vpe };
  }
}

export async function start(
  name: SystemName,
  kvm: Era = '5.6',
  bugs: readonly HistoricalBugName[] = [],
  pollLimit?: number,
): Promise<System> {
  return new System(await createMachine({ cpus: 4, ...systems[name] }), kvm, bugs, pollLimit);
}

export function first<T>(list: readonly T[]): T {
  return list[0] as T;
}

/** The errno of an operation that must be refused. */
export function errnoOf(operation: () => unknown): string {
  try {
    operation();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'accepted';
}

import type { ItsCommand } from '../../../bindings/commands/command.ts';
import {
  createMachine,
  type Device,
  type DeviceIrq,
  IrqChip,
  type VlpiMap,
  type Vm,
  type Vpe,
} from '../../../bindings/index.ts';
import type { Operation, OperationName } from './operations.ts';
import { NO_DOORBELL } from './owners.ts';
import { type DriverStep, stepsOfLog } from './steps.ts';

type CommandName = ItsCommand['command'];
type CommandOf<Name extends CommandName> = Extract<ItsCommand, { command: Name }>;

/** The command of that name in an operation. */
function commandOf<Name extends CommandName>({ steps, name }: Operation, command: Name): CommandOf<Name> {
  for (const step of steps) {
    if (step.kind === 'command' && step.command.command === command) return step.command as CommandOf<Name>;
  }
  throw new Error(`${name} without ${command}`);
}

/** The PE whose register an operation writes. */
function cpuOf({ steps, name }: Operation): number {
  for (const step of steps) if (step.kind === 'register' && step.cpu !== undefined) return step.cpu;
  throw new Error(`${name} without a redistributor`);
}

/** The configuration byte that an operation writes, as properties of a VLPI. */
function propertiesOf({ steps, name }: Operation): VlpiMap['properties'] {
  for (const step of steps) {
    if (step.kind === 'byte') return { priority: step.value & 0xfc, enabled: (step.value & 1) !== 0 };
  }
  throw new Error(`${name} without a configuration byte`);
}

/** Runs recorded operations on the irqchip layer, on a machine like the recorded one. */
export class Driver {
  readonly #chip: IrqChip;
  readonly #devices = new Map<number, Device>();
  readonly #vpesOfVm: number;
  #vm: Vm | undefined;
  /** By the recorded vPEID. */
  readonly #vpes = new Map<number, Vpe>();

  private constructor(chip: IrqChip, vpesOfVm: number) {
    this.#chip = chip;
    this.#vpesOfVm = vpesOfVm;
  }

  /** Also boots: the first steps of `run` are those of the boot. */
  static async boot(operations: readonly Operation[]): Promise<Driver> {
    const machine = await createMachine({ preset: 'qemu-virt', architecture: 'GICv4.0', cpus: 4 });
    const vpes = operations.filter(({ name }) => name === 'activateVpe').length;
    return new Driver(new IrqChip(machine, { kvm: '5.6' }), vpes);
  }

  /** What the layer does for an operation. */
  run(operation: Operation): DriverStep[] {
    this.#actions[operation.name](operation);
    return stepsOfLog(this.#chip.takeLog());
  }

  readonly #actions: Readonly<Record<OperationName, (operation: Operation) => void>> = {
    boot: () => {},
    unexplained: () => {},

    createDevice: (operation) => {
      const { deviceId, size } = commandOf(operation, 'MAPD');
      this.#devices.set(deviceId, this.#chip.createDevice({ deviceId, events: 2 << size }));
    },
    freeDevice: (operation) => {
      const { deviceId } = commandOf(operation, 'MAPD');
      this.#device(deviceId).free();
      this.#devices.delete(deviceId);
    },

    activate: (operation) => this.#irq(operation).activate(commandOf(operation, 'MAPTI').icid),
    deactivate: (operation) => this.#irq(operation).deactivate(),
    mask: (operation) => this.#irq(operation).mask(),
    unmask: (operation) => this.#irq(operation).unmask(),
    setAffinity: (operation) => this.#irq(operation).setAffinity(commandOf(operation, 'MOVI').icid),

    mapVlpi: (operation) => {
      const { vpeId, vIntid, doorbell } = commandOf(operation, 'VMAPTI');
      this.#irq(operation).mapVlpi({
        vpe: this.#vpe(vpeId),
        vIntid,
        properties: propertiesOf(operation),
        doorbell: doorbell !== NO_DOORBELL,
      });
    },
    remapVlpi: (operation) => {
      const { vpeId, doorbell } = commandOf(operation, 'VMOVI');
      const irq = this.#irq(operation);
      const { vIntid, properties } = irq.getVlpi() as VlpiMap;
      irq.mapVlpi({ vpe: this.#vpe(vpeId), vIntid, properties, doorbell: doorbell !== NO_DOORBELL });
    },
    updateAndInvalidateVlpi: (operation) => this.#irq(operation).updateVlpi(propertiesOf(operation), true),
    unmapVlpi: (operation) => this.#irq(operation).unmapVlpi(),

    activateVpe: (operation) => this.#owner(operation).doorbell.activate(),
    deactivateVpe: (operation) => this.#owner(operation).doorbell.deactivate(),
    freeVm: () => this.#vm?.free(),
    moveVpe: (operation) => this.#owner(operation).doorbell.setAffinity(commandOf(operation, 'VMOVP').rdBase),
    schedule: (operation) => this.#owner(operation).schedule(cpuOf(operation)),
    deschedule: (operation) => this.#owner(operation).deschedule(),
    descheduleAndRing: (operation) => this.#owner(operation).deschedule({ doorbell: true }),
    clearDoorbell: (operation) => this.#owner(operation).doorbell.setPending(false),
    handleDoorbell: (operation) => this.#owner(operation).doorbell.mask(),
    invallVpe: (operation) => this.#owner(operation).invall(),
  };

  #device(deviceId: number): Device {
    const device = this.#devices.get(deviceId);
    if (!device) throw new Error(`no device ${deviceId}`);
    return device;
  }

  #irq({ owner, name }: Operation): DeviceIrq {
    const irq = owner.kind === 'event' ? this.#device(owner.deviceId).irqs[owner.eventId] : undefined;
    if (!irq) throw new Error(`${name} of no interrupt`);
    return irq;
  }

  #owner({ owner, name }: Operation): Vpe {
    if (owner.kind !== 'vpe') throw new Error(`${name} of no vPE`);
    return this.#vpe(owner.vpeId);
  }

  /** The recorded VM is made with its first vPE; the driver numbers the vPEs of a VM upwards. */
  #vpe(vpeId: number): Vpe {
    this.#vm ??= this.#chip.createVm(this.#vpesOfVm);
    const known = this.#vpes.get(vpeId) ?? this.#vm.vpes[this.#vpes.size];
    if (!known) throw new Error(`no vPE ${vpeId}`);
    this.#vpes.set(vpeId, known);
    return known;
  }
}

import { IrqfdField } from '../../assembly/abi.ts';
import { requireInteger } from '../errors.ts';
import type { DeviceIrq } from '../irqchip/device.ts';
import { succeed } from '../irqchip/errors.ts';
import { type MsiMessage, requireMessage } from './its.ts';
import { type MsiResultName, msiResultName, msiResultNames } from './its_outcomes.ts';
import type { GuestVm } from './vm.ts';

/** Where a GSI leads: a message, a pin of the guest's distributor (SPI 32 + pin), or nowhere. */
export type GsiRoute =
  | MsiMessage
  | {
      /** 0 to 987. */
      readonly pin: number;
    }
  | undefined;

const GSIS = 1024;
const NOWHERE = 0xffff_ffff;

/**
 * KVM_SET_GSI_ROUTING for one GSI. Where a message's route changes, an interrupt that is forwarded by it comes back to
 * software, until its producer comes anew.
 */
export function routeGsi(vm: GuestVm, gsi: number, route: GsiRoute): void {
  requireInteger('INVALID_ARGUMENT', 'gsi', gsi, 0, GSIS - 1);
  const { engine } = vm.kvm.chip.machine;
  if (route && 'address' in route) {
    requireMessage(route);
    const { address, data, deviceId } = route;
    const flags = deviceId === undefined ? 0 : 1;
    succeed(engine.kvmRouteMsi(vm.index, gsi, address, data, deviceId ?? 0, flags), 'routeGsi');
    return;
  }
  const pin = route ? requireInteger('INVALID_ARGUMENT', 'pin', route.pin, 0, 987) : NOWHERE;
  succeed(engine.kvmRoutePin(vm.index, gsi, pin), 'routeGsi');
}

/** KVM_IRQFD: an eventfd whose signals become the interrupt that its GSI is routed to. */
export class Irqfd {
  /** The VM that its interrupt is for. */
  readonly vm: GuestVm;
  /** 0 to 1023. */
  readonly gsi: number;
  /** Number among all irqfds. */
  readonly index: number;

  constructor(vm: GuestVm, gsi: number) {
    requireInteger('INVALID_ARGUMENT', 'gsi', gsi, 0, GSIS - 1);
    this.vm = vm;
    this.gsi = gsi;
    this.index = succeed(vm.kvm.chip.machine.engine.kvmOpenIrqfd(vm.index, gsi), 'openIrqfd', {
      ENOMEM: 'all irqfds are in use',
    });
  }

  /** The eventfd is written. */
  signal(): MsiResultName {
    const result = this.vm.kvm.chip.machine.engine.kvmSignalIrqfd(this.index);
    return msiResultName(this.#attempt('signal', result));
  }

  /**
   * An assigned device's vector is enabled with this eventfd (kvm_arch_irq_bypass_add_producer): from here on the host's
   * handler signals it, unless the guest has mapped the event; then it is forwarded. The interrupt must be activated.
   */
  addProducer(irq: DeviceIrq): void {
    this.#attempt('addProducer', this.vm.kvm.chip.machine.engine.kvmAddProducer(this.index, irq.number), {
      EINVAL: 'the interrupt is not activated',
      EBUSY: 'the irqfd has another producer, or the interrupt another irqfd',
    });
  }

  /** The vector is disabled (kvm_arch_irq_bypass_del_producer). */
  removeProducer(): void {
    this.#attempt('removeProducer', this.vm.kvm.chip.machine.engine.kvmRemoveProducer(this.index));
  }

  /** The eventfd is closed: its producer comes first back to software. */
  close(): void {
    this.#attempt('close', this.vm.kvm.chip.machine.engine.kvmCloseIrqfd(this.index));
  }

  /** The producer's interrupt is delivered as a VLPI. */
  get forwarded(): boolean {
    return this.#field(IrqfdField.FORWARDED) !== 0;
  }

  /** Signals so far. */
  get signalled(): number {
    return this.#field(IrqfdField.SIGNALLED);
  }

  /** Signals that had to wait for a work item: they were not in the translation cache. */
  get deferred(): number {
    return this.#field(IrqfdField.DEFERRED);
  }

  /** What became of the last signal. */
  get lastResult(): MsiResultName {
    return msiResultName(this.#field(IrqfdField.LAST_RESULT));
  }

  /** What became of the signals; the numbers add up to `signalled`. */
  results(): Record<MsiResultName, number> {
    const { engine } = this.vm.kvm.chip.machine;
    const counts = msiResultNames.map((name, n) => [name, engine.kvmIrqfdResults(this.index, n) >>> 0]);
    return Object.fromEntries(counts) as Record<MsiResultName, number>;
  }

  #field(field: IrqfdField): number {
    return this.vm.kvm.chip.machine.engine.kvmIrqfdField(this.index, field);
  }

  #attempt(operation: string, result: number, reasons = {}): number {
    return succeed(result, `irqfd ${this.index}.${operation}`, reasons);
  }
}

/** An interrupt of a host device that is assigned to a guest: VFIO's vector, its irqfd and its route. */
export class AssignedInterrupt {
  /** What brings it into the guest by software. */
  readonly irqfd: Irqfd;
  /** The interrupt of the host. */
  readonly irq: DeviceIrq;

  constructor(vm: GuestVm, options: { gsi: number; irq: DeviceIrq; message: MsiMessage }) {
    routeGsi(vm, options.gsi, options.message);
    this.irqfd = new Irqfd(vm, options.gsi);
    this.irq = options.irq;
  }

  /** VFIO enables the vector on a PE: the host's irq is mapped, unmasked and joined to the irqfd. */
  enable(cpu = 0): void {
    this.irq.activate(cpu);
    this.irq.unmask();
    this.irqfd.addProducer(this.irq);
  }

  /** VFIO disables the vector. */
  disable(): void {
    this.irqfd.removeProducer();
    this.irq.deactivate();
  }

  /** The guest's driver changes the device's MSI-X entry, which user space sees. */
  reroute(route: GsiRoute): void {
    routeGsi(this.irqfd.vm, this.irqfd.gsi, route);
  }

  /** It is delivered as a VLPI. */
  get forwarded(): boolean {
    return this.irqfd.forwarded;
  }
}

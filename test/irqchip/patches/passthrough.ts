import type { AssignedInterrupt, DeviceIrq, KernelEra, Machine, Vcpu } from '../../../bindings/index.ts';
import { GuestIts, type GuestItsOptions } from '../../kvm/guest_its.ts';
import { notation } from '../notation.ts';

/** The host's device, the guest's, and the guest's first LPI of it. */
export const HOST_DEVICE = 0x10;
export const GUEST_DEVICE = 3;
export const LPI = 8300;

export const ERAS: readonly KernelEra[] = ['2017', '5.6', '6.19'];

export interface PassthroughOptions extends GuestItsOptions {
  /** Events of the device that the guest has mapped to LPI 8300 and on, on vCPU 0, and that are assigned to it. */
  readonly events?: number;
}

/**
 * A guest whose driver has set a virtual ITS up, with a device of the host that has eight events, of which the guest may
 * have some assigned: event n of the guest's device 3 is event n of the host's device 0x10, whose LPI is activated on
 * PE 1. In its traces `lpi0` is the LPI of event 0, `db0` the doorbell of vPE 0 and `vpt0` its pending table, and so on;
 * `vprop` is the VM's property table.
 */
export class Passthrough {
  readonly irqs: readonly DeviceIrq[];
  readonly assigned: AssignedInterrupt[] = [];

  constructor(
    readonly guest: GuestIts,
    events: number,
  ) {
    this.irqs = guest.hostDevice(HOST_DEVICE).irqs;
    guest.mapDevice(GUEST_DEVICE);
    for (let event = 0; event < events; event++) {
      guest.map(GUEST_DEVICE, event, LPI + event);
      this.assign(event).enable(1);
    }
    guest.steps();
  }

  static async start({ events = 1, ...options }: PassthroughOptions = {}): Promise<Passthrough> {
    return new Passthrough(await GuestIts.start({ hardware: 'v4', ...options }), events);
  }

  static on(machine: Machine, { events = 1, ...options }: PassthroughOptions = {}): Passthrough {
    return new Passthrough(GuestIts.on(machine, options), events);
  }

  get machine(): Machine {
    return this.guest.chip.machine;
  }

  irq(event = 0): DeviceIrq {
    return this.irqs[event] as DeviceIrq;
  }

  /** Routes an event to the guest; whoever enables it makes it a VLPI if the guest has mapped it. */
  assign(event: number): AssignedInterrupt {
    const assigned = this.guest.assign(this.irq(event), GUEST_DEVICE, event);
    this.assigned[event] = assigned;
    return assigned;
  }

  vcpu(n = 0): Vcpu {
    return this.guest.vm.vcpus[n] as Vcpu;
  }

  /** A vCPU in the guest, on a PE, that takes every interrupt. */
  run(n = 0, cpu = n): Vcpu {
    const vcpu = this.vcpu(n).run(cpu);
    vcpu.guest.writeRegister('ICC_PMR_EL1', 0xf8);
    vcpu.guest.writeRegister('ICC_IGRPEN1_EL1', 1);
    return vcpu;
  }

  /** The device signals. */
  signal(event = 0): void {
    this.machine.sendMsi(HOST_DEVICE, event);
    this.guest.kvm.serve();
  }

  /** The pending bit of a VLPI in the pending table of a vPE. */
  isPendingInTable(event = 0, vpe = 0): boolean {
    const intid = LPI + event;
    const byte = this.machine.its(0).vpePendingTable(vpe)[intid >> 3] ?? 0;
    return ((byte >> (intid & 7)) & 1) === 1;
  }

  /** What the host's driver does to the hardware meanwhile. */
  trace(operation: () => unknown): string[] {
    this.guest.chip.takeLog();
    operation();
    return notation(this.guest.chip.takeLog(), this.#names());
  }

  #names(): Map<number, string> {
    const names = new Map(this.irqs.map(({ intid }, event) => [intid, `lpi${event}`]));
    for (const { vpe, index } of this.guest.vm.vcpus) {
      if (!vpe) continue;
      names.set(vpe.doorbell.intid, `db${index}`);
      names.set(vpe.pendingTable, `vpt${index}`);
      names.set(this.machine.engine.irqchipVmTable(0), 'vprop');
    }
    return names;
  }
}

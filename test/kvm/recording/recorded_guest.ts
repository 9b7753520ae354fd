import { createMachine, type GuestVm, type Machine, type Vcpu } from '../../../bindings/index.ts';
import { GuestIts } from '../guest_its.ts';
import { FIRST_LPI, isSpi, TIMER } from './arrivals.ts';

const PRIORITY = 0xa0;
/** Devices of the guest: an emulated one, and one of the host that is assigned to it. */
const EMULATED = 1;
const ASSIGNED = 0x20;
const ASSIGNED_EVENTS = 32;
/** Offsets in the guest's distributor, and in its redistributors' SGI frames. */
const ISENABLER = 0x100;
const IPRIORITYR = 0x400;
const IROUTER = 0x6000;
const SGI_FRAME = 0x1_0000;
const REDISTRIBUTOR = 0x2_0000;
/** All SGIs, and the virtual timer. */
const PRIVATE_ENABLES = 0xffff + 2 ** TIMER;
const NEVER = 2n ** 62n;

/**
 * A guest like the recorded one, and the devices around it. When it set its interrupt controller up the recording does not
 * tell: here everything is set up from the start.
 */
export class RecordedGuest {
  readonly vm: GuestVm;
  readonly #its: GuestIts;
  readonly #assigned;
  /** Of each PE, without a copy. */
  readonly #listRegisters: readonly BigUint64Array[];
  /** Events of the assigned device, by vCPU and INTID. */
  readonly #vlpis = new Map<string, number>();

  private constructor(
    readonly machine: Machine,
    its: GuestIts,
  ) {
    this.#its = its;
    this.vm = its.vm;
    this.#assigned = its.chip.createDevice({ deviceId: ASSIGNED, events: ASSIGNED_EVENTS });
    this.#listRegisters = Array.from({ length: machine.cpus }, (_, cpu) => machine.cpu(cpu).listRegisters);
    this.#setUp();
  }

  static async boot(): Promise<RecordedGuest> {
    const machine = await createMachine({ preset: 'qemu-virt', architecture: 'GICv4.0', cpus: 4 });
    return new RecordedGuest(machine, GuestIts.on(machine, { kvm: '5.6', vcpus: 2 }));
  }

  #setUp(): void {
    const { vm } = this;
    for (let intid = 0; intid < 64; intid += 4) {
      for (const frame of this.#frames(intid)) vm.write(frame + IPRIORITYR + intid, PRIORITY * 0x0101_0101);
    }
    for (const frame of this.#frames(0)) vm.write(frame + ISENABLER, PRIVATE_ENABLES);
    vm.write(vm.distributor + ISENABLER + 4, 0xffff_ffff);
    this.#its.mapDevice(EMULATED);
  }

  /** The frames with the registers of an interrupt. */
  #frames(intid: number): number[] {
    const { vm } = this;
    if (intid >= 32) return [vm.distributor];
    return vm.vcpus.map((_, n) => vm.redistributors + n * REDISTRIBUTOR + SGI_FRAME);
  }

  vcpu(n: number): Vcpu {
    return this.vm.vcpus[n] as Vcpu;
  }

  /** The guest has routed an SPI, or mapped or moved an LPI of the emulated device, to a vCPU. */
  route(vcpu: number, intid: number): void {
    if (intid >= FIRST_LPI) this.#routeLpi(vcpu, intid);
    else if (isSpi(intid) && this.vm.spi(intid).target !== vcpu) {
      this.vm.write(this.vm.distributor + IROUTER + intid * 8, vcpu, 8);
    }
  }

  #routeLpi(vcpu: number, intid: number): void {
    const eventId = intid - FIRST_LPI;
    const icid = this.#its.its.event(EMULATED, eventId)?.icid;
    if (icid === undefined) this.#its.map(EMULATED, eventId, intid, vcpu);
    else if (icid !== vcpu) this.#its.act({ command: 'MOVI', deviceId: EMULATED, eventId, icid: vcpu });
  }

  /** An SGI is sent, a line moves, the emulated device sends a message. */
  inject(vcpu: number, intid: number, level: boolean): void {
    if (intid >= FIRST_LPI) this.#its.msi(EMULATED, intid - FIRST_LPI);
    else this.machine.engine.kvmInject(this.vm.index, vcpu, intid, level ? 1 : 0, 0);
  }

  /** The assigned device sends a message, which becomes a VLPI. */
  injectDirectly(vcpu: number, vIntid: number): void {
    const key = `${vcpu} ${vIntid}`;
    const event = this.#vlpis.get(key) ?? this.#vlpis.size;
    if (!this.#vlpis.has(key)) this.#forward(event, vcpu, vIntid);
    this.#vlpis.set(key, event);
    this.machine.sendMsi(ASSIGNED, event);
  }

  #forward(event: number, vcpu: number, vIntid: number): void {
    const irq = this.#assigned.irqs[event];
    const { vpe } = this.vcpu(vcpu);
    if (!irq || !vpe) throw new Error('more VLPIs than the device has events, or no vPE');
    irq.activate(0);
    irq.mapVlpi({ vpe, vIntid, properties: { priority: PRIORITY, enabled: true }, doorbell: false });
  }

  /** The guest on a PE programs its virtual timer; undefined for a time that does not come. */
  programTimer(cpu: number, expiry: number | undefined): void {
    this.write(cpu, 'CNTV_CVAL_EL0', expiry === undefined ? NEVER : BigInt(expiry));
    this.write(cpu, 'CNTV_CTL_EL0', 1n);
  }

  /** The output of the virtual timer: CNTV_CTL_EL0.ISTATUS. */
  isTimerHigh(cpu: number): boolean {
    return (this.read(cpu, 'CNTV_CTL_EL0') & 4n) !== 0n;
  }

  read(cpu: number, register: string): bigint {
    return this.machine.readSystemRegister(cpu, register);
  }

  write(cpu: number, register: string, value: bigint): void {
    this.machine.writeSystemRegister(cpu, register, value);
  }

  listRegisters(cpu: number): bigint[] {
    return [...(this.#listRegisters[cpu] as BigUint64Array)];
  }
}

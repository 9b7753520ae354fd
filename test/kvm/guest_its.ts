import {
  AssignedInterrupt,
  createMachine,
  type Device,
  type DeviceIrq,
  type GuestVm,
  IrqChip,
  type ItsCommand,
  type ItsOutcomeName,
  type KernelEra,
  Kvm,
  type Machine,
  type MachineOptions,
  type MsiResultName,
  signalMsi,
  type VirtualIrq,
  VirtualIts,
} from '../../bindings/index.ts';
import { systems } from '../irqchip/system.ts';

/** Where a guest has its tables; 64 KiB each. */
export const RAM = 0x4000_0000;
export const QUEUE = RAM;
export const DEVICE_TABLE = RAM + 0x1_0000;
export const COLLECTION_TABLE = RAM + 0x2_0000;
export const PROPERTY_TABLE = RAM + 0x3_0000;
export const PENDING_TABLES = RAM + 0x4_0000;
export const ITTS = RAM + 0x10_0000;
export const RAM_BYTES = 0x40_0000;

/** An ITT of 512 events. */
const ITT_BYTES = 0x1000;
const REDISTRIBUTOR = 0x2_0000;
const GICR_CTLR = 0x0;
const GICR_PROPBASER = 0x70;
const GICR_PENDBASER = 0x78;
const PTZ = 1n << 62n;
export const VALID = 1n << 63n;
export const INDIRECT = 1n << 62n;

export interface GuestItsOptions {
  readonly hardware?: keyof typeof systems;
  readonly kvm?: KernelEra;
  readonly vcpus?: number;
  readonly cpus?: number;
  readonly directInjection?: boolean;
  /** The guest sets its tables up and switches the vITS and its LPIs on; default true. */
  readonly enabled?: boolean;
}

/** A guest whose driver has set a virtual ITS up: flat tables, LPIs enabled at priority 0xa0, one collection a vCPU. */
export class GuestIts {
  readonly its: VirtualIts;
  #itts = 0;

  constructor(
    readonly chip: IrqChip,
    readonly kvm: Kvm,
    readonly vm: GuestVm,
    enabled = true,
  ) {
    this.its = new VirtualIts(vm);
    vm.memory(PROPERTY_TABLE, 0x1_0000).fill(0xa1);
    if (enabled) this.enable();
  }

  static async start(options: GuestItsOptions = {}): Promise<GuestIts> {
    const { hardware = 'v3', cpus = 4 } = options;
    return GuestIts.on(await createMachine({ cpus, ...systems[hardware] } as MachineOptions), options);
  }

  static on(machine: Machine, options: GuestItsOptions = {}): GuestIts {
    const { kvm: era = '5.6', vcpus = 2, directInjection = true, enabled = true } = options;
    const chip = new IrqChip(machine, { kvm: era });
    const kvm = new Kvm(chip, { directInjection });
    const guest = GuestIts.add(chip, kvm, vcpus, enabled);
    chip.takeLog();
    return guest;
  }

  /** Another guest of the same host. */
  static add(chip: IrqChip, kvm: Kvm, vcpus: number, enabled = true): GuestIts {
    const vm = kvm.createVm({ vcpus, ram: { base: RAM, size: RAM_BYTES } });
    vm.init();
    vm.write(vm.distributor, 2);
    return new GuestIts(chip, kvm, vm, enabled);
  }

  /** What the guest's driver does at boot. */
  enable(): void {
    this.setTables();
    this.vm.vcpus.forEach((_, vcpu) => {
      this.setLpiTables(vcpu);
      this.enableLpis(vcpu, true);
    });
    this.its.write('GITS_CTLR', 1);
    this.vm.vcpus.forEach((_, vcpu) => {
      this.act({ command: 'MAPC', icid: vcpu, rdBase: vcpu, valid: true });
    });
  }

  setTables({
    devices = VALID | BigInt(DEVICE_TABLE),
    collections = VALID | BigInt(COLLECTION_TABLE),
  } = {}): void {
    this.its.write('GITS_BASER0', devices);
    this.its.write('GITS_BASER1', collections);
    this.its.write('GITS_CBASER', VALID | BigInt(QUEUE) | 15n);
  }

  setLpiTables(
    vcpu: number,
    { properties = PROPERTY_TABLE, pending = pendingTable(vcpu), zero = true } = {},
  ): void {
    this.writeRd(vcpu, GICR_PROPBASER, BigInt(properties) | 15n, 8);
    this.writeRd(vcpu, GICR_PENDBASER, BigInt(pending) | (zero ? PTZ : 0n), 8);
  }

  enableLpis(vcpu: number, enabled: boolean): void {
    this.writeRd(vcpu, GICR_CTLR, enabled ? 1n : 0n, 4);
  }

  writeRd(vcpu: number, offset: number, value: bigint, size: 4 | 8): void {
    this.vm.write(this.vm.redistributors + vcpu * REDISTRIBUTOR + offset, value, size);
  }

  /** Puts one command into the queue; what became of it. */
  act(command: ItsCommand): ItsOutcomeName {
    this.its.command(command);
    return this.its.lastOutcome;
  }

  /** MAPD with a new ITT, of 32 events unless told. */
  mapDevice(deviceId: number, bits = 5): void {
    const ittAddress = ITTS + ITT_BYTES * this.#itts++;
    this.act({ command: 'MAPD', deviceId, size: bits - 1, ittAddress, valid: true });
  }

  /** The next ITT is the first one again. */
  resetItts(): void {
    this.#itts = 0;
  }

  /** MAPTI; the collection of vCPU n is n. */
  map(deviceId: number, eventId: number, intid: number, icid = 0): ItsOutcomeName {
    return this.act({ command: 'MAPTI', deviceId, eventId, pIntid: intid, icid });
  }

  /** A device's message from user space. */
  msi(deviceId: number, eventId: number): MsiResultName {
    return signalMsi(this.vm, { address: this.its.translater, data: eventId, deviceId });
  }

  lpi(intid: number): VirtualIrq {
    const irq = this.vm.lpi(intid);
    if (!irq) throw new Error(`no LPI ${intid}`);
    return irq;
  }

  setProperty(intid: number, byte: number): void {
    this.vm.memory(PROPERTY_TABLE + intid - 8192, 1)[0] = byte;
  }

  setPending(vcpu: number, intid: number): void {
    const byte = this.vm.memory(pendingTable(vcpu) + (intid >> 3), 1);
    byte[0] = (byte[0] as number) | (1 << (intid & 7));
  }

  isPendingInTable(vcpu: number, intid: number): boolean {
    const [byte] = this.vm.memory(pendingTable(vcpu) + (intid >> 3), 1);
    return (((byte as number) >> (intid & 7)) & 1) !== 0;
  }

  entry(address: number): bigint {
    return new DataView(this.vm.memory(address, 8).slice().buffer).getBigUint64(0, true);
  }

  setEntry(address: number, value: bigint): void {
    const bytes = this.vm.memory(address, 8);
    new DataView(bytes.buffer, bytes.byteOffset, 8).setBigUint64(0, value, true);
  }

  /** A device of the host. */
  hostDevice(deviceId = 0x10, events = 8): Device {
    const device = this.chip.createDevice({ deviceId, events });
    this.chip.takeLog();
    return device;
  }

  /** An interrupt of a host device, assigned to the guest's (DeviceID, EventID). */
  assign(irq: DeviceIrq, deviceId: number, eventId: number, gsi = eventId): AssignedInterrupt {
    const message = { address: this.its.translater, data: eventId, deviceId };
    return new AssignedInterrupt(this.vm, { gsi, irq, message });
  }

  /** What the driver did since the last call, addresses of tables by name. */
  steps(): string[] {
    return this.chip
      .takeLogLines()
      .map((line) => line.replace(/(ITT_addr|VPT_addr|VCONF_ADDR) 0x[1-9a-f][0-9a-f]*/g, '$1 table'));
  }
}

export function pendingTable(vcpu: number): number {
  return PENDING_TABLES + vcpu * 0x1_0000;
}

// Programs of ITS commands and MSIs that software may give.
import type { ItsCommand } from '../../../bindings/commands/command.ts';
import { msiDeviceIds } from '../msi_devices.ts';
import { CPUS, FIRST_LPI, GICD_CTLR, GROUP1, type Program, WINDOW_INTIDS } from '../program.ts';

interface Device {
  readonly id: number;
  /** EventID bits minus one. */
  readonly size: number;
  readonly itt: number;
}

interface Event {
  readonly deviceId: number;
  readonly eventId: number;
  /** Index of the vPE, or undefined for an LPI. */
  vpe: number | undefined;
}

interface Vpe {
  readonly id: number;
  readonly slot: number;
  cpu: number;
  resident: boolean;
}

/** What software has mapped. */
export class Traffic {
  readonly program: Program;
  readonly devices: Device[] = [];
  readonly collections: number[] = [];
  readonly vpes: Vpe[] = [];
  readonly events: Event[] = [];

  constructor(program: Program) {
    this.program = program;
  }

  /** Maps devices, collections and vPEs with random numbers. */
  map(limits: { devices: number; collections: number; vpes: number; idLimit: number }): void {
    const { program } = this;
    const ids = program.distinct(limits.devices, limits.idLimit);
    for (const [index, id] of ids.entries()) {
      const sends = msiDeviceIds[index];
      // The first ones are devices that send MSIs.
      const deviceId = sends === undefined ? id + 0x100 : sends;
      const device = { id: deviceId, size: 1 + program.below(4), itt: program.newItt() };
      if (device.id >= limits.idLimit) continue;
      this.devices.push(device);
      this.mapDevice(device);
    }
    for (const icid of program.distinct(limits.collections, limits.idLimit)) {
      this.collections.push(icid);
      this.mapCollection(icid);
    }
    for (const [slot, id] of program.distinct(limits.vpes, limits.idLimit).entries()) {
      const vpe = { id, slot, cpu: program.below(CPUS), resident: false };
      this.vpes.push(vpe);
      program.writeConfiguration(program.vpeConfigurationTable(slot), 70);
      this.mapVpe(vpe);
    }
  }

  mapDevice({ id, size, itt }: Device): void {
    this.program.command({ command: 'MAPD', deviceId: id, size, ittAddress: itt, valid: true });
  }

  mapCollection(icid: number): void {
    this.program.command({ command: 'MAPC', icid, rdBase: this.program.below(CPUS), valid: true });
  }

  mapVpe({ id, slot, cpu }: Vpe): void {
    this.program.command({
      command: 'VMAPP',
      layout: '4.0',
      vpeId: id,
      rdBase: cpu,
      vptSize: 15,
      vptAddress: this.program.vpePendingTable(slot),
      valid: true,
    });
  }

  intid(): number {
    const { program } = this;
    return program.chance(95)
      ? FIRST_LPI + program.below(WINDOW_INTIDS)
      : FIRST_LPI + program.below(65536 - FIRST_LPI);
  }

  doorbell(): number {
    return this.program.chance(40) ? 1023 : this.intid();
  }

  /** Maps an event that is not mapped, or another time one that is. */
  mapEvent(): void {
    const { program } = this;
    const { id: deviceId, size } = program.pick(this.devices);
    const eventId = program.below(2 << size);
    const vpe = this.vpes.length > 0 && program.chance(50) ? program.below(this.vpes.length) : undefined;
    const known = this.events.find((event) => event.deviceId === deviceId && event.eventId === eventId);
    if (known) known.vpe = vpe;
    else this.events.push({ deviceId, eventId, vpe });
    const place = { deviceId, eventId };
    if (vpe === undefined) {
      program.command({
        command: 'MAPTI',
        ...place,
        pIntid: this.intid(),
        icid: program.pick(this.collections),
      });
    } else {
      const { id: vpeId } = this.vpes[vpe] as Vpe;
      program.command({
        command: 'VMAPTI',
        ...place,
        vpeId,
        vIntid: this.intid(),
        doorbell: this.doorbell(),
      });
    }
  }

  /** One more command that software may give. */
  act(): void {
    const { program } = this;
    const kind = program.below(100);
    if (this.events.length < 4 || kind < 12) return this.mapEvent();
    const event = program.pick(this.events);
    const place = { deviceId: event.deviceId, eventId: event.eventId };
    if (kind < 45) return this.trigger(place);
    if (kind < 58) return program.command({ command: 'CLEAR', ...place });
    if (kind < 66) return this.discard(event);
    if (kind < 80) return this.move(event);
    if (kind < 84) return program.command({ command: 'INV', ...place });
    return program.command(this.maintenance());
  }

  trigger(place: { deviceId: number; eventId: number }): void {
    this.program.command({ command: 'INT', ...place });
  }

  discard(event: Event): void {
    this.events.splice(this.events.indexOf(event), 1);
    this.program.command({ command: 'DISCARD', deviceId: event.deviceId, eventId: event.eventId });
  }

  move(event: Event): void {
    const { program } = this;
    const place = { deviceId: event.deviceId, eventId: event.eventId };
    if (event.vpe === undefined)
      return program.command({ command: 'MOVI', ...place, icid: program.pick(this.collections) });
    event.vpe = program.below(this.vpes.length);
    const replaces = program.chance(50);
    program.command({
      command: 'VMOVI',
      ...place,
      vpeId: (this.vpes[event.vpe] as Vpe).id,
      doorbellValid: replaces,
      doorbell: replaces ? this.doorbell() : 0,
    });
  }

  /** A command that belongs to no event. */
  maintenance(): ItsCommand {
    const { program } = this;
    const icid = program.pick(this.collections);
    const cpu = program.below(CPUS);
    const vpe = this.vpes.length > 0 ? program.pick(this.vpes) : undefined;
    switch (program.below(vpe ? 8 : 5)) {
      case 0:
        return { command: 'MOVALL', rdBase1: cpu, rdBase2: program.below(CPUS) };
      case 1:
        return { command: 'INVALL', icid };
      case 2:
        return { command: 'MAPC', icid, rdBase: cpu, valid: true };
      case 3:
      case 4:
        return { command: 'SYNC', rdBase: cpu };
      case 5:
        return { command: 'VINVALL', vpeId: vpe?.id ?? 0 };
      case 6:
        return { command: 'VSYNC', vpeId: vpe?.id ?? 0 };
      default:
        return this.moveVpe();
    }
  }

  /** VMOVP of a vPE that is not resident, where there is one. */
  moveVpe(): ItsCommand {
    const { program } = this;
    const idle = this.vpes.filter(({ resident }) => !resident);
    if (idle.length === 0) return { command: 'SYNC', rdBase: 0 };
    const vpe = program.pick(idle);
    vpe.cpu = program.below(CPUS);
    return {
      command: 'VMOVP',
      vpeId: vpe.id,
      rdBase: vpe.cpu,
      sequenceNumber: program.below(0x10000),
      itsList: 0,
      defaultDoorbellValid: false,
      defaultDoorbell: 0,
    };
  }

  /** Schedules vPEs in and out. */
  changeResidency(): void {
    const { program } = this;
    for (const vpe of this.vpes) {
      if (!program.chance(40)) continue;
      if (vpe.resident) this.scheduleOut(vpe);
      else if (this.vpes.every(({ cpu, resident }) => !resident || cpu !== vpe.cpu)) this.scheduleIn(vpe);
    }
  }

  scheduleIn(vpe: Vpe): void {
    const { program } = this;
    const frame = program.vlpiFrame(vpe.cpu);
    const table = program.vpePendingTable(vpe.slot);
    vpe.resident = true;
    program.gic.write(frame + 0x70, 8, program.vpeConfigurationTable(vpe.slot) | 15);
    program.gic.write(frame + 0x78, 8, (1n << 63n) | BigInt(table));
    void program.gic.read(frame + 0x78, 8, { mask: 0x9fff_ffff_ffff_ffffn, what: 'GICR_VPENDBASER' });
  }

  scheduleOut(vpe: Vpe): void {
    const { program } = this;
    const frame = program.vlpiFrame(vpe.cpu);
    vpe.resident = false;
    program.gic.write(frame + 0x78, 8, program.vpePendingTable(vpe.slot));
    void program.gic.read(frame + 0x78, 8, { what: 'GICR_VPENDBASER' });
  }

  /** MSIs of the devices that can send them, mapped or not. */
  sendMsis(): void {
    const { program } = this;
    for (let n = program.below(8); n > 0; n--) program.gic.msi(program.pick(msiDeviceIds), program.below(34));
  }
}

/** Everything legal at random: physical and, with GICv4, virtual LPIs. */
export function itsTraffic(program: Program): void {
  program.gic.write(GICD_CTLR, 4, GROUP1);
  program.openCpuInterfaces();
  program.setUpRedistributors();
  const pageSize = program.below(3);
  program.setUpIts({ pageSize, queuePages: program.pick([0, 0, 1, 3, 15]) });
  program.writeConfiguration(program.configurationTable, 80);
  const traffic = new Traffic(program);
  traffic.map({
    devices: 8,
    collections: 6,
    vpes: program.virtual ? 1 + program.below(8) : 0,
    idLimit: pageSize === 0 ? 0x200 : 0x400,
  });
  program.submit();
  for (let batch = 0; batch < 12; batch++) {
    for (let n = 1 + program.below(24); n > 0; n--) traffic.act();
    program.submit();
    traffic.changeResidency();
    traffic.sendMsis();
    program.comparePending();
    if (program.chance(20)) changeConfiguration(traffic);
  }
  program.comparePending(true);
}

/** Software changes configuration bytes and makes the change known. */
function changeConfiguration({ program, collections, vpes }: Traffic): void {
  const vpe = vpes.length > 0 ? program.pick(vpes) : undefined;
  if (vpe) {
    program.gic.write(
      program.vpeConfigurationTable(vpe.slot) + program.below(WINDOW_INTIDS),
      1,
      program.configurationByte(50),
    );
    program.command({ command: 'VINVALL', vpeId: vpe.id });
  }
  program.gic.write(
    program.configurationTable + program.below(WINDOW_INTIDS),
    1,
    program.configurationByte(50),
  );
  program.command({ command: 'INVALL', icid: program.pick(collections) });
}

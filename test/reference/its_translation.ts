import type { MachineConfig } from '../../bindings/config.ts';
import { CollectionTable, type Device, DeviceTable, type Mapping, readIte, writeIte } from './its_tables.ts';
import type { Memory } from './memory.ts';

/** Why a command or an MSI finds no interrupt: the last byte of a command's error code (section 6.1). */
export const Reason = {
  DEVICE_OUT_OF_RANGE: 0x01,
  SIZE_OR_TARGET_OUT_OF_RANGE: 0x02,
  COLLECTION_OUT_OF_RANGE: 0x03,
  DEVICE_UNMAPPED: 0x04,
  EVENT_OUT_OF_RANGE: 0x05,
  INTID_OUT_OF_RANGE: 0x06,
  INTERRUPT_UNMAPPED: 0x07,
  COLLECTION_UNMAPPED: 0x09,
  // Section 6.1 knows none for vPEs: these are the engine's.
  VPE_OUT_OF_RANGE: 0x11,
  VPE_UNMAPPED: 0x12,
  DOORBELL_OUT_OF_RANGE: 0x13,
} as const;
export type Reason = (typeof Reason)[keyof typeof Reason];

/** The lookup failed, or a command's parameter is bad. Nothing has been changed. */
export class Failure extends Error {
  readonly reason: Reason;

  constructor(reason: Reason) {
    super(`reason 0x${reason.toString(16)}`);
    this.reason = reason;
  }
}

/** From an event to its interrupt and its PE: section 5.11. Table accesses outside RAM throw a `TableFault`. */
export class Translation {
  readonly devices: DeviceTable;
  readonly collections: CollectionTable;
  readonly #memory: Memory;

  /** @param baser reads GITS_BASER<n> */
  constructor(config: MachineConfig, memory: Memory, baser: (n: number) => bigint) {
    this.#memory = memory;
    this.devices = new DeviceTable(config, memory, () => baser(0));
    this.collections = new CollectionTable(config, memory, () => baser(1));
  }

  /** The device of an event that its ITT has room for; else a `Failure`, or a `TableFault` for an ITT outside RAM. */
  device(deviceId: number, eventId: number): Device {
    if (!this.devices.inRange(deviceId)) throw new Failure(Reason.DEVICE_OUT_OF_RANGE);
    const device = this.devices.read(deviceId);
    if (!device) throw new Failure(Reason.DEVICE_UNMAPPED);
    if (eventId >= 2 ** device.eventBits) throw new Failure(Reason.EVENT_OUT_OF_RANGE);
    this.existing(device, eventId);
    return device;
  }

  /** LOOKUP of section 6.1: the mapping of an event; else a `Failure`. */
  lookup(deviceId: number, eventId: number): Mapping {
    const mapping = this.existing(this.device(deviceId, eventId), eventId);
    if (!mapping) throw new Failure(Reason.INTERRUPT_UNMAPPED);
    return mapping;
  }

  existing(device: Device, eventId: number): Mapping | undefined {
    return readIte(this.#memory, device, eventId);
  }

  map(device: Device, eventId: number, mapping: Mapping | undefined): void {
    writeIte(this.#memory, device, eventId, mapping);
  }
}

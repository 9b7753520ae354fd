import type { MachineConfig } from '../../bindings/config.ts';
import { numberField, ones, place } from './bits.ts';
import type { Memory } from './memory.ts';
import { baserShape, load, store, Table, VALID } from './table.ts';

/** An interrupt translation table, as MAPD gave it. */
export interface Device {
  readonly itt: number;
  readonly eventBits: number;
}

/** The Device table. An entry is V in [63], ITT address in [51:8], EventID bits less one in [4:0]. */
export class DeviceTable {
  readonly #memory: Memory;
  readonly #table: Table;

  constructor(config: MachineConfig, memory: Memory, baser: () => bigint) {
    this.#memory = memory;
    this.#table = new Table(memory, config.deviceIdBits, () => baserShape(baser(), config.tableEntryBytes));
  }

  get valid(): boolean {
    return this.#table.valid;
  }

  inRange(deviceId: number): boolean {
    return this.#table.inRange(deviceId);
  }

  /** Undefined if not mapped. */
  read(deviceId: number): Device | undefined {
    const address = this.#table.locate(deviceId);
    const entry = address === undefined ? 0n : load(this.#memory, address);
    if ((entry & VALID) === 0n) return undefined;
    return { itt: Number(entry & ones(51, 8)), eventBits: numberField(entry, 4, 0) + 1 };
  }

  /** False if the DeviceID has no entry. */
  write(deviceId: number, device: Device | undefined): boolean {
    const address = this.#table.locate(deviceId);
    if (address === undefined) return false;
    store(this.#memory, address, device ? VALID | BigInt(device.itt) | BigInt(device.eventBits - 1) : 0n);
    return true;
  }
}

/** An event that is an LPI. */
export interface PhysicalMapping {
  readonly kind: 'physical';
  readonly intid: number;
  readonly icid: number;
}

/** An event that is a VLPI; doorbell 1023 is none. */
export interface VirtualMapping {
  readonly kind: 'virtual';
  readonly vIntid: number;
  readonly vpeId: number;
  readonly doorbell: number;
}

/** What an event is mapped to: one or the other, never both (section 7.2). */
export type Mapping = PhysicalMapping | VirtualMapping;

/** An interrupt translation entry's bit for VLPIs. */
const VIRTUAL = ones(62);

/**
 * Reads an interrupt translation entry, at a stride of 8 bytes: V in [63], for an LPI the ICID in [47:32] and the
 * INTID in [31:0], for a VLPI 1 in [62], doorbell in [59:38], vINTID in [37:16], vPEID in [15:0].
 */
export function readIte(memory: Memory, { itt }: Device, eventId: number): Mapping | undefined {
  const entry = load(memory, itt + 8 * eventId);
  if ((entry & VALID) === 0n) return undefined;
  if ((entry & VIRTUAL) === 0n) {
    return { kind: 'physical', intid: numberField(entry, 31, 0), icid: numberField(entry, 47, 32) };
  }
  return {
    kind: 'virtual',
    vIntid: numberField(entry, 37, 16),
    vpeId: numberField(entry, 15, 0),
    doorbell: numberField(entry, 59, 38),
  };
}

export function writeIte(
  memory: Memory,
  { itt }: Device,
  eventId: number,
  mapping: Mapping | undefined,
): void {
  store(memory, itt + 8 * eventId, mapping ? VALID | encodeMapping(mapping) : 0n);
}

function encodeMapping(mapping: Mapping): bigint {
  if (mapping.kind === 'physical') return place(mapping.icid, 32) | BigInt(mapping.intid);
  return VIRTUAL | place(mapping.doorbell, 38) | place(mapping.vIntid, 16) | BigInt(mapping.vpeId);
}

/**
 * Collections: those with an ICID below GITS_TYPER.HCC in the ITS itself, the others in the Collection table, where
 * an entry is V in [63] and the PE in [15:0].
 */
export class CollectionTable {
  readonly #config: MachineConfig;
  readonly #memory: Memory;
  readonly #table: Table;
  readonly #hardware = new Map<number, number>();

  constructor(config: MachineConfig, memory: Memory, baser: () => bigint) {
    this.#config = config;
    this.#memory = memory;
    this.#table = new Table(memory, config.collectionIdBits, () =>
      baserShape(baser(), config.tableEntryBytes),
    );
  }

  get valid(): boolean {
    return this.#table.valid;
  }

  inRange(icid: number): boolean {
    return this.#isHardware(icid) || this.#table.inRange(icid);
  }

  /** The PE of a collection; undefined if not mapped. */
  read(icid: number): number | undefined {
    if (this.#isHardware(icid)) return this.#hardware.get(icid);
    const address = this.#table.locate(icid);
    const entry = address === undefined ? 0n : load(this.#memory, address);
    const cpu = numberField(entry, 15, 0);
    return (entry & VALID) !== 0n && cpu < this.#config.cpus ? cpu : undefined;
  }

  /** False if the ICID has no entry. */
  write(icid: number, cpu: number | undefined): boolean {
    if (this.#isHardware(icid)) {
      if (cpu === undefined) this.#hardware.delete(icid);
      else this.#hardware.set(icid, cpu);
      return true;
    }
    const address = this.#table.locate(icid);
    if (address === undefined) return false;
    store(this.#memory, address, cpu === undefined ? 0n : VALID | BigInt(cpu));
    return true;
  }

  #isHardware(icid: number): boolean {
    return icid < this.#config.hardwareCollections && icid < 2 ** this.#config.collectionIdBits;
  }
}

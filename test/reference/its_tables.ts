import type { MachineConfig } from '../../bindings/config.ts';
import { field, numberField, ones, place } from './bits.ts';
import type { Memory } from './memory.ts';

/** A table, a level-1 entry or an ITT that lies outside RAM. */
export class TableFault extends Error {}

const VALID = ones(63);

function load(memory: Memory, address: number): bigint {
  const word = memory.load(address, 8);
  if (word === undefined) throw new TableFault();
  return word;
}

function store(memory: Memory, address: number, word: bigint): void {
  if (!memory.store(address, 8, word)) throw new TableFault();
}

/** A table that a GITS_BASER<n> describes: sections 5.9 and 5.10. Entries are the first 8 bytes of their slots. */
class Table {
  readonly #memory: Memory;
  readonly #entryBytes: number;
  readonly #ids: number;
  readonly #baser: () => bigint;

  constructor(config: MachineConfig, memory: Memory, idBits: number, baser: () => bigint) {
    this.#memory = memory;
    this.#entryBytes = config.tableEntryBytes;
    this.#ids = 2 ** idBits;
    this.#baser = baser;
  }

  get valid(): boolean {
    return field(this.#baser(), 63) === 1n;
  }

  /** Whether the table has room for an ID. In two levels, an ID in range may still be without an entry. */
  inRange(id: number): boolean {
    const { pageBytes, tableBytes, indirect } = this.#shape();
    const idsPerPage = Math.floor(pageBytes / this.#entryBytes);
    const room = indirect ? (tableBytes / 8) * idsPerPage : Math.floor(tableBytes / this.#entryBytes);
    return this.valid && id < Math.min(room, this.#ids);
  }

  /** The address of the entry of `id`; undefined if it has none. */
  locate(id: number): number | undefined {
    if (!this.inRange(id)) return undefined;
    const baser = this.#baser();
    const { pageBits, pageBytes, indirect } = this.#shape();
    // 64 KiB pages keep address bits [51:48] where the smaller pages have [15:12]. Low bits of a misaligned address
    // count as zero.
    const base =
      pageBits === 16
        ? numberField(baser, 47, 16) * 2 ** 16 + numberField(baser, 15, 12) * 2 ** 48
        : Number(baser & ones(47, pageBits));
    if (!indirect) return base + id * this.#entryBytes;
    const idsPerPage = Math.floor(pageBytes / this.#entryBytes);
    const level1 = load(this.#memory, base + Math.floor(id / idsPerPage) * 8);
    if ((level1 & VALID) === 0n) return undefined;
    return Number(level1 & ones(51, pageBits)) + (id % idsPerPage) * this.#entryBytes;
  }

  #shape(): { pageBits: number; pageBytes: number; tableBytes: number; indirect: boolean } {
    const baser = this.#baser();
    const pageBits = [12, 14, 16, 16][numberField(baser, 9, 8)]!;
    const pageBytes = 2 ** pageBits;
    const tableBytes = (numberField(baser, 7, 0) + 1) * pageBytes;
    return { pageBits, pageBytes, tableBytes, indirect: field(baser, 62) === 1n };
  }
}

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
    this.#table = new Table(config, memory, config.deviceIdBits, baser);
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

/** What a physical event is mapped to. */
export interface Mapping {
  readonly intid: number;
  readonly icid: number;
}

/** Reads an interrupt translation entry: V in [63], ICID in [47:32], pINTID in [31:0], at a stride of 8 bytes. */
export function readIte(memory: Memory, { itt }: Device, eventId: number): Mapping | undefined {
  const entry = load(memory, itt + 8 * eventId);
  if ((entry & VALID) === 0n) return undefined;
  return { intid: numberField(entry, 31, 0), icid: numberField(entry, 47, 32) };
}

export function writeIte(
  memory: Memory,
  { itt }: Device,
  eventId: number,
  mapping: Mapping | undefined,
): void {
  const entry = mapping ? VALID | place(mapping.icid, 32) | BigInt(mapping.intid) : 0n;
  store(memory, itt + 8 * eventId, entry);
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
    this.#table = new Table(config, memory, config.collectionIdBits, baser);
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

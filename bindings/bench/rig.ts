import type { ItsCommand } from '../commands/command.ts';
import { type MachineConfig, type MachineOptions, redistributorStride, resolveConfig } from '../config.ts';
import type { GicHardware } from '../hardware.ts';
import { registerAddress } from '../registers/index.ts';
import type { MakeGic } from './case.ts';
import { expectEqual } from './check.ts';
import { COMMANDS_MAX, CommandBatch, encodeCommands, QUEUE_PAGES_MAX } from './command_batch.ts';

export const FIRST_LPI = 8192;
/** All LPIs that INTIDs of 16 bits have room for. */
export const ALL_LPIS = 2 ** 16 - FIRST_LPI;
/** The device whose events the cases map. */
export const DEVICE = 1;
/** The priority that Linux gives to every LPI. */
export const PRIORITY = 0xa0;

const SPURIOUS = 1023;
const PAGE_4K = 0x1000;
const PAGE_64K = 0x1_0000;
const VALID = 1n << 63n;
/** GITS_BASER<n>: one page of 64 KiB, which holds 8192 entries of 8 bytes. */
const ONE_64K_PAGE = 2n << 8n;
/** The most that GITS_TYPER.ITT_entry_size can tell: any model can do the work in the same memory. */
const ITT_ENTRY_BYTES_MAX = 16;
/** Bytes before the bit of the first LPI in a pending table. */
const PENDING_TABLE_HEAD = FIRST_LPI / 8;

/**
 * A GIC as an operating system leaves it once it has booted: tables in RAM, LPIs of 16 bits enabled on every PE at
 * one priority, the ITS on, CPU interfaces open to Group 1, and the collection of each PE's number mapped to it. A
 * command error stalls the queue, so none goes unnoticed.
 */
export class Rig {
  readonly gic: GicHardware;
  readonly config: MachineConfig;
  readonly #addresses = new Map<string, number>();
  readonly #configTable: number;
  readonly #pendingTables: readonly number[];
  /** Where commands that are executed once stand. */
  readonly #queue: number;
  readonly #its: { readonly control: number; readonly base: number; readonly writer: number };
  #free: number;

  constructor(make: MakeGic, options: MachineOptions = {}) {
    const given: MachineOptions = { ...options, policy: { commandError: 'stall', ...options.policy } };
    this.config = resolveConfig(given);
    this.gic = make(given);
    this.#free = this.config.ram.base;
    this.#configTable = this.newConfigTable();
    this.#pendingTables = this.config.affinities.map(() => this.newPendingTable());
    this.#queue = this.allocate(QUEUE_PAGES_MAX * PAGE_4K);
    this.#its = {
      control: this.gits('GITS_CTLR'),
      base: this.gits('GITS_CBASER'),
      writer: this.gits('GITS_CWRITER'),
    };
    this.#start();
  }

  // Memory and addresses

  /** Gives out RAM that nothing has used, 64 KiB aligned. */
  allocate(bytes: number): number {
    const address = this.#free;
    this.#free += Math.ceil(bytes / PAGE_64K) * PAGE_64K;
    return address;
  }

  /** A configuration table in which all LPIs are enabled. */
  newConfigTable(): number {
    const address = this.allocate(ALL_LPIS);
    this.gic.writeMemory(address, new Uint8Array(ALL_LPIS).fill(configByte(PRIORITY)));
    return address;
  }

  /** A pending table in which nothing is pending. */
  newPendingTable(): number {
    return this.allocate(PENDING_TABLE_HEAD + ALL_LPIS / 8);
  }

  gicd(name: string): number {
    return this.#address(name);
  }

  gicr(cpu: number, name: string): number {
    return this.#address(name) + cpu * redistributorStride(this.config);
  }

  gits(name: string): number {
    return this.#address(name);
  }

  // CPU interfaces

  /** Acknowledges and completes the best Group 1 interrupt of a PE; 1023 if there is none. */
  take(cpu: number): number {
    const intid = Number(this.gic.readSystemRegister(cpu, 'ICC_IAR1_EL1'));
    if (intid !== SPURIOUS) this.gic.writeSystemRegister(cpu, 'ICC_EOIR1_EL1', intid);
    return intid;
  }

  /** Takes all interrupts of a PE; how many it were. */
  takeAll(cpu: number): number {
    let taken = 0;
    while (this.take(cpu) !== SPURIOUS) taken++;
    return taken;
  }

  // LPIs

  /** Writes the configuration byte of an LPI, enabled. */
  setPriority(intid: number, priority: number): void {
    this.gic.write(this.#configTable + intid - FIRST_LPI, 1, configByte(priority));
  }

  /** How many LPIs are pending at a PE, by its pending table. */
  pendingLpis(cpu: number): number {
    return this.countPending(this.#pendingTables[cpu] as number);
  }

  /** How many bits are set in a pending table. */
  countPending(table: number): number {
    let count = 0;
    for (let byte of this.gic.readMemory(table + PENDING_TABLE_HEAD, ALL_LPIS / 8)) {
      for (; byte !== 0; byte &= byte - 1) count++;
    }
    return count;
  }

  // ITS

  /** Commands that stand ready to be executed any number of times. */
  batch(commands: readonly ItsCommand[]): CommandBatch {
    return new CommandBatch(this, commands);
  }

  /** Executes commands once; throws a `CheckError` if one of them fails. */
  execute(commands: readonly ItsCommand[]): void {
    for (let first = 0; first < commands.length; first += COMMANDS_MAX) {
      const bytes = encodeCommands(commands.slice(first, first + COMMANDS_MAX));
      this.gic.writeMemory(this.#queue, bytes);
      this.useQueue(this.#queue, QUEUE_PAGES_MAX);
      this.ringQueue(bytes.length);
      this.expectDrained();
    }
  }

  /** Throws a `CheckError` unless the ITS has executed all commands that it was given. */
  expectDrained(): void {
    const reader = this.gic.read(this.gits('GITS_CREADR'), 8);
    expectEqual('GITS_CREADR', reader, this.gic.read(this.#its.writer, 8));
  }

  /** Maps a device to an empty ITT. */
  mapDevice(deviceId: number, eventBits = 16): void {
    const ittAddress = this.allocate(2 ** eventBits * ITT_ENTRY_BYTES_MAX);
    this.execute([{ command: 'MAPD', deviceId, size: eventBits - 1, ittAddress, valid: true }]);
  }

  /** Maps events 0 to `count - 1` of DEVICE, in turn, to the LPIs from 8192 on and the collection of PE 0. */
  mapLpis(count: number): void {
    this.mapDevice(DEVICE);
    this.execute(perEvent(count, (eventId) => mapti(eventId, 0)));
  }

  /** Points the ITS at an empty queue. */
  useQueue(address: number, pages: number): void {
    this.gic.write(this.#its.control, 4, 0);
    this.gic.write(this.#its.base, 8, VALID | BigInt(address + pages - 1));
    this.gic.write(this.#its.writer, 8, 0);
    this.gic.write(this.#its.control, 4, 1);
  }

  /** Tells the ITS how far the queue is filled. */
  ringQueue(end: number): void {
    this.gic.write(this.#its.writer, 8, end);
  }

  #start(): void {
    const { cpus, architecture } = this.config;
    this.gic.write(this.gicd('GICD_CTLR'), 4, 0b11);
    for (let cpu = 0; cpu < cpus; cpu++) this.#startCpu(cpu);
    const tables = architecture === 'GICv3' ? 2 : 3;
    for (let n = 0; n < tables; n++) {
      const table = VALID | BigInt(this.allocate(PAGE_64K)) | ONE_64K_PAGE;
      this.gic.write(this.gits(`GITS_BASER${n}`), 8, table);
    }
    this.execute(
      Array.from({ length: cpus }, (_, cpu) => ({ command: 'MAPC', icid: cpu, rdBase: cpu, valid: true })),
    );
  }

  #startCpu(cpu: number): void {
    const { gic } = this;
    gic.write(this.gicr(cpu, 'GICR_WAKER'), 4, 0);
    gic.writeSystemRegister(cpu, 'ICC_PMR_EL1', 0xff);
    gic.writeSystemRegister(cpu, 'ICC_IGRPEN1_EL1', 1);
    gic.write(this.gicr(cpu, 'GICR_PROPBASER'), 8, BigInt(this.#configTable + this.config.intidBits - 1));
    gic.write(this.gicr(cpu, 'GICR_PENDBASER'), 8, this.#pendingTables[cpu] as number);
    gic.write(this.gicr(cpu, 'GICR_CTLR'), 4, 1);
  }

  /** The address of a register in the frames of PE 0, the ITS or the Distributor. */
  #address(name: string): number {
    let address = this.#addresses.get(name);
    if (address === undefined) {
      address = registerAddress(this.config, name);
      if (address === undefined) throw new RangeError(`this machine has no ${name}`);
      this.#addresses.set(name, address);
    }
    return address;
  }
}

/** Bit 0 enables the LPI, bit 1 is RES1. */
function configByte(priority: number): number {
  return priority | 0b11;
}

/** One command for each of the events 0 to `count - 1`. */
export function perEvent(count: number, command: (eventId: number) => ItsCommand): ItsCommand[] {
  return Array.from({ length: count }, (_, eventId) => command(eventId));
}

/** An INT, CLEAR, INV or DISCARD of an event of DEVICE. */
export function onEvent(command: 'INT' | 'CLEAR' | 'INV' | 'DISCARD', eventId: number): ItsCommand {
  return { command, deviceId: DEVICE, eventId };
}

/** The MAPTI of an event of DEVICE to the LPI in the same place. */
export function mapti(eventId: number, icid: number): ItsCommand {
  return { command: 'MAPTI', deviceId: DEVICE, eventId, pIntid: FIRST_LPI + eventId, icid };
}

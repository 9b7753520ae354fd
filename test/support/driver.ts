import { type MachineConfig, redistributorStride } from '../../bindings/config.ts';
import type { GicHardware } from '../../bindings/hardware.ts';

/** A command as software puts it into the queue: four doublewords, the one at the lowest address first. */
export type CommandDoublewords = readonly [bigint, bigint, bigint, bigint];

/** Table sizes; the defaults hold 8192 devices, 8192 collections and 2047 queued commands with 8-byte entries. */
export interface DriverOptions {
  /** 64 KiB pages of each ITS's Device table, default 1. */
  devicePages?: number;
  /** 64 KiB pages of each ITS's Collection table, default 1. */
  collectionPages?: number;
  /** 4 KiB pages of each ITS's command queue, default 16. */
  queuePages?: number;
}

interface Queue {
  readonly base: number;
  readonly bytes: number;
  /** Where the next command goes. */
  tail: number;
}

const FIRST_LPI = 8192;
const SPURIOUS = 1023;
const PAGE_4K = 0x1000;
const PAGE_64K = 0x1_0000;
const SGI_FRAME = 0x1_0000;
const VALID = 1n << 63n;

/** Offsets of the registers that the driver uses, each from the base of its frame. */
const GICD_CTLR = 0x0000;
const GICR_CTLR = 0x0000;
const GICR_WAKER = 0x0014;
const GICR_PROPBASER = 0x0070;
const GICR_PENDBASER = 0x0078;
const GITS_CTLR = 0x0000;
const GITS_CBASER = 0x0080;
const GITS_CWRITER = 0x0088;
const GITS_CREADR = 0x0090;
const GITS_BASER0 = 0x0100;
const GITS_BASER1 = 0x0108;

/**
 * A small guest driver for any `GicHardware`: it sets up the tables in RAM as an operating system does, queues ITS
 * commands and takes interrupts. Everything goes through the interface that a guest has.
 *
 * RAM is given out from its base upwards and never reused, so that all of it is zero when it is given.
 */
export class Driver {
  readonly gic: GicHardware;
  readonly config: MachineConfig;
  /** Address of the LPI configuration table that all redistributors share. */
  readonly configTable: number;
  readonly #pendingTables: readonly number[];
  readonly #queues: readonly Queue[];
  readonly #options: Required<DriverOptions>;
  #free: number;

  constructor(gic: GicHardware, config: MachineConfig, options: DriverOptions = {}) {
    this.gic = gic;
    this.config = config;
    this.#options = { devicePages: 1, collectionPages: 1, queuePages: 16, ...options };
    this.#free = config.ram.base;
    const intids = 2 ** config.intidBits;
    const bytes = this.#options.queuePages * PAGE_4K;
    this.configTable = this.allocate(intids, PAGE_64K);
    this.#pendingTables = config.affinities.map(() => this.allocate(intids / 8, PAGE_64K));
    this.#queues = Array.from({ length: config.itsCount }, () => ({
      base: this.allocate(bytes, PAGE_64K),
      bytes,
      tail: 0,
    }));
  }

  /** Everything on: the distributor, every PE with its LPIs, every ITS. */
  start(): this {
    this.enableDistributor();
    for (let cpu = 0; cpu < this.config.cpus; cpu++) {
      this.enableCpu(cpu);
      this.enableLpis(cpu);
    }
    for (let its = 0; its < this.config.itsCount; its++) this.enableIts(its);
    return this;
  }

  /** Gives out RAM that nothing has used. */
  allocate(bytes: number, alignment: number): number {
    const address = Math.ceil(this.#free / alignment) * alignment;
    this.#free = address + bytes;
    if (this.#free > this.config.ram.base + this.config.ram.size)
      throw new RangeError('the RAM window is full');
    return address;
  }

  // Frames

  /** Address of a register in the Distributor. */
  gicd(offset: number): number {
    return this.config.addressMap.gicd + offset;
  }

  /** Address of a register in a PE's RD_base frame. */
  gicr(cpu: number, offset: number): number {
    return this.config.addressMap.gicr + cpu * redistributorStride(this.config) + offset;
  }

  /** Address of a register in a PE's SGI_base frame. */
  gicrSgi(cpu: number, offset: number): number {
    return this.gicr(cpu, SGI_FRAME + offset);
  }

  /** Address of a register in the control frame of an ITS. */
  gits(offset: number, its = 0): number {
    return this.config.addressMap.gits + its * this.config.addressMap.gitsStride + offset;
  }

  // Distributor, redistributors and CPU interfaces

  /** Enables both interrupt groups. */
  enableDistributor(): void {
    this.gic.write(this.gicd(GICD_CTLR), 4, 0b11);
  }

  /** Wakes a PE's redistributor and opens its CPU interface: both groups, all priorities. */
  enableCpu(cpu: number): void {
    this.gic.write(this.gicr(cpu, GICR_WAKER), 4, 0);
    this.unmask(cpu);
    this.gic.writeSystemRegister(cpu, 'ICC_IGRPEN0_EL1', 1);
    this.gic.writeSystemRegister(cpu, 'ICC_IGRPEN1_EL1', 1);
  }

  /** ICC_PMR that lets nothing through. */
  mask(cpu: number): void {
    this.gic.writeSystemRegister(cpu, 'ICC_PMR_EL1', 0);
  }

  /** ICC_PMR that lets every priority but the lowest through. */
  unmask(cpu: number): void {
    this.gic.writeSystemRegister(cpu, 'ICC_PMR_EL1', 0xff);
  }

  /** Takes and completes the highest priority Group 1 interrupt; undefined if there is none. */
  take(cpu: number): number | undefined {
    const intid = Number(this.gic.readSystemRegister(cpu, 'ICC_IAR1_EL1'));
    if (intid === SPURIOUS) return undefined;
    this.gic.writeSystemRegister(cpu, 'ICC_EOIR1_EL1', intid);
    return intid;
  }

  /** Takes interrupts until there are no more; their INTIDs in the order in which they came. */
  takeAll(cpu: number): number[] {
    const taken: number[] = [];
    for (let intid = this.take(cpu); intid !== undefined; intid = this.take(cpu)) taken.push(intid);
    return taken;
  }

  // LPIs

  /** Sets a PE's table registers and EnableLPIs. The pending table is loaded unless `pendingTableZero` says it is 0. */
  enableLpis(cpu: number, { pendingTableZero = false } = {}): void {
    const ptz = pendingTableZero ? 1n << 62n : 0n;
    this.gic.write(
      this.gicr(cpu, GICR_PROPBASER),
      8,
      BigInt(this.configTable) | BigInt(this.config.intidBits - 1),
    );
    this.gic.write(this.gicr(cpu, GICR_PENDBASER), 8, BigInt(this.pendingTable(cpu)) | ptz);
    this.gic.write(this.gicr(cpu, GICR_CTLR), 4, 1);
  }

  disableLpis(cpu: number): void {
    this.gic.write(this.gicr(cpu, GICR_CTLR), 4, 0);
  }

  /** Writes an LPI's configuration byte; it counts once it is read: at first use, or after an invalidation. */
  setConfig(intid: number, priority: number, enabled: boolean): void {
    this.gic.write(this.configTable + intid - FIRST_LPI, 1, (priority & 0xfc) | (enabled ? 0b11 : 0b10));
  }

  /** Address of a PE's LPI pending table. */
  pendingTable(cpu: number): number {
    return this.#pendingTables[cpu]!;
  }

  /** Whether an LPI's bit in a PE's pending table is set. */
  isPending(cpu: number, intid: number): boolean {
    const byte = this.gic.read(this.pendingTable(cpu) + Math.floor(intid / 8), 1);
    return ((byte >> (intid % 8)) & 1) === 1;
  }

  /** The LPIs whose bits in a PE's pending table are set, in ascending order. */
  pendingLpis(cpu: number): number[] {
    const first = FIRST_LPI / 8;
    const table = this.gic.readMemory(this.pendingTable(cpu) + first, 2 ** this.config.intidBits / 8 - first);
    const pending: number[] = [];
    table.forEach((byte, i) => {
      for (let bit = 0; bit < 8; bit++) if ((byte >> bit) & 1) pending.push(FIRST_LPI + 8 * i + bit);
    });
    return pending;
  }

  /** Writes a bit of a PE's pending table, as software may while its LPIs are disabled. */
  storePendingBit(cpu: number, intid: number): void {
    const address = this.pendingTable(cpu) + Math.floor(intid / 8);
    this.gic.write(address, 1, this.gic.read(address, 1) | (1 << (intid % 8)));
  }

  // ITS

  /** Gives an ITS flat tables with 64 KiB pages and an empty queue, and enables it. */
  enableIts(its = 0): void {
    const { devicePages, collectionPages } = this.#options;
    this.gic.write(this.gits(GITS_BASER0, its), 8, this.#baser(devicePages));
    this.gic.write(this.gits(GITS_BASER1, its), 8, this.#baser(collectionPages));
    this.resetQueue(its);
    this.gic.write(this.gits(GITS_CTLR, its), 4, 1);
  }

  disableIts(its = 0): void {
    this.gic.write(this.gits(GITS_CTLR, its), 4, 0);
  }

  /** Writes GITS_CBASER and GITS_CWRITER for an empty queue; the ITS must be disabled. */
  resetQueue(its = 0): void {
    const queue = this.#queue(its);
    queue.tail = 0;
    this.gic.write(
      this.gits(GITS_CBASER, its),
      8,
      VALID | BigInt(queue.base) | BigInt(this.#options.queuePages - 1),
    );
    this.gic.write(this.gits(GITS_CWRITER, its), 8, 0n);
  }

  /** Number of commands that the queue has room for, one of which stays free. */
  queueSlots(its = 0): number {
    return this.#queue(its).bytes / 32;
  }

  /** Address of the queue slot at an offset of GITS_CREADR or GITS_CWRITER. */
  queueAddress(offset: number, its = 0): number {
    return this.#queue(its).base + offset;
  }

  /** Puts a command into the queue without telling the ITS. */
  queue(words: CommandDoublewords, its = 0): void {
    const queue = this.#queue(its);
    this.storeCommand(queue.tail, words, its);
    queue.tail = (queue.tail + 32) % queue.bytes;
  }

  /** Writes a command over the slot at an offset. */
  storeCommand(offset: number, words: CommandDoublewords, its = 0): void {
    words.forEach((word, n) => {
      this.gic.write(this.queueAddress(offset, its) + 8 * n, 8, word);
    });
  }

  /** Moves GITS_CWRITER behind the last queued command, with or without Retry. */
  ring(its = 0, { retry = false } = {}): void {
    this.gic.write(this.gits(GITS_CWRITER, its), 8, BigInt(this.#queue(its).tail) | (retry ? 1n : 0n));
  }

  /** Queues a command and tells the ITS, which executes it at once unless the machine is to be stepped. */
  command(words: CommandDoublewords, its = 0): void {
    this.queue(words, its);
    this.ring(its);
  }

  /** GITS_CREADR: the offset of the next command to execute, and whether the queue is stalled there. */
  readPointer(its = 0): { offset: number; stalled: boolean } {
    const value = Number(this.gic.read(this.gits(GITS_CREADR, its), 8));
    return { offset: value & ~1, stalled: (value & 1) === 1 };
  }

  /** Maps a device to a new ITT for `2 ** eventBits` events; returns the ITT's address. */
  mapd(deviceId: number, eventBits: number, its = 0): number {
    const itt = this.allocate(2 ** eventBits * this.config.ittEntryBytes, 256);
    this.command(commands.mapd(deviceId, eventBits, itt), its);
    return itt;
  }

  unmapd(deviceId: number, its = 0): void {
    this.command(commands.unmapd(deviceId), its);
  }

  /** Maps a collection to a PE. */
  mapc(icid: number, cpu: number, its = 0): void {
    this.command(commands.mapc(icid, this.rdbase(cpu)), its);
  }

  unmapc(icid: number, its = 0): void {
    this.command(commands.unmapc(icid), its);
  }

  mapti(deviceId: number, eventId: number, intid: number, icid: number, its = 0): void {
    this.command(commands.mapti(deviceId, eventId, intid, icid), its);
  }

  mapi(deviceId: number, eventId: number, icid: number, its = 0): void {
    this.command(commands.mapi(deviceId, eventId, icid), its);
  }

  movi(deviceId: number, eventId: number, icid: number, its = 0): void {
    this.command(commands.movi(deviceId, eventId, icid), its);
  }

  /** Moves all pending LPIs of one PE to another. */
  movall(fromCpu: number, toCpu: number, its = 0): void {
    this.command(commands.movall(this.rdbase(fromCpu), this.rdbase(toCpu)), its);
  }

  int(deviceId: number, eventId: number, its = 0): void {
    this.command(commands.int(deviceId, eventId), its);
  }

  clear(deviceId: number, eventId: number, its = 0): void {
    this.command(commands.clear(deviceId, eventId), its);
  }

  discard(deviceId: number, eventId: number, its = 0): void {
    this.command(commands.discard(deviceId, eventId), its);
  }

  inv(deviceId: number, eventId: number, its = 0): void {
    this.command(commands.inv(deviceId, eventId), its);
  }

  invall(icid: number, its = 0): void {
    this.command(commands.invall(icid), its);
  }

  sync(cpu: number, its = 0): void {
    this.command(commands.sync(this.rdbase(cpu)), its);
  }

  /** The RDbase field of a PE in its place in a doubleword: section 6.0. */
  rdbase(cpu: number): bigint {
    return BigInt(this.config.physicalTargetAddresses ? this.gicr(cpu, 0) : cpu * 0x1_0000);
  }

  /** A GITS_BASER<n> value for a new flat table. */
  #baser(pages: number): bigint {
    const address = BigInt(this.allocate(pages * PAGE_64K, PAGE_64K));
    const low = address & 0xffff_ffff_0000n;
    return VALID | low | ((address >> 48n) << 12n) | (2n << 8n) | BigInt(pages - 1);
  }

  #queue(its: number): Queue {
    const queue = this.#queues[its];
    if (!queue) throw new RangeError(`there is no ITS ${its}`);
    return queue;
  }
}

const words = (...given: bigint[]): CommandDoublewords => [
  given[0] ?? 0n,
  given[1] ?? 0n,
  given[2] ?? 0n,
  given[3] ?? 0n,
];
const event = (number: number, deviceId: number, eventId: number, ...rest: bigint[]): CommandDoublewords =>
  words(BigInt(number) | (BigInt(deviceId) << 32n), BigInt(eventId), ...rest);

/** The encodings of the GICv3 commands: section 6. RDbase arguments stand in their place, bits [51:16]. */
export const commands = {
  mapd: (deviceId: number, eventBits: number, itt: number) =>
    event(0x08, deviceId, eventBits - 1, VALID | BigInt(itt)),
  unmapd: (deviceId: number) => event(0x08, deviceId, 0),
  mapc: (icid: number, rdbase: bigint) => words(0x09n, 0n, VALID | rdbase | BigInt(icid)),
  unmapc: (icid: number) => words(0x09n, 0n, BigInt(icid)),
  mapti: (deviceId: number, eventId: number, intid: number, icid: number) => {
    const [first, second] = event(0x0a, deviceId, eventId);
    return words(first, second | (BigInt(intid) << 32n), BigInt(icid));
  },
  mapi: (deviceId: number, eventId: number, icid: number) => event(0x0b, deviceId, eventId, BigInt(icid)),
  movi: (deviceId: number, eventId: number, icid: number) => event(0x01, deviceId, eventId, BigInt(icid)),
  movall: (from: bigint, to: bigint) => words(0x0en, 0n, from, to),
  int: (deviceId: number, eventId: number) => event(0x03, deviceId, eventId),
  clear: (deviceId: number, eventId: number) => event(0x04, deviceId, eventId),
  discard: (deviceId: number, eventId: number) => event(0x0f, deviceId, eventId),
  inv: (deviceId: number, eventId: number) => event(0x0c, deviceId, eventId),
  invall: (icid: number) => words(0x0dn, 0n, BigInt(icid)),
  sync: (rdbase: bigint) => words(0x05n, 0n, rdbase),
} as const;

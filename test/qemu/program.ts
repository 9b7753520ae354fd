import { decodeDoublewords, encodeDoublewords } from '../../bindings/commands/codec.ts';
import type { Doublewords, ItsCommand } from '../../bindings/commands/command.ts';
import { formatCommand } from '../../bindings/commands/text.ts';
import { Random } from '../properties/random.ts';
import type { MemoryRange, Recorder } from './recorder.ts';

/** What QEMU's `virt` can have. */
export type Arch = 'GICv3' | 'GICv4.0';

export const CPUS = 4;
export const FIRST_LPI = 8192;
/** Where QEMU's `virt` has its frames. */
export const GICD = 0x0800_0000;
export const GITS = 0x0808_0000;
export const GITS_TRANSLATER = 0x0809_0040;
const GICR = 0x080a_0000;

export const GITS_CTLR = GITS;
export const GITS_CBASER = GITS + 0x80;
export const GITS_CWRITER = GITS + 0x88;
export const GITS_CREADR = GITS + 0x90;
export const GITS_BASER0 = GITS + 0x100;
export const GICD_CTLR = GICD;
/** ARE and EnableGrp1, and the same with EnableGrp0. */
export const GROUP1 = 0x52;
export const BOTH_GROUPS = 0x53;

export const VALID = 1n << 63n;
export const INDIRECT = 1n << 62n;
/** An address where QEMU's `virt` has nothing. */
export const OUTSIDE = 0x8_0000_0000;

/** Offsets of what a program keeps in RAM, from its base. */
const DEVICE_TABLE = 0x00_0000;
const COLLECTION_TABLE = 0x10_0000;
const VPE_TABLE = 0x20_0000;
const QUEUE = 0x30_0000;
const CONFIGURATION = 0x40_0000;
const PENDING = 0x50_0000;
const VPE_CONFIGURATION = 0x60_0000;
const VPE_PENDING = 0x70_0000;
const ITTS = 0x80_0000;
const LEVEL2 = 0x90_0000;
const END = 0xa0_0000;
const TABLE = 0x1_0000;
const ITT = 0x400;

/** Bytes of a pending table below the bit of the first LPI, and those that each check compares: 512 INTIDs. */
const FIRST_LPI_BYTE = FIRST_LPI / 8;
const WINDOW_BYTES = 64;
export const WINDOW_INTIDS = 8 * WINDOW_BYTES;

export interface ItsSetup {
  /** GITS_BASER<n>.Page_Size: 0 = 4 KiB, 1 = 16 KiB, 2 = 64 KiB. */
  readonly pageSize?: number;
  /** Pages of each table, minus one. */
  readonly pages?: number;
  readonly indirect?: boolean;
  /** 4 KiB pages of the queue, minus one. */
  readonly queuePages?: number;
}

/** A program under test: its places in RAM, what software does to set a GIC up, and what is compared. */
export class Program {
  readonly gic: Recorder;
  readonly arch: Arch;
  readonly #random: Random;
  readonly #base: number;
  #queueBytes = 0x1000;
  #tail = 0;
  #queued: Doublewords[] = [];
  #nextItt = 0;
  #nextLevel2 = 0;
  #vpes = 0;

  constructor(recorder: Recorder, arch: Arch, seed: number) {
    this.gic = recorder;
    this.arch = arch;
    this.#random = new Random(seed);
    this.#base = 0x5000_0000 + this.below(16) * 0x100_0000;
    recorder.touches(this.memory);
  }

  /** The RAM that the program uses. */
  get memory(): MemoryRange {
    return { address: this.#base, length: END };
  }

  get virtual(): boolean {
    return this.arch === 'GICv4.0';
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    return this.#random.below(limit);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  word(): number {
    return this.#random.next();
  }

  wide(): bigint {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }

  /** `count` different numbers below `limit`. */
  distinct(count: number, limit: number): number[] {
    const found = new Set<number>();
    while (found.size < count) found.add(this.below(limit));
    return [...found];
  }

  bytes(length: number, next: () => number): Uint8Array {
    return Uint8Array.from({ length }, next);
  }

  redistributor(cpu: number): number {
    return GICR + cpu * (this.virtual ? 0x4_0000 : 0x2_0000);
  }

  sgiFrame(cpu: number): number {
    return this.redistributor(cpu) + 0x1_0000;
  }

  vlpiFrame(cpu: number): number {
    return this.redistributor(cpu) + 0x2_0000;
  }

  get configurationTable(): number {
    return this.#base + CONFIGURATION;
  }

  pendingTable(cpu: number): number {
    return this.#base + PENDING + cpu * TABLE;
  }

  vpeConfigurationTable(slot: number): number {
    return this.#base + VPE_CONFIGURATION + slot * TABLE;
  }

  /** The virtual pending table of a slot, 0 to 15; slots up to the highest one used are compared. */
  vpePendingTable(slot: number): number {
    this.#vpes = Math.max(this.#vpes, slot + 1);
    return this.#base + VPE_PENDING + slot * TABLE;
  }

  get deviceTable(): number {
    return this.#base + DEVICE_TABLE;
  }

  get collectionTable(): number {
    return this.#base + COLLECTION_TABLE;
  }

  get vpeTable(): number {
    return this.#base + VPE_TABLE;
  }

  get queue(): number {
    return this.#base + QUEUE;
  }

  /** A translation table that no other device has, for up to 5 EventID bits, or 1024 events with `large`. */
  newItt(large = false): number {
    const at = this.#base + ITTS + this.#nextItt;
    this.#nextItt += large ? 0x4_0000 : ITT;
    return at;
  }

  /** A page for level 2 of a table, 64 KiB. */
  newLevel2(): number {
    const at = this.#base + LEVEL2 + this.#nextLevel2;
    this.#nextLevel2 += TABLE;
    return at;
  }

  /** Random configuration bytes for the first 512 LPIs; `enabled` percent of them enabled. */
  writeConfiguration(table: number, enabled = 100): void {
    this.gic.writeBytes(
      table,
      this.bytes(WINDOW_INTIDS, () => this.configurationByte(enabled)),
    );
  }

  configurationByte(enabled = 100): number {
    return (this.below(32) << 3) | (this.chance(enabled) ? 1 : 0);
  }

  setUpRedistributors(idBits = [15, 15, 15, 15], enable = [true, true, true, true]): void {
    for (let cpu = 0; cpu < CPUS; cpu++) {
      const at = this.redistributor(cpu);
      this.gic.write(at + 0x14, 4, 0);
      this.gic.write(at + 0x70, 8, BigInt(this.configurationTable) | BigInt(idBits[cpu] ?? 15));
      this.gic.write(at + 0x78, 8, this.pendingTable(cpu));
      if (enable[cpu]) this.gic.write(at, 4, 1);
    }
  }

  /** Lets interrupts of Group 1 through to the PEs, and those of vPEs. */
  openCpuInterfaces(): void {
    for (let cpu = 0; cpu < CPUS; cpu++) {
      this.gic.writeSystem(cpu, 'ICC_PMR_EL1', this.pick([0xff, 0xff, 0x80]));
      this.gic.writeSystem(cpu, 'ICC_IGRPEN1_EL1', 1);
      if (!this.virtual) continue;
      this.gic.writeSystem(cpu, 'ICH_HCR_EL2', 1);
      this.gic.writeSystem(cpu, 'ICH_VMCR_EL2', this.pick([0xf8, 0xf8, 0x80]) * 2 ** 24 + 2);
    }
  }

  setUpIts({ pageSize = 2, pages = 0, indirect = false, queuePages = 0 }: ItsSetup = {}): void {
    const fields = VALID | (indirect ? INDIRECT : 0n) | BigInt((pageSize << 8) | pages);
    this.gic.write(GITS_BASER0, 8, fields | BigInt(this.deviceTable));
    this.gic.write(GITS_BASER0 + 8, 8, fields | BigInt(this.collectionTable));
    if (this.virtual) this.gic.write(GITS_BASER0 + 16, 8, fields | BigInt(this.vpeTable));
    this.setUpQueue(queuePages);
    this.gic.write(GITS_CTLR, 4, 1);
  }

  setUpQueue(queuePages = 0): void {
    this.#queueBytes = (queuePages + 1) * 0x1000;
    this.#tail = 0;
    this.gic.write(GITS_CBASER, 8, VALID | BigInt(this.queue) | BigInt(queuePages));
    this.gic.write(GITS_CWRITER, 8, 0);
  }

  command(command: ItsCommand): void {
    this.rawCommand(encodeDoublewords(command));
  }

  rawCommand(words: Doublewords): void {
    this.#queued.push(words);
  }

  /** The commands given since the last time, put into the queue; its new tail. */
  enqueue(): number {
    const queued = this.#queued;
    this.#queued = [];
    let done = 0;
    while (done < queued.length) {
      const room = Math.min(queued.length - done, (this.#queueBytes - this.#tail) / 32);
      const part = queued.slice(done, done + room);
      const bytes = new Uint8Array(BigUint64Array.from(part.flat()).buffer);
      this.gic.writeBytes(
        this.queue + this.#tail,
        bytes,
        part.map((words) => formatCommand(decodeDoublewords(words))),
      );
      this.#tail = (this.#tail + bytes.length) % this.#queueBytes;
      done += room;
    }
    return this.#tail;
  }

  /** Executes the commands given since the last time, in batches that the queue holds, and compares the outcome. */
  submit(): void {
    const capacity = this.#queueBytes / 32 - 1;
    const all = this.#queued;
    for (let at = 0; at < Math.max(all.length, 1); at += capacity) {
      this.#queued = all.slice(at, at + capacity);
      this.gic.write(GITS_CWRITER, 8, this.enqueue());
      void this.gic.read(GITS_CREADR, 8, { what: 'GITS_CREADR' });
    }
    this.comparePending();
  }

  /** Compares the interrupt outputs and the pending tables of all redistributors and vPEs, the first 512 LPIs or all. */
  comparePending(all = false): void {
    const length = all ? TABLE / 8 - FIRST_LPI_BYTE : WINDOW_BYTES;
    for (let cpu = 0; cpu < CPUS; cpu++)
      this.gic.readBytes(this.pendingTable(cpu) + FIRST_LPI_BYTE, length, `LPIs of PE ${cpu}`, FIRST_LPI);
    for (let slot = 0; slot < this.#vpes; slot++)
      this.gic.readBytes(
        this.vpePendingTable(slot) + FIRST_LPI_BYTE,
        length,
        `VLPIs of slot ${slot}`,
        FIRST_LPI,
      );
    this.gic.outputs();
  }
}

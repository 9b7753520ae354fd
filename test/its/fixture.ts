import { encodeDoublewords } from '../../bindings/commands/codec.ts';
import type { Doublewords, ItsCommand } from '../../bindings/commands/command.ts';
import { createMachine, type EngineBuild, type Machine, type MachineOptions } from '../../bindings/index.ts';
import { Board, RAM } from '../support/gic.ts';
import { enableLpis, pendingBit, setLpiConfig } from '../support/lpi.ts';
import { mapc, mapd, mapti } from './commands.ts';

/** GITS_BASER<n>.Page_Size (section 5.9). */
const PAGES_64K = 2n << 8n;

/** Offsets from GITS_base (section 5.1). */
export const GITS = {
  CTLR: 0x0000,
  IIDR: 0x0004,
  TYPER: 0x0008,
  MPAMIDR: 0x0010,
  PARTIDR: 0x0014,
  MPIDR: 0x0018,
  STATUSR: 0x0040,
  UMSIR: 0x0048,
  CBASER: 0x0080,
  CWRITER: 0x0088,
  CREADR: 0x0090,
  BASER0: 0x0100,
  BASER1: 0x0108,
  TRANSLATER: 0x1_0040,
} as const;

export const VALID = 1n << 63n;
export const INDIRECT = 1n << 62n;

/** Room for the LPI tables of eight PEs, a free megabyte at SCRATCH, and the tables of four ITSs. */
export const ITS_RAM = { base: RAM.base, size: 0x60_0000 };
export const SCRATCH = 0x10_0000;

/** A configuration byte: enabled, priority 0xA0. */
export const ENABLED = 0xa3;
export const DISABLED = 0xa2;

export const FIRST_LPI = 8192;

/** What a test gives an ITS to execute: a command, or the four doublewords of one. */
export type Command = ItsCommand | Doublewords;

/** Where a driver puts the memory of an ITS, and how much of it there is. */
export interface ItsTables {
  /** 4 KiB pages of the command queue, default 16. */
  queuePages?: number;
  /** GITS_BASER<n> values; the defaults are flat tables of one 64 KiB page. */
  devices?: bigint;
  collections?: bigint;
  /** Default true. */
  enable?: boolean;
}

/** One ITS as its driver sees it. */
export class Its {
  constructor(
    readonly board: ItsBoard,
    readonly number: number,
  ) {}

  address(offset: number): number {
    const { gits, gitsStride } = this.board.machine.config.addressMap;
    return gits + this.number * gitsStride + offset;
  }

  read(offset: number): number {
    return this.board.machine.read(this.address(offset), 4);
  }

  write(offset: number, value: number): void {
    this.board.machine.write(this.address(offset), 4, value);
  }

  read64(offset: number): bigint {
    return this.board.machine.read(this.address(offset), 8);
  }

  write64(offset: number, value: bigint | number): void {
    this.board.machine.write(this.address(offset), 8, value);
  }

  /** The memory of this ITS: queue, device table, collection table, then the ITTs. */
  memory(offset: number): number {
    return this.board.ram(0x20_0000 + this.number * 0x10_0000 + offset);
  }

  get queue(): number {
    return this.memory(0);
  }

  get deviceTable(): number {
    return this.memory(0x1_0000);
  }

  get collectionTable(): number {
    return this.memory(0x2_0000);
  }

  /** An ITT of its own for each slot: room for 512 events of 8 bytes. */
  itt(slot: number): number {
    return this.memory(0x4_0000 + slot * 0x1000);
  }

  setUp({ queuePages = 16, devices, collections, enable = true }: ItsTables = {}): this {
    this.write64(GITS.CBASER, VALID | BigInt(this.queue) | BigInt(queuePages - 1));
    this.write64(GITS.CWRITER, 0);
    this.write64(GITS.BASER0, devices ?? VALID | BigInt(this.deviceTable) | PAGES_64K);
    this.write64(GITS.BASER1, collections ?? VALID | BigInt(this.collectionTable) | PAGES_64K);
    if (enable) this.enable(true);
    return this;
  }

  enable(enabled: boolean): void {
    this.write(GITS.CTLR, enabled ? 1 : 0);
  }

  get queueBytes(): number {
    return (Number(this.read64(GITS.CBASER) & 0xffn) + 1) * 4096;
  }

  /** Stores commands from GITS_CWRITER on, without telling the ITS; where the next one would go. */
  store(commands: readonly Command[], at = Number(this.read64(GITS.CWRITER))): number {
    const base = Number(this.read64(GITS.CBASER) & 0x000f_ffff_ffff_0000n);
    let offset = at;
    for (const command of commands) {
      this.board.machine.writeMemory(base + offset, this.board.encode(command));
      offset = (offset + 32) % this.queueBytes;
    }
    return offset;
  }

  /** Queues commands and writes GITS_CWRITER. */
  post(commands: readonly Command[]): void {
    this.write64(GITS.CWRITER, this.store(commands));
  }

  /** Queues commands; the codes of the command errors that came of them, in order (section 6.1). */
  errors(commands: readonly Command[]): number[] {
    const { machine } = this.board;
    const { commandErrors } = machine.counters();
    machine.takeDiagnostics();
    this.post(commands);
    const diagnostics = machine.takeDiagnostics();
    const codes = diagnostics
      .filter(({ code, unit }) => code === 'COMMAND_ERROR' && unit === this.number)
      .map(({ operands }) => operands.error ?? 0);
    if (machine.counters().commandErrors !== commandErrors + codes.length) {
      throw new Error(`a command failed in another way: ${JSON.stringify(diagnostics)}`);
    }
    return codes;
  }

  /** Queues commands, each of which must succeed. */
  run(commands: readonly Command[]): void {
    const { commandErrors } = this.board.machine.counters();
    this.post(commands);
    if (this.board.machine.counters().commandErrors !== commandErrors) {
      throw new Error(`a command failed: ${JSON.stringify(this.board.machine.takeDiagnostics())}`);
    }
  }

  get creadr(): number {
    return Number(this.read64(GITS.CREADR) & 0xf_ffe0n);
  }

  get cwriter(): number {
    return Number(this.read64(GITS.CWRITER));
  }

  get stalled(): boolean {
    return (this.read64(GITS.CREADR) & 1n) !== 0n;
  }

  retry(): void {
    this.write64(GITS.CWRITER, this.cwriter | 1);
  }
}

/** A board whose RAM holds LPI tables for every PE and tables for every ITS. */
export class ItsBoard extends Board {
  readonly itses: readonly Its[];

  constructor(machine: Machine) {
    super(machine);
    this.itses = Array.from({ length: machine.config.itsCount }, (_, n) => new Its(this, n));
  }

  get its(): Its {
    return this.itses[0] as Its;
  }

  /** A physical address in RAM. */
  ram(offset: number): number {
    return this.machine.config.ram.base + offset;
  }

  get configTable(): number {
    return this.ram(0);
  }

  pendingTable(cpu: number): number {
    return this.ram(0x2_0000 + cpu * 0x1_0000);
  }

  /** What an RDbase field names a PE by: its number or, with GITS_TYPER.PTA=1, its RD_base (section 6.0). */
  rdBase(cpu: number): number {
    return this.machine.config.physicalTargetAddresses ? this.gicrAddress(cpu, 0) : cpu;
  }

  encode(command: Command): Uint8Array {
    const { physicalTargetAddresses } = this.machine.config;
    const words = 'command' in command ? encodeDoublewords(command, { physicalTargetAddresses }) : command;
    return new Uint8Array(BigUint64Array.from(words).buffer);
  }

  /** Gives a PE its LPI tables and sets GICR_CTLR.EnableLPIs. */
  enableLpis(cpu: number, idBits = 15): void {
    const { configTable } = this;
    enableLpis(this, cpu, { configTable, pendingTable: this.pendingTable(cpu), idBits });
  }

  setConfig(intid: number, byte: number): void {
    setLpiConfig(this, intid, byte, this.configTable);
  }

  isPending(intid: number, cpu: number): boolean {
    return pendingBit(this, intid, cpu, this.pendingTable(cpu));
  }

  /** The PEs in whose pending table an LPI's bit is set. */
  pendingAt(intid: number): number[] {
    return [...Array(this.machine.cpus).keys()].filter((cpu) => this.isPending(intid, cpu));
  }

  /** The PE's software: acknowledges and ends interrupts until there are none left. */
  take(cpu: number): number[] {
    const taken: number[] = [];
    for (;;) {
      const intid = this.icc(cpu, 'IAR1');
      if (intid === 1023) return taken;
      taken.push(intid);
      this.setIcc(cpu, 'EOIR1', intid);
    }
  }

  mask(cpu: number): void {
    this.setIcc(cpu, 'PMR', 0);
  }

  unmask(cpu: number): void {
    this.setIcc(cpu, 'PMR', 0xff);
  }

  /** What became of INT commands and MSIs, by outcome. */
  outcomes(kind: 'msi' | 'int' = 'msi'): Record<string, number> {
    const { pending, coalesced, dropped } = this.machine.counters()[kind];
    return { ...(pending && { pending }), ...(coalesced && { coalesced }), ...dropped };
  }
}

/** A board as it comes out of reset. */
export async function createItsBoard(options: MachineOptions = {}, build?: EngineBuild): Promise<ItsBoard> {
  return new ItsBoard(await createMachine({ ram: ITS_RAM, ...options }, build));
}

/** A board whose PEs take LPIs, all of them enabled at priority 0xA0, and whose ITSs run. */
export async function createRunningBoard(
  options: MachineOptions = {},
  tables: ItsTables = {},
  build?: EngineBuild,
): Promise<ItsBoard> {
  const board = await createItsBoard(options, build);
  board.open();
  board.machine.writeMemory(board.configTable, new Uint8Array(0xe000).fill(ENABLED));
  for (let cpu = 0; cpu < board.machine.cpus; cpu++) board.enableLpis(cpu);
  for (const its of board.itses) its.setUp(tables);
  return board;
}

/** The device that `createMappedBoard` maps. */
export const DEVICE = 0x10;

/**
 * A running board where, at every ITS, collection n is at PE n, `DEVICE` has 32 events, and events 0 to 7 are mapped
 * to the LPIs 8192 to 8199 in collection 0.
 */
export async function createMappedBoard(
  options: MachineOptions = {},
  tables: ItsTables = {},
  build?: EngineBuild,
): Promise<ItsBoard> {
  const board = await createRunningBoard(options, tables, build);
  for (const its of board.itses) {
    const commands = [mapd(DEVICE, its.itt(0))];
    for (let cpu = 0; cpu < board.machine.cpus; cpu++) commands.push(mapc(cpu, board.rdBase(cpu)));
    for (let event = 0; event < 8; event++) commands.push(mapti(DEVICE, event, FIRST_LPI + event, 0));
    if (tables.enable === false) its.store(commands);
    else its.run(commands);
  }
  return board;
}

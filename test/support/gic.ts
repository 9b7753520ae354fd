import { createMachine, type EngineBuild, type Machine, type MachineOptions } from '../../bindings/index.ts';

/** The address map of the preset `architecture` with a small RAM, as the tests use it. */
export const RAM = { base: 0x8000_0000, size: 0x20_0000 };

/** Offset of the SGI_base frame from RD_base (section 0). */
export const SGI_FRAME = 0x1_0000;

/** State arrays with one bit an INTID: offset in GICD and in the SGI_base frame, then in GICD for Extended SPIs. */
const bitArrays = {
  IGROUPR: [0x0080, 0x1000],
  ISENABLER: [0x0100, 0x1200],
  ICENABLER: [0x0180, 0x1400],
  ISPENDR: [0x0200, 0x1600],
  ICPENDR: [0x0280, 0x1800],
  ISACTIVER: [0x0300, 0x1a00],
  ICACTIVER: [0x0380, 0x1c00],
} as const;
export type BitArray = keyof typeof bitArrays;
export const bitArrayNames = Object.keys(bitArrays) as BitArray[];

/** The four states of section 1.2. */
export type State = 'inactive' | 'pending' | 'active' | 'active and pending';

export interface InterruptSettings {
  /** Default 0x80. */
  priority?: number;
  /** Default 1. */
  group?: 0 | 1;
  edge?: boolean;
  /** Default true. */
  enabled?: boolean;
  /** GICD_IROUTER value of an SPI, default 0: affinity 0.0.0.0. */
  router?: bigint;
}

/** A machine with the accessors that a driver has: registers by frame and offset, interrupts by INTID. */
export class Board {
  readonly #stride: number;

  constructor(readonly machine: Machine) {
    this.#stride = machine.config.architecture === 'GICv3' ? 0x2_0000 : 0x4_0000;
  }

  gicdAddress(offset: number): number {
    return this.machine.config.addressMap.gicd + offset;
  }

  gicrAddress(cpu: number, offset: number): number {
    return this.machine.config.addressMap.gicr + cpu * this.#stride + offset;
  }

  gicd(offset: number): number {
    return this.machine.read(this.gicdAddress(offset), 4);
  }

  setGicd(offset: number, value: number): void {
    this.machine.write(this.gicdAddress(offset), 4, value);
  }

  gicd64(offset: number): bigint {
    return this.machine.read(this.gicdAddress(offset), 8);
  }

  setGicd64(offset: number, value: bigint): void {
    this.machine.write(this.gicdAddress(offset), 8, value);
  }

  gicr(cpu: number, offset: number): number {
    return this.machine.read(this.gicrAddress(cpu, offset), 4);
  }

  setGicr(cpu: number, offset: number, value: number): void {
    this.machine.write(this.gicrAddress(cpu, offset), 4, value);
  }

  gicr64(cpu: number, offset: number): bigint {
    return this.machine.read(this.gicrAddress(cpu, offset), 8);
  }

  setGicr64(cpu: number, offset: number, value: bigint): void {
    this.machine.write(this.gicrAddress(cpu, offset), 8, value);
  }

  /** A system register without its `ICC_` and `_EL1`. */
  icc(cpu: number, name: string): number {
    return Number(this.machine.readSystemRegister(cpu, `ICC_${name}_EL1`));
  }

  setIcc(cpu: number, name: string, value: number | bigint): void {
    this.machine.writeSystemRegister(cpu, `ICC_${name}_EL1`, value);
  }

  /** Everything that stands between a pending interrupt and its PE is opened, for these PEs (default all). */
  open(cpus: Iterable<number> = Array(this.machine.cpus).keys()): this {
    this.setGicd(0x0000, 3);
    for (const cpu of cpus) {
      this.setGicr(cpu, 0x0014, 0);
      this.setIcc(cpu, 'PMR', 0xff);
      this.setIcc(cpu, 'IGRPEN0', 1);
      this.setIcc(cpu, 'IGRPEN1', 1);
    }
    return this;
  }

  /** Gives an interrupt its settings; for an SGI or PPI those of PE `cpu`. */
  configure(intid: number, settings: InterruptSettings = {}, cpu = 0): void {
    const { priority = 0x80, group = 1, edge, enabled = true, router = 0n } = settings;
    this.setBit('ICENABLER', intid, cpu);
    this.machine.write(this.priorityAddress(intid, cpu), 1, priority);
    const groups = this.bitWord('IGROUPR', intid, cpu);
    const mask = 2 ** (intid % 32);
    const others = this.machine.read(groups, 4) & ~mask;
    this.machine.write(groups, 4, (others | (group ? mask : 0)) >>> 0);
    if (edge !== undefined) this.setEdge(intid, edge, cpu);
    if (!isBanked(intid)) this.machine.write(this.routerAddress(intid), 8, router);
    if (enabled) this.setBit('ISENABLER', intid, cpu);
  }

  setEdge(intid: number, edge: boolean, cpu = 0): void {
    const address = this.configAddress(intid, cpu);
    const mask = 2 << (2 * (intid % 16));
    const others = this.machine.read(address, 4) & ~mask;
    this.machine.write(address, 4, (others | (edge ? mask : 0)) >>> 0);
  }

  /** Address of the register of a bit array that holds an INTID's bit, which is bit `intid % 32`. */
  bitWord(array: BitArray, intid: number, cpu = 0): number {
    const [offset, extended] = bitArrays[array];
    if (isBanked(intid)) return this.gicrAddress(cpu, SGI_FRAME + offset + 4 * (bankedNumber(intid) >> 5));
    if (intid >= 4096) return this.gicdAddress(extended + 4 * ((intid - 4096) >> 5));
    return this.gicdAddress(offset + 4 * (intid >> 5));
  }

  bit(array: BitArray, intid: number, cpu = 0): boolean {
    return ((this.machine.read(this.bitWord(array, intid, cpu), 4) >>> (intid % 32)) & 1) !== 0;
  }

  /** Writes a 1 to the INTID's bit and 0 to all others. */
  setBit(array: BitArray, intid: number, cpu = 0): void {
    this.machine.write(this.bitWord(array, intid, cpu), 4, 2 ** (intid % 32));
  }

  priorityAddress(intid: number, cpu = 0): number {
    if (isBanked(intid)) return this.gicrAddress(cpu, SGI_FRAME + 0x0400 + bankedNumber(intid));
    return this.gicdAddress(intid >= 4096 ? 0x2000 + intid - 4096 : 0x0400 + intid);
  }

  configAddress(intid: number, cpu = 0): number {
    if (isBanked(intid)) return this.gicrAddress(cpu, SGI_FRAME + 0x0c00 + 4 * (bankedNumber(intid) >> 4));
    if (intid >= 4096) return this.gicdAddress(0x3000 + 4 * ((intid - 4096) >> 4));
    return this.gicdAddress(0x0c00 + 4 * (intid >> 4));
  }

  routerAddress(intid: number): number {
    return this.gicdAddress(intid >= 4096 ? 0x8000 + 8 * (intid - 4096) : 0x6000 + 8 * intid);
  }

  state(intid: number, cpu = 0): State {
    const pending = this.bit('ISPENDR', intid, cpu);
    if (this.bit('ISACTIVER', intid, cpu)) return pending ? 'active and pending' : 'active';
    return pending ? 'pending' : 'inactive';
  }

  /** Drives the wire of an SPI or PPI. */
  setLine(intid: number, level: boolean, cpu = 0): void {
    if (isBanked(intid)) this.machine.setPpi(cpu, intid, level);
    else this.machine.setSpi(intid, level);
  }

  /** The codes of what was diagnosed since the last call. */
  diagnosed(): string[] {
    return this.machine.takeDiagnostics().map(({ code }) => code);
  }
}

/** INTIDs whose registers are in the redistributors (section 1.1). */
export function isBanked(intid: number): boolean {
  return intid < 32 || (intid >= 1056 && intid < 1120);
}

/** Place of an SGI or PPI in the arrays of the SGI_base frame: Extended PPIs follow INTID 31. */
function bankedNumber(intid: number): number {
  return intid < 32 ? intid : intid - 1056 + 32;
}

/** A board with a small RAM unless the options say otherwise. */
export async function createBoard(options: MachineOptions = {}, build?: EngineBuild): Promise<Board> {
  return new Board(await createMachine({ ram: RAM, ...options }, build));
}

/** A board whose PEs all take interrupts. */
export async function createOpenBoard(options: MachineOptions = {}, build?: EngineBuild): Promise<Board> {
  return (await createBoard(options, build)).open();
}

/** A value in hexadecimal, for test names. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

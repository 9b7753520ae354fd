import { redistributorStride } from '../../bindings/config.ts';
import {
  GicError,
  implementedRegisters,
  type Machine,
  registerAddress,
  registerName,
  systemRegisters,
} from '../../bindings/index.ts';
import { GITS, SCRATCH } from '../its/fixture.ts';
import type { Operation } from './operation.ts';
import { plausibleCommand } from './plausible_command.ts';

/** Bytes of an ITS command. */
const COMMAND = 32;
const sizes = [1, 2, 4, 8] as const;
const VALID = 1n << 63n;

/** Software and devices that mean harm: performs any operation on a machine. */
export class Attacker {
  readonly #machine: Machine;
  /** Every register of every frame. */
  readonly #registers: number[];
  /** 64 KiB frames, the reserved ones between them included. */
  readonly #frames: number[];
  readonly #kinds: ((a: number, b: number, c: number) => void)[];

  constructor(machine: Machine) {
    this.#machine = machine;
    const { addressMap, cpus, itsCount, architecture } = machine.config;
    this.#registers = registerAddresses(machine);
    const redistributorFrames = cpus * (architecture === 'GICv3' ? 2 : 4);
    this.#frames = [
      addressMap.gicd,
      ...frames(addressMap.gicr, redistributorFrames),
      ...frames(addressMap.gits, (itsCount * addressMap.gitsStride) / 0x1_0000),
    ];
    const weighted: [number, (a: number, b: number, c: number) => void][] = [
      [6, this.#writeRegister],
      [2, this.#writeFrame],
      [2, this.#readAnywhere],
      [10, this.#queueCommands],
      [1, this.#writeCwriter],
      [3, this.#scribble],
      [6, this.#sendMsi],
      [2, this.#drivePin],
      [4, this.#writeSystemRegister],
      [4, this.#readSystemRegister],
      [1, this.#step],
      [1, this.#resetInterface],
      [4, this.#open],
      [4, this.#takeInterrupt],
    ];
    this.#kinds = weighted.flatMap(([weight, perform]) => Array(weight).fill(perform.bind(this)));
  }

  perform([kind, a, b, c]: Operation): void {
    this.#kinds[kind % this.#kinds.length]?.(a, b, c);
  }

  /** A value that a register or a table may take seriously. */
  #value(b: number, c: number): bigint {
    const { base, size } = this.#machine.config.ram;
    const inside = BigInt(base) + (BigInt(c) % BigInt(size / 0x1000)) * 0x1000n;
    const outside = (BigInt(c) << 20n) & 0x000f_ffff_ffff_f000n;
    switch (b % 8) {
      case 0:
        return 0n;
      case 1:
        return 0xffff_ffff_ffff_ffffn;
      case 2:
        return VALID | inside | BigInt((b >>> 3) & 0x7ff);
      case 3:
        return inside | BigInt((b >>> 3) & 0x1f);
      case 4:
        return VALID | outside | BigInt((b >>> 3) & 0x7ff);
      case 5:
        return BigInt(c & 0xff);
      case 6:
        return 1n << BigInt(c & 63);
      default:
        return (BigInt(b) << 32n) | BigInt(c);
    }
  }

  #write(address: number, size: (typeof sizes)[number], value: bigint): void {
    this.#machine.write(address, size, BigInt.asUintN(8 * size, value));
  }

  #writeRegister(a: number, b: number, c: number): void {
    const address = this.#registers[a % this.#registers.length] as number;
    const wide = address % 8 === 0 && (b & 0x1000_0000) !== 0;
    this.#write(address, wide ? 8 : 4, this.#value(b, c));
  }

  #writeFrame(a: number, b: number, c: number): void {
    const frame = this.#frames[a % this.#frames.length] as number;
    this.#write(frame + (c & 0xffff), sizes[b & 3] as 1, this.#value(b >>> 2, c));
  }

  #readAnywhere(a: number, b: number, c: number): void {
    const { base, size } = this.#machine.config.ram;
    const places = [
      ...this.#frames.slice(0, 3),
      this.#frames.at(-1) as number,
      base,
      base + size - 0x1_0000,
      c,
    ];
    const place = b & 4 ? (this.#registers[a % this.#registers.length] as number) : places[a % places.length];
    this.#machine.read((place as number) + (b & 4 ? 0 : c & 0xffff), sizes[b & 3] as 1);
  }

  /** Queues one to four commands that may be sensible, or stores them somewhere in the queue. */
  #queueCommands(a: number, b: number, c: number): void {
    const its = this.#its(a);
    if (its === undefined) return;
    const machine = this.#machine;
    const cbaser = machine.read(its + GITS.CBASER, 8);
    const slots = 128 * (Number(cbaser & 0xffn) + 1);
    let slot =
      (machine.read(its + GITS.CWRITER, 4) / COMMAND + ((a >>> 8) % 16 === 0 ? c % slots : 0)) % slots;
    for (let n = 0; n <= (a >>> 12) % 4; n++) {
      const words = plausibleCommand(machine.config, b >>> n, Math.imul(c, 2 * n + 1) >>> 0);
      if ((b >>> 24) % 8 === 0) words[(b >>> 27) & 3] = this.#value(b >>> 8, c);
      this.#store(Number(cbaser & 0x000f_ffff_ffff_0000n) + slot * COMMAND, new Uint8Array(words.buffer));
      slot = (slot + 1) % slots;
    }
    machine.write(its + GITS.CWRITER, 8, slot * COMMAND + ((a >>> 16) & 1));
  }

  /** Stores bytes if their place is in RAM. */
  #store(address: number, bytes: Uint8Array): void {
    const { base, size } = this.#machine.config.ram;
    if (address >= base && address + bytes.length <= base + size) this.#machine.writeMemory(address, bytes);
  }

  #writeCwriter(a: number, b: number, c: number): void {
    const its = this.#its(a);
    if (its !== undefined) this.#machine.write(its + GITS.CWRITER, 8, this.#value(b, c & 0xfff));
  }

  /** Overwrites eight bytes of RAM: tables, queues, configuration bytes, pending bits. */
  #scribble(a: number, b: number, c: number): void {
    const { base, size } = this.#machine.config.ram;
    const address = base + (a & 0x100 ? a % (size - 8) : ((a >>> 9) % (size / 0x1000)) * 0x1000 + (a & 0xf8));
    this.#write(address, 8, this.#value(b, c));
  }

  #sendMsi(a: number, b: number, c: number): void {
    const { itsCount } = this.#machine.config;
    if (itsCount === 0) return;
    const wild = (b & 0xf0) === 0;
    this.#machine.sendMsi(wild ? b : b & 3, wild ? c : c & 7, a % itsCount);
  }

  #drivePin(a: number, b: number, c: number): void {
    const { spis, cpus } = this.#machine.config;
    const level = (c & 1) !== 0;
    if (b & 1 || spis === 0) this.#machine.setPpi(a % cpus, 16 + ((b >>> 1) & 15), level);
    else this.#machine.setSpi(32 + ((b >>> 1) % spis), level);
  }

  #writeSystemRegister(a: number, b: number, c: number): void {
    this.#access(a, (cpu, name, el) => this.#machine.writeSystemRegister(cpu, name, this.#value(b, c), el));
  }

  #readSystemRegister(a: number): void {
    this.#access(a, (cpu, name, el) => this.#machine.readSystemRegister(cpu, name, el));
  }

  #access(a: number, access: (cpu: number, name: string, el: 1 | 2) => unknown): void {
    const register = systemRegisters[(a >>> 8) % systemRegisters.length];
    if (!register) return;
    try {
      access(a % this.#machine.cpus, register.name, a & 0x80 ? 1 : 2);
    } catch (error) {
      // A trap to EL2 is an outcome of the access, not a failure.
      if (!(error instanceof GicError && error.code === 'TRAPPED')) throw error;
    }
  }

  #step(a: number, b: number): void {
    const { itsCount } = this.#machine.config;
    if (itsCount > 0) this.#machine.stepIts(a % itsCount, 1 + (b % 64));
  }

  #resetInterface(a: number, b: number): void {
    if (b % 8 === 0) this.#machine.resetCpuInterface(a % this.#machine.cpus);
  }

  /** Brings one unit into use, as software does that means no harm: without this little would be left to attack. */
  #open(a: number, b: number, c: number): void {
    const machine = this.#machine;
    const { addressMap, cpus, itsCount, ram } = machine.config;
    const cpu = a % cpus;
    const redistributor = addressMap.gicr + cpu * redistributorStride(machine.config);
    const icc = (name: string, value: number): void => machine.writeSystemRegister(cpu, name, value);
    const table = (index: number): bigint => BigInt(ram.base + SCRATCH + index * 0x1_0000);
    switch (b % 5) {
      case 0:
        machine.write(addressMap.gicd, 4, 3);
        machine.write(redistributor + 0x0014, 4, 0);
        icc('ICC_PMR_EL1', 0xff);
        icc('ICC_IGRPEN0_EL1', 1);
        icc('ICC_IGRPEN1_EL1', 1);
        return;
      case 1:
        machine.write(redistributor + 0x0070, 8, BigInt(ram.base) | 13n);
        machine.write(redistributor + 0x0078, 8, BigInt(ram.base + 0x2_0000 + cpu * 0x1_0000));
        machine.write(redistributor, 4, 1);
        if (c & 1) machine.ram(ram.base, 0x2000).fill(0xa3);
        return;
      case 2: {
        if (itsCount === 0) return;
        const its = addressMap.gits + (c % itsCount) * addressMap.gitsStride;
        if (c & 0x100) {
          machine.write(its + GITS.CTLR, 4, 0);
          machine.write(its + GITS.CBASER, 8, VALID | table(16));
          machine.write(its + GITS.CWRITER, 8, 0);
          for (const n of [0, 1, 2]) machine.write(its + GITS.BASER0 + 8 * n, 8, VALID | table(17 + n));
        }
        machine.write(its + GITS.CTLR, 4, 1);
        return;
      }
      case 3:
        icc('ICH_HCR_EL2', 1);
        icc('ICH_VMCR_EL2', 0xff00_0003);
        return;
      default:
        this.#schedule(redistributor + 0x2_0000, c);
    }
  }

  /** Makes one of four vPEs resident, or none, in the VLPI frame of a redistributor. */
  #schedule(frame: number, c: number): void {
    const { architecture, ram } = this.#machine.config;
    const table = (index: number): bigint => BigInt(ram.base + SCRATCH + index * 0x1_0000);
    const valid = c & 0x100 ? VALID : 0n;
    const vpe = c & 3;
    if (architecture === 'GICv4.0') {
      this.#machine.write(frame + 0x0070, 8, table(8) | 13n);
      this.#machine.write(frame + 0x0078, 8, valid | table(9 + vpe));
    } else if (architecture === 'GICv4.1') {
      this.#machine.write(frame + 0x0070, 8, VALID | (2n << 53n) | table(19));
      this.#machine.write(frame + 0x0078, 8, valid | (3n << 58n) | BigInt(vpe));
    }
    if (c & 0x200) this.#machine.ram(Number(table(8)), 0x2000).fill(0xa3);
  }

  /** Acknowledges an interrupt, physical or virtual, and mostly ends it. */
  #takeInterrupt(a: number, b: number): void {
    const cpu = a % this.#machine.cpus;
    const prefix = b & 0x10 ? 'ICV' : 'ICC';
    const group = b & 0x60 ? 1 : 0;
    const intid = this.#machine.readSystemRegister(cpu, `${prefix}_IAR${group}_EL1`);
    if (b & 3) this.#machine.writeSystemRegister(cpu, `${prefix}_EOIR${group}_EL1`, intid);
  }

  #its(a: number): number | undefined {
    const { itsCount, addressMap } = this.#machine.config;
    return itsCount === 0 ? undefined : addressMap.gits + (a % itsCount) * addressMap.gitsStride;
  }
}

function frames(base: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => base + n * 0x1_0000);
}

function registerAddresses({ config }: Machine): number[] {
  return implementedRegisters(config).flatMap((definition) => {
    const isRedistributor = definition.name.startsWith('GICR');
    const units = isRedistributor ? config.cpus : definition.name.startsWith('GITS') ? config.itsCount : 1;
    const { count = 1, width } = definition;
    return Array.from({ length: units }, (_, unit) => {
      const first = registerAddress(config, registerName(definition), unit) as number;
      return Array.from({ length: count }, (_, element) => first + (element * width) / 8);
    }).flat();
  });
}

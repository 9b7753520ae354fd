import type { GicHardware, HighestPending } from '../../bindings/hardware.ts';
import { CaptureParser } from '../../bindings/replay/capture_reader.ts';
import type { CaptureEvent } from '../../bindings/replay/events.ts';
import type { ReplayedMachine } from '../../bindings/replay/frames.ts';
import { Replayer, type ReplayerOptions } from '../../bindings/replay/replayer.ts';

export const machine: ReplayedMachine = {
  architecture: 'GICv3',
  cpus: 2,
  itsCount: 0,
  deviceIdBits: 16,
  collectionIdBits: 16,
  maintenancePpi: 25,
  ram: { base: 0x4000_0000, size: 0x10_0000 },
  addressMap: { gicd: 0x0800_0000, gicr: 0x080a_0000, gits: 0x0808_0000, gitsStride: 0x2_0000 },
};

const GICR_STRIDE = 0x2_0000;
const ISPENDR0 = 0x1_0200;
const SPURIOUS = 1023;

class Pe {
  readonly lines = new Set<number>();
  readonly latches = new Set<number>();
  readonly active = new Set<number>();
}

/**
 * A GIC with SGIs and PPIs only, all of priority 0xa0 and enabled: the least that the order of events can be tested
 * with. Registers are plain memory. Tests make it wrong by overriding a method.
 */
export class FakeGic implements GicHardware {
  readonly cpus = machine.cpus;
  readonly stores = new Map<number, bigint>();
  readonly resets: number[] = [];
  protected readonly pes = Array.from({ length: machine.cpus }, () => new Pe());

  read(address: number, size: 1 | 2 | 4): number;
  read(address: number, size: 8): bigint;
  read(address: number, size: 1 | 2 | 4 | 8): number | bigint;
  read(address: number, size: 1 | 2 | 4 | 8): number | bigint {
    const value = this.#isPending(address) ?? this.stores.get(address) ?? 0n;
    return size === 8 ? value : Number(value & 0xffff_ffffn);
  }

  write(address: number, _size: 1 | 2 | 4 | 8, value: number | bigint): void {
    this.stores.set(address, BigInt(value));
  }

  sendMsi(): void {}
  setSpi(): void {}

  setPpi(cpu: number, intid: number, level: boolean): void {
    if (level) this.pe(cpu).lines.add(intid);
    else this.pe(cpu).lines.delete(intid);
  }

  readSystemRegister(cpu: number, name: string): bigint {
    return name === 'ICC_IAR1_EL1' ? BigInt(this.acknowledge(cpu)) : 0n;
  }

  writeSystemRegister(cpu: number, name: string, value: number | bigint): void {
    if (name === 'ICC_EOIR1_EL1') this.pe(cpu).active.delete(Number(value));
    if (name === 'ICC_SGI1R_EL1') this.sendSgi(Number(value));
  }

  readMemory(_address: number, length: number): Uint8Array {
    return new Uint8Array(length);
  }

  writeMemory(): void {}

  highestPending(cpu: number): HighestPending | undefined {
    const [intid] = this.candidates(cpu);
    return intid === undefined ? undefined : { intid, priority: 0xa0, group: 1 };
  }

  irq(cpu: number): boolean {
    return this.pe(cpu).active.size === 0 && this.candidates(cpu).length > 0;
  }

  fiq(): boolean {
    return false;
  }

  resetCpuInterface(cpu: number): void {
    this.resets.push(cpu);
  }

  protected pe(cpu: number): Pe {
    const pe = this.pes[cpu];
    if (!pe) throw new RangeError(`no PE ${cpu}`);
    return pe;
  }

  /** Pending and not active, the best one first. */
  protected candidates(cpu: number): number[] {
    const { lines, latches, active } = this.pe(cpu);
    return [...new Set([...lines, ...latches])].filter((intid) => !active.has(intid)).sort((a, b) => a - b);
  }

  protected acknowledge(cpu: number): number {
    const [intid] = this.candidates(cpu);
    if (intid === undefined) return SPURIOUS;
    this.pe(cpu).latches.delete(intid);
    this.pe(cpu).active.add(intid);
    return intid;
  }

  protected sendSgi(value: number): void {
    const intid = Math.floor(value / 2 ** 24) & 0xf;
    this.pes.forEach((pe, cpu) => {
      if ((value >> cpu) & 1) pe.latches.add(intid);
    });
  }

  #isPending(address: number): bigint | undefined {
    const offset = address - machine.addressMap.gicr;
    if (offset < 0 || offset % GICR_STRIDE !== ISPENDR0) return undefined;
    const { latches } = this.pe(Math.floor(offset / GICR_STRIDE));
    return [...latches].reduce((bits, intid) => bits | (1n << BigInt(intid)), 0n);
  }
}

/** The events of lines in the capture format, given as objects; times are made up. */
export function capture(...lines: object[]): CaptureEvent[] {
  const text = lines.map((line, index) => `${JSON.stringify({ t: 1000 * index, ...line })}\n`).join('');
  return parseCapture(text);
}

export function parseCapture(text: string, file = 'hand-made'): CaptureEvent[] {
  const events: CaptureEvent[] = [];
  new CaptureParser(file).parse(Buffer.from(text), (event) => events.push(event));
  return events;
}

/** Plays events to their end. */
export function replay(
  hardware: GicHardware,
  events: readonly CaptureEvent[],
  options: ReplayerOptions = {},
): Replayer {
  const replayer = new Replayer(hardware, machine, options);
  for (const event of events) replayer.feed(event);
  replayer.finish();
  return replayer;
}

// Lines of the capture format, as QEMU's GIC would print them.
export const ppi = (cpu: number, irq: number, level: 0 | 1): object => ({
  dev: 'redist',
  op: 'line',
  irq,
  level,
  cpu,
});
export const hppi = (cpu: number, irq: number): object => ({ dev: 'hppi', cpu, irq, grp: 2, prio: 160 });
/** Nothing pending; QEMU still shows the INTID of before. */
export const idle = (cpu: number, irq = 0): object => ({ dev: 'hppi', cpu, irq, grp: 0, prio: 255 });
export const wire = (cpu: number, irq: 0 | 1): object => ({ dev: 'wire', cpu, fiq: 0, irq });
export const iar = (cpu: number, intid: number): object => ({
  dev: 'cpuif',
  cpu,
  op: 'iar',
  reg: 'ICC_IAR1',
  val: `0x${intid.toString(16)}`,
});
export const eoi = (cpu: number, intid: number): object => ({
  dev: 'cpuif',
  cpu,
  op: 'eoi',
  reg: 'ICC_EOIR1',
  val: `0x${intid.toString(16)}`,
});
export const sgi = (cpu: number, irq: number, list: number): object => ({
  dev: 'cpuif',
  cpu,
  op: 'sgi',
  irq,
  irm: 0,
  aff: '0x0',
  list: `0x${list.toString(16)}`,
});
export const sgipend = (cpu: number, irq: number): object => ({ dev: 'redist', cpu, op: 'sgipend', irq });
export const distRead = (off: number, val: number): object => ({
  dev: 'dist',
  op: 'r',
  off: `0x${off.toString(16)}`,
  size: 4,
  val: `0x${val.toString(16)}`,
});

import type { ExceptionLevel, Step } from '../../bindings/vectors/vector.ts';
import type { SystemAccess } from './guest_cpus.ts';
import type { Qemu } from './qemu.ts';
import type { AccessSize } from './qtest.ts';
import { comparedBits } from './quirks.ts';

/** The interrupt outputs of a PE's CPU interface. */
export interface Outputs {
  readonly irq: boolean;
  readonly fiq: boolean;
  readonly virq: boolean;
  readonly vfiq: boolean;
}

/** ISR_EL1.I and F: at EL2 the physical interrupts, at EL1 under HCR_EL2.IMO and FMO the virtual ones. */
const ISR_I = 1n << 7n;
const ISR_F = 1n << 6n;

/** The interrupt outputs of every PE. */
export interface OutputsStep {
  readonly op: 'outputs';
  readonly expect: readonly Outputs[];
}

/** A step of a program that ran on QEMU, with QEMU's result. */
export type LiveStep = Step | OutputsStep;

/** Bytes of RAM. */
export interface MemoryRange {
  readonly address: number;
  readonly length: number;
}

/** How the result of a read is compared. */
export interface ReadOptions {
  /** The bits that count, when not all do. */
  readonly mask?: bigint;
  /** What is read, in words. */
  readonly what?: string;
}

const writeOps = { 1: 'writeb', 4: 'writel', 8: 'writeq' } as const;
const readOps = { 1: 'readb', 4: 'readl', 8: 'readq' } as const;

/**
 * Plays a program on QEMU and keeps its steps with their results. Calls take effect in their order; only a program
 * that needs a result has to wait for it. What goes wrong is thrown by `finish`.
 */
export class Recorder {
  readonly #qemu: Qemu;
  readonly #steps: Promise<LiveStep>[] = [];
  readonly #touched: MemoryRange[] = [];
  /** Wires that are high. */
  readonly #wires = new Map<string, () => Promise<void>>();
  #sent: Promise<unknown> = Promise.resolve();
  /** Accesses to system registers that have not begun. */
  #batch: Batch | undefined;

  constructor(qemu: Qemu) {
    this.#qemu = qemu;
  }

  /** The low bits of `value` are written, as many as the access has. */
  write(address: number, size: AccessSize, value: number | bigint): void {
    const bits = BigInt.asUintN(8 * size, BigInt(value));
    const done = this.#send(() => this.#qemu.qtest.write(address, size, bits));
    this.#keep(done, () => ({ op: writeOps[size], address, value: bits }));
  }

  writeBytes(address: number, bytes: Uint8Array, commands: readonly string[] = []): void {
    const done = this.#send(() => this.#qemu.qtest.writeBytes(address, bytes));
    this.#keep(done, () => ({ op: 'write', address, bytes, commands }));
  }

  read(address: number, size: AccessSize, options: ReadOptions = {}): Promise<bigint> {
    const value = this.#send(() => this.#qemu.qtest.read(address, size));
    const mask = (options.mask ?? -1n) & comparedBits(address, size);
    const all = BigInt.asUintN(8 * size, -1n);
    const compared = BigInt.asUintN(8 * size, mask) === all ? {} : { mask: mask & all };
    this.#keep(value, (expect) => ({ op: readOps[size], address, expect, ...options, ...compared }));
    return value;
  }

  /** Memory; `firstIntid` is the INTID of its first bit when it is part of a pending table. */
  readBytes(address: number, length: number, what: string, firstIntid?: number): void {
    const value = this.#send(() => this.#qemu.qtest.readBytes(address, length));
    this.#keep(value, (expect) => ({
      op: 'read',
      address,
      what,
      ...(firstIntid !== undefined && { firstIntid }),
      expect,
    }));
  }

  msi(deviceId: number, eventId: number): void {
    const done = this.#send(() => this.#qemu.sendMsi(deviceId, eventId));
    this.#keep(done, () => ({ op: 'msi', deviceId, eventId }));
  }

  spi(intid: number, level: boolean): void {
    const done = this.#drive(`spi ${intid}`, level, (high) => this.#qemu.setSpi(intid, high));
    this.#keep(done, () => ({ op: 'spi_line', intid, level }));
  }

  ppi(cpu: number, intid: number, level: boolean): void {
    const done = this.#drive(`ppi ${cpu} ${intid}`, level, (high) => this.#qemu.setPpi(cpu, intid, high));
    this.#keep(done, () => ({ op: 'ppi_line', cpu, intid, level }));
  }

  writeSystem(cpu: number, register: string, value: number | bigint, el: ExceptionLevel = 2): void {
    const done = this.#access({ cpu, register, el, value: BigInt(value) });
    this.#keep(done, () => ({ op: 'sysreg_write', cpu, register, value: BigInt(value), el }));
  }

  readSystem(
    cpu: number,
    register: string,
    el: ExceptionLevel = 2,
    options: ReadOptions = {},
  ): Promise<bigint> {
    const value = this.#access({ cpu, register, el });
    this.#keep(value, (expect) => ({ op: 'sysreg_read', cpu, register, el, expect, ...options }));
    return value;
  }

  outputs(): void {
    const outputs = Array.from({ length: this.#qemu.cpus }, async (_, cpu): Promise<Outputs> => {
      const [physical, virtual] = await Promise.all([
        this.#access({ cpu, register: 'ISR_EL1', el: 2 }),
        this.#access({ cpu, register: 'ISR_EL1', el: 1 }),
      ]);
      const [irq, fiq] = [(physical & ISR_I) !== 0n, (physical & ISR_F) !== 0n];
      return { irq, fiq, virq: (virtual & ISR_I) !== 0n, vfiq: (virtual & ISR_F) !== 0n };
    });
    this.#keep(Promise.all(outputs), (expect) => ({ op: 'outputs', expect }));
  }

  /** RAM that the program changes other than by `writeBytes`: it is cleared before the next program. */
  touches(range: MemoryRange): void {
    this.#touched.push(range);
  }

  /** Does the steps of another recording, for results of their own. */
  repeat(steps: readonly LiveStep[]): void {
    for (const step of steps) repeatStep(this, step);
  }

  /** The program as it ran. QEMU is reset, for the next one. */
  async finish(): Promise<LiveStep[]> {
    const steps = await Promise.all(this.#steps);
    await Promise.all([
      ...[...this.#wires.values()].map((lower) => lower()),
      ...this.#touched.map(({ address, length }) => this.#qemu.qtest.fill(address, length, 0)),
    ]);
    await this.#qemu.reset();
    return steps;
  }

  #drive(wire: string, level: boolean, drive: (level: boolean) => Promise<void>): Promise<void> {
    this.#wires.delete(wire);
    if (level) this.#wires.set(wire, () => drive(false));
    return this.#send(() => drive(level));
  }

  #keep<Result>(result: Promise<Result>, step: (result: Result) => LiveStep): void {
    const kept = result.then(step);
    kept.catch(() => undefined);
    this.#steps.push(kept);
  }

  /** Commands are sent in the order of the calls; their answers are not waited for. */
  #send<Result>(start: () => Promise<Result>): Promise<Result> {
    this.#batch = undefined;
    const started = this.#sent.then(() => {
      const answer = start();
      answer.catch(() => undefined);
      return { answer };
    });
    started.catch(() => undefined);
    this.#sent = started;
    return started.then(({ answer }) => answer);
  }

  /** Accesses that follow each other are made together. */
  async #access(access: SystemAccess): Promise<bigint> {
    this.#batch ??= this.#newBatch();
    const { accesses, values } = this.#batch;
    const index = accesses.push(access) - 1;
    return (await values)[index] ?? 0n;
  }

  #newBatch(): Batch {
    const accesses: SystemAccess[] = [];
    const values = this.#sent.then(() => {
      this.#batch = undefined;
      return this.#qemu.guests.access(accesses);
    });
    values.catch(() => undefined);
    this.#sent = values;
    return { accesses, values };
  }
}

interface Batch {
  readonly accesses: SystemAccess[];
  readonly values: Promise<bigint[]>;
}

function repeatStep(recorder: Recorder, step: LiveStep): void {
  switch (step.op) {
    case 'writeb':
      return recorder.write(step.address, 1, step.value);
    case 'writel':
      return recorder.write(step.address, 4, step.value);
    case 'writeq':
      return recorder.write(step.address, 8, step.value);
    case 'readb':
      return void recorder.read(step.address, 1, optionsOf(step));
    case 'readl':
      return void recorder.read(step.address, 4, optionsOf(step));
    case 'readq':
      return void recorder.read(step.address, 8, optionsOf(step));
    case 'write':
      return recorder.writeBytes(step.address, step.bytes, step.commands);
    case 'read':
      return recorder.readBytes(step.address, step.expect.length, step.what ?? '', step.firstIntid);
    case 'msi':
      return recorder.msi(step.deviceId, step.eventId);
    case 'spi_line':
      return recorder.spi(step.intid, step.level);
    case 'ppi_line':
      return recorder.ppi(step.cpu, step.intid, step.level);
    case 'sysreg_write':
      return recorder.writeSystem(step.cpu, step.register, step.value, step.el);
    case 'sysreg_read':
      return void recorder.readSystem(step.cpu, step.register, step.el, optionsOf(step));
    case 'outputs':
      return recorder.outputs();
    case 'memset':
      return recorder.writeBytes(step.address, new Uint8Array(step.size).fill(step.value));
    case 'note':
      return;
  }
}

function optionsOf({ mask, what }: { mask?: bigint; what?: string }): ReadOptions {
  return { ...(mask !== undefined && { mask }), ...(what !== undefined && { what }) };
}

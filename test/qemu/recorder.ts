import type { ExceptionLevel, Step, Vector } from '../../bindings/vectors/vector.ts';
import type { SystemAccess } from './guest_cpus.ts';
import type { Qemu } from './qemu.ts';

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
 * Plays a program on QEMU and keeps it, with the results, as a conformance vector. Calls take effect in their order;
 * only a program that needs a result has to wait for it.
 */
export class Recorder {
  readonly #qemu: Qemu;
  readonly #steps: (Step | Promise<Step>)[] = [];
  readonly #touched: [address: number, length: number][] = [];
  /** Wires that are high. */
  readonly #wires = new Map<string, () => Promise<void>>();
  #sent: Promise<unknown> = Promise.resolve();
  /** Accesses to system registers that have not begun. */
  #batch: Batch | undefined;

  constructor(qemu: Qemu) {
    this.#qemu = qemu;
  }

  /** The low bits of `value` are written, as many as the access has. */
  write(address: number, size: 1 | 4 | 8, value: number | bigint): void {
    const bits = BigInt.asUintN(8 * size, BigInt(value));
    this.#steps.push({ op: writeOps[size], address, value: bits });
    this.#send(() => this.#qemu.qtest.write(address, size, bits));
  }

  writeBytes(address: number, bytes: Uint8Array, commands: readonly string[] = []): void {
    this.#steps.push({ op: 'write', address, bytes, commands });
    this.#send(() => this.#qemu.qtest.writeBytes(address, bytes));
  }

  read(address: number, size: 1 | 4 | 8, options: ReadOptions = {}): Promise<bigint> {
    const value = this.#send(() => this.#qemu.qtest.read(address, size));
    this.#steps.push(value.then((expect) => ({ op: readOps[size], address, expect, ...options })));
    return value;
  }

  /** Memory; `firstIntid` is the INTID of its first bit when it is part of a pending table. */
  readBytes(address: number, length: number, what: string, firstIntid?: number): void {
    const value = this.#send(() => this.#qemu.qtest.readBytes(address, length));
    const place = { op: 'read' as const, address, what, ...(firstIntid !== undefined && { firstIntid }) };
    this.#steps.push(value.then((expect) => ({ ...place, expect })));
  }

  msi(deviceId: number, eventId: number): void {
    this.#steps.push({ op: 'msi', deviceId, eventId });
    this.#send(() => this.#qemu.sendMsi(deviceId, eventId));
  }

  spi(intid: number, level: boolean): void {
    this.#steps.push({ op: 'spi_line', intid, level });
    this.#drive(`spi ${intid}`, level, (high) => this.#qemu.setSpi(intid, high));
  }

  ppi(cpu: number, intid: number, level: boolean): void {
    this.#steps.push({ op: 'ppi_line', cpu, intid, level });
    this.#drive(`ppi ${cpu} ${intid}`, level, (high) => this.#qemu.setPpi(cpu, intid, high));
  }

  writeSystem(cpu: number, register: string, value: number | bigint, el: ExceptionLevel = 2): void {
    this.#steps.push({ op: 'sysreg_write', cpu, register, value: BigInt(value), el });
    void this.#access({ cpu, register, el, value: BigInt(value) });
  }

  readSystem(
    cpu: number,
    register: string,
    el: ExceptionLevel = 2,
    options: ReadOptions = {},
  ): Promise<bigint> {
    const value = this.#access({ cpu, register, el });
    this.#steps.push(
      value.then((expect) => ({ op: 'sysreg_read' as const, cpu, register, el, expect, ...options })),
    );
    return value;
  }

  note(text: string): void {
    this.#steps.push({ op: 'note', text });
  }

  /** RAM that the program changes other than by `writeBytes`: it is cleared before the next program. */
  touches(address: number, length: number): void {
    this.#touched.push([address, length]);
  }

  /** The program as it ran. QEMU is reset, for the next one. */
  async finish(name: string, arch: 'GICv3' | 'GICv4.0'): Promise<Vector> {
    await this.#sent;
    const steps = await Promise.all(this.#steps);
    for (const lower of this.#wires.values()) void lower();
    for (const [address, length] of this.#touched) void this.#qemu.qtest.fill(address, length, 0);
    await this.#qemu.reset();
    return { name, description: name, level: 5, machine: { arch }, steps };
  }

  #drive(wire: string, level: boolean, drive: (level: boolean) => Promise<void>): void {
    this.#wires.delete(wire);
    if (level) this.#wires.set(wire, () => drive(false));
    this.#send(() => drive(level));
  }

  /** Commands are sent in the order of the calls; their answers are not waited for. */
  #send<Result>(start: () => Promise<Result>): Promise<Result> {
    this.#batch = undefined;
    const started = this.#sent.then(() => ({ answer: start() }));
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
      return this.#qemu.cpus.access(accesses);
    });
    this.#sent = values;
    return { accesses, values };
  }
}

interface Batch {
  readonly accesses: SystemAccess[];
  readonly values: Promise<bigint[]>;
}

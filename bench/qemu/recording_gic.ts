import type { GicHardware, HighestPending, VirtualOutputs } from '../../bindings/hardware.ts';
import type { Machine } from '../../bindings/machine.ts';

type Size = 1 | 2 | 4 | 8;

/** What was done to a GIC, and what came back. */
export type Access =
  | { readonly op: 'write'; readonly address: number; readonly size: Size; readonly value: bigint }
  | { readonly op: 'read'; readonly address: number; readonly size: Size; readonly expect: bigint }
  | { readonly op: 'store'; readonly address: number; readonly bytes: Uint8Array }
  | { readonly op: 'load'; readonly address: number; readonly expect: Uint8Array }
  | { readonly op: 'writeSystem'; readonly cpu: number; readonly register: string; readonly value: bigint };

/** A machine that keeps a list of what is done to it, so that the same can be done to another GIC. */
export class RecordingGic implements GicHardware {
  readonly machine: Machine;
  #accesses: Access[] = [];

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** The accesses since the last call. */
  take(): Access[] {
    const accesses = this.#accesses;
    this.#accesses = [];
    return accesses;
  }

  get cpus(): number {
    return this.machine.cpus;
  }

  read(address: number, size: 1 | 2 | 4): number;
  read(address: number, size: 8): bigint;
  read(address: number, size: Size): number | bigint;
  read(address: number, size: Size): number | bigint {
    const value = this.machine.read(address, size);
    this.#accesses.push({ op: 'read', address, size, expect: BigInt(value) });
    return value;
  }

  write(address: number, size: Size, value: number | bigint): void {
    this.machine.write(address, size, value);
    this.#accesses.push({ op: 'write', address, size, value: BigInt.asUintN(8 * size, BigInt(value)) });
  }

  readMemory(address: number, length: number): Uint8Array {
    const expect = this.machine.readMemory(address, length);
    this.#accesses.push({ op: 'load', address, expect });
    return expect;
  }

  writeMemory(address: number, bytes: Uint8Array): void {
    this.machine.writeMemory(address, bytes);
    this.#accesses.push({ op: 'store', address, bytes: bytes.slice() });
  }

  writeSystemRegister(cpu: number, register: string, value: number | bigint): void {
    this.machine.writeSystemRegister(cpu, register, value);
    this.#accesses.push({ op: 'writeSystem', cpu, register, value: BigInt(value) });
  }

  highestPending(cpu: number): HighestPending | undefined {
    return this.machine.highestPending(cpu);
  }

  irq(cpu: number): boolean {
    return this.machine.irq(cpu);
  }

  fiq(cpu: number): boolean {
    return this.machine.fiq(cpu);
  }

  virtualOutputs(cpu: number): VirtualOutputs {
    return this.machine.virtualOutputs(cpu);
  }

  readSystemRegister(): never {
    return notForQemu('readSystemRegister');
  }

  sendMsi(): never {
    return notForQemu('sendMsi');
  }

  setSpi(): never {
    return notForQemu('setSpi');
  }

  setPpi(): never {
    return notForQemu('setPpi');
  }

  resetCpuInterface(): never {
    return notForQemu('resetCpuInterface');
  }
}

/** The cases that are measured on QEMU do without what qtest can't do, or only slowly. */
function notForQemu(method: string): never {
  throw new Error(`a case that calls ${method} can't be measured on QEMU`);
}

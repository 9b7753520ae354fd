import { type MachineOptions, resolveConfig } from '../../bindings/config.ts';
import type { GicHardware, HighestPending, VirtualOutputs } from '../../bindings/hardware.ts';
import { systemRegisterByName } from '../../bindings/registers/system.ts';
import { keyBit, keyPriority, NONE } from './priority_index.ts';
import { Twin } from './twin.ts';

/** The twin as the benchmark cases and the tests address a GIC. */
export class TwinGic implements GicHardware {
  readonly twin: Twin;
  readonly cpus: number;

  constructor(options: MachineOptions) {
    const config = resolveConfig(options);
    this.twin = new Twin(config);
    this.cpus = config.cpus;
  }

  read(address: number, size: 1 | 2 | 4): number;
  read(address: number, size: 8): bigint;
  read(address: number, size: 1 | 2 | 4 | 8): number | bigint;
  read(address: number, size: 1 | 2 | 4 | 8): number | bigint {
    const low = this.twin.read(address, size) >>> 0;
    return size === 8 ? (BigInt(this.twin.high >>> 0) << 32n) | BigInt(low) : low;
  }

  write(address: number, size: 1 | 2 | 4 | 8, value: number | bigint): void {
    const wide = BigInt(value);
    this.twin.write(address, size, Number(BigInt.asIntN(32, wide)), Number(BigInt.asIntN(32, wide >> 32n)));
  }

  sendMsi(deviceId: number, eventId: number): void {
    this.twin.sendMsi(deviceId, eventId);
  }

  readSystemRegister(cpu: number, name: string): bigint {
    return BigInt(this.twin.readSystem(cpu, numberOf(name)));
  }

  writeSystemRegister(cpu: number, name: string, value: number | bigint): void {
    this.twin.writeSystem(cpu, numberOf(name), Number(value));
  }

  readMemory(address: number, length: number): Uint8Array {
    const at = this.twin.ram.at(address, length);
    return this.twin.ram.bytes.slice(at, at + length);
  }

  writeMemory(address: number, bytes: Uint8Array): void {
    this.twin.ram.bytes.set(bytes, this.twin.ram.at(address, bytes.length));
  }

  highestPending(cpu: number): HighestPending | undefined {
    const best = this.twin.physical[cpu]?.best ?? NONE;
    return best === NONE ? undefined : { intid: keyBit(best), priority: keyPriority(best), group: 1 };
  }

  irq(cpu: number): boolean {
    return this.twin.physical[cpu]?.irq ?? false;
  }

  fiq(): boolean {
    return false;
  }

  virtualOutputs(cpu: number): VirtualOutputs {
    const guest = this.twin.virtual[cpu];
    const best = guest?.best ?? NONE;
    return {
      winner: best === NONE ? undefined : 'vlpi',
      bestVlpi: best === NONE ? undefined : { vIntid: keyBit(best), priority: keyPriority(best) },
      virq: guest?.irq ?? false,
      vfiq: false,
      maintenance: false,
    };
  }

  setSpi(): never {
    return absent('setSpi');
  }

  setPpi(): never {
    return absent('setPpi');
  }

  resetCpuInterface(): never {
    return absent('resetCpuInterface');
  }
}

function numberOf(name: string): number {
  const definition = systemRegisterByName.get(name);
  if (!definition) throw new RangeError(`no system register ${name}`);
  return definition.register;
}

function absent(method: string): never {
  throw new Error(`the twin has no ${method}`);
}

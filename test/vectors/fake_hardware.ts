import { GicError } from '../../bindings/errors.ts';
import type { GicHardware, HighestPending } from '../../bindings/hardware.ts';

/** Memory and system registers that read as written, and a list of everything that was done. */
export class FakeHardware implements GicHardware {
  readonly cpus = 2;
  readonly done: string[] = [];
  readonly #bytes = new Map<number, number>();
  readonly #registers = new Map<string, bigint>([['ICV_IAR1_EL1', 1023n]]);

  read(address: number, size: 1 | 2 | 4): number;
  read(address: number, size: 8): bigint;
  read(address: number, size: 1 | 2 | 4 | 8): number | bigint;
  read(address: number, size: 1 | 2 | 4 | 8): number | bigint {
    this.done.push(`read ${address} ${size}`);
    const bytes = this.readMemory(address, size);
    const value = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    return size === 8 ? value : Number(value);
  }

  write(address: number, size: 1 | 2 | 4 | 8, value: number | bigint): void {
    this.done.push(`write ${address} ${size} ${value}`);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    this.#store(address, bytes.subarray(0, size));
  }

  sendMsi(deviceId: number, eventId: number): void {
    this.done.push(`msi ${deviceId} ${eventId}`);
  }

  setSpi(intid: number, level: boolean): void {
    this.done.push(`spi ${intid} ${level}`);
  }

  setPpi(cpu: number, intid: number, level: boolean): void {
    this.done.push(`ppi ${cpu} ${intid} ${level}`);
  }

  readSystemRegister(cpu: number, name: string): bigint {
    this.done.push(`read ${cpu} ${name}`);
    const value = this.#registers.get(name);
    if (value === undefined) throw new GicError('UNKNOWN_NAME', 'name', name, 'a register that was written');
    return value;
  }

  writeSystemRegister(cpu: number, name: string, value: number | bigint): void {
    if (name === 'ICC_NONE_EL1') throw new GicError('UNKNOWN_NAME', 'name', name, 'a register');
    this.done.push(`write ${cpu} ${name} ${value}`);
    this.#registers.set(name, BigInt(value));
  }

  readMemory(address: number, length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, index) => this.#bytes.get(address + index) ?? 0);
  }

  writeMemory(address: number, bytes: Uint8Array): void {
    this.done.push(`memory ${address} ${bytes.length}`);
    this.#store(address, bytes);
  }

  highestPending(): HighestPending | undefined {
    return undefined;
  }

  irq(): boolean {
    return false;
  }

  fiq(): boolean {
    return false;
  }

  resetCpuInterface(): void {}

  #store(address: number, bytes: Uint8Array): void {
    bytes.forEach((byte, index) => {
      this.#bytes.set(address + index, byte);
    });
  }
}

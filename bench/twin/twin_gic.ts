import { type MachineOptions, resolveConfig } from '../../bindings/config.ts';
import { type CounterValues, readCounters } from '../../bindings/counters.ts';
import { EventReader, type MachineEvent } from '../../bindings/events.ts';
import type { GicHardware, HighestPending, VirtualOutputs } from '../../bindings/hardware.ts';
import { systemRegisterByName } from '../../bindings/registers/system.ts';
import { INTID, NOTHING_PENDING } from './cpu_interface.ts';
import { keyBit, keyPriority, NONE } from './priority_index.ts';
import type { Redistributor } from './redistributor.ts';
import { Twin } from './twin.ts';
import { NO_WINNER, WINNER_VLPI } from './virtual_cpu_interface.ts';

/** The twin as the benchmark cases and the tests address a GIC. */
export class TwinGic implements GicHardware {
  readonly twin: Twin;
  readonly cpus: number;
  readonly #events: EventReader;

  constructor(options: MachineOptions) {
    const config = resolveConfig(options);
    this.twin = new Twin(config);
    this.cpus = config.cpus;
    const { words, ring } = this.twin.shared.events;
    this.#events = new EventReader(words, ring);
  }

  read(address: number, size: 1 | 2 | 4): number;
  read(address: number, size: 8): bigint;
  read(address: number, size: 1 | 2 | 4 | 8): number | bigint;
  read(address: number, size: 1 | 2 | 4 | 8): number | bigint {
    const low = this.twin.read(address, size) >>> 0;
    return size === 8 ? (BigInt(this.twin.high >>> 0) << 32n) | BigInt(low) : low;
  }

  write(address: number, size: 1 | 2 | 4 | 8, value: number | bigint): void {
    this.twin.write(address, size, ...halves(value));
  }

  sendMsi(deviceId: number, eventId: number): void {
    this.twin.sendMsi(deviceId, eventId);
  }

  readSystemRegister(cpu: number, name: string): bigint {
    return BigInt(this.twin.readSystem(cpu, numberOf(name)) >>> 0);
  }

  writeSystemRegister(cpu: number, name: string, value: number | bigint): void {
    this.twin.writeSystem(cpu, numberOf(name), ...halves(value));
  }

  readMemory(address: number, length: number): Uint8Array {
    const { ram } = this.twin.shared;
    const at = ram.at(address, length);
    return ram.bytes.slice(at, at + length);
  }

  writeMemory(address: number, bytes: Uint8Array): void {
    const { ram } = this.twin.shared;
    ram.bytes.set(bytes, ram.at(address, bytes.length));
  }

  highestPending(cpu: number): HighestPending | undefined {
    const { highestPending } = this.#at(cpu).physical;
    if (highestPending === NOTHING_PENDING) return undefined;
    const group = ((highestPending >> 23) & 1) as 0 | 1;
    return { intid: highestPending & INTID, priority: highestPending >>> 24, group };
  }

  irq(cpu: number): boolean {
    return (this.#at(cpu).physical.outputs & 1) !== 0;
  }

  fiq(cpu: number): boolean {
    return (this.#at(cpu).physical.outputs & 2) !== 0;
  }

  virtualOutputs(cpu: number): VirtualOutputs {
    const { winner, bestVlpi, outputs } = this.#at(cpu).virtual;
    return {
      winner: winner === NO_WINNER ? undefined : winner === WINNER_VLPI ? 'vlpi' : winner,
      bestVlpi: bestVlpi === NONE ? undefined : { vIntid: keyBit(bestVlpi), priority: keyPriority(bestVlpi) },
      virq: (outputs & 1) !== 0,
      vfiq: (outputs & 2) !== 0,
      maintenance: (outputs & 4) !== 0,
    };
  }

  /** Events counted since it was made. */
  counters(): CounterValues {
    return readCounters(BigUint64Array.from(this.twin.shared.counters, BigInt).buffer, [0]);
  }

  /** The PEs whose outputs changed since the last call. */
  takeChangedCpus(): number[] {
    return this.twin.shared.changed.take();
  }

  recordEvents(on: boolean): void {
    this.twin.shared.events.on = on;
  }

  /** What happened since the last call while events were recorded. */
  takeEvents(): MachineEvent[] {
    return this.#events.take();
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

  #at(cpu: number): Redistributor {
    return this.twin.redistributors[cpu] as Redistributor;
  }
}

/** A value of 64 bits as two words. */
function halves(value: number | bigint): [low: number, high: number] {
  const wide = BigInt(value);
  return [Number(BigInt.asIntN(32, wide)), Number(BigInt.asIntN(32, wide >> 32n))];
}

function numberOf(name: string): number {
  const definition = systemRegisterByName.get(name);
  if (!definition) throw new RangeError(`no system register ${name}`);
  return definition.register;
}

function absent(method: string): never {
  throw new Error(`the twin has no ${method}`);
}

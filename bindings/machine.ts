import { Counter, Field, SystemRegister } from '../assembly/abi.ts';
import { type MachineConfig, type MachineOptions, resolveConfig } from './config.ts';
import { type CounterValues, readCounters } from './counters.ts';
import { type Diagnostic, DiagnosticReader } from './diagnostics.ts';
import {
  createMemory,
  type Engine,
  type EngineBuild,
  type EngineExports,
  instantiate,
  loadEngine,
  structureSizes,
} from './engine.ts';
import { GicError, requireInteger } from './errors.ts';
import { directSources, EventReader, type MachineEvent } from './events.ts';
import type { GicHardware, HighestPending, VirtualOutputs } from './hardware.ts';
import { type Layout, layOut } from './layout.ts';
import { configure, writeAffinities } from './machine_setup.ts';
import { type MsiOutcome, msiOutcomes } from './outcomes.ts';
import { writeRegisterMap } from './register_map.ts';
import { implementedRegisters } from './registers/index.ts';
import { type SystemRegisterDefinition, systemRegisterByName } from './registers/system.ts';
import {
  type DeviceEntry,
  decodeDeviceEntry,
  decodeInterruptEntry,
  decodeVpeEntry,
  type InterruptEntry,
  type VpeEntry,
} from './table_entries.ts';
import { CpuUnit } from './units/cpu.ts';
import { ItsUnit } from './units/its.ts';
import { RedistributorUnit } from './units/redistributor.ts';

/** Makes a machine. Throws a `GicError` for a configuration that is out of range. */
export async function createMachine(
  options: MachineOptions = {},
  build: EngineBuild = 'single',
): Promise<Machine> {
  return new Machine(await loadEngine(build), options);
}

/** A GIC: the distributor, a redistributor and CPU interface per PE, the ITSs, and the RAM that they use. */
export class Machine implements GicHardware {
  readonly config: MachineConfig;
  readonly cpus: number;
  /** The linear memory of the machine: state, then simulated RAM. */
  readonly memory: WebAssembly.Memory;

  /** The exports of the engine, raw: what the layers above this one call. */
  readonly engine: EngineExports;

  readonly #layout: Layout;
  readonly #words: Uint32Array;
  readonly #resultHigh: number;
  readonly #cpuInterfaces: number;
  readonly #cpuInterfaceWords: number;
  readonly #highestPending: number;
  readonly #outputs: number;
  readonly #virtualInterfaces: number;
  readonly #virtualInterfaceWords: number;
  readonly #winner: number;
  readonly #bestVlpi: number;
  readonly #virtualOutputs: number;
  readonly #changed: Uint32Array;
  readonly #listRegisters: number;
  readonly #diagnostics: DiagnosticReader;
  readonly #eventsOn: number;
  readonly #events: EventReader;

  constructor(engine: Engine, options: MachineOptions = {}) {
    const config = resolveConfig(options);
    const registers = implementedRegisters(config);
    const sizes = structureSizes(engine);
    const layout = layOut(config, sizes, registers.length);
    const memory = createMemory(engine.build, layout.pages);
    writeRegisterMap(memory.buffer, layout, sizes.registerInfo, config, registers);
    writeAffinities(memory.buffer, layout, config);

    this.config = config;
    this.cpus = config.cpus;
    this.memory = memory;
    this.engine = instantiate(engine, memory);
    this.#layout = layout;
    configure(this.engine, config, layout);

    this.#words = new Uint32Array(memory.buffer);
    this.#resultHigh = this.engine.fieldOffset(Field.RESULT_HIGH) >> 2;
    this.#cpuInterfaces = layout.cpuInterfaces >> 2;
    this.#cpuInterfaceWords = sizes.cpuInterface >> 2;
    this.#highestPending = this.engine.fieldOffset(Field.HIGHEST_PENDING) >> 2;
    this.#outputs = this.engine.fieldOffset(Field.OUTPUTS) >> 2;
    this.#virtualInterfaces = layout.virtualInterfaces >> 2;
    this.#virtualInterfaceWords = sizes.virtualInterface >> 2;
    this.#winner = this.engine.fieldOffset(Field.VIRTUAL_WINNER) >> 2;
    this.#bestVlpi = this.engine.fieldOffset(Field.BEST_VLPI) >> 2;
    this.#virtualOutputs = this.engine.fieldOffset(Field.VIRTUAL_OUTPUTS) >> 2;
    this.#changed = new Uint32Array(memory.buffer, layout.changedCpus, Math.ceil(config.cpus / 32));
    this.#listRegisters = this.engine.fieldOffset(Field.LIST_REGISTERS);
    this.#eventsOn = this.engine.fieldOffset(Field.EVENTS_ON) >> 2;
    this.#events = new EventReader(this.#words, {
      count: this.engine.fieldOffset(Field.EVENT_COUNT) >> 2,
      records: layout.events >> 2,
      recordWords: sizes.event >> 2,
      capacity: config.eventCapacity,
    });
    const count = this.engine.fieldOffset(Field.DIAGNOSTIC_COUNT) >> 2;
    this.#diagnostics = new DiagnosticReader(
      this.#words,
      count,
      layout.diagnostics >> 2,
      sizes.diagnostic >> 2,
    );
  }

  read(address: number, size: 1 | 2 | 4): number;
  read(address: number, size: 8): bigint;
  read(address: number, size: 1 | 2 | 4 | 8): number | bigint;
  read(address: number, size: 1 | 2 | 4 | 8): number | bigint {
    requireAccess(address, size);
    const low = this.engine.read(address, size) >>> 0;
    return size === 8 ? this.wide(low) : low;
  }

  write(address: number, size: 1 | 2 | 4 | 8, value: number | bigint): void {
    requireAccess(address, size);
    if (typeof value !== 'bigint') {
      requireInteger(
        'INVALID_ARGUMENT',
        'value',
        value,
        0,
        size === 8 ? Number.MAX_SAFE_INTEGER : 2 ** (8 * size) - 1,
      );
      this.engine.write(address, size, value, value / 2 ** 32);
    } else {
      requireWide('value', value, 8 * size);
      this.engine.write(address, size, Number(value & 0xffff_ffffn), Number(value >> 32n));
    }
  }

  /** Tells what became of the MSI. */
  sendMsi(deviceId: number, eventId: number, its = 0): MsiOutcome {
    requireInteger('INVALID_ARGUMENT', 'deviceId', deviceId, 0, 0xffff_ffff);
    requireInteger('INVALID_ARGUMENT', 'eventId', eventId, 0, 0xffff_ffff);
    this.#requireIts(its);
    return msiOutcomes[this.engine.sendMsi(its, deviceId, eventId)] as MsiOutcome;
  }

  setSpi(intid: number, level: boolean): void {
    const { spis, extendedSpis } = this.config;
    const basic = intid >= 32 && intid < 32 + spis;
    const extended = intid >= 4096 && intid < 4096 + extendedSpis;
    if (!Number.isInteger(intid) || !(basic || extended)) {
      const ranges = `32 to ${31 + spis}${extendedSpis ? ` or 4096 to ${4095 + extendedSpis}` : ''}`;
      throw new GicError('INVALID_ARGUMENT', 'intid', intid, `an SPI of this machine, ${ranges}`);
    }
    this.engine.setSpi(intid, level ? 1 : 0);
  }

  setPpi(cpu: number, intid: number, level: boolean): void {
    this.#requireCpu(cpu);
    const { extendedPpis } = this.config;
    const basic = intid >= 16 && intid < 32;
    const extended = intid >= 1056 && intid < 1056 + extendedPpis;
    if (!Number.isInteger(intid) || !(basic || extended)) {
      const ranges = `16 to 31${extendedPpis ? ` or 1056 to ${1055 + extendedPpis}` : ''}`;
      throw new GicError('INVALID_ARGUMENT', 'intid', intid, `a PPI of this machine, ${ranges}`);
    }
    this.engine.setPpi(cpu, intid, level ? 1 : 0);
  }

  readSystemRegister(cpu: number, name: string, el: 1 | 2 = 2): bigint {
    this.#requireCpu(cpu);
    return this.wide(this.engine.readSystemRegister(cpu, this.#systemRegister(cpu, name, el)) >>> 0);
  }

  writeSystemRegister(cpu: number, name: string, value: number | bigint, el: 1 | 2 = 2): void {
    this.#requireCpu(cpu);
    const register = this.#systemRegister(cpu, name, el);
    if (typeof value !== 'bigint') {
      requireInteger('INVALID_ARGUMENT', 'value', value, 0, Number.MAX_SAFE_INTEGER);
      this.engine.writeSystemRegister(cpu, register, value, value / 2 ** 32);
    } else {
      requireWide('value', value, 64);
      this.engine.writeSystemRegister(cpu, register, Number(value & 0xffff_ffffn), Number(value >> 32n));
    }
  }

  readMemory(address: number, length: number): Uint8Array {
    return this.ram(address, length).slice();
  }

  writeMemory(address: number, bytes: Uint8Array): void {
    this.ram(address, bytes.length).set(bytes);
  }

  /** A view of RAM contents: no copy, always current. */
  ram(address: number, length: number): Uint8Array {
    const { base, size } = this.config.ram;
    requireInteger('INVALID_ARGUMENT', 'length', length, 0, size);
    requireInteger('INVALID_ARGUMENT', 'address', address, base, base + size - length);
    return new Uint8Array(this.memory.buffer, this.#layout.ramAt + (address - base), length);
  }

  highestPending(cpu: number): HighestPending | undefined {
    const packed = this.highestPendingWord(cpu);
    if (packed === NOTHING_PENDING) return undefined;
    return { intid: packed & 0x7f_ffff, priority: packed >>> 24, group: ((packed >>> 23) & 1) as 0 | 1 };
  }

  /** `highestPending` without an object: priority << 24 | group << 23 | INTID, or 0xffffffff for none. */
  highestPendingWord(cpu: number): number {
    return this.#words[this.#cpuWord(cpu) + this.#highestPending] as number;
  }

  irq(cpu: number): boolean {
    return ((this.#words[this.#cpuWord(cpu) + this.#outputs] as number) & 1) !== 0;
  }

  fiq(cpu: number): boolean {
    return ((this.#words[this.#cpuWord(cpu) + this.#outputs] as number) & 2) !== 0;
  }

  virtualOutputs(cpu: number): VirtualOutputs {
    this.#requireCpu(cpu);
    const at = this.#virtualInterfaces + cpu * this.#virtualInterfaceWords;
    const winner = this.#words[at + this.#winner] as number;
    const vlpi = this.#words[at + this.#bestVlpi] as number;
    const outputs = this.#words[at + this.#virtualOutputs] as number;
    return {
      winner: directSources.get(winner) ?? (winner === NOTHING_PENDING ? undefined : winner),
      bestVlpi: vlpi === NOTHING_PENDING ? undefined : { vIntid: vlpi & 0x3f_ffff, priority: vlpi >>> 22 },
      virq: (outputs & 1) !== 0,
      vfiq: (outputs & 2) !== 0,
      maintenance: (outputs & 4) !== 0,
    };
  }

  /** The PEs whose `highestPending`, `irq`, `fiq` or `virtualOutputs` changed since the last call, in ascending order. */
  takeChangedCpus(): number[] {
    const changed: number[] = [];
    for (let index = 0; index < this.#changed.length; index++) {
      let word = this.#changed[index] as number;
      if (word === 0) continue;
      this.#changed[index] = 0;
      for (; word !== 0; word &= word - 1) changed.push(index * 32 + (31 - Math.clz32(word & -word)));
    }
    return changed;
  }

  /** CNTPCT_EL0: the counter of the generic timers, in ticks of `config.timerFrequency`. */
  get counter(): bigint {
    return this.wide(this.engine.readSystemRegister(0, SystemRegister.CNTPCT_EL0) >>> 0);
  }

  /** Moves the counter forward to `ticks`; timers whose compare value is reached raise their PPIs. */
  advanceCounter(ticks: number | bigint): void {
    if (typeof ticks !== 'bigint')
      requireInteger('INVALID_ARGUMENT', 'ticks', ticks, 0, Number.MAX_SAFE_INTEGER);
    if (typeof ticks !== 'bigint') {
      requireInteger('INVALID_ARGUMENT', 'ticks', ticks, 0, Number.MAX_SAFE_INTEGER);
    }
    const to = BigInt(ticks);
    requireWide('ticks', to, 64);
    if (to < this.counter) {
      throw new GicError('INVALID_ARGUMENT', 'ticks', to, `a value not before the counter, ${this.counter}`);
    }
    this.engine.advanceCounter(Number(to & 0xffff_ffffn), Number(to >> 32n));
  }

  /** The counter value, below 2^64 - 1, at which the next timer fires; undefined while none will. */
  nextTimerDeadline(): bigint | undefined {
    const deadline = this.wide(this.engine.nextTimerDeadline() >>> 0);
    return deadline === 0xffff_ffff_ffff_ffffn ? undefined : deadline;
  }

  resetCpuInterface(cpu: number): void {
    this.#requireCpu(cpu);
    this.engine.resetCpuInterface(cpu);
  }

  /** Executes up to `commands` queued commands where the policy `commandExecution` is `stepped`; how many it were. */
  stepIts(its = 0, commands = 1): number {
    this.#requireIts(its);
    requireInteger('INVALID_ARGUMENT', 'commands', commands, 1, 0xffff_ffff);
    return this.engine.stepIts(its, commands) >>> 0;
  }

  /** The device table's entry of a device; undefined where it is not mapped. */
  deviceEntry(its: number, deviceId: number): DeviceEntry | undefined {
    this.#requireIts(its);
    requireInteger('INVALID_ARGUMENT', 'deviceId', deviceId, 0, 0xffff_ffff);
    const entry = this.wide(this.engine.deviceEntry(its, deviceId) >>> 0);
    return entry === 0n ? undefined : decodeDeviceEntry(entry);
  }

  /** The PE that a collection is mapped to; undefined where it is not mapped. */
  collectionEntry(its: number, icid: number): number | undefined {
    this.#requireIts(its);
    requireInteger('INVALID_ARGUMENT', 'icid', icid, 0, 0xffff);
    const entry = this.wide(this.engine.collectionEntry(its, icid) >>> 0);
    return entry === 0n ? undefined : Number(entry & 0xffffn);
  }

  /** What an event is mapped to; undefined where it is not mapped. */
  interruptEntry(its: number, deviceId: number, eventId: number): InterruptEntry | undefined {
    this.#requireIts(its);
    requireInteger('INVALID_ARGUMENT', 'deviceId', deviceId, 0, 0xffff_ffff);
    requireInteger('INVALID_ARGUMENT', 'eventId', eventId, 0, 0xffff_ffff);
    const entry = this.wide(this.engine.interruptEntry(its, deviceId, eventId) >>> 0);
    return entry === 0n ? undefined : decodeInterruptEntry(entry);
  }

  /** The vPE table's entry of a vPE; undefined where it is not mapped. */
  vpeEntry(its: number, vpeId: number): VpeEntry | undefined {
    this.#requireIts(its);
    requireInteger('INVALID_ARGUMENT', 'vpeId', vpeId, 0, 0xffff);
    const entry = this.wide(this.engine.vpeEntry(its, vpeId) >>> 0);
    return entry === 0n ? undefined : decodeVpeEntry(entry);
  }

  /** Differences between the LPI index of a PE and what it is derived from; 0 unless software broke the rules. */
  checkLpiIndex(cpu: number): number {
    this.#requireCpu(cpu);
    return this.engine.checkLpiIndex(cpu);
  }

  /** The counters in place, 64 bits each, indexed by `Counter`. */
  get counterWords(): BigUint64Array {
    return new BigUint64Array(this.memory.buffer, this.#layout.counters, Counter.COUNT);
  }

  /** Everything that was counted since the machine was made. */
  counters(): CounterValues {
    return readCounters(this.memory.buffer, this.#layout.counters);
  }

  /** ITS number `n`: its registers by name, its tables, its command queue. */
  its(n = 0): ItsUnit {
    this.#requireIts(n);
    return new ItsUnit(this, n);
  }

  /** The redistributor of one PE. */
  redistributor(cpu: number): RedistributorUnit {
    this.#requireCpu(cpu);
    return new RedistributorUnit(this, cpu);
  }

  /** One PE: its system registers, and what its CPU interfaces present to it and to its guest. */
  cpu(cpu: number): CpuUnit {
    this.#requireCpu(cpu);
    const at = (this.#virtualInterfaces + cpu * this.#virtualInterfaceWords) * 4 + this.#listRegisters;
    return new CpuUnit(this, cpu, new BigUint64Array(this.memory.buffer, at, this.config.listRegisters));
  }

  /** Switches the event stream on or off; it is off when a machine is made. */
  recordEvents(on: boolean): void {
    this.#words[this.#eventsOn] = on ? 1 : 0;
  }

  /** What happened since the last call, oldest first, while events were recorded. */
  takeEvents(): MachineEvent[] {
    return this.#events.take();
  }

  /** What was diagnosed since the last call, oldest first. */
  takeDiagnostics(): Diagnostic[] {
    return this.#diagnostics.take();
  }

  /** The 64-bit result of an export of `engine` that has just returned its lower half. */
  wide(low: number): bigint {
    const high = this.#words[this.#resultHigh] as number;
    return high === 0 ? BigInt(low >>> 0) : (BigInt(high) << 32n) | BigInt(low >>> 0);
  }

  #cpuWord(cpu: number): number {
    this.#requireCpu(cpu);
    return this.#cpuInterfaces + cpu * this.#cpuInterfaceWords;
  }

  /** The number of a register as reached from an exception level. */
  #systemRegister(cpu: number, name: string, el: 1 | 2): number {
    const { register } = systemRegister(name);
    if (el === 2) return register;
    if (el !== 1) throw new GicError('INVALID_ARGUMENT', 'el', el, '1 or 2');
    const routed = this.engine.routeEl1(cpu, register);
    if (routed < 0)
      throw new GicError('TRAPPED', 'name', name, 'an access that EL2 does not trap (ICH_HCR_EL2)');
    return routed;
  }

  #requireCpu(cpu: number): void {
    if (!Number.isInteger(cpu) || cpu < 0 || cpu >= this.cpus) {
      throw new GicError('INVALID_ARGUMENT', 'cpu', cpu, `a PE of this machine, 0 to ${this.cpus - 1}`);
    }
  }

  #requireIts(its: number): void {
    const { itsCount } = this.config;
    if (!Number.isInteger(its) || its < 0 || its >= itsCount) {
      const expected =
        itsCount === 0 ? 'a machine with an ITS' : `an ITS of this machine, 0 to ${itsCount - 1}`;
      throw new GicError('INVALID_ARGUMENT', 'its', its, expected);
    }
  }
}

const NOTHING_PENDING = 0xffff_ffff;

const PHYSICAL_ADDRESS_LIMIT = 2 ** 52;

function requireAccess(address: number, size: number): void {
  if (size !== 1 && size !== 2 && size !== 4 && size !== 8) {
    throw new GicError('INVALID_ARGUMENT', 'size', size, '1, 2, 4 or 8');
  }
  requireInteger('INVALID_ARGUMENT', 'address', address, 0, PHYSICAL_ADDRESS_LIMIT - size);
}

function requireWide(field: string, value: bigint, bits: number): void {
  if (value < 0n || value >> BigInt(bits) !== 0n) {
    throw new GicError('INVALID_ARGUMENT', field, value, `a value of ${bits} bits`);
  }
}

function systemRegister(name: string): SystemRegisterDefinition {
  const definition = systemRegisterByName.get(name);
  if (!definition) {
    throw new GicError(
      'UNKNOWN_NAME',
      'name',
      name,
      'a system register of the CPU interface, such as ICC_IAR1_EL1',
    );
  }
  return definition;
}

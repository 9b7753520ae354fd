import { Field, MsiBatch, SystemRegister } from '../assembly/abi.ts';
import { type MachineOptions, resolveConfig } from './config.ts';
import {
  createMemory,
  type Engine,
  type EngineBuild,
  type EngineExports,
  instantiate,
  structureSizes,
} from './engine.ts';
import { GicError, requireInteger } from './errors.ts';
import type { GicHardware } from './hardware.ts';
import { layOut } from './layout.ts';
import {
  fitting,
  highHalf,
  lowHalf,
  requireAccess,
  requireIts,
  requireMsis,
  requirePpi,
  requireSpi,
  requireWide,
  systemRegister,
} from './machine_arguments.ts';
import { configure, writeAffinities } from './machine_setup.ts';
import { disposed, MachineView, shapeOf } from './machine_view.ts';
import { type MsiOutcome, msiOutcomes } from './outcomes.ts';
import { writeRegisterMap } from './register_map.ts';
import { implementedRegisters } from './registers/index.ts';
import { type SharedMachine, sleepUntilArrival } from './shared_machine.ts';
import { copyState, putBack, type Snapshot } from './snapshot/snapshot.ts';
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

/** A GIC: the distributor, a redistributor and CPU interface per PE, the ITSs, and the RAM that they use. */
export class Machine extends MachineView implements GicHardware {
  /**
   * The exports of the engine, raw: what the layers above this one call.
   *
   * @internal
   */
  readonly engine: EngineExports;
  /** The module that they are exports of. */
  readonly module: WebAssembly.Module;

  #words: Uint32Array;
  readonly #resultHigh: number;
  readonly #eventsOn: number;
  #changed: Uint32Array;
  readonly #build: EngineBuild;
  readonly #restored: (() => void)[] = [];

  /** A machine on a compiled engine, in `memory` (see `EngineOptions`) or in a new one. */
  constructor(engine: Engine, options: MachineOptions = {}, memory?: WebAssembly.Memory) {
    const config = resolveConfig(options);
    const registers = implementedRegisters(config);
    const sizes = structureSizes(engine);
    const layout = layOut(config, sizes, registers.length);
    const place = memory ? fitting(memory, engine.build, layout) : createMemory(engine.build, layout.pages);
    const exports = instantiate(engine, place);
    if (memory) exports.clear(layout.ramAt);
    writeRegisterMap(place.buffer, layout, sizes.registerInfo, config, registers);
    writeAffinities(place.buffer, layout, config);
    configure(exports, config, layout);

    super(shapeOf(exports, config, layout, sizes), place, true);
    this.engine = exports;
    this.module = engine.module;
    this.#build = engine.build;
    this.#words = new Uint32Array(place.buffer);
    this.#resultHigh = exports.fieldOffset(Field.RESULT_HIGH) >> 2;
    this.#eventsOn = exports.fieldOffset(Field.EVENTS_ON) >> 2;
    this.#changed = new Uint32Array(place.buffer, layout.changedCpus, Math.ceil(config.cpus / 32));
  }

  /**
   * A PE's load of 1, 2 or 4 bytes from a register frame or from RAM, aligned. Reserved locations read as zero, and a
   * diagnostic tells of them. Throws a `GicError` INVALID_ARGUMENT for another size, or an address above 2^52.
   */
  read(address: number, size: 1 | 2 | 4): number;
  /** A PE's 64-bit load. */
  read(address: number, size: 8): bigint;
  /** A PE's load of any size. */
  read(address: number, size: 1 | 2 | 4 | 8): number | bigint;
  read(address: number, size: 1 | 2 | 4 | 8): number | bigint {
    requireAccess(address, size);
    const low = this.engine.read(address, size) >>> 0;
    return size === 8 ? this.wide(low) : low;
  }

  /**
   * A PE's store to a register frame or to RAM, aligned. Throws a `GicError` INVALID_ARGUMENT for a value that `size`
   * bytes cannot hold.
   */
  write(address: number, size: 1 | 2 | 4 | 8, value: number | bigint): void {
    requireAccess(address, size);
    requireWide('value', value, 8 * size);
    this.engine.write(address, size, lowHalf(value), highHalf(value));
  }

  /**
   * A device's write of `eventId` to GITS_TRANSLATER of an ITS, with its DeviceID; both 32 bits. Tells what became of it.
   */
  sendMsi(deviceId: number, eventId: number, its = 0): MsiOutcome {
    requireInteger('INVALID_ARGUMENT', 'deviceId', deviceId, 0, 0xffff_ffff);
    requireInteger('INVALID_ARGUMENT', 'eventId', eventId, 0, 0xffff_ffff);
    requireIts(its, this.config.itsCount);
    return msiOutcomes[this.engine.sendMsi(its, deviceId, eventId)] as MsiOutcome;
  }

  /**
   * Sends MSIs together, at a fraction of what a `sendMsi` each costs: `msis` holds a DeviceID and an EventID for each, and
   * the ITS takes them in order. Returns how many were not dropped; `counters` tells what became of them. PEs see what is
   * left once all have been taken. Throws a `GicError` INVALID_ARGUMENT for an odd length.
   */
  sendMsis(msis: Uint32Array, its = 0): number {
    requireMsis(msis);
    requireIts(its, this.config.itsCount);
    const capacity = 2 * MsiBatch.RECORDS;
    let taken = 0;
    for (let from = 0; from < msis.length; from += capacity) {
      // A view is an allocation, which few MSIs would feel.
      const part = msis.length <= capacity ? msis : msis.subarray(from, from + capacity);
      this.#words.set(part, MsiBatch.AT / 4);
      taken += this.engine.sendMsis(its, MsiBatch.AT, part.length / 2);
    }
    return taken;
  }

  /** Drives the input wire of an SPI; for edges, high and low again. Throws a `GicError` for an INTID that is no SPI. */
  setSpi(intid: number, level: boolean): void {
    requireSpi(intid, this.config);
    this.engine.setSpi(intid, level ? 1 : 0);
  }

  /** Drives the input wire of a PPI of one PE. Throws a `GicError` for an INTID that is no PPI. */
  setPpi(cpu: number, intid: number, level: boolean): void {
    this.requireCpu(cpu);
    requirePpi(intid, this.config);
    this.engine.setPpi(cpu, intid, level ? 1 : 0);
  }

  /**
   * Reads a system register of a PE by its architectural name, with its side effects. From EL1 (`el` 1) an ICC_* name
   * reaches ICV_* where HCR_EL2.IMO or FMO says so. Throws a `GicError`: UNKNOWN_NAME for a name that `systemRegisters`
   * does not have, TRAPPED for an access that EL2 traps.
   */
  readSystemRegister(cpu: number, name: string, el: 1 | 2 = 2): bigint {
    this.requireCpu(cpu);
    return this.wide(this.engine.readSystemRegister(cpu, this.#systemRegister(cpu, name, el)) >>> 0);
  }

  /** Writes a system register of a PE: as `readSystemRegister` reads one. */
  writeSystemRegister(cpu: number, name: string, value: number | bigint, el: 1 | 2 = 2): void {
    this.requireCpu(cpu);
    const register = this.#systemRegister(cpu, name, el);
    requireWide('value', value, 64);
    this.engine.writeSystemRegister(cpu, register, lowHalf(value), highHalf(value));
  }

  /** Stores bytes into RAM, as a device would. Throws a `GicError` INVALID_ARGUMENT where they are not inside RAM. */
  writeMemory(address: number, bytes: Uint8Array): void {
    this.ram(address, bytes.length).set(bytes);
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
    requireWide('ticks', ticks, 64);
    const to = BigInt(ticks);
    if (to < this.counter) {
      throw new GicError('INVALID_ARGUMENT', 'ticks', to, `a value not before the counter, ${this.counter}`);
    }
    this.engine.advanceCounter(lowHalf(to), highHalf(to));
  }

  /** The counter value, below 2^64 - 1, at which the next timer fires; undefined while none will. */
  nextTimerDeadline(): bigint | undefined {
    const deadline = this.wide(this.engine.nextTimerDeadline() >>> 0);
    return deadline === 0xffff_ffff_ffff_ffffn ? undefined : deadline;
  }

  /** Power-on reset of one PE's CPU interface, physical and virtual; its redistributor keeps its state. */
  resetCpuInterface(cpu: number): void {
    this.requireCpu(cpu);
    this.engine.resetCpuInterface(cpu);
  }

  /** Executes up to `commands` queued commands where the policy `commandExecution` is `stepped`; how many it were. */
  stepIts(its = 0, commands = 1): number {
    requireIts(its, this.config.itsCount);
    requireInteger('INVALID_ARGUMENT', 'commands', commands, 1, 0xffff_ffff);
    return this.engine.stepIts(its, commands) >>> 0;
  }

  /** The device table's entry of a device; undefined where it is not mapped. */
  deviceEntry(its: number, deviceId: number): DeviceEntry | undefined {
    requireIts(its, this.config.itsCount);
    requireInteger('INVALID_ARGUMENT', 'deviceId', deviceId, 0, 0xffff_ffff);
    const entry = this.wide(this.engine.deviceEntry(its, deviceId) >>> 0);
    return entry === 0n ? undefined : decodeDeviceEntry(entry);
  }

  /** The PE that a collection is mapped to; undefined where it is not mapped. */
  collectionEntry(its: number, icid: number): number | undefined {
    requireIts(its, this.config.itsCount);
    requireInteger('INVALID_ARGUMENT', 'icid', icid, 0, 0xffff);
    const entry = this.wide(this.engine.collectionEntry(its, icid) >>> 0);
    return entry === 0n ? undefined : Number(entry & 0xffffn);
  }

  /** What an event is mapped to; undefined where it is not mapped. */
  interruptEntry(its: number, deviceId: number, eventId: number): InterruptEntry | undefined {
    requireIts(its, this.config.itsCount);
    requireInteger('INVALID_ARGUMENT', 'deviceId', deviceId, 0, 0xffff_ffff);
    requireInteger('INVALID_ARGUMENT', 'eventId', eventId, 0, 0xffff_ffff);
    const entry = this.wide(this.engine.interruptEntry(its, deviceId, eventId) >>> 0);
    return entry === 0n ? undefined : decodeInterruptEntry(entry);
  }

  /** The vPE table's entry of a vPE; undefined where it is not mapped. */
  vpeEntry(its: number, vpeId: number): VpeEntry | undefined {
    requireIts(its, this.config.itsCount);
    requireInteger('INVALID_ARGUMENT', 'vpeId', vpeId, 0, 0xffff);
    const entry = this.wide(this.engine.vpeEntry(its, vpeId) >>> 0);
    return entry === 0n ? undefined : decodeVpeEntry(entry);
  }

  /** Differences between the LPI index of a PE and what it is derived from; 0 unless software broke the rules. */
  checkLpiIndex(cpu: number): number {
    this.requireCpu(cpu);
    return this.engine.checkLpiIndex(cpu);
  }

  /** ITS number `n`: its registers by name, its tables, its command queue. */
  its(n = 0): ItsUnit {
    requireIts(n, this.config.itsCount);
    return new ItsUnit(this, n);
  }

  /** The redistributor of one PE. */
  redistributor(cpu: number): RedistributorUnit {
    this.requireCpu(cpu);
    return new RedistributorUnit(this, cpu);
  }

  /** One PE: its system registers, and what its CPU interfaces present to it and to its guest. */
  cpu(cpu: number): CpuUnit {
    this.requireCpu(cpu);
    return new CpuUnit(this, cpu, this.listRegisters(cpu));
  }

  /** Switches the event stream on or off; it is off when a machine is made. */
  recordEvents(on: boolean): void {
    this.#words[this.#eventsOn] = on ? 1 : 0;
  }

  /**
   * The machine for other threads: `new Injector(machine.shared)` of `gicv4/worker` injects MSIs there, `new MachineView`
   * looks on. Throws a `GicError` UNSUPPORTED_HOST for a machine of the build `single`.
   */
  get shared(): SharedMachine {
    this.#requireShared('shared');
    const { shape, module, memory } = this;
    return { engine: { build: 'shared', module }, shape, memory };
  }

  /**
   * Takes in the MSIs that other threads have sent since; whether there were any. Each action does so too, but what is
   * read without one (`irq`, `highestPending`, `takeChangedCpus`) shows the last action.
   */
  takeArrivals(): boolean {
    return this.engine.takeArrivals() !== 0;
  }

  /**
   * Sleeps until another thread sends an MSI, or for so many milliseconds, then takes in what came; whether anything did.
   * Throws a `GicError` UNSUPPORTED_HOST for the build `single`, and in the main thread of a browser, which must not sleep.
   */
  waitForArrivals(milliseconds = Number.POSITIVE_INFINITY): boolean {
    this.#requireShared('waitForArrivals');
    sleepUntilArrival(this, milliseconds);
    return this.takeArrivals();
  }

  /**
   * Frees the lane of an `Injector` whose thread was ended without `dispose`. An injector that is still in use must not be
   * released.
   */
  releaseInjector(lane: number): void {
    this.#requireShared('releaseInjector');
    requireInteger('INVALID_ARGUMENT', 'lane', lane, 0, 63);
    this.engine.closeInjector(lane);
  }

  /** As `MachineView.dispose`: the memory goes, and every later use throws a `GicError` DISPOSED. */
  override dispose(): void {
    super.dispose();
    Object.assign(this, { engine: disposed() });
    this.#words = disposed();
    this.#changed = disposed();
  }

  /**
   * A copy of the machine as it is now: registers, tables, RAM, counters, diagnostics, and the layers above it. Memory that
   * is all zero is not copied, so it takes the room of what was used. In the build `shared` no other thread may inject
   * MSIs meanwhile.
   */
  snapshot(): Snapshot {
    return copyState(this.engine, this.memory, this.config);
  }

  /**
   * Makes the machine what it was when the snapshot was taken, of this machine or of another one of the same configuration.
   * Objects stay valid that stand for something that existed then: units, views, `IrqChip`, `Kvm` and what they made before
   * the snapshot. Those made since, devices, VMs, vCPUs, mean nothing afterwards. Events, diagnostics and an `IrqChip`'s log
   * begin anew. Throws a `GicError` INVALID_ARGUMENT for a snapshot of another configuration.
   */
  restore(snapshot: Snapshot): void {
    putBack(snapshot, this.engine, this.memory, this.config);
    this.skipRecords();
    for (const listener of this.#restored) listener();
  }

  /** Calls `listener` after each `restore`: for layers above that keep something of their own. */
  onRestore(listener: () => void): void {
    this.#restored.push(listener);
  }

  /**
   * 64 bits over all of the state, as hexadecimal digits: equal for equal machines, in whichever build and on whichever
   * platform they ran. What only the host takes notice of does not count (`takeChangedCpus`, and what `take*` has taken).
   */
  digest(): string {
    return this.wide(this.engine.stateDigest()).toString(16).padStart(16, '0');
  }

  /** The 64-bit result of an export of `engine` that has just returned its lower half. */
  wide(low: number): bigint {
    const high = this.#words[this.#resultHigh] as number;
    return high === 0 ? BigInt(low >>> 0) : (BigInt(high) << 32n) | BigInt(low >>> 0);
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

  #requireShared(field: string): void {
    // Of a disposed machine anything is refused as such.
    if (this.memory.buffer && this.#build === 'shared') return;
    throw new GicError('UNSUPPORTED_HOST', field, this.#build, 'a machine of the build "shared"');
  }
}

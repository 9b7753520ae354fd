import {
  type MachineConfig,
  type MachineOptions,
  redistributorStride,
  resolveConfig,
} from '../../bindings/config.ts';
import type { CounterValues } from '../../bindings/counters.ts';
import { GicError, requireInteger } from '../../bindings/errors.ts';
import type { GicHardware, HighestPending, VirtualOutputs } from '../../bindings/hardware.ts';
import type { MsiOutcome } from '../../bindings/outcomes.ts';
import type { InterruptEntry, VpeEntry } from '../../bindings/table_entries.ts';
import { sgiTargets } from './affinity.ts';
import { Counters } from './counters.ts';
import { CpuInterface } from './cpu_interface.ts';
import { Distributor } from './distributor.ts';
import { routeFromEl1 } from './el1_access.ts';
import type { VirtualSide } from './event_target.ts';
import type { Frame } from './frame.ts';
import { hasVirtualLpis } from './identification.ts';
import type { Interrupt } from './interrupt.ts';
import { type CommandErrorRecord, Its } from './its.ts';
import { Failure } from './its_translation.ts';
import { FIRST_LPI } from './lpi_tables.ts';
import { Memory } from './memory.ts';
import { Redistributor } from './redistributor.ts';
import { Routing } from './routing.ts';
import { TableFault } from './table.ts';
import { Timers } from './timers.ts';
import { VirtualGic } from './virtual_gic.ts';
import { type VirtualCandidate, VirtualInterface } from './virtual_interface.ts';
import { isVirtualRegister, readVirtual, writeVirtual } from './virtual_registers.ts';

type Size = 1 | 2 | 4 | 8;

const FRAME = 0x1_0000;
/** The only registers whose read changes anything. */
const ACKNOWLEDGES = /IAR[01]/;

/**
 * The GICv3, GICv4.0 or GICv4.1 hardware as plain TypeScript, written for clarity and from the specification alone. It
 * keeps no index of what is pending: the highest priority interrupt is looked for each time it is asked for.
 */
export class ReferenceGic implements GicHardware {
  readonly config: MachineConfig;
  /** The command errors met so far, oldest first. */
  readonly commandErrors: CommandErrorRecord[] = [];
  readonly #memory: Memory;
  readonly #distributor: Distributor;
  readonly #redistributors: readonly Redistributor[];
  readonly #cpuInterfaces: readonly CpuInterface[];
  readonly #itss: readonly Its[];
  readonly #routing: Routing;
  readonly #counters = new Counters();
  readonly #virtual: VirtualGic | undefined;
  readonly #virtualInterfaces: readonly VirtualInterface[];
  /** HCR_EL2 of each PE. */
  readonly #hypervisorConfigurations: bigint[];
  /** Levels of the maintenance interrupts. */
  readonly #maintenance: boolean[];
  readonly #timers: Timers;

  constructor(options: MachineOptions = {}) {
    const config = resolveConfig(options);
    const cpus = Array.from({ length: config.cpus }, (_, cpu) => cpu);
    const memory = new Memory(config.ram);
    const counters = this.#counters;
    this.#virtual = hasVirtualLpis(config) ? new VirtualGic(config, memory, counters) : undefined;
    const redistributors = cpus.map(
      (cpu) => new Redistributor(config, memory, cpu, counters, this.#virtual?.redistributor(cpu)),
    );
    const lpis = redistributors.map((redistributor) => redistributor.lpis);
    this.config = config;
    this.#hypervisorConfigurations = cpus.map(() => 0n);
    this.#maintenance = cpus.map(() => false);
    this.#timers = new Timers(config);
    this.#memory = memory;
    this.#distributor = new Distributor(config);
    this.#redistributors = redistributors;
    const itses: Its[] = [];
    const virtual = (): VirtualSide | undefined => this.#virtual?.side;
    const surroundings = { memory, lpis, counters, errors: this.commandErrors, itses, virtual };
    for (let its = 0; its < config.itsCount; its++) itses.push(new Its(config, its, surroundings));
    this.#itss = itses;
    this.#virtual?.connect(itses, lpis);
    this.#virtualInterfaces = cpus.map((cpu) => this.#makeVirtualInterface(cpu));
    this.#cpuInterfaces = cpus.map((cpu) => this.#makeCpuInterface(cpu));
    this.#routing = new Routing(config, this.#distributor, {
      participates: (cpu, group) =>
        redistributors[cpu]!.awake &&
        !redistributors[cpu]!.excludedFromOneOfN(group) &&
        this.#cpuInterfaces[cpu]!.groupEnabled(group),
      busy: (cpu) => this.#cpuInterfaces[cpu]!.runningPriority() !== 0xff,
    });
  }

  get cpus(): number {
    return this.config.cpus;
  }

  read(address: number, size: 1 | 2 | 4): number;
  read(address: number, size: 8): bigint;
  read(address: number, size: Size): number | bigint;
  read(address: number, size: Size): number | bigint {
    checkAccess(address, size);
    const location = this.#locate(address);
    const value = location
      ? location.frame.read(location.offset, size)
      : (this.#memory.load(address, size) ?? 0n);
    return size === 8 ? value : Number(value);
  }

  write(address: number, size: Size, value: number | bigint): void {
    checkAccess(address, size);
    const bits = toBits(value, 8 * size);
    const location = this.#locate(address);
    if (location) location.frame.write(location.offset, size, bits);
    else this.#memory.store(address, size, bits);
    this.#update();
  }

  /** Tells what became of the MSI. */
  sendMsi(deviceId: number, eventId: number, its = 0): MsiOutcome {
    requireInteger('INVALID_ARGUMENT', 'deviceId', deviceId, 0, 0xffff_ffff);
    requireInteger('INVALID_ARGUMENT', 'eventId', eventId, 0, 0xffff_ffff);
    const outcome = this.#its(its).message(deviceId, eventId);
    this.#update();
    return outcome;
  }

  setSpi(intid: number, level: boolean): void {
    const spi = this.#distributor.spis.get(intid);
    if (!spi) throw new GicError('INVALID_ARGUMENT', 'intid', intid, 'the INTID of an implemented SPI');
    spi.drive(level);
    this.#update();
  }

  setPpi(cpu: number, intid: number, level: boolean): void {
    this.#checkCpu(cpu);
    const ppi = intid >= 16 ? this.#redistributors[cpu]!.interrupts.get(intid) : undefined;
    if (!ppi) throw new GicError('INVALID_ARGUMENT', 'intid', intid, 'the INTID of an implemented PPI');
    ppi.drive(level);
  }

  readSystemRegister(cpu: number, name: string, el: 1 | 2 = 2): bigint {
    this.#checkCpu(cpu);
    const reached = this.#reach(cpu, name, el);
    let value: bigint;
    if (reached === 'HCR_EL2') value = this.#hypervisorConfigurations[cpu]!;
    else if (this.#timers.has(reached)) value = this.#timers.read(cpu, reached);
    else if (isVirtualRegister(reached)) value = readVirtual(this.#virtualInterfaces[cpu]!, reached);
    else value = this.#cpuInterfaces[cpu]!.read(reached);
    if (ACKNOWLEDGES.test(reached)) this.#update();
    return value;
  }

  writeSystemRegister(cpu: number, name: string, value: number | bigint, el: 1 | 2 = 2): void {
    this.#checkCpu(cpu);
    const bits = toBits(value, 64);
    const reached = this.#reach(cpu, name, el);
    if (reached === 'HCR_EL2') this.#hypervisorConfigurations[cpu] = bits;
    else if (this.#timers.has(reached)) this.#timers.write(cpu, reached, bits);
    else if (isVirtualRegister(reached)) writeVirtual(this.#virtualInterfaces[cpu]!, reached, bits);
    else this.#cpuInterfaces[cpu]!.write(reached, bits);
    this.#update();
  }

  readMemory(address: number, length: number): Uint8Array {
    this.#checkRange(address, length);
    return this.#memory.copyOut(address, length);
  }

  writeMemory(address: number, bytes: Uint8Array): void {
    this.#checkRange(address, bytes.length);
    this.#memory.copyIn(address, bytes);
  }

  highestPending(cpu: number): HighestPending | undefined {
    this.#checkCpu(cpu);
    const { groupEnableGatesHppi, tieBreak } = this.config.policy;
    let best: HighestPending | undefined;
    for (const candidate of this.#candidates(cpu)) {
      // Priority 0xFF is never signalled: section 1.4.
      if (candidate.priority === 0xff) continue;
      if (groupEnableGatesHppi && !this.#cpuInterfaces[cpu]!.groupEnabled(candidate.group)) continue;
      const order = best
        ? candidate.priority - best.priority ||
          (tieBreak === 'lowest-intid' ? candidate.intid - best.intid : best.intid - candidate.intid)
        : -1;
      if (order < 0) best = candidate;
    }
    return best;
  }

  irq(cpu: number): boolean {
    this.#checkCpu(cpu);
    return this.#cpuInterfaces[cpu]!.signalled(1);
  }

  fiq(cpu: number): boolean {
    this.#checkCpu(cpu);
    return this.#cpuInterfaces[cpu]!.signalled(0);
  }

  virtualOutputs(cpu: number): VirtualOutputs {
    this.#checkCpu(cpu);
    return this.#virtualInterfaces[cpu]!.outputs();
  }

  resetCpuInterface(cpu: number): void {
    this.#checkCpu(cpu);
    this.#cpuInterfaces[cpu]!.reset();
    this.#virtualInterfaces[cpu]!.reset();
    this.#hypervisorConfigurations[cpu] = 0n;
    this.#update();
  }

  /** Processes at most `commands` commands of an ITS's queue; returns how many it took from it. */
  stepIts(its: number, commands: number): number {
    requireInteger('INVALID_ARGUMENT', 'commands', commands, 0, Number.MAX_SAFE_INTEGER);
    const done = this.#its(its).process(commands);
    this.#update();
    return done;
  }

  /** CNTPCT_EL0. */
  get counter(): bigint {
    return this.#timers.counter;
  }

  /** Moves the counter of the generic timers forward. */
  advanceCounter(ticks: bigint): void {
    this.#timers.advance(ticks);
    this.#update();
  }

  /** The counter value, below 2^64 - 1, at which the next timer fires; undefined while none will. */
  nextTimerDeadline(): bigint | undefined {
    return this.#timers.nextDeadline();
  }

  /** Everything that was counted since the model was made. */
  counters(): CounterValues {
    return this.#counters.values;
  }

  /** What an event is mapped to; undefined where it is not mapped, or a table is outside RAM. */
  interruptEntry(its: number, deviceId: number, eventId: number): InterruptEntry | undefined {
    return orUndefined(() => {
      const mapping = this.#its(its).tables.lookup(deviceId, eventId);
      if (mapping.kind === 'virtual') return mapping;
      return { kind: 'physical', pIntid: mapping.intid, icid: mapping.icid };
    });
  }

  /** The vPE table's entry of a vPE; undefined where it is not mapped, or a table is outside RAM. */
  vpeEntry(its: number, vpeId: number): VpeEntry | undefined {
    return orUndefined(() => {
      const vpe = this.#virtual?.side.vpes.find(its, vpeId);
      return vpe && { cpu: vpe.cpu, vptAddress: vpe.vpt, size: vpe.size };
    });
  }

  /** The register that an access reaches. */
  #reach(cpu: number, name: string, el: 1 | 2): string {
    if (el === 2) return name;
    return routeFromEl1(name, this.#hypervisorConfigurations[cpu]!, this.#virtualInterfaces[cpu]!.traps);
  }

  /** To be called after everything that can change an interrupt or a PE. */
  #update(): void {
    const { maintenancePpi } = this.config;
    for (const [cpu, virtual] of this.#virtualInterfaces.entries()) {
      const { interrupts } = this.#redistributors[cpu]!;
      for (const { ppi, level } of this.#timers.lines(cpu)) interrupts.get(ppi)!.drive(level);
      const level = virtual.maintenance;
      if (level && !this.#maintenance[cpu]) this.#counters.maintenance++;
      this.#maintenance[cpu] = level;
      if (maintenancePpi !== 0) interrupts.get(maintenancePpi)!.drive(level);
    }
    this.#routing.update();
  }

  /** What could be forwarded to a PE: section 1.3 items 1 to 5. */
  *#candidates(cpu: number): Generator<HighestPending> {
    const { interrupts, lpis, awake } = this.#redistributors[cpu]!;
    if (!awake) return;
    const distributor = this.#distributor;
    const forwardable = ({ waiting, group }: Interrupt): boolean =>
      waiting && distributor.groupEnabled(group);
    for (const [intid, interrupt] of interrupts.entries()) {
      if (forwardable(interrupt)) yield { intid, priority: interrupt.priority, group: interrupt.group };
    }
    for (const [intid, spi] of distributor.spis.entries()) {
      if (forwardable(spi) && this.#routing.target(intid) === cpu) {
        yield { intid, priority: spi.priority, group: spi.group };
      }
    }
    if (!distributor.groupEnabled(1)) return;
    for (const { intid, priority } of lpis.candidates()) yield { intid, priority, group: 1 };
  }

  #makeCpuInterface(cpu: number): CpuInterface {
    const port = {
      highestPending: () => this.highestPending(cpu),
      exists: (intid: number) => this.#interrupt(cpu, intid) !== undefined,
      acknowledge: (intid: number) => {
        if (intid >= FIRST_LPI) this.#redistributors[cpu]!.lpis.clearPending(intid);
        else this.#interrupt(cpu, intid)!.acknowledge(intid >= 16 || !this.#distributor.sgisWithoutActive);
      },
      deactivate: (intid: number) => this.#deactivate(cpu, intid),
      generateSgi: (value: bigint, group: 0 | 1) => this.#generateSgi(cpu, value, group),
    };
    return new CpuInterface(this.config, port, this.#counters);
  }

  #makeVirtualInterface(cpu: number): VirtualInterface {
    const residency = this.#virtual?.residency(cpu);
    const port = {
      bestVlpi: () => residency?.bestVlpi(),
      direct: () => residency?.direct() ?? [],
      acknowledge: (candidate: VirtualCandidate) => residency!.acknowledge(candidate),
      deactivatePhysical: (intid: number) => {
        if (this.#interrupt(cpu, intid)) this.#deactivate(cpu, intid);
      },
    };
    return new VirtualInterface(this.config, port, this.#counters);
  }

  #deactivate(cpu: number, intid: number): void {
    const interrupt = this.#interrupt(cpu, intid)!;
    if (interrupt.active) this.#counters.deactivations++;
    interrupt.active = false;
  }

  /** The SGI, PPI or SPI that an INTID names at a PE. */
  #interrupt(cpu: number, intid: number): Interrupt | undefined {
    return this.#redistributors[cpu]!.interrupts.get(intid) ?? this.#distributor.spis.get(intid);
  }

  /** Section 8.2: a PE whose configuration has the SGI in another group does not get it. */
  #generateSgi(sender: number, value: bigint, group: 0 | 1): void {
    const intid = Number((value >> 24n) & 0xfn);
    for (const cpu of sgiTargets(this.config, sender, value)) {
      const sgi = this.#redistributors[cpu]!.interrupts.get(intid)!;
      if (sgi.group !== group) continue;
      this.#counters.sgis[sgi.latch ? 'coalesced' : 'sent']++;
      sgi.latch = true;
    }
  }

  /** The register frame at an address; undefined for RAM and for addresses where nothing is. */
  #locate(address: number): { frame: Frame; offset: number } | undefined {
    const { gicd, gicr, gits, gitsStride } = this.config.addressMap;
    const within = (frames: readonly Frame[], base: number): { frame: Frame; offset: number } | undefined => {
      const frame = address >= base ? frames[Math.floor((address - base) / FRAME)] : undefined;
      return frame && { frame, offset: (address - base) % FRAME };
    };
    const redistributor = Math.floor((address - gicr) / redistributorStride(this.config));
    const its = this.#itss[Math.floor((address - gits) / gitsStride)];
    return (
      within([this.#distributor.frame], gicd) ??
      within(
        this.#redistributors[redistributor]?.frames ?? [],
        gicr + redistributor * redistributorStride(this.config),
      ) ??
      within(its ? its.frames : [], gits + Math.floor((address - gits) / gitsStride) * gitsStride)
    );
  }

  #its(number: number): Its {
    const its = this.#itss[number];
    if (!its) {
      throw new GicError(
        'INVALID_ARGUMENT',
        'its',
        number,
        `the number of an ITS, below ${this.config.itsCount}`,
      );
    }
    return its;
  }

  #checkCpu(cpu: number): void {
    requireInteger('INVALID_ARGUMENT', 'cpu', cpu, 0, this.cpus - 1);
  }

  #checkRange(address: number, length: number): void {
    requireInteger('INVALID_ARGUMENT', 'length', length, 0, this.config.ram.size);
    if (!Number.isInteger(address) || !this.#memory.contains(address, length)) {
      throw new GicError('INVALID_ARGUMENT', 'address', address, `a range of ${length} bytes in RAM`);
    }
  }
}

/** What a lookup finds; nothing where a command would fail. */
function orUndefined<Found>(look: () => Found): Found | undefined {
  try {
    return look();
  } catch (problem) {
    if (problem instanceof Failure || problem instanceof TableFault) return undefined;
    throw problem;
  }
}

function checkAccess(address: number, size: number): void {
  requireInteger('INVALID_ARGUMENT', 'address', address, 0, Number.MAX_SAFE_INTEGER);
  if (![1, 2, 4, 8].includes(size)) throw new GicError('INVALID_ARGUMENT', 'size', size, '1, 2, 4 or 8');
}

function toBits(value: number | bigint, width: number): bigint {
  const isExact = typeof value === 'bigint' || Number.isSafeInteger(value);
  if (!isExact || value < 0 || BigInt(value) >= 1n << BigInt(width)) {
    throw new GicError('INVALID_ARGUMENT', 'value', value, `an exact unsigned integer of ${width} bits`);
  }
  return BigInt(value);
}

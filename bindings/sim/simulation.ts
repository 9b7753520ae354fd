import { Cost, SimParameter } from '../../assembly/abi.ts';
import { GicError, requireInteger } from '../errors.ts';
import { succeed } from '../irqchip/errors.ts';
import type { Kvm } from '../kvm/kvm.ts';
import type { Vcpu } from '../kvm/vcpu.ts';
import type { GuestVm } from '../kvm/vm.ts';
import { requireLayer } from '../layers.ts';
import type { Machine } from '../machine.ts';
import { type CostName, type CostOptions, costNumbers, resolveCosts } from './costs.ts';
import { type DeviceOptions, SimDevice } from './device.ts';
import { bootGuest, enableSpi } from './guest_setup.ts';
import { readTimes, type TimeByUse } from './statistics.ts';
import { type SimulationEvent, TraceReader } from './trace.ts';
import { SimVcpu, type SimVcpuOptions } from './vcpu.ts';

export interface SimulationOptions {
  /** Default `modern`. */
  readonly costs?: CostOptions;
  /** Random numbers of all devices follow from it: an integer, 0 to 2^53 - 1; default 1. */
  readonly seed?: number;
  /** Time slice of a thread that others wait behind, in ns; default 3,000,000. */
  readonly slice?: number;
  /** How far ahead of a woken thread the running one must be to be preempted at once, in ns; default 1,000,000. */
  readonly wakeupGranularity?: number;
  /** halt_poll_ns and its companions of the kvm module: default 500,000, 10,000, 2 and 2. */
  readonly haltPoll?: { max?: number; growStart?: number; grow?: number; shrink?: number };
  /** Whether WFI traps: `auto` as the kernel decides when it loads a vCPU. Default `auto`. */
  readonly trapWfi?: 'auto' | 'always' | 'never';
  /** GICv4.1: guests use SGIs without an active state, which the hardware injects directly. Default true. */
  readonly directSgis?: boolean;
}

/** When a run ends: at a time, after a span, or after so many events, whatever comes first. */
export interface RunLimits {
  readonly until?: number;
  readonly for?: number;
  readonly events?: number;
}

const MOST_NS = 2 ** 52;
/** Events in a call of the engine, and how many at one moment are taken for a program that never lets time pass. */
const CHUNK = 1_000_000;

/** Virtual machines, physical CPUs and devices in simulated time: discrete events in whole nanoseconds. */
export class Simulation {
  readonly kvm: Kvm;
  readonly machine: Machine;
  readonly vcpus: SimVcpu[] = [];
  readonly devices: SimDevice[] = [];
  readonly #trace: TraceReader;
  readonly #booted = new Set<GuestVm>();
  readonly #directSgis: boolean;

  /** Time begins. Once for a machine. Throws a `GicError` INVALID_CONFIG for one whose `layers` end below it. */
  constructor(kvm: Kvm, options: SimulationOptions = {}) {
    const { costs = 'modern', seed = 1, directSgis = true } = options;
    const prices = resolveCosts(costs);
    const parameters = simulationParameters(options);
    requireInteger('INVALID_ARGUMENT', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    requireLayer(kvm.chip.machine.config, 'simulation', 'Simulation');
    this.kvm = kvm;
    this.machine = kvm.chip.machine;
    this.#directSgis = directSgis && this.machine.config.architecture === 'GICv4.1';
    const { engine } = this.machine;
    succeed(engine.simSetUp(seed), 'Simulation', { EBUSY: 'the machine has a simulation already' });
    for (const [parameter, value] of parameters) engine.simSetParameter(parameter, value);
    for (const [name, ns] of Object.entries(prices)) engine.simSetPrice(costNumbers[name as CostName], ns);
    this.#trace = new TraceReader(this.machine);
  }

  /** Starts the thread of a vCPU, which calls KVM_RUN. Its guest has booted: distributor, SGIs and timer are on. */
  addVcpu(vcpu: Vcpu, options: SimVcpuOptions = {}): SimVcpu {
    this.#boot(vcpu.vm);
    const added = new SimVcpu(this.machine, vcpu, options);
    this.vcpus.push(added);
    return added;
  }

  /** Adds a device that fires from now on. An SPI of the guest is configured and enabled. */
  addDevice(vm: GuestVm, options: DeviceOptions): SimDevice {
    const { signal } = options;
    this.#boot(vm);
    if (signal.kind !== 'msi' && signal.kind !== 'irqfd') {
      vm.spi(signal.intid);
      enableSpi(vm, signal.intid, signal.kind === 'edge', signal.vcpu ?? 0);
    }
    const device = new SimDevice(this.machine, vm, options);
    this.devices.push(device);
    return device;
  }

  /** ns since the beginning. */
  get now(): number {
    return this.machine.engine.simNow();
  }

  /** Events processed. */
  get events(): number {
    return this.machine.engine.simProcessed();
  }

  /** Of everything that happened, in order: equal for equal inputs, on every platform. */
  get digest(): bigint {
    return this.machine.wide(this.machine.engine.simDigest());
  }

  /** One event, with what follows from it at once; empty when nothing is left to happen. */
  step(): SimulationEvent[] {
    this.#trace.skip();
    this.machine.engine.simRun(MOST_NS * 2, 1);
    return this.#trace.take();
  }

  /** Lets time pass; how many events that were. Without a limit it ends when nothing is left to happen. */
  run({ until, for: span, events = Number.MAX_SAFE_INTEGER }: RunLimits = {}): number {
    const limit = this.#limit(until, span);
    requireInteger('INVALID_ARGUMENT', 'events', events, 0, Number.MAX_SAFE_INTEGER);
    let done = 0;
    while (done < events) {
      const before = this.now;
      const chunk = Math.min(events - done, CHUNK);
      const processed = this.machine.engine.simRun(limit, chunk);
      done += processed;
      if (processed < chunk) break;
      if (chunk === CHUNK && this.now === before) {
        throw new GicError(
          'INVALID_STATE',
          'run',
          `${CHUNK} events at ${before} ns`,
          'guests that let time pass',
        );
      }
    }
    return done;
  }

  /** Records of what happened since the last call, oldest first, 65,536 at most. */
  takeTrace(): SimulationEvent[] {
    return this.#trace.take();
  }

  /** How often operations of the hypervisor happened. */
  get operations(): Readonly<Record<CostName | 'listRegisterOverflows', number>> {
    const { engine } = this.machine;
    const counts = Object.entries(costNumbers).map(([name, cost]) => [name, engine.simTimes(cost)]);
    counts.push(['listRegisterOverflows', engine.simTimes(Cost.LR_OVERFLOW)]);
    return Object.fromEntries(counts);
  }

  /** ns that a PE was used, by use. */
  cpuTime(cpu: number): TimeByUse {
    requireInteger('INVALID_ARGUMENT', 'cpu', cpu, 0, this.machine.cpus - 1);
    return readTimes((use) => this.machine.engine.simPeTime(cpu, use));
  }

  /** ns that back ends of emulated devices were busy, on CPUs that are not simulated. */
  get backEndTime(): number {
    return this.machine.engine.simBackEnd();
  }

  #boot(vm: GuestVm): void {
    if (this.#booted.has(vm)) return;
    vm.init();
    bootGuest(vm, this.#directSgis);
    this.#booted.add(vm);
  }

  #limit(until?: number, span?: number): number {
    const { now } = this;
    if (until !== undefined) requireInteger('INVALID_ARGUMENT', 'until', until, now, MOST_NS);
    if (span !== undefined) requireInteger('INVALID_ARGUMENT', 'for', span, 0, MOST_NS - now);
    const ends = [until, span === undefined ? undefined : now + span].filter((end) => end !== undefined);
    return ends.length > 0 ? Math.min(...ends) : MOST_NS * 2;
  }
}

function simulationParameters(options: SimulationOptions): [SimParameter, number][] {
  const { slice = 3_000_000, wakeupGranularity = 1_000_000, trapWfi = 'auto' } = options;
  const { max = 500_000, growStart = 10_000, grow = 2, shrink = 2 } = options.haltPoll ?? {};
  const traps = ['auto', 'always', 'never'].indexOf(trapWfi);
  if (traps < 0) throw new GicError('INVALID_ARGUMENT', 'trapWfi', trapWfi, '"auto", "always" or "never"');
  const check = (field: string, value: number, low: number) =>
    requireInteger('INVALID_ARGUMENT', field, value, low, 1e12);
  return [
    [SimParameter.SLICE, check('slice', slice, 1)],
    [SimParameter.WAKEUP_GRANULARITY, check('wakeupGranularity', wakeupGranularity, 0)],
    [SimParameter.HALT_POLL, check('haltPoll.max', max, 0)],
    [SimParameter.HALT_POLL_GROW_START, check('haltPoll.growStart', growStart, 0)],
    [SimParameter.HALT_POLL_GROW, check('haltPoll.grow', grow, 0)],
    [SimParameter.HALT_POLL_SHRINK, check('haltPoll.shrink', shrink, 0)],
    [SimParameter.TRAP_WFI, traps],
  ];
}

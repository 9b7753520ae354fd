import { instantiateSync } from '@assemblyscript/loader';
import { type Config, type Field, type IrqChipFact, type IrqChipField, Structure } from '../assembly/abi.ts';
import type { KvmExports } from './kvm/exports.ts';
import type { ItsExports } from './kvm/its_exports.ts';
import type { SimExports } from './sim/exports.ts';

/** The engine's exports, called raw: all arguments and results are numbers, 32-bit results arrive signed. */
export interface EngineExports extends KvmExports, ItsExports, SimExports {
  structureBytes(structure: Structure): number;
  wiredIndexBytes(priorityBits: number): number;
  lpiIndexBytes(intidBits: number, priorityBits: number): number;
  lpiArrivalBytes(intidBits: number): number;
  openInjector(): number;
  closeInjector(lane: number): void;
  injectMsi(its: number, deviceId: number, eventId: number): number;
  injectMsis(its: number, count: number): number;
  takeArrivals(): number;
  lpiConfigBytes(intidBits: number): number;
  kvmBytes(vms: number, vcpus: number, guestLpis: number): number;
  simBytes(vms: number, vcpus: number, devices: number): number;
  fieldOffset(field: Field): number;
  clear(bytes: number): void;
  configure(field: Config, value: number): void;
  configurePolicy(name: number, choice: number): void;
  configureCpu(cpu: number, affinity: number, typerLow: number, typerHigh: number, traits: number): void;
  configureIts(its: number, itsNumber: number): void;
  initialize(): void;
  stateEndPage(): number;
  nextUsedPage(from: number): number;
  nextUnusedPage(from: number): number;
  clearStatePages(from: number, to: number): void;
  stateDigest(): number;
  read(address: number, size: number): number;
  write(address: number, size: number, low: number, high: number): void;
  sendMsi(its: number, deviceId: number, eventId: number): number;
  sendMsis(its: number, at: number, count: number): number;
  setSpi(intid: number, level: number): void;
  setPpi(cpu: number, intid: number, level: number): void;
  readSystemRegister(cpu: number, register: number): number;
  writeSystemRegister(cpu: number, register: number, low: number, high: number): void;
  advanceCounter(low: number, high: number): void;
  nextTimerDeadline(): number;
  stepIts(its: number, budget: number): number;
  resetCpuInterface(cpu: number): void;
  deviceEntry(its: number, deviceId: number): number;
  collectionEntry(its: number, icid: number): number;
  interruptEntry(its: number, deviceId: number, eventId: number): number;
  vpeEntry(its: number, vpeId: number): number;
  routeEl1(cpu: number, register: number): number;
  checkLpiIndex(cpu: number): number;
  irqchipBoot(era: number, ramBase: number, ramPages: number, pollLimit: number, bugs: number): number;
  irqchipCreateDevice(its: number, deviceId: number, events: number): number;
  irqchipDestroyDevice(device: number): number;
  irqchipFirstIrq(device: number): number;
  irqchipIrqCount(device: number): number;
  irqchipAffinityMask(): number;
  irqchipActivate(irq: number): number;
  irqchipDeactivate(irq: number): number;
  irqchipMask(irq: number, masked: number): number;
  irqchipSetAffinity(irq: number): number;
  irqchipRetrigger(irq: number): number;
  irqchipSetPending(irq: number, pending: number): number;
  irqchipIsPending(irq: number): number;
  irqchipMapVlpi(irq: number, vpe: number, vintid: number, properties: number, doorbell: number): number;
  irqchipUnmapVlpi(irq: number): number;
  irqchipUpdateVlpi(irq: number, config: number, andInvalidate: number): number;
  irqchipCreateVm(vpes: number): number;
  irqchipDestroyVm(vm: number): number;
  irqchipFirstVpe(vm: number): number;
  irqchipSchedule(vpe: number, cpu: number, groups: number): number;
  irqchipDeschedule(vpe: number, doorbell: number): number;
  irqchipCommit(vpe: number): number;
  irqchipInvall(vpe: number): number;
  irqchipCreateSgis(vpe: number): number;
  irqchipUpdateSgi(irq: number, priority: number, group: number): number;
  irqchipFact(fact: IrqChipFact): number;
  irqchipVpeField(vpe: number, field: IrqChipField): number;
  irqchipIrqField(irq: number, field: IrqChipField): number;
  irqchipVmTable(vm: number): number;
  irqchipLogAt(n: number): number;
  irqchipLogCount(): number;
}

/** Which of the engine's two builds: with shared memory and atomics, or without. */
export type EngineBuild = 'shared' | 'single';

/** A compiled engine; any number of machines can be made of it. */
export interface Engine {
  /** Which memory it takes. */
  readonly build: EngineBuild;
  /** The compiled module, which can be posted to workers. */
  readonly module: WebAssembly.Module;
}

/** Pages of 64 KiB that a module asks for at least. */
const MINIMUM_PAGES = 64;
export const PAGE_BYTES = 0x1_0000;
export const MAXIMUM_PAGES = 65_536;

/** The pages of the memory of an instance that uses `pages` of them. */
export function pagesOf(pages: number): number {
  return Math.max(pages, MINIMUM_PAGES);
}

/** A memory of `pages` 64 KiB pages. Pages that are never touched cost nothing. */
export function createMemory(build: EngineBuild, pages: number): WebAssembly.Memory {
  const initial = pagesOf(pages);
  return build === 'shared'
    ? new WebAssembly.Memory({ initial, maximum: MAXIMUM_PAGES, shared: true })
    : new WebAssembly.Memory({ initial });
}

/** An instance of the engine on a memory. */
export function instantiate(engine: Engine, memory: WebAssembly.Memory): EngineExports {
  const { instance } = instantiateSync(engine.module, { env: { memory } });
  return instance.exports as unknown as EngineExports;
}

/** Sizes of the engine's records, which the memory layout is computed from. */
export type StructureSizes = Readonly<Record<keyof typeof sizes, number>> & {
  wiredIndex(priorityBits: number): number;
  lpiIndex(intidBits: number, priorityBits: number): number;
  lpiArrivals(intidBits: number): number;
  lpiConfig(intidBits: number): number;
  kvm(vms: number, vcpus: number, guestLpis: number): number;
  sim(vms: number, vcpus: number, devices: number): number;
};

const sizes = {
  machine: Structure.MACHINE,
  redistributor: Structure.REDISTRIBUTOR,
  cpuInterface: Structure.CPU_INTERFACE,
  virtualInterface: Structure.VIRTUAL_INTERFACE,
  timers: Structure.TIMERS,
  deadlines: Structure.DEADLINES,
  event: Structure.EVENT,
  irqchip: Structure.IRQCHIP,
  its: Structure.ITS,
  spiBank: Structure.SPI_BANK,
  ppiBank: Structure.PPI_BANK,
  registerInfo: Structure.REGISTER_INFO,
  diagnostic: Structure.DIAGNOSTIC,
  counters: Structure.COUNTERS,
  threads: Structure.THREADS,
  lane: Structure.LANE,
} as const;

/** What an instance of a module tells of it. */
interface Probe {
  readonly build: EngineBuild;
  readonly sizes: StructureSizes;
}

const probes = new WeakMap<WebAssembly.Module, Probe>();

/** Asks an engine for the sizes of its records, once per module. */
export function structureSizes(engine: Engine): StructureSizes {
  return probe(engine.module).sizes;
}

/**
 * Which build a module is. A module does not tell what memory it takes, so both kinds are tried, once per module.
 * Throws what the instantiation of a module throws that is no engine.
 */
export function buildOf(module: WebAssembly.Module): EngineBuild {
  return probe(module).build;
}

function probe(module: WebAssembly.Module): Probe {
  let result = probes.get(module);
  if (!result) {
    const { build, engine } = firstInstance(module);
    const entries = Object.entries(sizes).map(([name, structure]) => [
      name,
      engine.structureBytes(structure),
    ]);
    result = {
      build,
      sizes: {
        ...(Object.fromEntries(entries) as Record<keyof typeof sizes, number>),
        wiredIndex: (priorityBits) => engine.wiredIndexBytes(priorityBits),
        lpiIndex: (intidBits, priorityBits) => engine.lpiIndexBytes(intidBits, priorityBits),
        lpiArrivals: (intidBits) => engine.lpiArrivalBytes(intidBits),
        lpiConfig: (intidBits) => engine.lpiConfigBytes(intidBits),
        kvm: (vms, vcpus, guestLpis) => engine.kvmBytes(vms, vcpus, guestLpis),
        sim: (vms, vcpus, devices) => engine.simBytes(vms, vcpus, devices),
      },
    };
    probes.set(module, result);
  }
  return result;
}

function firstInstance(module: WebAssembly.Module): { build: EngineBuild; engine: EngineExports } {
  const instance = (build: EngineBuild): EngineExports =>
    instantiate({ build, module }, createMemory(build, MINIMUM_PAGES));
  try {
    return { build: 'single', engine: instance('single') };
  } catch (error) {
    if (!(error instanceof WebAssembly.LinkError)) throw error;
    return { build: 'shared', engine: instance('shared') };
  }
}

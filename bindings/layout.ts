import { FrameLayout } from '../assembly/abi.ts';
import type { MachineConfig } from './config.ts';
import { MAXIMUM_PAGES, PAGE_BYTES, type StructureSizes } from './engine.ts';
import { GicError } from './errors.ts';
import { limitsOf } from './layers.ts';

/** Where everything stands in a machine's linear memory: byte offsets. */
export interface Layout {
  readonly registerIndex: number;
  readonly registerInfo: number;
  readonly spiBank: number;
  readonly ppiBanks: number;
  readonly affinities: number;
  readonly redistributors: number;
  readonly cpuInterfaces: number;
  readonly virtualInterfaces: number;
  readonly timers: number;
  readonly deadlines: number;
  readonly events: number;
  readonly irqchip: number;
  readonly kvm: number;
  readonly sim: number;
  readonly itsRecords: number;
  readonly threads: number;
  readonly arrivals: number;
  readonly dirtyCpus: number;
  readonly dirtyVirtual: number;
  readonly changedCpus: number;
  readonly attention: number;
  readonly residentTables: number;
  readonly diagnostics: number;
  readonly counters: number;
  readonly configCaches: number;
  readonly wiredPlanes: number;
  readonly lpiPlanes: number;
  /** Simulated RAM, the last thing. */
  readonly ramAt: number;
  readonly pages: number;
}

/** Records that the ring of diagnostics holds. */
export const DIAGNOSTIC_CAPACITY = 1024;
/** Bytes of a bitmap with a bit for each PE. */
const CPU_BITMAP_BYTES = 64;
const CACHE_LINE = 64;

/** Lays a machine out. Throws a `GicError` when it does not fit into what WebAssembly can address. */
export function layOut(config: MachineConfig, sizes: StructureSizes, registers: number): Layout {
  let at = 0;
  const take = (bytes: number, alignment = CACHE_LINE): number => {
    const start = Math.ceil(at / alignment) * alignment;
    at = start + bytes;
    return start;
  };
  const { cpus, itsCount, intidBits, storedPriorityBits, virtualPriorityBits, ram } = config;
  // GICv4 redistributors have a second set of LPIs: those of the resident vPE.
  const lpiSets = cpus * (config.architecture === 'GICv3' ? 1 : 2);
  const lpiPriorityBits = Math.min(Math.max(storedPriorityBits, virtualPriorityBits), 6);
  const kvm = limitsOf(config, 'kvm');
  const sim = limitsOf(config, 'simulation');
  take(sizes.machine);
  const layout = {
    registerIndex: take(FrameLayout.COUNT * FrameLayout.WORDS * 2),
    registerInfo: take((registers + 1) * sizes.registerInfo),
    spiBank: take(sizes.spiBank),
    ppiBanks: take(cpus * sizes.ppiBank),
    affinities: take(cpus * 8),
    redistributors: take(cpus * sizes.redistributor),
    cpuInterfaces: take(cpus * sizes.cpuInterface),
    virtualInterfaces: take(cpus * sizes.virtualInterface),
    timers: take(cpus * sizes.timers),
    deadlines: take(sizes.deadlines),
    events: take(config.eventCapacity * sizes.event),
    irqchip: take(sizes.irqchip),
    kvm: take(sizes.kvm(kvm.vms, kvm.vcpus, kvm.guestLpis)),
    sim: take(sizes.sim(sim.vms, sim.vcpus, sim.devices)),
    itsRecords: take(itsCount * sizes.its),
    threads: take(sizes.threads),
    arrivals: take(lpiSets * sizes.lpiArrivals(intidBits)),
    dirtyCpus: take(CPU_BITMAP_BYTES),
    dirtyVirtual: take(CPU_BITMAP_BYTES),
    changedCpus: take(CPU_BITMAP_BYTES),
    attention: take(CPU_BITMAP_BYTES),
    residentTables: take(cpus * 4),
    diagnostics: take(DIAGNOSTIC_CAPACITY * sizes.diagnostic),
    counters: take(sizes.counters),
    configCaches: take(lpiSets * sizes.lpiConfig(intidBits)),
    wiredPlanes: take(cpus * 2 * sizes.wiredIndex(storedPriorityBits)),
    lpiPlanes: take(lpiSets * sizes.lpiIndex(intidBits, lpiPriorityBits)),
    ramAt: take(ram.size, PAGE_BYTES),
  };
  const pages = Math.ceil(at / PAGE_BYTES);
  if (pages > MAXIMUM_PAGES) {
    const room = MAXIMUM_PAGES * PAGE_BYTES - layout.ramAt;
    throw new GicError(
      'OUT_OF_MEMORY',
      'ram.size',
      ram.size,
      room > 0
        ? `at most ${room} bytes beside the ${layout.ramAt} bytes of state of ${cpus} PEs with ${intidBits}-bit INTIDs`
        : `fewer PEs or narrower INTIDs: ${cpus} PEs with ${intidBits}-bit INTIDs need ${layout.ramAt} bytes of state`,
    );
  }
  return { ...layout, pages };
}

import { type MachineConfig, redistributorStride } from '../../../bindings/config.ts';
import type { Model } from './side.ts';

/** Tables in RAM whose architected content both models have. */
export interface MemoryPlaces {
  readonly pendingTables: readonly number[];
  readonly vpts: readonly number[];
}

const FIRST_LPI = 8192;
const FIRST_LPI_BYTE = FIRST_LPI / 8;
/** Bytes of a pending table that hold the LPIs which traffic uses most. */
const WATCHED_BYTES = 8;
const SGI_FRAME = 0x1_0000;
const VLPI_FRAME = 0x2_0000;

/** What is compared after every step: outputs, states, registers, pending LPIs, counters, the ITSs' progress. */
export function observe(model: Model, config: MachineConfig, places: MemoryPlaces): string[] {
  const lines: string[] = [];
  for (let cpu = 0; cpu < config.cpus; cpu++) {
    lines.push(...observePe(model, config, cpu), ...observeGuest(model, cpu));
    if (hasVirtualLpis(config)) lines.push(...observeResidency(model, config, cpu));
  }
  lines.push(`SPIs 32 to 63: ${states(model, config.addressMap.gicd + 4)}`);
  lines.push(...observePendingTables(model, places, FIRST_LPI_BYTE + WATCHED_BYTES));
  lines.push(...observeItses(model, config), ...observeCounters(model));
  return lines;
}

const hasVirtualLpis = ({ architecture, intidBits }: MachineConfig): boolean =>
  architecture !== 'GICv3' && intidBits >= 14;

const redistributor = (config: MachineConfig, cpu: number): number =>
  config.addressMap.gicr + cpu * redistributorStride(config);

/** The physical CPU interface of a PE, its SGIs and PPIs. */
function observePe(model: Model, config: MachineConfig, cpu: number): string[] {
  const best = model.highestPending(cpu);
  const pending = best ? `${best.intid} with priority ${best.priority} in group ${best.group}` : 'none';
  const running = model.readSystemRegister(cpu, 'ICC_RPR_EL1');
  const outputs = `irq ${model.irq(cpu)}, fiq ${model.fiq(cpu)}, running priority ${running}`;
  return [
    `PE ${cpu}: highest pending ${pending}, ${outputs}`,
    `PE ${cpu}: SGIs and PPIs ${states(model, redistributor(config, cpu) + SGI_FRAME)}`,
  ];
}

/** The virtual CPU interface of a PE. */
function observeGuest(model: Model, cpu: number): string[] {
  const read = (name: string): string => model.readSystemRegister(cpu, name).toString(16);
  const { winner, bestVlpi, virq, vfiq, maintenance } = model.virtualOutputs(cpu);
  const vlpi = bestVlpi ? `${bestVlpi.vIntid} with priority ${bestVlpi.priority}` : 'none';
  const ich = ['HCR', 'VMCR', 'MISR', 'EISR', 'ELRSR', 'AP0R0', 'AP1R0', 'AP0R1', 'AP1R1'];
  const registers = ich.map((name) => `${name} 0x${read(`ICH_${name}_EL2`)}`);
  const count = Number(model.readSystemRegister(cpu, 'ICH_VTR_EL2') & 15n) + 1;
  const lists = Array.from({ length: Math.min(count, 4) }, (_, n) => `0x${read(`ICH_LR${n}_EL2`)}`);
  const [hppir0, hppir1] = [read('ICV_HPPIR0_EL1'), read('ICV_HPPIR1_EL1')];
  return [
    `PE ${cpu}: virtual winner ${winner}, best VLPI ${vlpi}`,
    `PE ${cpu}: vIRQ ${virq}, vFIQ ${vfiq}, maintenance ${maintenance}`,
    `PE ${cpu}: ICH ${registers.join(', ')}`,
    `PE ${cpu}: list registers ${lists.join(' ')}`,
    `PE ${cpu}: ICV_RPR 0x${read('ICV_RPR_EL1')}, HPPIR0 0x${hppir0}, HPPIR1 0x${hppir1}`,
  ];
}

/** GICR_VPROPBASER, VPENDBASER and VSGIPENDR. */
function observeResidency(model: Model, config: MachineConfig, cpu: number): string[] {
  const frame = redistributor(config, cpu) + VLPI_FRAME;
  const [vpropbaser, vpendbaser] = [0x70, 0x78].map((offset) => model.read(frame + offset, 8).toString(16));
  const lines = [`PE ${cpu}: VPROPBASER 0x${vpropbaser}, VPENDBASER 0x${vpendbaser}`];
  if (config.architecture === 'GICv4.1' && config.virtualSgis) {
    lines.push(`PE ${cpu}: VSGIPENDR 0x${model.read(frame + 0x88, 4).toString(16)}`);
  }
  return lines;
}

/** ISPENDR and ISACTIVER of the first register of each array from an address on. */
function states(model: Model, base: number): string {
  const bits = (offset: number): string => model.read(base + offset, 4).toString(16);
  return `pending 0x${bits(0x0200)}, active 0x${bits(0x0300)}`;
}

function observeItses(model: Model, { addressMap, itsCount }: MachineConfig): string[] {
  return Array.from({ length: itsCount }, (_, its) => {
    const base = addressMap.gits + its * addressMap.gitsStride;
    const register = (offset: number): string => model.read(base + offset, 4).toString(16);
    return `ITS ${its}: CTLR 0x${register(0)}, STATUSR 0x${register(0x40)}, CREADR 0x${register(0x90)}`;
  });
}

function observeCounters(model: Model): string[] {
  const counters = Object.entries(model.counters()).sort(([a], [b]) => a.localeCompare(b));
  return counters.map(([name, value]) => `counter ${name}: ${flatten(value)}`);
}

/** A counter with its members, those of `dropped` in the order of their names. */
function flatten(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value).sort(([a], [b]) => a.localeCompare(b));
  return members.map(([name, member]) => `${name} ${flatten(member)}`).join(', ');
}

/** The interrupts that are pending in tables of `bytes` bytes. */
export function observePendingTables(
  model: Model,
  { pendingTables, vpts }: MemoryPlaces,
  bytes: number,
): string[] {
  const pending = (table: number): string => {
    const intids: number[] = [];
    model.readMemory(table + FIRST_LPI_BYTE, bytes - FIRST_LPI_BYTE).forEach((byte, at) => {
      for (let bit = 0; byte >> bit; bit++) if ((byte >> bit) & 1) intids.push(FIRST_LPI + 8 * at + bit);
    });
    return intids.join(' ') || 'none';
  };
  return [
    ...pendingTables.map((table, n) => `PE ${n >> 1}, pending table ${n & 1}: ${pending(table)}`),
    ...vpts.map((table, n) => `vPE ${n >> 1}, pending table ${n & 1}: ${pending(table)}`),
  ];
}

/** What the events and vPEs of most traffic are mapped to. */
export function observeMappings(model: Model, config: MachineConfig): string[] {
  const lines: string[] = [];
  for (let its = 0; its < config.itsCount; its++) {
    for (let deviceId = 0; deviceId < Math.min(3, 2 ** config.deviceIdBits); deviceId++) {
      for (let eventId = 0; eventId < 4; eventId++) {
        const entry = model.interruptEntry(its, deviceId, eventId);
        lines.push(`ITS ${its} device ${deviceId} event ${eventId}: ${flatten(entry)}`);
      }
    }
    if (config.architecture === 'GICv3') continue;
    for (let vpeId = 0; vpeId < Math.min(4, 2 ** config.vpeIdBits); vpeId++) {
      lines.push(`ITS ${its} vPE ${vpeId}: ${flatten(model.vpeEntry(its, vpeId))}`);
    }
  }
  return lines;
}

import { Counter } from '../../assembly/abi.ts';
import type { MachineConfig } from '../../bindings/config.ts';
import { CpuMarks } from './cpu_marks.ts';
import { Events } from './events.ts';
import { Ram } from './ram.ts';

/** INTIDs, EventIDs and priorities of the size that the engine has by default: what the twin's arrays are made for. */
export const INTID_BITS = 16;
export const PRIORITY_BITS = 5;

export const FIRST_LPI = 8192;
export const SPURIOUS = 1023;
/** The first INTID beyond the LPIs. */
export const LPI_LIMIT = 2 ** INTID_BITS;

const FIRST_EXTENDED_PPI = 1056;
const FIRST_EXTENDED_SPI = 4096;
const HCR_WRITABLE = 0xf800_5cff | 0;
const HCR_DVIM = 1 << 15;
const VTR_DVIM = 1 << 18;

/** What all parts of a machine have in common: RAM, counters, marks, and the configuration that hot paths look at. */
export class Shared {
  readonly ram: Ram;
  /** Doubles hold whole numbers up to 2^53. */
  readonly counters = new Float64Array(Counter.COUNT);
  readonly events: Events;
  readonly cpus: number;
  readonly hasVlpis: boolean;
  readonly preemptionBits: number;
  readonly virtualPreemptionBits: number;
  /** Bits of ICC_AP<m>R<n>: four preemption bits have 16 levels, which do not fill one register. */
  readonly activePriorityBits: number;
  readonly listRegisters: number;
  readonly priorityMaskBits: number;
  readonly virtualPriorityMaskBits: number;
  readonly hcrWritable: number;
  /** PEs of which the outputs, or those to their guests, are to be settled. */
  readonly dirty: CpuMarks;
  readonly dirtyVirtual: CpuMarks;
  /** PEs whose outputs changed: for the host, and for who lets time pass for PEs. */
  readonly changed: CpuMarks;
  readonly attention: CpuMarks;
  /** GICD_CTLR.EnableGrp0 and EnableGrp1. */
  groupEnables = 0;

  readonly highestWinsTies: boolean;
  readonly groupEnableGatesHppi: boolean;
  readonly eventIdMask: number;
  readonly stepped: boolean;
  readonly retryByAnyWrite: boolean;
  readonly stallsOnError: boolean;
  readonly stallsOnFault: boolean;
  readonly doorbellRepeats: boolean;
  readonly eoiCountInEoiMode1: boolean;
  readonly virtualEoiExamines: boolean;
  readonly #wiredEnd: number;
  readonly #extendedPpiEnd: number;
  readonly #extendedSpiEnd: number;

  constructor(config: MachineConfig) {
    const { cpus, policy } = config;
    if (
      config.intidBits !== INTID_BITS ||
      config.eventIdBits !== 16 ||
      config.storedPriorityBits !== PRIORITY_BITS ||
      config.virtualPriorityBits !== PRIORITY_BITS ||
      config.architecture === 'GICv4.1'
    ) {
      throw new RangeError('the twin has IDs of 16 bits, priorities of five, and no GICv4.1');
    }
    this.ram = new Ram(config.ram.base, config.ram.size);
    this.events = new Events(config.eventCapacity);
    this.cpus = cpus;
    this.hasVlpis = config.architecture !== 'GICv3';
    this.preemptionBits = config.preemptionBits;
    this.virtualPreemptionBits = config.virtualPreemptionBits;
    this.activePriorityBits = config.preemptionBits === 4 ? 0xffff : -1;
    this.listRegisters = config.listRegisters;
    this.priorityMaskBits = highBits(config.priorityBits);
    this.virtualPriorityMaskBits = highBits(config.virtualPriorityBits);
    this.hcrWritable = HCR_WRITABLE | ((config.identification.ICH_VTR_EL2 ?? 0) & VTR_DVIM ? HCR_DVIM : 0);
    this.dirty = new CpuMarks(cpus);
    this.dirtyVirtual = new CpuMarks(cpus);
    this.changed = new CpuMarks(cpus);
    this.attention = new CpuMarks(cpus);
    this.highestWinsTies = policy.tieBreak === 'highest-intid';
    this.groupEnableGatesHppi = policy.groupEnableGatesHppi;
    this.eventIdMask = policy.eventIdHighBits === 'ignore-bits' ? 2 ** config.eventIdBits - 1 : -1;
    this.stepped = policy.commandExecution === 'stepped';
    this.retryByAnyWrite = policy.retry === 'any-write';
    this.stallsOnError = policy.commandError === 'stall';
    this.stallsOnFault = policy.tableFault === 'stall';
    this.doorbellRepeats = policy.doorbellOfPendingVlpi === 'repeat';
    this.eoiCountInEoiMode1 = policy.eoiCountInEoiMode1;
    this.virtualEoiExamines = policy.virtualEoiWithoutActive === 'examine-list-registers';
    this.#wiredEnd = 32 + config.spis;
    this.#extendedPpiEnd = FIRST_EXTENDED_PPI + config.extendedPpis;
    this.#extendedSpiEnd = FIRST_EXTENDED_SPI + config.extendedSpis;
  }

  count(counter: Counter): void {
    this.counters[counter]!++;
  }

  /** Whether the machine has an interrupt of this INTID. */
  implements(intid: number): boolean {
    if (intid >= FIRST_LPI) return intid < LPI_LIMIT;
    if (intid < this.#wiredEnd) return true;
    if (intid >= FIRST_EXTENDED_PPI && intid < this.#extendedPpiEnd) return true;
    return intid >= FIRST_EXTENDED_SPI && intid < this.#extendedSpiEnd;
  }
}

/** INTIDs that stand for no interrupt. */
export function isSpecial(intid: number): boolean {
  return intid >= 1020 && intid <= 1023;
}

/** The highest bits of a byte. */
function highBits(count: number): number {
  return (0xff << (8 - count)) & 0xff;
}

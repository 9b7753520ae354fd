import { defaultAffinities, type MachineOptions } from '../config.ts';
import { type CaptureEvent, cpuOf, type Value } from './events.ts';
import { SPARE_RAM } from './unrecorded_memory.ts';

/** What a user knows better than a recording tells. */
export interface MachineOverrides {
  /** What nothing recorded tells is as in this preset. Default `qemu-virt`. */
  readonly preset?: NonNullable<MachineOptions['preset']>;
  /** Number of PEs. */
  readonly cpus?: number;
  /** The architecture. */
  readonly architecture?: NonNullable<MachineOptions['architecture']>;
  /** The machine has an ITS. */
  readonly its?: boolean;
  /** Physical address of RAM. */
  readonly ramBase?: number;
  /** Bytes of RAM. */
  readonly ramSize?: number;
  /** Choices that differ from the preset's. */
  readonly policy?: NonNullable<MachineOptions['policy']>;
}

export interface Recorded {
  /** There are no events beyond those given. */
  readonly complete: boolean;
  /** The recording lacks the contents of memory. */
  readonly memoryUnknown: boolean;
}

const GICD_TYPER = 0x0004;
const IIDR_OF_GICD = 0x0008;
const IIDR = 0x0004;
const TYPER = 0x0008;
const PIDR2 = 0xffe8;
const LAST = 1n << 4n;
const GiB = 2 ** 30;
/** What WebAssembly can address, less the engine's own state. */
const LARGEST_RAM = 3 * GiB;
/** Fields of ICC_CTLR_EL1 that software writes: PMHE, EOImode, CBPR. */
const ICC_CTLR_WRITABLE = 0x43;

/** What the first reads of each identification register returned, and what else tells of a machine. */
class Evidence {
  readonly registers = new Map<string, Value>();
  readonly redistributorTypes = new Map<number, bigint>();
  highestCpu = 0;
  lastCpu: number | undefined;
  usesIts = false;
  usesGicv4 = false;
  lowestAddress = Number.POSITIVE_INFINITY;
  highestAddress = 0;

  see(event: CaptureEvent): void {
    this.highestCpu = Math.max(this.highestCpu, cpuOf(event) ?? 0);
    switch (event.kind) {
      case 'register-read':
        this.#read(event);
        break;
      case 'register-write':
        this.#write(event);
        break;
      case 'system-read':
        this.#note(event.register, event.value);
        break;
      case 'command':
        this.usesGicv4 ||= /^V/.test(event.name);
        break;
      case 'memory-range':
        this.#address(event.address);
        this.#address(event.address + event.length);
        break;
    }
    this.usesIts ||= event.kind === 'command' || event.kind === 'msi';
  }

  has(register: string, bit: number): boolean | undefined {
    const value = this.registers.get(register);
    return value === undefined ? undefined : ((BigInt(value) >> BigInt(bit)) & 1n) === 1n;
  }

  field(register: string, high: number, low: number): number | undefined {
    const value = this.registers.get(register);
    if (value === undefined) return undefined;
    return Number((BigInt(value) >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n));
  }

  #read({ block, cpu, offset, size, value }: Extract<CaptureEvent, { kind: 'register-read' }>): void {
    this.usesIts ||= block === 'GITS';
    this.usesGicv4 ||= block === 'GICR' && offset >= 0x2_0000;
    if (offset === PIDR2) this.#note('PIDR2', value);
    else if (block === 'GICD') {
      if (offset === GICD_TYPER) this.#note('GICD_TYPER', value);
      if (offset === IIDR_OF_GICD) this.#note('GICD_IIDR', value);
    } else if (offset === IIDR) this.#note(`${block}_IIDR`, value);
    else if (offset === TYPER && size === 8) {
      if (block === 'GITS') this.#note('GITS_TYPER', value);
      else this.#redistributorType(cpu, BigInt(value));
    }
  }

  #redistributorType(cpu: number, type: bigint): void {
    this.redistributorTypes.set(cpu, type);
    if ((type & LAST) !== 0n) this.lastCpu = Math.max(this.lastCpu ?? 0, cpu);
  }

  /** Table addresses: GITS_CBASER, GITS_BASER<n>, GICR_PROPBASER, GICR_PENDBASER, GICR_VPROPBASER, GICR_VPENDBASER. */
  #write({ block, offset, size, value }: Extract<CaptureEvent, { kind: 'register-write' }>): void {
    this.usesIts ||= block === 'GITS';
    this.usesGicv4 ||= block === 'GICR' && offset >= 0x2_0000;
    const isTable =
      (block === 'GITS' && (offset === 0x80 || (offset >= 0x100 && offset < 0x140))) ||
      (block === 'GICR' && [0x70, 0x78].includes(offset & 0xffff));
    if (isTable && size === 8) this.#address(Number(BigInt(value) & 0x0000_ffff_ffff_f000n));
  }

  #address(address: number): void {
    if (address === 0) return;
    this.lowestAddress = Math.min(this.lowestAddress, address);
    this.highestAddress = Math.max(this.highestAddress, address);
  }

  #note(register: string, value: Value): void {
    if (!this.registers.has(register)) this.registers.set(register, value);
  }
}

/**
 * The machine that was recorded, from the first events of a recording: what identification registers told, which
 * PEs and which addresses appeared. What nothing tells is as in the preset `qemu-virt`.
 */
export function inferMachine(
  events: Iterable<CaptureEvent>,
  recorded: Recorded,
  overrides: MachineOverrides = {},
): MachineOptions {
  const evidence = new Evidence();
  for (const event of events) evidence.see(event);
  const cpus = overrides.cpus ?? Math.max(evidence.lastCpu ?? 0, evidence.highestCpu) + 1;
  const architecture = overrides.architecture ?? inferArchitecture(evidence);
  const hasIts = overrides.its ?? inferIts(evidence, recorded);
  return withoutUndefined({
    preset: overrides.preset ?? 'qemu-virt',
    cpus,
    architecture,
    itsCount: hasIts ? 1 : 0,
    affinities: inferAffinities(evidence, cpus),
    ...inferDistributor(evidence),
    ...inferIdentifiers(evidence),
    ...inferVirtualInterface(evidence),
    directLpi: inferDirectLpi(evidence),
    ram: inferRam(evidence, recorded, overrides),
    identification: inferIdentification(evidence, cpus),
    policy: overrides.policy,
  });
}

function inferArchitecture(evidence: Evidence): 'GICv3' | 'GICv4.0' {
  const revision = evidence.field('PIDR2', 7, 4);
  if (revision !== undefined) return revision >= 4 ? 'GICv4.0' : 'GICv3';
  return evidence.usesGicv4 || evidence.has('GICD_TYPER', 18) === true ? 'GICv4.0' : 'GICv3';
}

/** An ITS that nobody uses does no harm, so only good evidence says that there is none. */
function inferIts(evidence: Evidence, { complete }: Recorded): boolean {
  if (evidence.usesIts) return true;
  return !complete && evidence.has('GICD_TYPER', 17) !== false;
}

function inferAffinities(evidence: Evidence, cpus: number): number[] {
  return defaultAffinities(cpus).map((affinity, cpu) => {
    const type = evidence.redistributorTypes.get(cpu);
    return type === undefined ? affinity : Number(type >> 32n);
  });
}

function inferDistributor(evidence: Evidence): MachineOptions {
  const lines = evidence.field('GICD_TYPER', 4, 0);
  if (lines === undefined) return {};
  const intidBits = (evidence.field('GICD_TYPER', 23, 19) ?? 15) + 1;
  const extended = evidence.has('GICD_TYPER', 8) === true;
  return {
    // QEMU 7.2 tells 32 INTIDs less than it has; later versions and other hardware do not use the ones above.
    spis: lines >= 30 ? 988 : 32 * (lines + 1),
    extendedSpis: extended ? 32 * ((evidence.field('GICD_TYPER', 31, 27) ?? 0) + 1) : 0,
    intidBits: intidBits >= 14 ? Math.min(intidBits, 22) : 10,
    messageBasedSpis: evidence.has('GICD_TYPER', 16) === true,
    oneOfN: evidence.has('GICD_TYPER', 25) === false,
    rangeSelector: evidence.has('GICD_TYPER', 26) === true,
  };
}

function inferIdentifiers(evidence: Evidence): MachineOptions {
  const priorityBits = evidence.field('ICC_CTLR_EL1', 10, 8);
  const priorities = priorityBits === undefined ? {} : { priorityBits: Math.max(4, priorityBits + 1) };
  if (!evidence.registers.has('GITS_TYPER')) return priorities;
  const its = (high: number, low: number): number => evidence.field('GITS_TYPER', high, low) ?? 0;
  return {
    ...priorities,
    ittEntryBytes: Math.min(16, Math.max(8, its(7, 4) + 1)),
    eventIdBits: its(12, 8) + 1,
    deviceIdBits: its(17, 13) + 1,
    physicalTargetAddresses: its(19, 19) === 1,
    hardwareCollections: its(31, 24),
    collectionIdBits: its(36, 36) === 1 ? its(35, 32) + 1 : 16,
  };
}

function inferVirtualInterface(evidence: Evidence): MachineOptions {
  const listRegisters = evidence.field('ICH_VTR_EL2', 4, 0);
  if (listRegisters === undefined) return {};
  const virtualPriorityBits = Math.max(5, (evidence.field('ICH_VTR_EL2', 31, 29) ?? 4) + 1);
  const preemptionBits = (evidence.field('ICH_VTR_EL2', 28, 26) ?? 4) + 1;
  return {
    listRegisters: Math.min(16, listRegisters + 1),
    virtualPriorityBits,
    virtualPreemptionBits: Math.min(7, virtualPriorityBits, Math.max(5, preemptionBits)),
  };
}

function inferDirectLpi(evidence: Evidence): boolean | undefined {
  const [type] = evidence.redistributorTypes.values();
  return type === undefined ? undefined : ((type >> 3n) & 1n) === 1n;
}

/** From 1 GiB, where QEMU's machine has its RAM, to the end of the GiB that holds the highest address seen. */
function inferRam(
  { lowestAddress, highestAddress }: Evidence,
  { memoryUnknown }: Recorded,
  { ramBase, ramSize }: MachineOverrides,
): { base: number; size: number } {
  const spare = memoryUnknown ? SPARE_RAM : 0;
  const lowest = ramBase ?? Math.min(GiB, Math.floor(lowestAddress / GiB) * GiB);
  const end = Math.max(lowest + GiB, Math.ceil((highestAddress + 1) / GiB) * GiB);
  const size = (ramSize ?? Math.min(end - lowest, LARGEST_RAM)) + spare;
  // Of a RAM too large for the machine, the part where the tables are.
  const base = ramBase ?? (ramSize === undefined ? Math.max(lowest, end - LARGEST_RAM) : lowest);
  return { base, size };
}

function inferIdentification(
  evidence: Evidence,
  cpus: number,
): NonNullable<MachineOptions['identification']> {
  const value = (register: string): number | undefined => {
    const read = evidence.registers.get(register);
    return read === undefined ? undefined : Number(read);
  };
  const gits = evidence.registers.get('GITS_TYPER');
  const iccCtlr = value('ICC_CTLR_EL1');
  const icvCtlr = value('ICV_CTLR_EL1');
  const types = Array.from({ length: cpus }, (_, cpu) => evidence.redistributorTypes.get(cpu));
  const allTypes = types.filter((type) => type !== undefined);
  return withoutUndefined({
    GICD_TYPER: value('GICD_TYPER'),
    GICD_IIDR: value('GICD_IIDR'),
    GICR_IIDR: value('GICR_IIDR'),
    GITS_IIDR: value('GITS_IIDR'),
    GITS_TYPER: gits === undefined ? undefined : BigInt(gits),
    GICR_TYPER: allTypes.length === cpus ? allTypes : undefined,
    PIDR2: value('PIDR2'),
    ICC_CTLR_EL1: iccCtlr === undefined ? undefined : iccCtlr & ~ICC_CTLR_WRITABLE,
    ICV_CTLR_EL1: icvCtlr === undefined ? undefined : icvCtlr & ~ICC_CTLR_WRITABLE,
    ICH_VTR_EL2: value('ICH_VTR_EL2'),
  });
}

type Defined<Given> = { [Key in keyof Given]: Exclude<Given[Key], undefined> };

function withoutUndefined<Given extends object>(given: Given): Partial<Defined<Given>> {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Defined<Given>>;
}

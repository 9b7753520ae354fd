import { checkConfig, checkNames } from './config_check.ts';
import { GicError, requireInteger } from './errors.ts';
import type { LayerName, Limits } from './layers.ts';
import { architecturePolicy, type Policy, qemuPolicy, resolvePolicy } from './policy.ts';

export type Architecture = 'GICv3' | 'GICv4.0' | 'GICv4.1';

/** Where the register frames and RAM stand in the physical address space. All addresses are below 2^52. */
export interface AddressMap {
  /** Distributor frame, 64 KiB. */
  gicd: number;
  /** First redistributor. The others follow at `GICR` stride: 128 KiB for GICv3, 256 KiB for GICv4. */
  gicr: number;
  /** First ITS: control frame, then translation frame. Each further ITS follows `gitsStride` bytes later. */
  gits: number;
  gitsStride: number;
}

/** Identification registers that are to read as given instead of as the configuration implies. */
export interface IdentificationRegisters {
  GICD_TYPER?: number;
  GICD_IIDR?: number;
  GICR_IIDR?: number;
  GITS_IIDR?: number;
  /** One value for each PE. */
  GICR_TYPER?: readonly bigint[];
  GITS_TYPER?: bigint;
  /** GICD_PIDR2, GICR_PIDR2 and GITS_PIDR2. */
  PIDR2?: number;
  /** The read-only fields of ICC_CTLR_EL1. */
  ICC_CTLR_EL1?: number;
  /** The read-only fields of ICV_CTLR_EL1. */
  ICV_CTLR_EL1?: number;
  ICH_VTR_EL2?: number;
}

const identificationNames: readonly (keyof IdentificationRegisters)[] = [
  'GICD_TYPER',
  'GICD_IIDR',
  'GICR_IIDR',
  'GITS_IIDR',
  'GICR_TYPER',
  'GITS_TYPER',
  'PIDR2',
  'ICC_CTLR_EL1',
  'ICV_CTLR_EL1',
  'ICH_VTR_EL2',
];

/** Everything that is fixed when a machine is made. */
export interface MachineConfig {
  architecture: Architecture;
  /** Number of PEs, 1 to 512. */
  cpus: number;
  /** Affinity of each PE as Aff3.Aff2.Aff1.Aff0, 8 bits each, Aff3 in [31:24]; all different. */
  affinities: readonly number[];
  /** Number of ITSs, 0 to 16. */
  itsCount: number;
  /** GICv4: ITSs that are GICv3 ITSs, without VLPIs (GITS_TYPER.Virtual=0). */
  itsWithoutVlpis: readonly number[];
  /**
   * GITS_CTLR.ITS_Number of each ITS, 0 to 15, read-only and by rights all different; for GICv4 ITSs that need a VMOVP
   * each (`vmovpOnAnyIts`). Default, also if empty: ITS n has number n.
   */
  itsNumbers: readonly number[];
  /**
   * GICv4: PEs whose redistributors have no VLPIs (GICR_TYPER.VLPIS=0). Their frames are as far apart as the others', and
   * no vPE can be mapped to them.
   */
  redistributorsWithoutVlpis: readonly number[];
  /** PEs whose redistributors lack direct LPIs, where `directLpi` gives them to the others (GICR_TYPER.DirectLPI=0). */
  redistributorsWithoutDirectLpi: readonly number[];
  /** Width of a DeviceID (GITS_TYPER.Devbits + 1), 1 to 32. */
  deviceIdBits: number;
  /** Width of an EventID (GITS_TYPER.ID_bits + 1), 1 to 32. */
  eventIdBits: number;
  /** Width of an ICID (GITS_TYPER.CIDbits + 1), 1 to 16. */
  collectionIdBits: number;
  /** Width of an INTID (GICD_TYPER.IDbits + 1): 10 for no LPIs, or 14 to 22. */
  intidBits: number;
  /** Number of SPIs from INTID 32 on: a multiple of 32 up to 960, or 988. */
  spis: number;
  /** Number of Extended SPIs from INTID 4096 on: a multiple of 32, 0 to 1024. */
  extendedSpis: number;
  /** Number of Extended PPIs from INTID 1056 on: 0, 32 or 64. */
  extendedPpis: number;
  /** Priority bits of the CPU interface (ICC_CTLR_EL1.PRIbits + 1), 4 to 8. */
  priorityBits: number;
  /** Priority bits that participate in preemption: levels of ICC_AP<m>R<n>, 4 to 7, at most `priorityBits`. */
  preemptionBits: number;
  /** Priority bits stored by the distributor and redistributors, `priorityBits` to 8. */
  storedPriorityBits: number;
  /** Width of a vPEID, 1 to 16; GICv4 only. */
  vpeIdBits: number;
  /** One VMOVP on any ITS moves a vPE for all of them (GITS_TYPER.VMOVP=1). */
  vmovpOnAnyIts: boolean;
  /** GICv4.1: virtual SGIs are supported (GITS_TYPER.VSGI, GICR_TYPER.VSGI). */
  virtualSgis: boolean;
  /** Events can have doorbells of their own; GICv4.1 may leave them out (GITS_TYPER.nID). */
  individualDoorbells: boolean;
  /** GICv4.1: GITS_TYPER.SVPET, which redistributors share the ITS's vPE table: 0 none, 1 to 3 by affinity. */
  sharedVpeTable: number;
  /** GICv4.1: GITS_MPIDR of every ITS, Aff3.Aff2.Aff1 in [31:8]. */
  itsAffinity: number;
  /** List registers of each PE, 1 to 16. */
  listRegisters: number;
  /** Priority bits of the virtual CPU interface, 5 to 8. */
  virtualPriorityBits: number;
  /** Of these, the bits that participate in preemption, 5 to 7. */
  virtualPreemptionBits: number;
  /** PPI that the maintenance interrupt of each PE is wired to, 16 to 31; 0 for none. */
  maintenancePpi: number;
  /** Reads of GICR_VPENDBASER that see Dirty=1 after a vPE was scheduled in, and out: 0 to 1000. */
  dirtyReads: { readonly scheduleIn: number; readonly scheduleOut: number };
  /** CNTFRQ_EL0: ticks of the generic timers' counter in a second, 1 to 4294967295. */
  timerFrequency: number;
  /** PPIs that each PE's timers are wired to, 16 to 31; 0 for none. */
  timerPpis: {
    readonly virtual: number;
    readonly physical: number;
    readonly hypPhysical: number;
    readonly hypVirtual: number;
  };
  /** Records that the ring of events holds, 1 to 16777216. */
  eventCapacity: number;
  /** 1-of-N SPIs are supported (GICD_TYPER.No1N=0, GICR_TYPER.DPGS=1). */
  oneOfN: boolean;
  /** Message-based SPIs are supported (GICD_TYPER.MBIS). */
  messageBasedSpis: boolean;
  /** ICC_SGI1R_EL1.RS is supported: Aff0 up to 255 (GICD_TYPER.RSS, ICC_CTLR_EL1.RSS). */
  rangeSelector: boolean;
  /** GICR_SETLPIR, CLRLPIR, INVLPIR, INVALLR and SYNCR are implemented (GICR_TYPER.DirectLPI). */
  directLpi: boolean;
  /** GICR_TYPER.CommonLPIAff, 0 to 3. */
  commonLpiAffinity: number;
  /** Collections held by the ITS itself (GITS_TYPER.HCC), 0 to 255. */
  hardwareCollections: number;
  /** RDbase in commands is a physical address instead of a processor number (GITS_TYPER.PTA). */
  physicalTargetAddresses: boolean;
  /**
   * With `physicalTargetAddresses`: bytes from RD_base to the address that names a redistributor in VMAPP and VMOVP. 0, or
   * 131072 as in the ITSs of the HiSilicon D05, which GITS_IIDR then tells.
   */
  vlpiTargetOffset: number;
  /** Bytes per entry that GITS_BASER<n>.Entry_Size tells for device and collection tables: a multiple of 8, 8 to 32. */
  tableEntryBytes: number;
  /** Bytes per interrupt translation entry that GITS_TYPER.ITT_entry_size tells, 8 to 16. */
  ittEntryBytes: number;
  /** GITS_BASER<n>.Indirect can be set. */
  indirectTables: boolean;
  /** GICD_STATUSR, GICR_STATUSR and GITS_STATUSR record bad accesses. */
  statusRegisters: boolean;
  /** GITS_STATUSR and GITS_UMSIR report MSIs without a mapping (GITS_TYPER.UMSI). */
  unmappedMsiReporting: boolean;
  /**
   * The highest layer above the hardware that the machine has memory for. Default `simulation`; a machine that is a GIC and
   * nothing else does with `irqchip`, in 37 MB less.
   */
  layers: LayerName;
  /** What the layers have room for: default 16 VMs, 512 vCPUs, 65,536 LPIs of guests, 256 devices. */
  limits: Limits;
  /** Simulated RAM: base 64 KiB aligned, size in bytes a multiple of 64 KiB. */
  ram: { readonly base: number; readonly size: number };
  addressMap: AddressMap;
  identification: IdentificationRegisters;
  policy: Policy;
}

/** What a caller may give: a preset, and what differs from it. */
export type MachineOptions = Partial<Omit<MachineConfig, Nested>> & {
  /** Default `architecture`. */
  preset?: PresetName;
} & { [Name in Nested]?: Partial<MachineConfig[Name]> };

/** Fields that are merged with the preset's member by member. */
type Nested = 'policy' | 'addressMap' | 'ram' | 'dirtyReads' | 'timerPpis' | 'limits';

type Defaults = Omit<MachineConfig, 'affinities'>;

const MiB = 2 ** 20;

const architecture: Defaults = {
  architecture: 'GICv3',
  cpus: 4,
  itsCount: 1,
  itsWithoutVlpis: [],
  itsNumbers: [],
  redistributorsWithoutVlpis: [],
  redistributorsWithoutDirectLpi: [],
  deviceIdBits: 16,
  eventIdBits: 16,
  collectionIdBits: 16,
  intidBits: 16,
  spis: 256,
  extendedSpis: 0,
  extendedPpis: 0,
  priorityBits: 5,
  preemptionBits: 5,
  storedPriorityBits: 5,
  vpeIdBits: 16,
  vmovpOnAnyIts: true,
  virtualSgis: true,
  individualDoorbells: true,
  sharedVpeTable: 1,
  itsAffinity: 0,
  listRegisters: 4,
  virtualPriorityBits: 5,
  virtualPreemptionBits: 5,
  maintenancePpi: 25,
  dirtyReads: { scheduleIn: 0, scheduleOut: 0 },
  timerFrequency: 1_000_000_000,
  timerPpis: { virtual: 27, physical: 30, hypPhysical: 26, hypVirtual: 28 },
  eventCapacity: 65_536,
  oneOfN: true,
  messageBasedSpis: true,
  rangeSelector: false,
  directLpi: true,
  commonLpiAffinity: 0,
  hardwareCollections: 0,
  physicalTargetAddresses: false,
  vlpiTargetOffset: 0,
  tableEntryBytes: 8,
  ittEntryBytes: 8,
  indirectTables: true,
  statusRegisters: true,
  unmappedMsiReporting: true,
  layers: 'simulation',
  limits: { vms: 16, vcpus: 512, guestLpis: 65_536, devices: 256 },
  ram: { base: 0x8000_0000, size: 256 * MiB },
  addressMap: { gicd: 0x0800_0000, gicr: 0x1000_0000, gits: 0x0900_0000, gitsStride: 0x4_0000 },
  identification: {},
  policy: architecturePolicy,
};

/** QEMU 7.2's `-M virt`: its map, its identification registers, its choices. */
const qemuVirt: Defaults = {
  ...architecture,
  timerFrequency: 62_500_000,
  storedPriorityBits: 8,
  oneOfN: false,
  messageBasedSpis: false,
  directLpi: false,
  commonLpiAffinity: 1,
  ittEntryBytes: 12,
  statusRegisters: false,
  unmappedMsiReporting: false,
  ram: { base: 0x4000_0000, size: 1024 * MiB },
  addressMap: { gicd: 0x0800_0000, gicr: 0x080a_0000, gits: 0x0808_0000, gitsStride: 0x2_0000 },
  identification: {
    GICD_TYPER: 0x037a_0007,
    GICD_IIDR: 0x43b,
    GICR_IIDR: 0x43b,
    GITS_IIDR: 0x43b,
    ICC_CTLR_EL1: 0x8c00,
    ICV_CTLR_EL1: 0x8c00,
  },
  policy: qemuPolicy,
};

export const presets = { architecture, 'qemu-virt': qemuVirt } as const;
export type PresetName = keyof typeof presets;

/** PEs numbered in clusters of 16, as Linux and QEMU number them. */
export function defaultAffinities(cpus: number): number[] {
  return Array.from({ length: cpus }, (_, cpu) => (cpu & 0xf) | ((cpu >> 4) << 8));
}

/** Completes and checks a configuration. Throws a `GicError` that names the first field at fault. */
export function resolveConfig(options: MachineOptions = {}): MachineConfig {
  if (typeof options !== 'object' || options === null) {
    throw new GicError('INVALID_CONFIG', 'options', options, 'an object with fields of a configuration');
  }
  const {
    preset = 'architecture',
    policy,
    addressMap,
    ram,
    dirtyReads,
    timerPpis,
    limits,
    ...given
  } = options;
  const base: Defaults | undefined = presets[preset];
  if (!base) {
    throw new GicError('UNKNOWN_NAME', 'preset', preset, `one of ${Object.keys(presets).join(', ')}`);
  }
  checkNames('', given, [...Object.keys(base), 'affinities']);
  checkNames('addressMap.', addressMap, Object.keys(base.addressMap));
  checkNames('ram.', ram, Object.keys(base.ram));
  checkNames('dirtyReads.', dirtyReads, Object.keys(base.dirtyReads));
  checkNames('timerPpis.', timerPpis, Object.keys(base.timerPpis));
  checkNames('limits.', limits, Object.keys(base.limits));
  checkNames('identification.', given.identification, identificationNames);
  const merged: Defaults & { affinities?: readonly number[] } = { ...base, ...defined(given) };
  const config: MachineConfig = {
    ...merged,
    addressMap: resolveAddressMap(base, merged, addressMap),
    ram: { ...base.ram, ...defined(ram) },
    dirtyReads: { ...base.dirtyReads, ...defined(dirtyReads) },
    timerPpis: { ...base.timerPpis, ...defined(timerPpis) },
    limits: { ...base.limits, ...defined(limits) },
    identification: { ...presetIdentification(base, merged), ...defined(given.identification) },
    policy: resolvePolicy(base.policy, policy),
    affinities:
      merged.affinities ?? defaultAffinities(requireInteger('INVALID_CONFIG', 'cpus', merged.cpus, 1, 512)),
  };
  // Narrower priorities than the preset's imply narrower preemption, unless the caller says otherwise.
  if (given.preemptionBits === undefined) config.preemptionBits = Math.min(config.priorityBits, 7);
  if (given.storedPriorityBits === undefined && base.storedPriorityBits < 8) {
    config.storedPriorityBits = config.priorityBits;
  }
  checkConfig(config);
  return config;
}

/** The members of `options` that were given a value. */
function defined<T extends object>(options: T = {} as T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

/** GICD_TYPER.DVIS: virtual LPIs can be injected directly, which only a GICv4 does. */
const GICD_TYPER_DVIS = 1 << 18;

/** The preset's identification registers, which are those of a GICv3, for the architecture that was asked for. */
function presetIdentification(
  { identification }: Defaults,
  { architecture }: Defaults,
): IdentificationRegisters {
  const { GICD_TYPER } = identification;
  if (GICD_TYPER === undefined || architecture === 'GICv3') return identification;
  return { ...identification, GICD_TYPER: GICD_TYPER | GICD_TYPER_DVIS };
}

/** The preset's map, with the redistributors further up where more or larger ITSs than the preset's are below them. */
function resolveAddressMap(base: Defaults, merged: Defaults, given?: Partial<AddressMap>): AddressMap {
  const { gitsStride, gicr, ...rest } = base.addressMap;
  const stride = Math.max(gitsStride, itsBytes(merged));
  const itsEnd = rest.gits + merged.itsCount * stride;
  const movedUp = rest.gits < gicr ? Math.max(gicr, itsEnd) : gicr;
  return { ...rest, gitsStride: stride, gicr: movedUp, ...defined(given) };
}

/** Frames of one ITS: control and translation, and for GICv4.1 the vSGI frame. */
export function itsBytes(config: Pick<MachineConfig, 'architecture'>): number {
  return config.architecture === 'GICv4.1' ? 0x3_0000 : 0x2_0000;
}

/** Bytes from one redistributor to the next: RD and SGI frames, and for GICv4 the VLPI and a reserved frame. */
export function redistributorStride(config: Pick<MachineConfig, 'architecture'>): number {
  return config.architecture === 'GICv3' ? 0x2_0000 : 0x4_0000;
}

import { Feature, Policy } from '../abi';

/**
 * Where the machine record stands in linear memory. Nothing of the machine is below: the host leaves batches of MSIs
 * there, and the fuzz build keeps its counters and its map of dirty granules there, so that all builds lay a machine out
 * alike.
 */
export const HEADER: usize = 0x10_0000;

/** Policies that fit in the record. */
export const POLICY_SLOTS: usize = 64;

/**
 * The machine: configuration, where its parts stand, and the Distributor's own few registers.
 * The host fills the configuration in before the first action; nothing of it changes afterwards.
 */
@unmanaged
export class Machine {
  /** Upper half of the last 64-bit result. */
  resultHigh: u32;
  diagnosticCount: u32;

  cpuCount: u32;
  itsCount: u32;
  intidBits: u32;
  deviceIdBits: u32;
  eventIdBits: u32;
  collectionIdBits: u32;
  /** SPI INTIDs 32 up to and without this one. */
  spiSlots: u32;
  extendedSpiSlots: u32;
  extendedPpiSlots: u32;
  storedPriorityBits: u32;
  cpuPriorityBits: u32;
  preemptionBits: u32;
  features: u32;
  hardwareCollections: u32;
  /** Read-only fields of ICC_CTLR_EL1. */
  iccCtlr: u32;
  vpeIdBits: u32;
  /** GITS_TYPER.SVPET, and GITS_MPIDR of every ITS. */
  sharedVpeTable: u32;
  itsAffinity: u32;
  /** Bit n: ITS n has no VLPIs. */
  itsWithoutVlpis: u32;
  /** From RD_base to the address that names a redistributor in VMAPP and VMOVP. */
  vlpiTargetOffset: u32;
  listRegisters: u32;
  virtualPriorityBits: u32;
  virtualPreemptionBits: u32;
  /** Read-only fields of ICV_CTLR_EL1. */
  icvCtlr: u32;
  ichVtr: u32;
  /** Reads of GICR_VPENDBASER that see Dirty after a vPE is scheduled in, and out. */
  parseReads: u32;
  descheduleReads: u32;
  /** PPI that the maintenance interrupt is wired to, 0 for none. */
  maintenancePpi: u32;

  /** PPIs of the timers, a byte each. */
  timerPpis: u32;
  timerFrequency: u32;
  eventsOn: u32;
  eventCount: u32;
  eventCapacity: u32;

  /** CNTPCT_EL0, and when the PPI of a timer changes at the earliest. */
  counter: u64;
  nextTimer: u64;
  /** Fields of GITS_TYPER of ITSs with VLPIs. */
  itsVirtualType: u64;
  gicdBase: u64;
  gicrBase: u64;
  gicrStride: u64;
  gitsBase: u64;
  gitsStride: u64;
  ramBase: u64;
  ramSize: u64;
  ramAt: usize;

  registerIndex: usize;
  registerInfo: usize;
  spiBank: usize;
  ppiBanks: usize;
  affinities: usize;
  redistributors: usize;
  cpuInterfaces: usize;
  itsRecords: usize;
  timers: usize;
  deadlines: usize;
  events: usize;
  /** State of the irqchip layer. */
  irqchip: usize;
  /** State of the KVM layer. */
  kvm: usize;
  /** State of the simulation. */
  sim: usize;
  /** The highest layer that there is memory for (`Layer`), and what the layers have room for; 0 without them. */
  layers: u32;
  vmLimit: u32;
  vcpuLimit: u32;
  guestLpiLimit: u32;
  deviceLimit: u32;
  wiredPlanes: usize;
  lpiPlanes: usize;
  configCaches: usize;
  virtualInterfaces: usize;
  /** What other threads and the owner tell each other. */
  threads: usize;
  arrivals: usize;
  dirtyCpus: usize;
  dirtyVirtual: usize;
  changedCpus: usize;
  /** The same bits as in `changedCpus`, for the simulation. */
  attention: usize;
  /** For each PE, what tells the pending table of its resident vPE from most others: see residency.ts. */
  residentTables: usize;
  diagnostics: usize;
  diagnosticCapacity: u32;
  counters: usize;

  /** GICD_CTLR.EnableGrp0 and EnableGrp1. */
  groupEnables: u32;
  /** Words of `dirtyCpus` and of `dirtyVirtual` that are not 0, a bit each. */
  dirtyCpuWords: u32;
  dirtyVirtualWords: u32;
  /** GICD_CTLR.nASSGIreq, in place. */
  noActiveSgis: u32;
  gicdStatusr: u32;

  /** One byte a policy; see `policy`. */
  policies0: u64;
  policies1: u64;
  policies2: u64;
  policies3: u64;
  policies4: u64;
  policies5: u64;
  policies6: u64;
  policies7: u64;

  get lpiLimit(): u32 {
    return this.intidBits >= 14 ? (<u32>1) << this.intidBits : 0;
  }

  has(feature: Feature): bool {
    return (this.features & feature) != 0;
  }
}

/** Where the layers' tables stand that are as large as the configuration says: an address each. */
export const LAYER_TABLES: usize = (HEADER + offsetof<Machine>() + 63) & ~63;
export const LAYER_TABLES_BYTES: usize = 128;

export function machine(): Machine {
  return changetype<Machine>(HEADER);
}

/** The number of the choice made for a policy. */
export function policy(name: Policy): u32 {
  return load<u8>(HEADER + offsetof<Machine>('policies0') + <usize>name);
}

export function setPolicy(name: Policy, choice: u32): void {
  if (<usize>name < POLICY_SLOTS)
    store<u8>(HEADER + offsetof<Machine>('policies0') + <usize>name, <u8>choice);
}

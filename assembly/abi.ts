// Numbers that the engine and its host agree on. Both sides import this file, so it holds plain constants only.

/** Fields of the machine's configuration; the host sets each with `configure(field, value)`. */
export enum Config {
  cpuCount = 0,
  itsCount = 1,
  intidBits = 2,
  deviceIdBits = 3,
  eventIdBits = 4,
  collectionIdBits = 5,
  spiSlots = 6,
  extendedSpiSlots = 7,
  extendedPpiSlots = 8,
  storedPriorityBits = 9,
  cpuPriorityBits = 10,
  preemptionBits = 11,
  features = 12,
  tableEntryBytes = 13,
  hardwareCollections = 14,
  iccCtlr = 15,
  gicdBase = 16,
  gicrBase = 17,
  gicrStride = 18,
  gitsBase = 19,
  gitsStride = 20,
  ramBase = 21,
  ramSize = 22,
  ramAt = 23,
  registerIndex = 24,
  registerInfo = 25,
  spiBank = 26,
  ppiBanks = 27,
  affinities = 28,
  redistributors = 29,
  cpuInterfaces = 30,
  itsRecords = 31,
  wiredPlanes = 32,
  lpiPlanes = 33,
  configCaches = 34,
  dirtyCpus = 35,
  changedCpus = 36,
  diagnostics = 37,
  diagnosticCapacity = 38,
  counters = 39,
}

/** Bits of `Config.features`. */
export enum Feature {
  ONE_OF_N = 1,
  MESSAGE_BASED_SPIS = 2,
  RANGE_SELECTOR = 4,
  DIRECT_LPI = 8,
  PHYSICAL_TARGET_ADDRESSES = 16,
  INDIRECT_TABLES = 32,
  STATUS_REGISTERS = 64,
  UNMAPPED_MSI_REPORTING = 128,
}

/** Policies, by the names of the `policy` object. A policy's value is the number of its choice. */
export enum Policy {
  commandError = 0,
  tableFault = 1,
  queueFault = 2,
  retry = 3,
  stalledSticky = 4,
  creadrWritable = 5,
  quiescentWhileEnabled = 6,
  tableWriteWhileEnabled = 7,
  enableWithInvalidTables = 8,
  eventIdHighBits = 9,
  maptiRemap = 10,
  maptiClearsPending = 11,
  discardUnmappedCollection = 12,
  moviTargetDisabled = 13,
  movallTargetDisabled = 14,
  invallScope = 15,
  checkSyncOperands = 16,
  enableLpisClearable = 17,
  lpiTableWriteWhileEnabled = 18,
  pendingTableZero = 19,
  lpiTableReservedBits = 20,
  sleepHoldsInterrupts = 21,
  groupEnableGatesHppi = 22,
  routingModeWithoutOneOfN = 23,
  routerReservedBits = 24,
  ppiConfigWritable = 25,
  tieBreak = 26,
  commandExecution = 27,
}

/** Numbers of policy choices; the default of each policy is 0. Switches are 0 or 1. */
export enum Choice {
  COMMAND_ERROR_STALL = 1,
  COMMAND_ERROR_SEI = 2,
  TABLE_FAULT_STALL = 0,
  QUEUE_FAULT_STALL = 0,
  RETRY_ANY_WRITE = 1,
  TABLE_WRITE_ACCEPT = 1,
  INVALID_TABLES_REFUSE = 1,
  EVENT_ID_IGNORE_BITS = 1,
  REMAP_IGNORE = 1,
  DISCARD_ERROR = 1,
  MOVE_DROP = 1,
  INVALL_ALL = 1,
  LPI_TABLE_WRITE_ACCEPT = 1,
  PENDING_TABLE_ZERO_IGNORE = 1,
  TIE_HIGHEST = 1,
  STEPPED = 1,
}

/** Records and areas whose size the host asks for with `structureBytes`. */
export enum Structure {
  MACHINE = 0,
  REDISTRIBUTOR = 1,
  CPU_INTERFACE = 2,
  ITS = 3,
  SPI_BANK = 4,
  PPI_BANK = 5,
  REGISTER_INFO = 6,
  DIAGNOSTIC = 7,
  COUNTERS = 8,
}

/** Fields that the host reads in place; `fieldOffset` gives where in their record they stand. */
export enum Field {
  /** CPU interface: the highest priority pending interrupt as priority << 24 | group << 23 | INTID, or -1. */
  HIGHEST_PENDING = 0,
  /** CPU interface: bit 0 the IRQ output, bit 1 the FIQ output. */
  OUTPUTS = 1,
  /** Machine: upper half of the last 64-bit result. */
  RESULT_HIGH = 2,
  /** Machine: diagnostics recorded since creation. */
  DIAGNOSTIC_COUNT = 3,
}

/** 64 KiB register frames. */
export enum Frame {
  GICD = 0,
  GICR_RD = 1,
  GICR_SGI = 2,
  GICR_VLPI = 3,
  GITS = 4,
  GITS_TRANSLATION = 5,
}

export enum FrameLayout {
  COUNT = 6,
  /** 32-bit locations in a frame. */
  WORDS = 16384,
}

/** Access rules of a register, in its description. */
export enum Access {
  READ = 1,
  WRITE = 2,
  /** Each written 1 is an action: the value is not merged with what the register reads as. */
  ACTION = 4,
  BYTE = 8,
  HALFWORD = 16,
}

/** Registers that have behaviour of their own. All registers of one array share one number. */
export enum Register {
  /** Reads as its fixed bits; writes do nothing. */
  FIXED = 0,
  GICD_CTLR = 1,
  GICD_STATUSR = 2,
  GICD_SETSPI_NSR = 3,
  GICD_CLRSPI_NSR = 4,
  GICD_IROUTER = 5,
  GICD_IROUTER_E = 6,
  GICR_CTLR = 7,
  GICR_TYPER = 8,
  GICR_STATUSR = 9,
  GICR_WAKER = 10,
  GICR_SETLPIR = 11,
  GICR_CLRLPIR = 12,
  GICR_PROPBASER = 13,
  GICR_PENDBASER = 14,
  GICR_INVLPIR = 15,
  GICR_INVALLR = 16,
  GITS_CTLR = 19,
  GITS_STATUSR = 20,
  GITS_UMSIR = 21,
  GITS_CBASER = 22,
  GITS_CWRITER = 23,
  GITS_CREADR = 24,
  GITS_BASER = 25,
  GITS_TRANSLATER = 26,
  /** State of SGIs, PPIs and SPIs; the same numbers in the Distributor and in the SGI frame. */
  IGROUPR = 32,
  ISENABLER = 33,
  ICENABLER = 34,
  ISPENDR = 35,
  ICPENDR = 36,
  ISACTIVER = 37,
  ICACTIVER = 38,
  IPRIORITYR = 39,
  ICFGR = 40,
  /** The same of Extended SPIs in the Distributor. */
  IGROUPR_E = 48,
  ISENABLER_E = 49,
  ICENABLER_E = 50,
  ISPENDR_E = 51,
  ICPENDR_E = 52,
  ISACTIVER_E = 53,
  ICACTIVER_E = 54,
  IPRIORITYR_E = 55,
  ICFGR_E = 56,
}

/** From an interrupt state register of the basic range to that of the Extended range. */
export enum ExtendedRange {
  STEP = 16,
}

/** System registers of the CPU interface. */
export enum SystemRegister {
  ICC_PMR_EL1 = 0,
  ICC_IAR0_EL1 = 1,
  ICC_EOIR0_EL1 = 2,
  ICC_HPPIR0_EL1 = 3,
  ICC_BPR0_EL1 = 4,
  ICC_AP0R0_EL1 = 5,
  ICC_AP0R1_EL1 = 6,
  ICC_AP0R2_EL1 = 7,
  ICC_AP0R3_EL1 = 8,
  ICC_AP1R0_EL1 = 9,
  ICC_AP1R1_EL1 = 10,
  ICC_AP1R2_EL1 = 11,
  ICC_AP1R3_EL1 = 12,
  ICC_DIR_EL1 = 13,
  ICC_RPR_EL1 = 14,
  ICC_SGI1R_EL1 = 15,
  ICC_ASGI1R_EL1 = 16,
  ICC_SGI0R_EL1 = 17,
  ICC_IAR1_EL1 = 18,
  ICC_EOIR1_EL1 = 19,
  ICC_HPPIR1_EL1 = 20,
  ICC_BPR1_EL1 = 21,
  ICC_CTLR_EL1 = 22,
  ICC_SRE_EL1 = 23,
  ICC_IGRPEN0_EL1 = 24,
  ICC_IGRPEN1_EL1 = 25,
  ICC_SRE_EL2 = 26,
}

/** What became of a request to make an LPI pending. Everything after COALESCED is a reason to drop it. */
export enum Outcome {
  PENDING = 0,
  COALESCED = 1,
  ITS_DISABLED = 2,
  DEVICE_OUT_OF_RANGE = 3,
  DEVICE_UNMAPPED = 4,
  EVENT_OUT_OF_RANGE = 5,
  EVENT_UNMAPPED = 6,
  COLLECTION_UNMAPPED = 7,
  LPIS_DISABLED = 8,
  INTID_OUT_OF_RANGE = 9,
  TABLE_FAULT = 10,
  NO_DEVICE_ID = 11,
  COUNT = 12,
}

/** Event counters, 64 bits each. */
export enum Counter {
  /** MSIs received, by what became of them: `MSI + Outcome`. */
  MSI = 0,
  /** The same of INT commands and of GICR_SETLPIR. */
  INT = 12,
  SETLPIR = 24,
  COMMANDS = 36,
  COMMAND_ERRORS = 37,
  ACKNOWLEDGED_SGI = 38,
  ACKNOWLEDGED_PPI = 39,
  ACKNOWLEDGED_SPI = 40,
  ACKNOWLEDGED_LPI = 41,
  SPURIOUS = 42,
  PRIORITY_DROPS = 43,
  DEACTIVATIONS = 44,
  SGIS_SENT = 45,
  SGIS_COALESCED = 46,
  SYSTEM_ERRORS = 47,
  COUNT = 48,
}

/** What a diagnostic record is about. */
export enum Diagnostic {
  NONE = 0,
  UNMAPPED_ADDRESS = 1,
  RESERVED_REGISTER = 2,
  READ_OF_WRITE_ONLY = 3,
  WRITE_OF_READ_ONLY = 4,
  BAD_ACCESS_SIZE = 5,
  COMMAND_ERROR = 6,
  UNKNOWN_COMMAND = 7,
  TABLE_FAULT = 8,
  QUEUE_FAULT = 9,
  QUEUE_STALLED = 10,
  CWRITER_OUT_OF_RANGE = 11,
  MSI_DROPPED = 12,
  TABLE_WRITE_WHILE_ENABLED = 13,
  ENABLED_WITH_INVALID_TABLES = 14,
  LPI_TABLE_WRITE_WHILE_ENABLED = 15,
  ENABLE_LPIS_NOT_CLEARABLE = 16,
  PENDING_TABLE_NOT_ZERO = 17,
  LPI_TABLE_OUTSIDE_RAM = 18,
  EOI_WITHOUT_ACTIVE_PRIORITY = 19,
  EOI_OF_OTHER_GROUP = 20,
  EOI_OF_UNKNOWN_INTID = 21,
  DIR_WITHOUT_EOIMODE = 22,
  NO_PE_WITH_AFFINITY = 23,
  REMAPPED_EVENT = 24,
  DISCARD_OF_UNMAPPED_COLLECTION = 25,
  MOVE_TO_DISABLED_REDISTRIBUTOR = 26,
  ACTION_ON_DISABLED_LPIS = 27,
  SLEEP_WITH_GROUP_ENABLED = 28,
  SGI_RANGE_NOT_SUPPORTED = 29,
  UNIMPLEMENTED_SYSTEM_REGISTER = 30,
  SYSTEM_ERROR = 31,
  COUNT = 32,
}

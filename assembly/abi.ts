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
  vpeIdBits = 40,
  listRegisters = 41,
  virtualPriorityBits = 42,
  virtualPreemptionBits = 43,
  /** Read-only fields of ICV_CTLR_EL1 and ICH_VTR_EL2. */
  icvCtlr = 44,
  ichVtr = 45,
  maintenancePpi = 46,
  virtualInterfaces = 47,
  dirtyVirtual = 48,
  parseReads = 49,
  descheduleReads = 50,
  timers = 51,
  deadlines = 65,
  /** `Layer`, and what the layers have room for. */
  layers = 66,
  vmLimit = 67,
  vcpuLimit = 68,
  guestLpiLimit = 69,
  deviceLimit = 70,
  timerFrequency = 52,
  /** PPIs of the virtual, physical, EL2 physical and EL2 virtual timer, a byte each. */
  timerPpis = 53,
  events = 54,
  eventCapacity = 55,
  irqchip = 59,
  kvm = 62,
  sim = 63,
  /** Like `changedCpus`, for the simulation. */
  attention = 64,
  /** GITS_TYPER.SVPET and GITS_MPIDR. */
  sharedVpeTable = 56,
  itsAffinity = 57,
  /** Bit n: ITS n has no VLPIs; and the fields of GITS_TYPER that only those with VLPIs have. */
  itsWithoutVlpis = 58,
  itsVirtualType = 60,
  vlpiTargetOffset = 61,
  /** What threads share, and marks of LPIs that other threads than the owner's made pending. */
  threads = 71,
  arrivals = 72,
  residentTables = 73,
}

/** The layers above the hardware, each with those below it. */
export enum Layer {
  IRQCHIP = 0,
  KVM = 1,
  SIMULATION = 2,
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
  VIRTUAL_LPIS = 256,
  VMOVP_ON_ANY_ITS = 512,
  GICV4_1 = 1024,
  VIRTUAL_SGIS = 2048,
  INDIVIDUAL_DOORBELLS = 4096,
  /** ITSs or redistributors differ in what they have. */
  MIXED = 8192,
}

/** What one redistributor has, as bits of a set. */
export enum RedistributorTrait {
  VIRTUAL_LPIS = 1,
  /** GICR_SETLPIR and GICR_CLRLPIR. */
  DIRECT_LPI = 2,
  /** GICR_INVLPIR, GICR_INVALLR and GICR_SYNCR. */
  INVALIDATION = 4,
}

/** Where the host leaves MSIs that it sends together, in front of the machine's state: DeviceID and EventID each. */
export enum MsiBatch {
  AT = 0x2_0000,
  RECORD_BYTES = 8,
  RECORDS = 0x2000,
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
  doorbellOfPendingVlpi = 28,
  pendingLastCountsDisabled = 29,
  eoiCountInEoiMode1 = 30,
  virtualEoiWithoutActive = 31,
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
  DOORBELL_REPEATED = 1,
  EXAMINE_LIST_REGISTERS = 1,
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
  VIRTUAL_INTERFACE = 9,
  TIMERS = 10,
  EVENT = 11,
  IRQCHIP = 12,
  DEADLINES = 13,
  THREADS = 15,
  LANE = 16,
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
  /** Virtual CPU interface: the winner, 0-15 a list register, 16 the best VLPI, 17 the best vSGI, -1 nothing. */
  VIRTUAL_WINNER = 4,
  /** Virtual CPU interface: the best VLPI of the resident vPE as priority << 22 | INTID, or -1. */
  BEST_VLPI = 5,
  /** Virtual CPU interface: bit 0 vIRQ, bit 1 vFIQ, bit 2 maintenance interrupt. */
  VIRTUAL_OUTPUTS = 6,
  /** Virtual CPU interface: ICH_LR0_EL2, 8 bytes each. */
  LIST_REGISTERS = 7,
  /** Machine: 1 while events are recorded, and how many were. */
  EVENTS_ON = 8,
  EVENT_COUNT = 9,
  /** Area of threads: the number of lanes that were ever in use, whether anything has arrived, the owner sleeps. */
  LANE_LIMIT = 10,
  ARRIVED = 11,
  OWNER_SLEEPS = 12,
  /** Area of threads: the first lane; in a lane: its counters, its batch. */
  LANES = 13,
  LANE_COUNTERS = 14,
  LANE_BATCH = 15,
}

/** 64 KiB register frames. */
export enum Frame {
  /** The distributor. */
  GICD = 0,
  /** RD_base of a redistributor. */
  GICR_RD = 1,
  /** SGI_base of a redistributor. */
  GICR_SGI = 2,
  /** VLPI_base of a redistributor, GICv4. */
  GICR_VLPI = 3,
  /** The control frame of an ITS. */
  GITS = 4,
  /** The frame of GITS_TRANSLATER. */
  GITS_TRANSLATION = 5,
  /** The frame of GITS_SGIR, GICv4.1. */
  GITS_VSGI = 6,
}

export enum FrameLayout {
  COUNT = 7,
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
  /** Only accesses of the full width. */
  WHOLE = 32,
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
  GICR_VPROPBASER = 17,
  GICR_VPENDBASER = 18,
  GICR_VSGIR = 27,
  GICR_VSGIPENDR = 28,
  GITS_CTLR = 19,
  GITS_STATUSR = 20,
  GITS_UMSIR = 21,
  GITS_CBASER = 22,
  GITS_CWRITER = 23,
  GITS_CREADR = 24,
  GITS_BASER = 25,
  GITS_TRANSLATER = 26,
  GITS_SGIR = 29,
  GITS_TYPER = 30,
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
  /** Only IMO and FMO are kept: they route EL1's accesses to the virtual interface. */
  HCR_EL2 = 27,
  ICH_HCR_EL2 = 28,
  ICH_VTR_EL2 = 29,
  ICH_VMCR_EL2 = 30,
  ICH_MISR_EL2 = 31,
  ICV_PMR_EL1 = 32,
  ICV_IAR0_EL1 = 33,
  ICV_EOIR0_EL1 = 34,
  ICV_HPPIR0_EL1 = 35,
  ICV_BPR0_EL1 = 36,
  ICV_AP0R0_EL1 = 37,
  ICV_AP0R1_EL1 = 38,
  ICV_AP0R2_EL1 = 39,
  ICV_AP0R3_EL1 = 40,
  ICV_AP1R0_EL1 = 41,
  ICV_AP1R1_EL1 = 42,
  ICV_AP1R2_EL1 = 43,
  ICV_AP1R3_EL1 = 44,
  ICV_DIR_EL1 = 45,
  ICV_RPR_EL1 = 46,
  ICV_IAR1_EL1 = 50,
  ICV_EOIR1_EL1 = 51,
  ICV_HPPIR1_EL1 = 52,
  ICV_BPR1_EL1 = 53,
  ICV_CTLR_EL1 = 54,
  ICV_IGRPEN0_EL1 = 56,
  ICV_IGRPEN1_EL1 = 57,
  ICH_EISR_EL2 = 64,
  ICH_ELRSR_EL2 = 65,
  ICH_AP0R0_EL2 = 66,
  ICH_AP0R1_EL2 = 67,
  ICH_AP0R2_EL2 = 68,
  ICH_AP0R3_EL2 = 69,
  ICH_AP1R0_EL2 = 70,
  ICH_AP1R1_EL2 = 71,
  ICH_AP1R2_EL2 = 72,
  ICH_AP1R3_EL2 = 73,
  /** ICH_LR0_EL2; ICH_LR15_EL2 is 15 further on. */
  ICH_LR0_EL2 = 80,
  ICH_LR15_EL2 = 95,
  CNTFRQ_EL0 = 96,
  CNTPCT_EL0 = 97,
  CNTVCT_EL0 = 98,
  CNTVOFF_EL2 = 99,
  CNTV_CTL_EL0 = 100,
  CNTV_CVAL_EL0 = 101,
  CNTV_TVAL_EL0 = 102,
  CNTP_CTL_EL0 = 104,
  CNTP_CVAL_EL0 = 105,
  CNTP_TVAL_EL0 = 106,
  CNTHP_CTL_EL2 = 108,
  CNTHP_CVAL_EL2 = 109,
  CNTHP_TVAL_EL2 = 110,
  CNTHV_CTL_EL2 = 112,
  CNTHV_CVAL_EL2 = 113,
  CNTHV_TVAL_EL2 = 114,
}

/** From ICC_* to the ICV_* with the same encoding. */
export enum VirtualView {
  STEP = 32,
}

/** What became of a request to make an LPI pending. Everything after COALESCED is a reason to drop it. */
export enum Outcome {
  /** The interrupt became pending. */
  PENDING = 0,
  /** It was pending already. */
  COALESCED = 1,
  /** GITS_CTLR.Enabled is 0. */
  ITS_DISABLED = 2,
  /** The device table has no such entry. */
  DEVICE_OUT_OF_RANGE = 3,
  /** No MAPD for the DeviceID. */
  DEVICE_UNMAPPED = 4,
  /** The EventID is beyond the translation table of the device. */
  EVENT_OUT_OF_RANGE = 5,
  /** No MAPTI, MAPI, VMAPTI or VMAPI for the EventID. */
  EVENT_UNMAPPED = 6,
  /** No MAPC for the collection of the event. */
  COLLECTION_UNMAPPED = 7,
  /** GICR_CTLR.EnableLPIs of the target is 0. */
  LPIS_DISABLED = 8,
  /** The INTID is beyond what GICR_PROPBASER.IDbits allows. */
  INTID_OUT_OF_RANGE = 9,
  /** A table of the ITS is outside RAM. */
  TABLE_FAULT = 10,
  /** A write of GITS_TRANSLATER by a PE, which has no DeviceID. */
  NO_DEVICE_ID = 11,
  /** No VMAPP for the vPE of the event. */
  VPE_UNMAPPED = 12,
  /** How many outcomes there are. */
  COUNT = 13,
}

/** Event counters, 64 bits each. */
export enum Counter {
  /** MSIs received, by what became of them: `MSI + Outcome`. */
  MSI = 0,
  /** INT commands that reached an event, by what became of them: `INT + Outcome`. */
  INT = 16,
  /** Writes of GICR_SETLPIR, by what became of them: `SETLPIR + Outcome`. */
  SETLPIR = 32,
  /** ITS commands executed. */
  COMMANDS = 48,
  /** ITS commands that failed. */
  COMMAND_ERRORS = 49,
  /** SGIs acknowledged by ICC_IAR0_EL1 and ICC_IAR1_EL1. */
  ACKNOWLEDGED_SGI = 50,
  /** PPIs acknowledged. */
  ACKNOWLEDGED_PPI = 51,
  /** SPIs acknowledged. */
  ACKNOWLEDGED_SPI = 52,
  /** LPIs acknowledged. */
  ACKNOWLEDGED_LPI = 53,
  /** Acknowledges that gave 1023. */
  SPURIOUS = 54,
  /** Running priorities dropped, by ICC_EOIR0_EL1 and ICC_EOIR1_EL1. */
  PRIORITY_DROPS = 55,
  /** Interrupts deactivated. */
  DEACTIVATIONS = 56,
  /** SGIs that became pending at a PE. */
  SGIS_SENT = 57,
  /** SGIs that were pending at the PE already. */
  SGIS_COALESCED = 58,
  /** SEIs raised for command errors. */
  SYSTEM_ERRORS = 59,
  /** VLPIs made pending for a resident vPE. */
  VLPIS_DIRECT = 60,
  /** VLPIs made pending for a vPE that was not resident. */
  VLPIS_WAITING = 61,
  /** Doorbell LPIs made pending. */
  DOORBELLS = 62,
  /** Doorbells whose LPI was pending already. */
  DOORBELLS_COALESCED = 63,
  /** Doorbells whose LPI could not be made pending. */
  DOORBELLS_DROPPED = 64,
  /** Times that a vPE was made resident. */
  SCHEDULED_IN = 65,
  /** Times that a vPE was descheduled. */
  SCHEDULED_OUT = 66,
  /** Virtual interrupts acknowledged out of a list register. */
  VIRTUAL_ACKNOWLEDGED_LR = 67,
  /** VLPIs acknowledged directly. */
  VIRTUAL_ACKNOWLEDGED_VLPI = 68,
  /** Acknowledges by guests that gave 1023. */
  VIRTUAL_SPURIOUS = 69,
  /** Rising edges of maintenance interrupts. */
  MAINTENANCE = 70,
  /** Virtual SGIs made pending by GITS_SGIR. */
  VSGIS_SENT = 71,
  /** Virtual SGIs that were pending already. */
  VSGIS_COALESCED = 72,
  /** Virtual SGIs acknowledged directly. */
  VIRTUAL_ACKNOWLEDGED_VSGI = 73,
  /** Writes of GITS_SGIR for a vPE without mapping. */
  VSGIS_DROPPED = 74,
  /** LPIs that stopped being pending without being acknowledged: see `CounterValues.cleared`. */
  LPIS_CLEARED = 75,
  /** The same of VLPIs. */
  VLPIS_CLEARED = 76,
  /** How many counters there are. */
  COUNT = 77,
}

/** Operations of the hypervisor that the simulation has a price for. */
export enum Cost {
  /** World switch out of and into the guest. */
  EXIT = 0,
  ENTRY = 1,
  /** Emulated access to a distributor, redistributor or ITS register, on top of exit and entry. */
  EMULATED_MMIO = 2,
  /** Return to user space and back. */
  USER_SPACE = 3,
  /** A list register read back, and written. */
  LR_SAVE = 4,
  LR_RESTORE = 5,
  /** An IPI, from the sender's write until the target notices; nobody is busy meanwhile. */
  IPI = 6,
  /** A host interrupt that is taken, with a short handler. */
  HOST_IRQ = 7,
  /** A sleeping thread that starts to run, on the PE that woke it or on another. */
  WAKEUP_LOCAL = 8,
  WAKEUP_REMOTE = 9,
  /** vcpu_load, vcpu_put, without the operations on the GIC that are counted by themselves. */
  LOAD = 10,
  PUT = 11,
  /** An ITS command; SYNC or VSYNC with the wait for it; VMOVP without its VSYNC. */
  ITS_COMMAND = 12,
  ITS_SYNC = 13,
  VMOVP = 14,
  /** A redistributor register. */
  RD_WRITE = 15,
  RD_READ = 16,
  /** GICR_VPENDBASER parsing an empty table, and one that holds something. */
  PARSE_EMPTY = 17,
  PARSE_BUSY = 18,
  /** A virtual interrupt that the software injects: translation, queueing. */
  INJECT = 19,
  /** Guest: acknowledge or end of interrupt. */
  GUEST_GIC = 20,
  /** From a device's write until the PE notices: a VLPI of a resident vPE, any LPI of the host. */
  VLPI = 21,
  DOORBELL = 22,
  /** Entry to and exit from KVM_RUN. */
  SYSCALL = 23,
  /** The scheduler's switch from one thread to another. */
  SWITCH = 24,
  /** Entries with more interrupts than list registers. */
  LR_OVERFLOW = 25,
  /** A command of a guest's ITS, read from its memory and executed. */
  GUEST_COMMAND = 26,
  COUNT = 27,
}

/**
 * Events of the simulation. 1 to 14 are the steps of KVM's run loop in their order, 21 to 28 those of a WFI that traps.
 * `a` and `b` are operands of their records.
 */
export enum SimEvent {
  NONE = 0,
  /** KVM_RUN. */
  RUN = 1,
  /** vcpu_load; a: 1 where WFI will trap. */
  LOAD = 2,
  /** Work of the host is looked for; a: 1 where the thread has to yield. */
  CHECK = 3,
  /** a: requests, b: 1 where the vCPU has to stay outside. */
  REQUESTS = 4,
  /** b: list registers used. */
  FLUSH = 5,
  /** The final check; a: requests that forbid the entry, b: 1 for a thread that has to yield. */
  FINAL_CHECK = 6,
  /** World switch in. */
  ENTRY = 7,
  /** The guest runs. */
  GUEST = 8,
  /** World switch out; a: `SimExit`. */
  EXIT = 9,
  SYNC = 10,
  /** Interrupts are on again; a: host interrupts taken. */
  HOST_INTERRUPTS = 11,
  /** a: `SimExit`. */
  HANDLE_EXIT = 12,
  /** Sched out. */
  PREEMPT = 13,
  /** Return to user space. */
  USER = 14,
  /** WFI: the vPE leaves with its doorbell armed. */
  WFI_BEGIN = 21,
  /** The polling ends; a: its window in ns, b: 1 where it found the vCPU runnable. */
  HALT_POLL = 23,
  /** b: 1 where it must not sleep. */
  SLEEP = 24,
  /** A woken thread has its PE back. */
  WOKEN = 25,
  /** b: 1 where it is runnable, else it sleeps again. */
  WAKE_CHECK = 26,
  /** The vPE comes back; then the guest goes on behind its WFI. */
  WFI_END = 27,
  WFI_RETURN = 28,
  /** A PE takes a thread; a: `Cost` of the switch. */
  SCHEDULE = 30,
  IDLE = 31,
  /** A physical interrupt reaches a PE; a: host interrupts taken at once. */
  SIGNAL = 32,
  /** The time slice is over. */
  SLICE = 33,
  SOFT_TIMER = 34,
  /** The PE's generic timers reach a deadline. */
  HARD_TIMER = 35,
  /** A device fires; a: device, b: `Outcome`, or 0 for one that goes through user space. */
  DEVICE = 36,
  /** The guest takes a virtual interrupt. */
  VECTOR = 37,
  /** The guest acknowledges; a: INTID, b: ns since it was fired. */
  ACKNOWLEDGE = 38,
  /** a: INTID. */
  END_OF_INTERRUPT = 39,
  DEACTIVATE = 40,
  /** WFI executed; a: 0 nothing to wait for, 1 trapped, 2 the PE waits. */
  WAIT = 41,
  /** a: `SimOperation`, b: its operand. */
  OPERATION = 42,
  BOOT = 43,
  /** A thread becomes runnable; a: PE whose queue it joins. */
  RUNNABLE = 44,
  /** An operation of the hypervisor failed; a: errno. */
  FAILED = 45,
  COUNT = 46,
}

/** Why a guest was left. */
export enum SimExit {
  IRQ = 0,
  WFI = 1,
  HYPERCALL = 2,
  SGI = 3,
  /** An access that KVM emulates, and one that user space does. */
  MMIO = 4,
  USER = 5,
  /** ICV_DIR_EL1. */
  DIR = 6,
  COUNT = 7,
}

/** What a guest's program does beside taking interrupts. */
export enum SimOperation {
  NONE = 0,
  HYPERCALL = 1,
  /** Operand: [15:0] vCPU of the VM, [19:16] SGI. */
  SGI = 2,
  /** A load from a frame of the VGIC. Operand: offset from the distributor. */
  MMIO = 3,
  /** A load from a device in user space. */
  USER = 4,
  /** A store to a frame of the VGIC or its ITS. Operand: [31:0] offset from the distributor, [51:32] value. */
  STORE = 5,
}

/** What a manual guest can be told to do, beside the operations. */
export enum SimManual {
  WFI = 8,
  /** WFIT; operand: ns from now. */
  WFIT = 9,
  ACKNOWLEDGE = 10,
  END_OF_INTERRUPT = 11,
  DEACTIVATE = 12,
  /** Computes for so many ns. */
  WORK = 13,
}

/** How a PE's time is used. */
export enum SimUse {
  IDLE = 0,
  GUEST = 1,
  /** The guest waits in the PE, in a WFI that does not trap. */
  GUEST_WAIT = 2,
  HYPERVISOR = 3,
  HOST_IRQ = 4,
  POLL = 5,
  /** Switching threads, waking up. */
  SWITCH = 6,
  USER = 7,
  COUNT = 8,
}

/** Parameters of the simulation. */
export enum SimParameter {
  SLICE = 0,
  WAKEUP_GRANULARITY = 1,
  /** halt_poll_ns, _grow_start, _grow, _shrink of the kvm module. */
  HALT_POLL = 2,
  HALT_POLL_GROW_START = 3,
  HALT_POLL_GROW = 4,
  HALT_POLL_SHRINK = 5,
  /** 0 as the kernel decides, 1 always, 2 never. */
  TRAP_WFI = 6,
}

/** Parameters of a guest. */
export enum SimGuestParameter {
  /** 0 a program, 1 by hand. */
  MANUAL = 0,
  /** Waits for interrupts by WFI, else computes. */
  WFI = 1,
  /** ns from acknowledging an interrupt to its end. */
  HANDLER = 2,
  /** ICC_CTLR_EL1.EOImode. */
  EOI_MODE = 3,
  /** Period of the virtual timer in ns, 0 for off. */
  TIMER = 4,
  /** ns of computing before each operation. */
  WORK = 5,
  OPERATION = 6,
  OPERAND = 7,
  /** How often the operation is done, 0 for no end. */
  TIMES = 8,
}

/** Parameters of a device. */
export enum SimDeviceParameter {
  KIND = 0,
  VM = 1,
  /** INTID that its guest sees. */
  INTID = 2,
  ITS = 3,
  DEVICE_ID = 4,
  EVENT_ID = 5,
  /** 0 periodic, 1 Poisson, 2 bursts. */
  ARRIVAL = 6,
  /** ns between arrivals, on average. */
  PERIOD = 7,
  /** Interrupts in a burst, and ns between them. */
  BURST = 8,
  GAP = 9,
  /** ns of the first arrival at the earliest. */
  START = 10,
  /** How often it fires, 0 for no end. */
  LIMIT = 11,
  /** Host SPI of a passthrough device; irqfd that a back end signals. */
  HOST_SPI = 12,
  IRQFD = 13,
}

/** How a device signals. */
export enum SimDeviceKind {
  /** Assigned: an MSI to the physical ITS. */
  MSI = 0,
  /** Emulated: an edge, or a line that stays high until the guest's handler ends. */
  EDGE_SPI = 1,
  LEVEL_SPI = 2,
  /** Assigned: a wire of the host's distributor that stays high until the guest's handler ends. */
  HOST_SPI = 3,
  /** Emulated in the kernel or in user space: an irqfd, whose route is an MSI or an edge. */
  IRQFD = 4,
}

/** Counts of a flow of interrupts: a device's, a timer's, an SGI's. */
export enum SimFlow {
  INJECTED = 0,
  DELIVERED = 1,
  COALESCED = 2,
  DROPPED = 3,
  /** Fired and not yet acknowledged. */
  PENDING = 4,
  /** Acknowledged without having been fired: a line that was still high. */
  REPEATED = 5,
}

/** Numbers of a vCPU's thread. */
export enum SimThread {
  /** 0 not started, 1 running, 2 runnable, 3 asleep. */
  STATE = 0,
  /** PE that it runs on or ran on last. */
  CPU = 1,
  /** ns waiting for a PE, and asleep. */
  WAITED = 2,
  SLEPT = 3,
  MIGRATIONS = 4,
  PREEMPTIONS = 5,
  WAKEUPS = 6,
  POLLS = 7,
  POLLS_SUCCESSFUL = 8,
  /** Operations done, spurious acknowledges. */
  OPERATIONS = 9,
  SPURIOUS = 10,
  /** In the guest, waiting for a command. */
  AWAITS = 11,
  /** vIRQ. */
  VIRQ = 12,
  /** Exits by `SimExit`, and ns by `SimUse`. */
  EXITS = 16,
  TIME = 32,
}

/** Shape of a histogram: 64-bit count, sum and maximum, then 32-bit buckets. */
export enum SimHistogram {
  COUNT = 0,
  SUM = 8,
  MAX = 16,
  BUCKETS = 24,
  /** Linear steps in each power of two, as bits. */
  SUB_BITS = 4,
  BUCKET_COUNT = 608,
}

/** Record of the trace: 64-bit time and duration in ns, 32-bit kind, PE, vCPU, a, b. */
export enum SimRecord {
  TIME = 0,
  DURATION = 8,
  KIND = 16,
  CPU = 20,
  VCPU = 24,
  A = 28,
  B = 32,
  BYTES = 40,
  CAPACITY = 65536,
}

/** Fields of a vCPU of the KVM layer. */
export enum VcpuField {
  /** OUTSIDE_GUEST_MODE, IN_GUEST_MODE, EXITING_GUEST_MODE. */
  MODE = 0,
  REQUESTS = 1,
  LOADED_ON = 2,
  ASLEEP = 3,
  USED_LRS = 4,
  /** Interrupts on its list. */
  LISTED = 5,
  VPE = 6,
  HCR = 7,
  VMCR = 8,
  EXITS = 9,
}

/** Fields of a virtual interrupt of the KVM layer (struct vgic_irq). */
export enum KvmField {
  PENDING = 0,
  PENDING_LATCH = 1,
  LINE_LEVEL = 2,
  ACTIVE = 3,
  ENABLED = 4,
  PRIORITY = 5,
  GROUP = 6,
  LEVEL = 7,
  HW = 8,
  HWINTID = 9,
  /** vCPU on whose list it is, vCPU that it is routed to. */
  LIST = 10,
  TARGET = 11,
  REFERENCES = 12,
}

/** Fields of the irqchip layer's records that the host asks for. */
export enum IrqChipField {
  VPE_ID = 0,
  IRQ = 1,
  INTID = 2,
  CPU = 3,
  RESIDENT = 4,
  PENDING_LAST = 5,
  TABLE = 6,
  MASKED = 7,
  FORWARDED = 8,
  VPE = 9,
  VINTID = 10,
  PROPERTIES = 11,
  DOORBELL_ENABLED = 12,
  ACTIVATED = 13,
}

/** What the driver found out about the hardware, and what it has left. */
export enum IrqChipFact {
  HAS_VLPIS = 0,
  HAS_DIRECT_LPI = 1,
  HAS_RVPEID = 2,
  HAS_V4 = 3,
  EAGER = 4,
  ITS_LIST = 5,
  PROXY_SLOTS = 6,
  ID_BITS = 7,
  VPE_ID_BITS = 8,
  BUGS = 9,
  FREE_LPIS = 10,
  FREE_PAGES = 11,
  FREE_VPE_IDS = 12,
}

/** Bugs that the driver once had, as bits of a set. */
export enum IrqChipBug {
  VMOVP_ITSLIST_ALL = 1,
  VLPI_INV_SYNCED_ON_COLLECTION = 2,
  NO_DOORBELL_RETRIGGER = 4,
  VSYNC_AFTER_LAST_UNMAP = 8,
  VMOVP_ON_DYING_VPE = 16,
  VMOVP_SKIPPED_IN_SHARED_TABLE = 32,
  LAZY_MAP_RESETS_AFFINITY = 64,
  NO_AFFINITY_FOR_UNMAPPED = 128,
  VPE_LEAK_ON_ERROR = 256,
  VM_FREED_TWICE = 512,
  PUT_WHILE_PARSING = 1024,
  POLL_AT_SCHEDULE = 2048,
  IDBITS_ZERO_UNTIL_SCHEDULE = 4096,
  STALE_VPE_KEPT = 8192,
  VPT_FREED_OF_UNFILLED_VPE = 16384,
}

/** What became of a command in the queue of a guest's virtual ITS; the guest is told none of it. */
export enum ItsOutcome {
  DONE = 0,
  MAPD_DEVICE_OOR = 1,
  MAPD_ITTSIZE_OOR = 2,
  MAPC_PROCNUM_OOR = 3,
  MAPC_COLLECTION_OOR = 4,
  MAPTI_UNMAPPED_DEVICE = 5,
  MAPTI_ID_OOR = 6,
  MAPTI_PHYSICALID_OOR = 7,
  MOVI_UNMAPPED_INTERRUPT = 8,
  MOVI_UNMAPPED_COLLECTION = 9,
  MOVALL_PROCNUM_OOR = 10,
  DISCARD_UNMAPPED_INTERRUPT = 11,
  INT_UNMAPPED_INTERRUPT = 12,
  CLEAR_UNMAPPED_INTERRUPT = 13,
  INV_UNMAPPED_INTERRUPT = 14,
  INVALL_UNMAPPED_COLLECTION = 15,
  /** INT for a vCPU whose LPIs are off. */
  LPIS_DISABLED = 16,
  UNKNOWN_COMMAND = 17,
  /** The queue is outside guest memory: the command was skipped. */
  UNREADABLE = 18,
  /** A property, pending or translation table is outside guest memory. */
  TABLE_FAULT = 19,
  NO_MEMORY = 20,
  /** An operation of the host on a forwarded interrupt failed. */
  HOST_ERROR = 21,
  COUNT = 22,
}

/** What became of an MSI for a guest, or of an assigned device's interrupt that the host took. */
export enum MsiResult {
  /** It became pending by software. */
  INJECTED = 0,
  /** It was pending already. */
  COALESCED = 1,
  /** A forwarded LPI: the host's ITS made it pending. */
  FORWARDED = 2,
  /** Dropped: no such event, or its collection has no vCPU. */
  UNMAPPED = 3,
  ITS_DISABLED = 4,
  LPIS_DISABLED = 5,
  /** Dropped: the message has no DeviceID. */
  NO_DEVICE_ID = 6,
  /** Dropped: no virtual ITS is at the address. */
  NO_ITS = 7,
  /** Dropped: nothing is routed to the GSI. */
  NO_ROUTE = 8,
  /** Dropped: the GSI is routed to an SPI that does not exist. */
  NO_SPI = 9,
  HOST_ERROR = 10,
  COUNT = 11,
}

/** Fields of a virtual ITS that the host asks for. */
export enum ItsField {
  VM = 0,
  DEVICES = 1,
  COLLECTIONS = 2,
  /** Translations that are cached: in this vITS, up to 6.9 in all of the VM. */
  CACHED = 3,
  COMMANDS = 4,
  LAST_OUTCOME = 5,
  CACHE_HITS = 6,
  CACHE_MISSES = 7,
}

/** Fields of an irqfd. */
export enum IrqfdField {
  VM = 0,
  GSI = 1,
  /** Linux irq of the assigned device's interrupt, -1 without. */
  HOST_IRQ = 2,
  /** The host irq is a VLPI of the guest. */
  FORWARDED = 3,
  SIGNALLED = 4,
  /** Signals that were not in the translation cache and took the way through the tables, in a work item. */
  DEFERRED = 5,
  LAST_RESULT = 6,
}

/** What an event record is about. `a` and `b` are its operands. */
export enum Event {
  NONE = 0,
  /** An MSI at an ITS: DeviceID, EventID. */
  MSI = 1,
  /** What became of it: outcome. */
  MSI_OUTCOME = 2,
  /** A command was executed: its number and offset in the queue. */
  COMMAND = 3,
  /** It failed: error code. */
  COMMAND_FAILED = 4,
  /** An LPI became pending at a PE: INTID. */
  LPI_PENDING = 5,
  /** A VLPI became pending for the vPE resident on a PE: INTID. */
  VLPI_DIRECT = 6,
  /** A VLPI became pending for a vPE mapped to a PE and not resident: INTID, vPEID. */
  VLPI_WAITING = 7,
  /** A doorbell rang at a PE: INTID. */
  DOORBELL = 8,
  /** Acknowledged by a PE: INTID, group. */
  ACKNOWLEDGED = 9,
  PRIORITY_DROPPED = 10,
  DEACTIVATED = 11,
  /** Acknowledged by the guest on a PE: INTID, and the list register, 16 for a VLPI, 17 for a vSGI. */
  VIRTUAL_ACKNOWLEDGED = 12,
  VIRTUAL_PRIORITY_DROPPED = 13,
  /** A list register's interrupt was deactivated: INTID, list register. */
  VIRTUAL_DEACTIVATED = 14,
  SCHEDULED_IN = 15,
  /** Descheduled: PendingLast. */
  SCHEDULED_OUT = 16,
  SGI_SENT = 17,
  VSGI_PENDING = 18,
  /** A diagnostic was recorded: its code. */
  DIAGNOSTIC = 19,
  COUNT = 20,
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
  VPE_CHANGED_WHILE_RESIDENT = 32,
  VPROPBASER_WRITE_WHILE_RESIDENT = 33,
  VIRTUAL_TABLE_OUTSIDE_RAM = 34,
  VPE_REMAPPED = 35,
  VPE_MOVED_WHILE_RESIDENT = 36,
  VPE_UNMAPPED_WHILE_RESIDENT = 37,
  VMOVP_MISMATCH = 38,
  VIRTUAL_EOI_WITHOUT_ACTIVE_PRIORITY = 39,
  VPE_RESIDENT_TWICE = 40,
  VPE_NOT_MAPPED = 41,
  VPE_NOT_ALLOCATED = 42,
  VSGI_DROPPED = 43,
  VPE_TABLE_NOT_ZERO = 44,
  VPE_TABLE_MISMATCH = 45,
  VPE_TABLE_NOT_SHARED = 46,
  VPE_PENDING_TABLE_NOT_ZERO = 47,
  VPE_MAPPING_MISMATCH = 48,
  VPE_RELEASED_WHILE_MAPPED = 49,
  VPE_NOT_RELEASED = 50,
  VPENDBASER_WRITE_WHILE_DIRTY = 51,
  NASSGIREQ_WRITE_WHILE_ENABLED = 52,
  INJECTOR_LOST = 53,
  COUNT = 54,
}

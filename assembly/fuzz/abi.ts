// Numbers that the fuzz build and its host agree on; plain constants.

/** Where the tables of the machine that is fuzzed stand: areas of 64 KiB from the base of RAM. The host sets them up. */
export enum FuzzArea {
  CONFIG = 0,
  /** One for each PE. */
  PENDING = 1,
  VIRTUAL_CONFIG = 3,
  /** One for each vPE. */
  VIRTUAL_PENDING = 4,
  /** One for each ITS. */
  QUEUE = 8,
  DEVICES = 10,
  COLLECTIONS = 12,
  VPES = 14,
  /** One for each of four devices of an ITS. */
  ITTS = 16,
  /** Memory that nothing is set up in follows. */
  SCRATCH = 24,
  COUNT = 32,
}

/** What the machine that is fuzzed has. */
export enum FuzzMachine {
  VPES = 4,
  CPUS = 2,
  ITSES = 2,
}

/** What an oracle found. */
export enum FuzzFault {
  NONE = 0,
  /** A pending interrupt appeared, disappeared or was delivered without a reason. */
  LEDGER = 1,
  /** The index of pending and enabled interrupts is not what the tables and the cached configuration make it. */
  INDEX = 2,
  /** A PE presents something worse than its best pending interrupt, or nothing. */
  OUTPUT = 3,
  /** What is derived from list registers does not follow from them. */
  LIST_REGISTERS = 4,
  /** MSIs and what is counted of them do not add up. */
  COUNTERS = 5,
  /** An MSI is said to be pending and is not. */
  OUTCOME = 6,
  /** The engine wrote to memory that is not the machine's. */
  STRAY = 7,
}

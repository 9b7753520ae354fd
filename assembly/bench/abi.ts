// What the bench build and its host agree on.

/** An access to the engine: one of its exports. */
export enum Access {
  SEND_MSI = 0,
  READ = 1,
  WRITE = 2,
  READ_SYSTEM = 3,
  WRITE_SYSTEM = 4,
  SET_SPI = 5,
}

/** A list of accesses, in front of the machine's state: what to call, and up to four arguments. */
export enum AccessList {
  WORDS = 5,
  /** The list that is timed, and the one that leads back to where it begins. */
  RUN_AT = 0x3_0000,
  RESET_AT = 0x9_0000,
  /** Accesses that either has room for. */
  CAPACITY = 0x4ccc,
}

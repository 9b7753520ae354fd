// Capacities of the virtual ITSs, of all guests together.

export const MAX_ITSES: u32 = 128;
export const MAX_ITS_DEVICES: u32 = 32768;
export const MAX_COLLECTIONS: u32 = 32768;

/** Chains of the index that finds all of them. */
export const INDEX_CHAINS: u32 = 1 << 17;

/** Failed commands that are remembered. */
export const MAX_COMMAND_ERRORS: u32 = 256;

/** DeviceIDs and EventIDs have sixteen bits, and so have the INTIDs of LPIs. */
export const DEVICE_ID_BITS: u32 = 16;
export const EVENT_ID_BITS: u32 = 16;
export const INTID_BITS: u32 = 16;

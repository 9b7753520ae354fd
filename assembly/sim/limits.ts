// Capacities of the simulation.
export const MAX_CPUS: u32 = 512;
export const MAX_DEVICES: u32 = 1024;

/** No event is scheduled, a time that never comes. */
export const NEVER: u64 = 0xffffffffffffffff;

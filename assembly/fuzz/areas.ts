// Where the fuzz build keeps what is no part of the machine: below the machine's header. The pass that instruments the
// build takes these places from the module's exports.

/** Iterations of loops that an input has left. One that hangs has none, and the engine traps; 0 before is no limit. */
export const FUEL: usize = 0x800;
/** Addresses of registers, 32 bits each, that inputs name by number. */
export const REGISTERS: usize = 0x1000;
export const REGISTERS_MAX: u32 = 0x3c00;
/** A counter of 8 bits for each edge. */
export const EDGES: usize = 0x1_0000;
/** The input. */
export const INPUT: usize = 0x2_0000;
export const INPUT_BYTES: u32 = 0x1_0000;
/** Numbers of granules that were written to, 32 bits each. */
export const DIRTY_LIST: usize = 0x3_0000;
export const DIRTY_LIST_MAX: u32 = 0x4000;
/** A byte for each granule: whether it is on the list. */
export const DIRTY_MAP: usize = 0x4_0000;
export const DIRTY_MAP_BYTES: u32 = 0xb_0000;
/** For each edge, the bits above those of the largest count that was seen. */
export const UNSEEN: usize = 0xf_0000;
export const EDGES_MAX: u32 = 0xff00;

/** Bytes that are put back together: 256. */
export const GRANULE_SHIFT: u32 = 8;
export const GRANULE: usize = 256;

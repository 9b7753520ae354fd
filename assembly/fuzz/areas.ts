// Where the fuzz build keeps what is no part of the machine: below the machine's header. The pass that instruments the
// build takes these places from the module's exports.
import { HEADER, Machine } from '../memory/machine';

/** 32 bits: 1 where the engine trapped because a loop did not end. */
export const HANG: usize = 0x800;
/** Iterations of a loop, more than any needs that ends. */
export const LOOP_LIMIT: u32 = 1 << 18;
/** Addresses of registers, 32 bits each, that inputs name by number. */
export const REGISTERS: usize = 0x1000;
export const REGISTERS_MAX: u32 = 0x3c00;
/** A counter of 8 bits for each edge. */
export const EDGES: usize = 0x1_0000;
export const EDGES_MAX: u32 = 0x4000;
/** For each edge, the bits above those of the largest count that was seen. */
export const UNSEEN: usize = 0x1_4000;
/** The input. */
export const INPUT: usize = 0x2_0000;
export const INPUT_BYTES: u32 = 0x1_0000;

/** For each page of the state, 16 bits: which of the kept pages it is, 0 for one of zeros. */
export const KEPT_NUMBERS: usize = 0x3_0000;
export const KEPT_NUMBERS_MAX: u32 = 0x2000;
/** The pages that are kept, the first of them zeros. */
export const KEPT_PAGES: usize = 0x3_4000;
export const KEPT_PAGES_MAX: u32 = 118;
/** From one kept page to the next: not a multiple of 4 KiB, lest pages and copies all want the same lines of a cache. */
export const KEPT_STRIDE: usize = 4096 + 64;
/** A byte for each line of the map that follows: whether it has notes. */
export const DIRTY_LINES: usize = 0xa_f000;
/**
 * A byte for each granule of memory: whether it was written to. The last of the fuzzer's areas: a store to an address
 * beyond the memory, which traps, leaves its notes after the lines and the map, where all can be put back.
 */
export const DIRTY_MAP: usize = 0xb_0000;
export const DIRTY_MAP_BYTES: u32 = 0x4_0000;
/** Bytes of the map in a line: 64. */
export const LINE_SHIFT: u32 = 6;

/** Bytes that are put back together: 128. */
export const GRANULE_SHIFT: u32 = 7;
export const GRANULE: usize = 128;
/** Bytes after a granule that are put back with it. */
export const REACH: usize = 32;
/** The machine's record is put back after each input: no notes are taken of it. */
export const ALWAYS_DIRTY_END: usize = HEADER + offsetof<Machine>();

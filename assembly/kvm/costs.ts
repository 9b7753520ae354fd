// What the layer's operations cost: each is counted, and its price in nanoseconds added to what the running PE has
// spent. The prices belong to the simulation; without one everything is free.
import { areaAt, COSTS_AT } from './areas';

/** Operations with a price. */
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
  /** An IPI, from the sender's write to the target's handler. */
  IPI = 6,
  /** A host interrupt that is taken, with a short handler. */
  HOST_IRQ = 7,
  /** A sleeping thread that starts to run, on the PE that woke it or on another. */
  WAKEUP_LOCAL = 8,
  WAKEUP_REMOTE = 9,
  /** vcpu_load, vcpu_put. */
  LOAD = 10,
  PUT = 11,
  /** An ITS command, and the wait for SYNC or VSYNC. */
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
  /** From a device's write to the guest's vector, and from the pending bit to the doorbell's handler. */
  VLPI = 21,
  DOORBELL = 22,
  /** Entry to and exit from KVM_RUN. */
  SYSCALL = 23,
  COUNT = 24,
}

/** Price in ns, spent ns in this step, how often. */
const PRICE_BYTES: usize = 4;
const TIMES_AT: usize = 256;
const SPENT_AT: usize = 512;

/** Bytes of the tables. */
export const COSTS_BYTES: usize = 576;

/** Counts an operation that happened `times` times, and what it cost. */
export function spend(cost: Cost, times: u32): void {
  const base = areaAt(COSTS_AT);
  const at = base + TIMES_AT + ((<usize>cost) << 3);
  store<u64>(at, load<u64>(at) + times);
  const price: u64 = load<u32>(base + <usize>cost * PRICE_BYTES);
  store<u64>(base, load<u64>(base, SPENT_AT) + price * times, SPENT_AT);
}

/** Nanoseconds spent since the last call. */
export function takeSpent(): u64 {
  const base = areaAt(COSTS_AT);
  const spent = load<u64>(base, SPENT_AT);
  store<u64>(base, 0, SPENT_AT);
  return spent;
}

export function setPrice(cost: Cost, nanoseconds: u32): void {
  store<u32>(areaAt(COSTS_AT) + <usize>cost * PRICE_BYTES, nanoseconds);
}

/** How often an operation happened. */
export function timesOf(cost: Cost): u64 {
  return load<u64>(areaAt(COSTS_AT) + TIMES_AT + ((<usize>cost) << 3));
}

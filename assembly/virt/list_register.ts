// ICH_LR<n>_EL2 (section 8.7).
//
//   63 62 | 61 | 60    | 55......48 | 44......32 | 31......0
//   State | HW | Group | Priority   | pINTID     | vINTID
//                                     HW=0: bit 41 = EOI maintenance request
import { machine } from '../memory/machine';

export const INVALID: u32 = 0;
export const PENDING: u32 = 1;
export const ACTIVE: u32 = 2;

const STATE_SHIFT: u64 = 62;
const HW: u64 = 1 << 61;
const GROUP_SHIFT: u64 = 60;
const PRIORITY_SHIFT: u64 = 48;
const PINTID: u64 = 0x1fff << 32;
/** [44:42] are reserved where there are no extended ranges. */
const PINTID_BASIC: u64 = 0x3ff << 32;
const EOI: u64 = 1 << 41;
const VINTID: u64 = 0xffffffff;

export function state(value: u64): u32 {
  return <u32>(value >> STATE_SHIFT);
}

export function withState(value: u64, to: u32): u64 {
  return (value & ~((<u64>3) << STATE_SHIFT)) | ((<u64>to) << STATE_SHIFT);
}

/** Active, or pending and active. */
export function isActive(value: u64): bool {
  return (state(value) & ACTIVE) != 0;
}

export function withoutActive(value: u64): u64 {
  return value & ~((<u64>ACTIVE) << STATE_SHIFT);
}

export function isHardware(value: u64): bool {
  return (value & HW) != 0;
}

export function group(value: u64): u32 {
  return <u32>(value >> GROUP_SHIFT) & 1;
}

export function priority(value: u64): u32 {
  return <u32>(value >> PRIORITY_SHIFT) & 0xff;
}

export function pintid(value: u64): u32 {
  return <u32>(value >> 32) & 0x1fff;
}

export function vintid(value: u64): u32 {
  return <u32>value;
}

/** ICH_EISR_EL2: empty after an interrupt whose end was to be told. */
export function isEoi(value: u64): bool {
  return state(value) == INVALID && !isHardware(value) && (value & EOI) != 0;
}

/** A written value with its reserved bits as zero. */
export function legal(value: u64): u64 {
  const priorityBits = ((0xff << (8 - machine().virtualPriorityBits)) & 0xff) as u64;
  const pintids = machine().extendedSpiSlots | machine().extendedPpiSlots ? PINTID : PINTID_BASIC;
  const link = (value & HW) != 0 ? pintids : EOI;
  const kept =
    ((<u64>3) << STATE_SHIFT) |
    HW |
    ((<u64>1) << GROUP_SHIFT) |
    (priorityBits << PRIORITY_SHIFT) |
    link |
    VINTID;
  return value & kept;
}

// ICH_LR<n>_EL2 as two words: [31:0] the virtual INTID, and what the functions here take, [63:32].
//
//   31 30 | 29 | 28    | 23......16 | 12......0
//   State | HW | Group | Priority   | physical INTID; HW=0: bit 9 = EOI maintenance request

export const INVALID = 0;
export const PENDING = 1;
export const ACTIVE = 2;

const STATE_SHIFT = 30;
const HW = 1 << 29;
const GROUP = 1 << 28;
const PRIORITY = 0xf8 << 16;
const PINTID = 0x3ff;
const EOI = 1 << 9;

export function state(high: number): number {
  return high >>> STATE_SHIFT;
}

export function withState(high: number, to: number): number {
  return (high & ~(3 << STATE_SHIFT)) | (to << STATE_SHIFT);
}

export function isActive(high: number): boolean {
  return (state(high) & ACTIVE) !== 0;
}

export function withoutActive(high: number): number {
  return high & ~(ACTIVE << STATE_SHIFT);
}

export function group(high: number): number {
  return (high >> 28) & 1;
}

export function priority(high: number): number {
  return (high >> 16) & 0xff;
}

/** Empty after an interrupt whose end was to be told. */
export function isEoi(high: number): boolean {
  return state(high) === INVALID && (high & HW) === 0 && (high & EOI) !== 0;
}

/** A written value with its reserved bits as zero. */
export function legal(high: number): number {
  return high & ((3 << STATE_SHIFT) | HW | GROUP | PRIORITY | (high & HW ? PINTID : EOI));
}

import { lowestBit } from './bits.ts';

/** No interrupt is active: the running priority then. */
export const IDLE_PRIORITY = 0xff;

/** No preemption level is active. */
export const NO_LEVEL = 128;

/**
 * What the physical and the virtual CPU interface have in common: priority mask, binary points, group enables and the
 * active priorities of both groups, and the preemption that follows from them.
 */
export class ActivePriorities {
  priorityMask = 0;
  binaryPoint0: number;
  binaryPoint1: number;
  /** CBPR: Group 1 uses binary point 0. */
  commonBinaryPoint = false;
  eoiMode = false;
  /** Enables of Groups 0 and 1 as bits 0 and 1. */
  groupEnables = 0;
  /** Group priority of the highest active priority, or IDLE_PRIORITY. */
  runningPriority = IDLE_PRIORITY;
  readonly #preemptionBits: number;
  readonly #levelShift: number;
  /** AP0R0-3, then AP1R0-3: a bit for each preemption level. */
  readonly #active = new Int32Array(8);

  constructor(
    readonly cpu: number,
    preemptionBits: number,
  ) {
    this.#preemptionBits = preemptionBits;
    this.#levelShift = 8 - preemptionBits;
    this.binaryPoint0 = 7 - preemptionBits;
    this.binaryPoint1 = 8 - preemptionBits;
  }

  groupEnabled(group: number): boolean {
    return ((this.groupEnables >> group) & 1) !== 0;
  }

  /** Bits of a priority that decide preemption in a group. */
  preemptionMask(group: number): number {
    const useBinaryPoint0 = group === 0 || this.commonBinaryPoint;
    return (useBinaryPoint0 ? 0xff << (this.binaryPoint0 + 1) : 0xff << this.binaryPoint1) & 0xff;
  }

  /** Whether a priority passes the priority mask and preempts what is running. */
  preempts(priority: number, group: number): boolean {
    if (priority >= this.priorityMask) return false;
    if (this.runningPriority === IDLE_PRIORITY) return true;
    const mask = this.preemptionMask(group);
    return (priority & mask) < (this.runningPriority & mask);
  }

  setBinaryPoint0(value: number): void {
    this.binaryPoint0 = Math.max(value & 7, 7 - this.#preemptionBits);
  }

  setBinaryPoint1(value: number): void {
    this.binaryPoint1 = Math.max(value & 7, 8 - this.#preemptionBits);
  }

  /** What BPR1 reads as. */
  get visibleBinaryPoint1(): number {
    return this.commonBinaryPoint ? Math.min(this.binaryPoint0 + 1, 7) : this.binaryPoint1;
  }

  /** AP<group>R<index>, where it exists: one register for 32 levels. */
  activeWord(group: number, index: number): number {
    return this.#hasActiveWord(index) ? (this.#active[(group << 2) | index] as number) : 0;
  }

  setActiveWord(group: number, index: number, value: number): void {
    if (!this.#hasActiveWord(index)) return;
    this.#active[(group << 2) | index] = value;
    this.#setRunningPriority();
  }

  /** The highest active level of a group, or NO_LEVEL. */
  highestActive(group: number): number {
    const active = this.#active;
    const at = group << 2;
    let word = active[at] as number;
    if (word !== 0) return lowestBit(word);
    word = active[at + 1] as number;
    if (word !== 0) return 32 + lowestBit(word);
    word = active[at + 2] as number;
    if (word !== 0) return 64 + lowestBit(word);
    word = active[at + 3] as number;
    return word !== 0 ? 96 + lowestBit(word) : NO_LEVEL;
  }

  /** Acknowledge: the group priority of an interrupt becomes active. */
  activate(priority: number, group: number): void {
    const level = (priority & this.preemptionMask(group)) >> this.#levelShift;
    const at = (group << 2) | (level >> 5);
    this.#active[at] = (this.#active[at] as number) | (1 << (level & 31));
    this.runningPriority = Math.min(this.runningPriority, level << this.#levelShift);
  }

  /** Priority drop: `level`, the highest active one of a group, is not active any more. */
  drop(group: number, level: number): void {
    const at = (group << 2) | (level >> 5);
    this.#active[at] = (this.#active[at] as number) & ~(1 << (level & 31));
    this.#setRunningPriority();
  }

  #setRunningPriority(): void {
    const level = Math.min(this.highestActive(0), this.highestActive(1));
    this.runningPriority = level === NO_LEVEL ? IDLE_PRIORITY : level << this.#levelShift;
  }

  #hasActiveWord(index: number): boolean {
    return index << 5 < 1 << this.#preemptionBits;
  }
}

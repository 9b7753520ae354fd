// What the physical and the virtual CPU interface have in common: priority mask, binary points, group enables and the
// active priorities, and the preemption that follows from them (sections 1.5, 8.3, 8.9).

/** No interrupt is active: the running priority then. */
export const IDLE_PRIORITY: u32 = 0xff;

/** No preemption level is active. */
export const NO_LEVEL: u32 = 128;

/** Words of active priorities of a group. */
const WORDS: u32 = 4;

@unmanaged
export class ActivePriorities {
  cpu: u32;
  /** Priority bits that participate in preemption. */
  preemptionBits: u32;
  /** ICC_PMR_EL1 or VPMR. */
  priorityMask: u32;
  binaryPoint0: u32;
  binaryPoint1: u32;
  /** CBPR: Group 1 uses binary point 0. */
  commonBinaryPoint: u32;
  eoiMode: u32;
  /** Enables of Groups 0 and 1 as bits 0 and 1. */
  groupEnables: u32;
  /** Group priority of the highest active priority, or IDLE_PRIORITY. */
  runningPriority: u32;
  /** AP0R0-3, then AP1R0-3: a bit per preemption level. */
  active0: u32;
  active1: u32;
  active2: u32;
  active3: u32;
  active4: u32;
  active5: u32;
  active6: u32;
  active7: u32;

  groupEnabled(group: u32): bool {
    return ((this.groupEnables >> group) & 1) != 0;
  }

  /** Bits of a priority that decide preemption in a group. */
  preemptionMask(group: u32): u32 {
    const useBinaryPoint0 = group == 0 || this.commonBinaryPoint != 0;
    return (useBinaryPoint0 ? 0xff << (this.binaryPoint0 + 1) : 0xff << this.binaryPoint1) & 0xff;
  }

  /** Whether a priority passes the priority mask and preempts what is running. */
  preempts(priority: u32, group: u32): bool {
    if (priority >= this.priorityMask) return false;
    if (this.runningPriority == IDLE_PRIORITY) return true;
    const mask = this.preemptionMask(group);
    return (priority & mask) < (this.runningPriority & mask);
  }

  /** The lowest legal binary point 0; that of binary point 1 is one more. */
  get minimumBinaryPoint0(): u32 {
    return 7 - this.preemptionBits;
  }

  setBinaryPoint0(value: u32): void {
    this.binaryPoint0 = max<u32>(value & 7, this.minimumBinaryPoint0);
  }

  setBinaryPoint1(value: u32): void {
    this.binaryPoint1 = max<u32>(value & 7, this.minimumBinaryPoint0 + 1);
  }

  /** What BPR1 reads as. */
  get visibleBinaryPoint1(): u32 {
    return this.commonBinaryPoint ? min<u32>(this.binaryPoint0 + 1, 7) : this.binaryPoint1;
  }

  activeWord(group: u32, index: u32): u32 {
    return load<u32>(this.activeAt(group, index));
  }

  setActiveWord(group: u32, index: u32, value: u32): void {
    store<u32>(this.activeAt(group, index), value);
    const level = min<u32>(this.highestActive(0), this.highestActive(1));
    this.runningPriority = level == NO_LEVEL ? IDLE_PRIORITY : this.priorityOf(level);
  }

  /** Whether AP<m>R<n> exists: one register for 32 levels. */
  hasActiveWord(index: u32): bool {
    return index << 5 < (<u32>1) << this.preemptionBits;
  }

  /** The highest active level of a group, or NO_LEVEL. Words are looked at in pairs: level n is bit n of the pair. */
  highestActive(group: u32): u32 {
    const at = this.activeAt(group, 0);
    const low = load<u64>(at);
    if (low) return <u32>ctz(low);
    const high = load<u64>(at, 8);
    return high ? 64 + <u32>ctz(high) : NO_LEVEL;
  }

  /** Acknowledge: the group priority of an interrupt becomes active. */
  activate(priority: u32, group: u32): void {
    const level = (priority & this.preemptionMask(group)) >> (8 - this.preemptionBits);
    const at = this.activeAt(group, level >> 5);
    store<u32>(at, load<u32>(at) | ((<u32>1) << (level & 31)));
    this.runningPriority = min<u32>(this.runningPriority, this.priorityOf(level));
  }

  /** Priority drop: `level`, the highest active one of a group, is not active any more. */
  drop(group: u32, level: u32): void {
    this.setActiveWord(group, level >> 5, this.activeWord(group, level >> 5) & ~((<u32>1) << (level & 31)));
  }

  /** The state after power-on: nothing enabled, nothing active, priority mask 0. */
  reset(): void {
    this.priorityMask = 0;
    this.binaryPoint0 = this.minimumBinaryPoint0;
    this.binaryPoint1 = this.minimumBinaryPoint0 + 1;
    this.commonBinaryPoint = 0;
    this.eoiMode = 0;
    this.groupEnables = 0;
    memory.fill(this.activeAt(0, 0), 0, 2 * WORDS * 4);
    this.runningPriority = IDLE_PRIORITY;
  }

  private priorityOf(level: u32): u32 {
    return level << (8 - this.preemptionBits);
  }

  private activeAt(group: u32, index: u32): usize {
    return changetype<usize>(this) + offsetof<ActivePriorities>('active0') + (((group << 2) | index) << 2);
  }
}

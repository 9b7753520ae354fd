const IDLE_PRIORITY = 0xff;
/** Five preemption bits: the least binary point of Group 1 leaves bits [7:3] of a priority. */
const PREEMPTION_MASK = 0xf8;
const LEVEL_SHIFT = 3;

/** Group 1 of a CPU interface, physical or virtual: priority mask, active priorities, and what is presented. */
export class CpuInterface {
  priorityMask = 0;
  enabled = false;
  runningPriority = IDLE_PRIORITY;
  /** The best interrupt as `priority << 22 | INTID`, or NONE. */
  best = -1;
  irq = false;
  /** A bit for each of 32 levels. */
  #active = 0;

  canSignal(priority: number): boolean {
    if (!this.enabled || priority >= this.priorityMask) return false;
    if (this.runningPriority === IDLE_PRIORITY) return true;
    return (priority & PREEMPTION_MASK) < (this.runningPriority & PREEMPTION_MASK);
  }

  activate(priority: number): void {
    this.#setActive(this.#active | (1 << ((priority & PREEMPTION_MASK) >> LEVEL_SHIFT)));
  }

  /** Drops the highest active priority; whether there was any. */
  drop(): boolean {
    if (this.#active === 0) return false;
    this.#setActive(this.#active & (this.#active - 1));
    return true;
  }

  #setActive(active: number): void {
    this.#active = active;
    this.runningPriority = active === 0 ? IDLE_PRIORITY : (31 - Math.clz32(active & -active)) << LEVEL_SHIFT;
  }
}

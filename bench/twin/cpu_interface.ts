import { Counter, Event } from '../../assembly/abi.ts';
import { ActivePriorities, NO_LEVEL } from './active_priorities.ts';
import type { LpiObserver } from './lpi_set.ts';
import type { Redistributor } from './redistributor.ts';
import { isSpecial, type Shared, SPURIOUS } from './shared.ts';

const { SPURIOUS: SPURIOUS_READS, ACKNOWLEDGED_LPI, PRIORITY_DROPS } = Counter;
const { ACKNOWLEDGED, PRIORITY_DROPPED } = Event;

/** No interrupt is pending, in `CpuInterface.highestPending`: a lower priority than there is. */
export const NOTHING_PENDING = -1;
/** The INTID in it. */
export const INTID = 0x7f_ffff;

export const GROUP_0 = 1;
export const GROUP_1 = 2;

/** `CpuInterface.stale`: the best wired interrupt, the best LPI, or all, with what is considered at all. */
export const WIRED = 1;
export const LPIS = 2;
export const ALL = 7;

/** The physical CPU interface of one PE: acknowledge, priority drop, and what is to be looked for again. */
export class CpuInterface extends ActivePriorities implements LpiObserver {
  /** The best pending interrupt as priority << 24 | group << 23 | INTID, or NOTHING_PENDING. */
  highestPending = NOTHING_PENDING;
  /** The best SGI, PPI or SPI, of which the twin has none, and the best LPI. They are ahead during an action. */
  bestWired = NOTHING_PENDING;
  bestLpi = NOTHING_PENDING;
  /** Groups of which interrupts are candidates: bit 0 Group 0, bit 1 Group 1. */
  considered = 0;
  /** What of these is to be looked for again when the action is over. */
  stale = 0;
  /** Bit 0 the IRQ output, bit 1 the FIQ output. */
  outputs = 0;
  readonly redistributor: Redistributor;
  readonly #shared: Shared;

  constructor(shared: Shared, cpu: number, redistributor: Redistributor) {
    super(cpu, shared.preemptionBits);
    this.#shared = shared;
    this.redistributor = redistributor;
  }

  canSignal(priority: number, group: number): boolean {
    return this.groupEnabled(group) && this.preempts(priority, group);
  }

  /** ICC_IAR0_EL1 or ICC_IAR1_EL1. */
  acknowledge(group: number): number {
    const pending = this.highestPending;
    const priority = pending >>> 24;
    if (pending === NOTHING_PENDING || ((pending >> 23) & 1) !== group || !this.canSignal(priority, group)) {
      this.#shared.count(SPURIOUS_READS);
      return SPURIOUS;
    }
    const intid = pending & INTID;
    this.redistributor.lpis.take(intid);
    this.#shared.count(ACKNOWLEDGED_LPI);
    this.#shared.events.emit(ACKNOWLEDGED, this.cpu, intid, group);
    this.activate(priority, group);
    this.touchSignal();
    return intid;
  }

  /** ICC_HPPIR0_EL1 or ICC_HPPIR1_EL1. */
  highestPendingIntid(group: number): number {
    const pending = this.highestPending;
    const visible =
      pending !== NOTHING_PENDING && ((pending >> 23) & 1) === group && this.groupEnabled(group);
    return visible ? pending & INTID : SPURIOUS;
  }

  /** ICC_EOIR0_EL1 or ICC_EOIR1_EL1. A write that cannot be of the interrupt acknowledged last does nothing. */
  endOfInterrupt(group: number, intid: number): void {
    if (isSpecial(intid) || !this.#shared.implements(intid)) return;
    const own = this.highestActive(group);
    const other = this.highestActive(group ^ 1);
    if (own === NO_LEVEL && other === NO_LEVEL) return;
    if (other < own || (other === own && group === 1)) return;
    this.drop(group, own);
    this.#shared.count(PRIORITY_DROPS);
    this.#shared.events.emit(PRIORITY_DROPPED, this.cpu, intid, 0);
    this.touchSignal();
    // With EOImode=0 it is deactivated too, which an LPI knows nothing of.
  }

  /** ICC_IGRPEN0_EL1 or ICC_IGRPEN1_EL1. */
  enableGroup(group: number, enable: boolean): void {
    const mask = 1 << group;
    this.groupEnables = enable ? this.groupEnables | mask : this.groupEnables & ~mask;
    this.touch();
  }

  /** Anything may have changed. */
  touch(): void {
    this.#touchStale(ALL);
  }

  lpisChanged(): void {
    this.#touchStale(LPIS);
  }

  lpiAdded(intid: number, priority: number): void {
    if (this.stale & LPIS || (this.considered & GROUP_1) === 0) return;
    const candidate = candidateOf(priority, 1, intid);
    if (better(this.bestLpi, candidate, this.#shared.highestWinsTies) !== candidate) return;
    this.bestLpi = candidate;
    this.touchSignal();
  }

  lpiTaken(intid: number): void {
    if ((this.bestLpi & INTID) === intid) this.#touchStale(LPIS);
  }

  /** Whether the best pending interrupt is signalled may have changed, but not which one it is. */
  touchSignal(): void {
    this.#shared.dirty.mark(this.cpu);
  }

  #touchStale(what: number): void {
    this.stale |= what;
    this.touchSignal();
  }
}

/** As `CpuInterface.highestPending` has it. */
export function candidateOf(priority: number, group: number, intid: number): number {
  return (priority << 24) | (group << 23) | intid;
}

/** The better of two candidates: the lower priority value; on a tie the lower INTID by default. */
function better(one: number, other: number, highestWinsTies: boolean): number {
  if (one >>> 24 !== other >>> 24) return one >>> 24 < other >>> 24 ? one : other;
  return (one & INTID) < (other & INTID) !== highestWinsTies ? one : other;
}

import { Counter, Event } from '../../assembly/abi.ts';
import { ActivePriorities, IDLE_PRIORITY } from './active_priorities.ts';
import { lowestBit } from './bits.ts';
import * as lr from './list_register.ts';
import type { LpiObserver } from './lpi_set.ts';
import { keyBit, keyOf, keyPriority, NONE } from './priority_index.ts';
import type { Redistributor } from './redistributor.ts';
import { FIRST_LPI, isSpecial, type Shared, SPURIOUS } from './shared.ts';

const { VIRTUAL_SPURIOUS, VIRTUAL_ACKNOWLEDGED_VLPI, VIRTUAL_ACKNOWLEDGED_LR } = Counter;
const { VIRTUAL_ACKNOWLEDGED, VIRTUAL_PRIORITY_DROPPED, VIRTUAL_DEACTIVATED } = Event;

export const HCR_EN = 1;
/** Directly injected interrupts are masked. */
const HCR_DVIM = 1 << 15;
const HCR_EOI_COUNT_SHIFT = 27;

/** `winner`: nothing is pending, or the best VLPI rather than a list register. */
export const NO_WINNER = -1;
export const WINNER_VLPI = 16;

/** `stale`: the best VLPI, and the winner. */
const STALE_VLPI = 1;
const STALE_WINNER = 2;
const STALE_ALL = 3;

const LIST_REGISTERS_MAX = 16;

/** The virtual CPU interface of one PE: list registers, the resident vPE's VLPIs, and what the guest sees of them. */
export class VirtualCpuInterface extends ActivePriorities implements LpiObserver {
  /** The best candidate: number of a list register, WINNER_VLPI or NO_WINNER. */
  winner = NO_WINNER;
  /** The best pending and enabled VLPI of the resident vPE as priority << 22 | INTID, or NONE. */
  bestVlpi = NONE;
  /** Bit 0 vIRQ, bit 1 vFIQ, bit 2 the maintenance interrupt. */
  outputs = 0;
  /** `bestVlpi` after the last action: it is ahead during an action. */
  shownVlpi = NONE;
  /** What is to be looked for again when the action is over. */
  stale = 0;
  /** ICH_HCR_EL2. */
  hcr = 0;
  /** Bit n for list register n: not Invalid, Pending, and what ICH_EISR_EL2 shows. */
  valid = 0;
  pending = 0;
  ended = 0;
  readonly #listLow = new Int32Array(LIST_REGISTERS_MAX);
  readonly #listHigh = new Int32Array(LIST_REGISTERS_MAX);
  readonly #redistributor: Redistributor;
  readonly #shared: Shared;

  constructor(shared: Shared, cpu: number, redistributor: Redistributor) {
    super(cpu, shared.virtualPreemptionBits);
    this.#shared = shared;
    this.#redistributor = redistributor;
  }

  writeListRegister(n: number, low: number, high: number): void {
    this.#setListRegister(n, low, lr.legal(high));
  }

  setHcr(value: number): void {
    this.hcr = value & this.#shared.hcrWritable;
    this.stale |= STALE_WINNER;
  }

  setGroupEnables(groups: number): void {
    this.groupEnables = groups;
    this.stale |= STALE_WINNER;
  }

  get winnerPriority(): number {
    if (this.winner === WINNER_VLPI) return keyPriority(this.bestVlpi);
    return lr.priority(this.#listHigh[this.winner] as number);
  }

  /** VLPIs are always virtual Group 1. */
  get winnerGroup(): number {
    return this.winner === WINNER_VLPI ? 1 : lr.group(this.#listHigh[this.winner] as number);
  }

  get winnerIntid(): number {
    return this.winner === WINNER_VLPI ? keyBit(this.bestVlpi) : (this.#listLow[this.winner] as number);
  }

  /** Whether the winner would be signalled to the guest now. */
  canSignal(): boolean {
    if ((this.hcr & HCR_EN) === 0 || this.winner === NO_WINNER) return false;
    return this.preempts(this.winnerPriority, this.winnerGroup);
  }

  /** Looks for what is stale. The winner has the lowest priority value, then the lowest list register, then the VLPI. */
  refresh(): void {
    let best = IDLE_PRIORITY;
    let winner = NO_WINNER;
    for (let pending = this.pending; pending !== 0; pending &= pending - 1) {
      const n = lowestBit(pending);
      const high = this.#listHigh[n] as number;
      if (!this.groupEnabled(lr.group(high)) || lr.priority(high) >= best) continue;
      best = lr.priority(high);
      winner = n;
    }
    if (this.stale & STALE_VLPI) this.bestVlpi = this.#redistributor.vlpis.index.best();
    this.stale = 0;
    const vlpi = this.bestVlpi;
    const isTaken = (this.hcr & HCR_DVIM) === 0 && vlpi !== NONE && (this.groupEnables & 2) !== 0;
    this.winner = isTaken && keyPriority(vlpi) < best ? WINNER_VLPI : winner;
  }

  /** ICV_IAR0_EL1 or ICV_IAR1_EL1. A better candidate of the other group hides ours. */
  acknowledge(group: number): number {
    if (!this.canSignal() || this.winnerGroup !== group) {
      this.#shared.count(VIRTUAL_SPURIOUS);
      return SPURIOUS;
    }
    const { winner, winnerIntid: intid, winnerPriority: priority } = this;
    this.touchSignal();
    this.#shared.events.emit(VIRTUAL_ACKNOWLEDGED, this.cpu, intid, winner);
    if (winner === WINNER_VLPI) {
      this.#redistributor.vlpis.take(intid);
      this.#shared.count(VIRTUAL_ACKNOWLEDGED_VLPI);
    } else {
      this.#shared.count(VIRTUAL_ACKNOWLEDGED_LR);
      const next = isSpecial(intid) ? lr.INVALID : lr.ACTIVE;
      this.#setListRegister(winner, intid, lr.withState(this.#listHigh[winner] as number, next));
      if (isSpecial(intid)) return intid;
    }
    this.activate(priority, group);
    return intid;
  }

  /** ICV_HPPIR0_EL1 or ICV_HPPIR1_EL1. */
  highestPendingIntid(group: number): number {
    return this.winner !== NO_WINNER && this.winnerGroup === group ? this.winnerIntid : SPURIOUS;
  }

  /** ICV_EOIR0_EL1 or ICV_EOIR1_EL1. The priority drop comes before the checks. */
  endOfInterrupt(group: number, intid: number): void {
    if (isSpecial(intid)) return;
    this.touchSignal();
    const dropped = this.#dropPriority();
    if (dropped === IDLE_PRIORITY) {
      if (!this.#shared.virtualEoiExamines) return;
    } else {
      this.#shared.events.emit(VIRTUAL_PRIORITY_DROPPED, this.cpu, intid, 0);
    }
    const n = this.#findActive(intid);
    if (n < 0) {
      const counts = !this.eoiMode || this.#shared.eoiCountInEoiMode1;
      if (counts && intid < FIRST_LPI) this.#incrementEoiCount();
      return;
    }
    const high = this.#listHigh[n] as number;
    if (lr.group(high) !== group) return;
    if (dropped !== IDLE_PRIORITY && (lr.priority(high) & this.preemptionMask(group)) !== dropped) return;
    if (!this.eoiMode || intid >= FIRST_LPI) this.#deactivateListRegister(n);
  }

  lpisChanged(): void {
    this.stale = STALE_ALL;
    this.touchSignal();
  }

  lpiAdded(intid: number, priority: number): void {
    if (this.stale & STALE_VLPI || !this.#isBetter(priority, intid)) return;
    this.bestVlpi = keyOf(priority, intid);
    this.stale |= STALE_WINNER;
    this.touchSignal();
  }

  lpiTaken(intid: number): void {
    if (keyBit(this.bestVlpi) === intid) this.lpisChanged();
  }

  /** What is not derived from the winner may have changed, or whether the winner is signalled; which one it is has not. */
  touchSignal(): void {
    this.#shared.dirtyVirtual.mark(this.cpu);
  }

  #isBetter(priority: number, intid: number): boolean {
    const best = this.bestVlpi;
    if (best === NONE || priority !== keyPriority(best)) return best === NONE || priority < keyPriority(best);
    return intid < keyBit(best) !== this.#shared.highestWinsTies;
  }

  #setListRegister(n: number, low: number, high: number): void {
    this.#listLow[n] = low;
    this.#listHigh[n] = high;
    this.stale |= STALE_WINNER;
    const bit = 1 << n;
    const state = lr.state(high);
    this.valid = state !== lr.INVALID ? this.valid | bit : this.valid & ~bit;
    this.pending = state === lr.PENDING ? this.pending | bit : this.pending & ~bit;
    this.ended = lr.isEoi(high) ? this.ended | bit : this.ended & ~bit;
  }

  /** Drops the highest active priority of both groups; returns it, or IDLE_PRIORITY. Group 0 first at equal level. */
  #dropPriority(): number {
    const dropped = this.runningPriority;
    if (dropped === IDLE_PRIORITY) return dropped;
    const level0 = this.highestActive(0);
    const level1 = this.highestActive(1);
    this.drop(level0 <= level1 ? 0 : 1, Math.min(level0, level1));
    return dropped;
  }

  /** The list register that holds an active interrupt, or -1. */
  #findActive(intid: number): number {
    for (let valid = this.valid; valid !== 0; valid &= valid - 1) {
      const n = lowestBit(valid);
      if (lr.isActive(this.#listHigh[n] as number) && this.#listLow[n] === intid) return n;
    }
    return -1;
  }

  #incrementEoiCount(): void {
    this.hcr = (this.hcr + (1 << HCR_EOI_COUNT_SHIFT)) | 0;
  }

  /** Active -> Inactive, pending and active -> pending. With HW=1 nothing else happens: LPIs have no active state. */
  #deactivateListRegister(n: number): void {
    const intid = this.#listLow[n] as number;
    this.#setListRegister(n, intid, lr.withoutActive(this.#listHigh[n] as number));
    this.#shared.events.emit(VIRTUAL_DEACTIVATED, this.cpu, intid, n);
  }
}

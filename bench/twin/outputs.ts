import { lowestBit } from './bits.ts';
import {
  ALL,
  type CpuInterface,
  candidateOf,
  GROUP_0,
  GROUP_1,
  LPIS,
  NOTHING_PENDING,
  WIRED,
} from './cpu_interface.ts';
import { keyBit, keyPriority, NONE } from './priority_index.ts';
import type { Shared } from './shared.ts';
import type { VirtualCpuInterface } from './virtual_cpu_interface.ts';
import { recomputeVirtual } from './virtual_outputs.ts';

const IRQ = 1;
const FIQ = 2;

/**
 * What the PEs and their guests see once an action is over. Of a PE that the action marked only that is looked for again
 * which the action may have changed.
 */
export class Outputs {
  readonly #shared: Shared;
  readonly #physical: readonly CpuInterface[];
  readonly #virtual: readonly VirtualCpuInterface[];

  constructor(shared: Shared, physical: readonly CpuInterface[], virtual: readonly VirtualCpuInterface[]) {
    this.#shared = shared;
    this.#physical = physical;
    this.#virtual = virtual;
  }

  settle(): void {
    const { dirty, dirtyVirtual } = this.#shared;
    let words = dirtyVirtual.used;
    dirtyVirtual.used = 0;
    for (; words !== 0; words &= words - 1) this.#settleVirtualWord(lowestBit(words));
    words = dirty.used;
    dirty.used = 0;
    for (; words !== 0; words &= words - 1) this.#settleWord(lowestBit(words));
  }

  #settleVirtualWord(index: number): void {
    const { words } = this.#shared.dirtyVirtual;
    let cpus = words[index] as number;
    words[index] = 0;
    for (; cpus !== 0; cpus &= cpus - 1) {
      const bit = lowestBit(cpus);
      const self = this.#virtual[(index << 5) | bit] as VirtualCpuInterface;
      if (recomputeVirtual(this.#shared, self)) this.#noteChanged(index, 1 << bit);
    }
  }

  #settleWord(index: number): void {
    const { words } = this.#shared.dirty;
    let cpus = words[index] as number;
    words[index] = 0;
    for (; cpus !== 0; cpus &= cpus - 1) {
      const bit = lowestBit(cpus);
      if (this.#recompute(this.#physical[(index << 5) | bit] as CpuInterface))
        this.#noteChanged(index, 1 << bit);
    }
  }

  #noteChanged(index: number, cpus: number): void {
    this.#shared.changed.add(index, cpus);
    this.#shared.attention.add(index, cpus);
  }

  #recompute(self: CpuInterface): boolean {
    if (self.stale !== 0) this.#refresh(self);
    const wired = self.bestWired;
    const lpi = self.bestLpi;
    // On a tie the wired interrupt has the lower INTID.
    const wiredFirst = !this.#shared.highestWinsTies;
    const isWired = wired >>> 24 < lpi >>> 24 || (wiredFirst && wired >>> 24 === lpi >>> 24);
    const pending = isWired ? wired : lpi;
    let outputs = 0;
    if (pending !== NOTHING_PENDING) {
      const group = (pending >> 23) & 1;
      if (self.canSignal(pending >>> 24, group)) outputs = group !== 0 ? IRQ : FIQ;
    }
    if (pending === self.highestPending && outputs === self.outputs) return false;
    self.highestPending = pending;
    self.outputs = outputs;
    return true;
  }

  #refresh(self: CpuInterface): void {
    const { stale } = self;
    self.stale = 0;
    if (stale === ALL) {
      const groups = this.#shared.groupEnableGatesHppi ? self.groupEnables : GROUP_0 | GROUP_1;
      self.considered = this.#shared.groupEnables & groups;
    }
    if (stale & WIRED) self.bestWired = NOTHING_PENDING;
    if (stale & LPIS) {
      const key = self.considered & GROUP_1 ? self.redistributor.lpis.index.best() : NONE;
      self.bestLpi = key === NONE ? NOTHING_PENDING : candidateOf(keyPriority(key), 1, keyBit(key));
    }
  }
}

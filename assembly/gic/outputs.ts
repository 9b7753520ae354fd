// Which PEs an action may have affected, and what they see once it is over. An action marks PEs as it goes and
// settles once at its end, so nobody observes a state in between.
import { Policy } from '../abi';
import { machine, policy } from '../memory/machine';
import { keyBit, keyPriority, NONE, PriorityIndex } from '../memory/priority_index';
import { takeArrivals } from '../threads/arrivals';
import { settleVirtual } from '../virt/outputs';
import { IDLE_PRIORITY } from './active_priorities';
import { ordinalIntid } from './bank';
import { CpuInterface, cpuInterfaceOf, groupConsidered, NOTHING_PENDING } from './cpu_interface';
import { redistributorOf } from './redistributor';

export function touchCpu(cpu: u32): void {
  const at = machine().dirtyCpus + ((cpu >> 6) << 3);
  store<u64>(at, load<u64>(at) | ((<u64>1) << (cpu & 63)));
}

export function touchAllCpus(): void {
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) touchCpu(cpu);
}

/** Recomputes the outputs of the marked PEs and notes which of them changed. */
export function settle(): void {
  takeArrivals();
  settleVirtual();
  const m = machine();
  const words = (m.cpuCount + 63) >> 6;
  for (let index: u32 = 0; index < words; index++) {
    const at = m.dirtyCpus + (index << 3);
    let dirty = load<u64>(at);
    if (dirty == 0) continue;
    store<u64>(at, 0);
    do {
      const cpu = (index << 6) | <u32>ctz(dirty);
      if (recompute(cpu)) noteChanged(index, (<u64>1) << (cpu & 63));
      dirty &= dirty - 1;
    } while (dirty);
  }
}

/** PEs whose outputs changed, as bits of a word of the bitmaps. */
export function noteChanged(index: u32, cpus: u64): void {
  const changed = machine().changedCpus + (index << 3);
  const attention = machine().attention + (index << 3);
  store<u64>(changed, load<u64>(changed) | cpus);
  store<u64>(attention, load<u64>(attention) | cpus);
}

function recompute(cpu: u32): bool {
  const self = cpuInterfaceOf(cpu);
  const pending = highestPending(self, cpu);
  let outputs: u32 = 0;
  if (pending != NOTHING_PENDING) {
    const group = (pending >> 23) & 1;
    if (self.canSignal(pending >> 24, group)) outputs = group ? 1 : 2;
  }
  if (pending == self.highestPending && outputs == self.outputs) return false;
  self.highestPending = pending;
  self.outputs = outputs;
  return true;
}

/** Candidates of section 1.3, before ICC_PMR and the running priority; on a tie the lowest INTID by default. */
function highestPending(self: CpuInterface, cpu: u32): u32 {
  const redistributor = redistributorOf(cpu);
  if (redistributor.asleep && policy(Policy.sleepHoldsInterrupts)) return NOTHING_PENDING;
  const enables = machine().groupEnables;
  let best = NOTHING_PENDING;
  if (enables & 1 && groupConsidered(self, 0)) best = wiredBest(redistributor.wired0, 0, best);
  if (enables & 2 && groupConsidered(self, 1)) {
    best = wiredBest(redistributor.wired1, 1, best);
    if (redistributor.lpisEnabled) {
      const key = redistributor.physicalLpis.best.best();
      if (key != NONE) best = better(best, keyPriority(key), 1, keyBit(key));
    }
  }
  return best >> 24 == IDLE_PRIORITY ? NOTHING_PENDING : best;
}

function wiredBest(index: usize, group: u32, best: u32): u32 {
  const key = changetype<PriorityIndex>(index).best();
  return key == NONE ? best : better(best, keyPriority(key), group, ordinalIntid(keyBit(key)));
}

/** The better of an earlier candidate and another one: lower priority value, then the policy for ties. */
function better(best: u32, priority: u32, group: u32, intid: u32): u32 {
  const candidate = (priority << 24) | (group << 23) | intid;
  if (best == NOTHING_PENDING) return candidate;
  const bestPriority = best >> 24;
  if (priority != bestPriority) return priority < bestPriority ? candidate : best;
  const bestIntid = best & 0x7fffff;
  return intid < bestIntid != (policy(Policy.tieBreak) != 0) ? candidate : best;
}

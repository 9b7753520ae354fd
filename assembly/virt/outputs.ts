// What an action leaves for the guest of each PE that it touched: the winner, vIRQ and vFIQ, and the maintenance
// interrupt, which is looped back to a PPI of the same PE.
import { Counter, Policy } from '../abi';
import { noteChanged } from '../gic/outputs';
import { setPpiLevel } from '../gic/wires';
import { count } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { keyBit, keyOf, keyPriority, NONE } from '../memory/priority_index';
import { maintenanceStatus } from './status';
import {
  HCR_EN,
  MAINTENANCE,
  STALE_ALL,
  STALE_VLPI,
  STALE_WINNER,
  VFIQ,
  VIRQ,
  VirtualCpuInterface,
  virtualInterfaceOf,
} from './virtual_cpu_interface';

/** Anything may have changed for the guest of a PE. */
export function touchVirtual(cpu: u32): void {
  virtualInterfaceOf(cpu).stale = STALE_ALL;
  touchVirtualSignal(cpu);
}

/** One VLPI has been added to those of the resident vPE that are pending and enabled. */
export function touchForVlpi(cpu: u32, vIntid: u32, priority: u32): void {
  const self = virtualInterfaceOf(cpu);
  if (self.stale & STALE_VLPI || !isBetter(priority, vIntid, self.bestVlpi)) return;
  self.bestVlpi = keyOf(priority, vIntid);
  self.stale |= STALE_WINNER;
  touchVirtualSignal(cpu);
}

/** One VLPI has been taken from those of the resident vPE that are pending and enabled. */
export function touchWithoutVlpi(cpu: u32, vIntid: u32): void {
  if (keyBit(virtualInterfaceOf(cpu).bestVlpi) == vIntid) touchVirtual(cpu);
}

function isBetter(priority: u32, vIntid: u32, best: u32): bool {
  if (best == NONE || priority != keyPriority(best)) return best == NONE || priority < keyPriority(best);
  return vIntid < keyBit(best) != (policy(Policy.tieBreak) != 0);
}

/** What is not derived from the winner may have changed, or whether the winner is signalled; which one it is has not. */
export function touchVirtualSignal(cpu: u32): void {
  const m = machine();
  const word = cpu >> 6;
  const at = m.dirtyVirtual + (word << 3);
  store<u64>(at, load<u64>(at) | ((<u64>1) << (cpu & 63)));
  m.dirtyVirtualWords |= 1 << word;
}

/** Recomputes the virtual outputs of the marked PEs; comes before the physical ones, which it can affect. */
export function settleVirtual(): void {
  const m = machine();
  const words = m.dirtyVirtualWords;
  if (words == 0) return;
  m.dirtyVirtualWords = 0;
  for (let rest = words; rest; rest &= rest - 1) settleWord(<u32>ctz(rest));
}

function settleWord(index: u32): void {
  const at = machine().dirtyVirtual + (index << 3);
  let dirty = load<u64>(at);
  store<u64>(at, 0);
  for (; dirty; dirty &= dirty - 1) {
    const bit = ctz(dirty);
    if (recompute(virtualInterfaceOf((index << 6) | <u32>bit))) noteChanged(index, (<u64>1) << bit);
  }
}

function recompute(self: VirtualCpuInterface): bool {
  const winner = self.winner;
  if (self.stale) {
    self.selectWinner();
    self.stale = 0;
  }
  let outputs: u32 = 0;
  if (self.canSignal()) outputs = self.winnerGroup ? VIRQ : VFIQ;
  if (self.hcr & HCR_EN && maintenanceStatus(self)) outputs |= MAINTENANCE;
  const changed = outputs ^ self.outputs;
  if (changed == 0 && winner == self.winner && self.shownVlpi == self.bestVlpi) return false;
  self.outputs = outputs;
  self.shownVlpi = self.bestVlpi;
  if (changed & MAINTENANCE) {
    const level = (outputs & MAINTENANCE) != 0;
    if (level) count(Counter.MAINTENANCE);
    if (machine().maintenancePpi) setPpiLevel(self.cpu, machine().maintenancePpi, level);
  }
  return true;
}

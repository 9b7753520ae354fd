// What an action leaves for the guest of each PE that it touched: the winner, vIRQ and vFIQ, and the maintenance
// interrupt, which is looped back to a PPI of the same PE.
import { Counter } from '../abi';
import { noteChanged } from '../gic/outputs';
import { setPpiLevel } from '../gic/wires';
import { count } from '../memory/counters';
import { machine } from '../memory/machine';
import { maintenanceStatus } from './status';
import { HCR_EN, VirtualCpuInterface, virtualInterfaceOf } from './virtual_cpu_interface';

const VIRQ: u32 = 1;
const VFIQ: u32 = 2;
const MAINTENANCE: u32 = 4;

export function touchVirtual(cpu: u32): void {
  const at = machine().dirtyVirtual + ((cpu >> 6) << 3);
  store<u64>(at, load<u64>(at) | ((<u64>1) << (cpu & 63)));
}

/** Recomputes the virtual outputs of the marked PEs; comes before the physical ones, which it can affect. */
export function settleVirtual(): void {
  const m = machine();
  const words = (m.cpuCount + 63) >> 6;
  for (let index: u32 = 0; index < words; index++) {
    const at = m.dirtyVirtual + (index << 3);
    let dirty = load<u64>(at);
    if (dirty == 0) continue;
    store<u64>(at, 0);
    let changed: u64 = 0;
    for (; dirty; dirty &= dirty - 1) {
      const bit = ctz(dirty);
      if (recompute(virtualInterfaceOf((index << 6) | <u32>bit))) changed |= (<u64>1) << bit;
    }
    if (changed) noteChanged(index, changed);
  }
}

function recompute(self: VirtualCpuInterface): bool {
  const winner = self.winner;
  const bestVlpi = self.bestVlpi;
  self.selectWinner();
  let outputs: u32 = 0;
  if (self.canSignal()) outputs = self.winnerGroup ? VIRQ : VFIQ;
  if (self.hcr & HCR_EN && maintenanceStatus(self)) outputs |= MAINTENANCE;
  const changed = outputs ^ self.outputs;
  if (changed == 0 && winner == self.winner && bestVlpi == self.bestVlpi) return false;
  self.outputs = outputs;
  if (changed & MAINTENANCE) {
    const level = (outputs & MAINTENANCE) != 0;
    if (level) count(Counter.MAINTENANCE);
    if (machine().maintenancePpi) setPpiLevel(self.cpu, machine().maintenancePpi, level);
  }
  return true;
}

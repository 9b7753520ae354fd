import { Counter } from '../../assembly/abi.ts';
import { countBits } from './bits.ts';
import type { Shared } from './shared.ts';
import { HCR_EN, type VirtualCpuInterface } from './virtual_cpu_interface.ts';

const VIRQ = 1;
const VFIQ = 2;
const MAINTENANCE = 4;

const UIE = 1 << 1;
const LRENPIE = 1 << 2;
const NPIE = 1 << 3;
const VGRP0EIE = 1 << 4;
const VGRP0DIE = 1 << 5;
const VGRP1EIE = 1 << 6;
const VGRP1DIE = 1 << 7;
const MAINTENANCE_ENABLES = 0xfe;
const EOI_COUNT = 31 << 27;

/** What an action leaves for the guest of a PE; whether it is anything else than before. */
export function recomputeVirtual(shared: Shared, self: VirtualCpuInterface): boolean {
  const { winner } = self;
  if (self.stale !== 0) self.refresh();
  let outputs = 0;
  if (self.canSignal()) outputs = self.winnerGroup !== 0 ? VIRQ : VFIQ;
  if (self.hcr & HCR_EN && maintenanceStatus(self) !== 0) outputs |= MAINTENANCE;
  const changed = outputs ^ self.outputs;
  if (changed === 0 && winner === self.winner && self.shownVlpi === self.bestVlpi) return false;
  self.outputs = outputs;
  self.shownVlpi = self.bestVlpi;
  if (changed & outputs & MAINTENANCE) shared.count(Counter.MAINTENANCE);
  return true;
}

/** ICH_MISR_EL2: each condition that holds and is enabled; VLPIs count for none. */
export function maintenanceStatus(self: VirtualCpuInterface): number {
  const { hcr } = self;
  let status = self.ended !== 0 ? 1 : 0;
  if ((hcr & MAINTENANCE_ENABLES) === 0) return status;
  if (hcr & UIE && countBits(self.valid) <= 1) status |= 1 << 1;
  if (hcr & LRENPIE && (hcr & EOI_COUNT) !== 0) status |= 1 << 2;
  if (hcr & NPIE && self.pending === 0) status |= 1 << 3;
  if (hcr & VGRP0EIE && self.groupEnabled(0)) status |= 1 << 4;
  if (hcr & VGRP0DIE && !self.groupEnabled(0)) status |= 1 << 5;
  if (hcr & VGRP1EIE && self.groupEnabled(1)) status |= 1 << 6;
  if (hcr & VGRP1DIE && !self.groupEnabled(1)) status |= 1 << 7;
  return status;
}

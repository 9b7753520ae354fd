// ICH_ELRSR_EL2 and ICH_MISR_EL2: functions of the list registers and ICH_HCR_EL2 (section 8.8).
import { machine } from '../memory/machine';
import { VirtualCpuInterface } from './virtual_cpu_interface';

const UIE: u32 = 1 << 1;
const LRENPIE: u32 = 1 << 2;
const NPIE: u32 = 1 << 3;
const VGRP0EIE: u32 = 1 << 4;
const VGRP0DIE: u32 = 1 << 5;
const VGRP1EIE: u32 = 1 << 6;
const VGRP1DIE: u32 = 1 << 7;
const MAINTENANCE_ENABLES: u32 = 0xfe;
const EOI_COUNT: u32 = 31 << 27;

/** ICH_ELRSR_EL2: of the invalid list registers those whose end is not to be told about (section 8.7). */
export function emptyStatus(self: VirtualCpuInterface): u32 {
  const all = ((<u32>1) << machine().listRegisters) - 1;
  return all & ~(self.valid | self.ended);
}

/** Each condition that holds and is enabled; directly injected interrupts count for none. */
export function maintenanceStatus(self: VirtualCpuInterface): u32 {
  const hcr = self.hcr;
  let status: u32 = self.ended ? 1 : 0;
  if ((hcr & MAINTENANCE_ENABLES) == 0) return status;
  if (hcr & UIE && popcnt(self.valid) <= 1) status |= 1 << 1;
  if (hcr & LRENPIE && (hcr & EOI_COUNT) != 0) status |= 1 << 2;
  if (hcr & NPIE && self.pending == 0) status |= 1 << 3;
  if (hcr & VGRP0EIE && self.groupEnabled(0)) status |= 1 << 4;
  if (hcr & VGRP0DIE && !self.groupEnabled(0)) status |= 1 << 5;
  if (hcr & VGRP1EIE && self.groupEnabled(1)) status |= 1 << 6;
  if (hcr & VGRP1DIE && !self.groupEnabled(1)) status |= 1 << 7;
  return status;
}

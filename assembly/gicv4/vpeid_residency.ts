// Residency of vPEs in the GICv4.1 layout: GICR_VPENDBASER holds a vPEID, GICR_VPROPBASER the vPE Configuration table
// (sections 3.11, 3.12, 7.6).
import { Counter, Diagnostic, Event } from '../abi';
import { report } from '../diag/diagnostics';
import { emit } from '../diag/events';
import { NO_CPU } from '../gic/bank';
import { FIRST_LPI } from '../gic/intid';
import { Redistributor } from '../gic/redistributor';
import { Table } from '../its/its';
import { vpeEnd, vpePendingTable } from '../its/tables';
import { count } from '../memory/counters';
import { machine } from '../memory/machine';
import { ramAt } from '../memory/ram';
import { touchVirtual } from '../virt/outputs';
import { attachVpeTable, mappedConfiguration, VpeConfiguration } from './vpe_configuration';
import { bestVsgi, NO_VSGI } from './vsgi';

const VALID: u64 = 1 << 63;
const DOORBELL: u64 = 1 << 62;
const PENDING_LAST: u64 = 1 << 61;
const DIRTY: u64 = 1 << 60;
const GROUP_ENABLES_SHIFT: u64 = 58;
const GROUP_ENABLES: u64 = 3 << 58;
const VPEID: u64 = 0xffff;
const VPROPBASER_Z: u64 = 1 << 52;

/** GICR_VPROPBASER.Z reads as zero. While a vPE is resident the table stays as it is. */
export function writeVpeTable(rd: Redistributor, value: u64): void {
  if (rd.resident) {
    report(Diagnostic.VPROPBASER_WRITE_WHILE_RESIDENT, rd.cpu);
    return;
  }
  rd.vpropbaser = value & ~VPROPBASER_Z;
  attachVpeTable(changetype<Table>(rd.vpeTable), rd.vpropbaser);
}

/** While a vPE is resident only Valid can change. */
export function writeVpeResidency(rd: Redistributor, value: u64): void {
  const valid = (value & VALID) != 0;
  if (rd.resident && valid) report(Diagnostic.VPE_CHANGED_WHILE_RESIDENT, rd.cpu);
  else if (valid) scheduleIn(rd, value);
  else if (rd.resident) scheduleOut(rd, value);
  else rd.vpendbaser = value & ~(DIRTY | DOORBELL);
}

/** A vPEID that is not mapped is taken as if Valid were 0. */
function scheduleIn(rd: Redistributor, value: u64): void {
  const vpeId = <u32>(value & VPEID);
  const entry = mappedConfiguration(rd, vpeId);
  if (changetype<usize>(entry) == 0) {
    report(Diagnostic.VPE_NOT_MAPPED, rd.cpu, vpeId);
    rd.vpendbaser = value & ~(VALID | DIRTY | DOORBELL);
    return;
  }
  const elsewhere = entry.residentCpu(vpeId);
  if (elsewhere != NO_CPU) report(Diagnostic.VPE_RESIDENT_TWICE, rd.cpu, elsewhere);
  rd.vpendbaser = (value | PENDING_LAST) & ~(DIRTY | DOORBELL);
  rd.resident = 1;
  rd.residentVpe = vpeId;
  rd.residentEntry = changetype<usize>(entry);
  rd.virtualGroups = groupsOf(value);
  entry.setResident(rd.cpu);
  entry.disarm();
  const end = vpeEnd(entry.mapping);
  const configTable = end > FIRST_LPI ? ramAt(entry.configTable, end - FIRST_LPI) : 0;
  const pendingTable = end > FIRST_LPI ? ramAt(vpePendingTable(entry.mapping), end >> 3) : 0;
  if (end > FIRST_LPI && (configTable == 0 || pendingTable == 0))
    report(Diagnostic.VIRTUAL_TABLE_OUTSIDE_RAM, rd.cpu);
  rd.virtualLpis.attach(end, configTable, pendingTable);
  rd.dirtyReads = machine().parseReads;
  count(Counter.SCHEDULED_IN);
  emit(Event.SCHEDULED_IN, rd.cpu);
}

/** A doorbell is requested by Doorbell=1, unless something is pending or PendingLast is written as 1. */
function scheduleOut(rd: Redistributor, value: u64): void {
  const entry = changetype<VpeConfiguration>(rd.residentEntry);
  const groups = rd.virtualGroups;
  const vlpiPending = (groups & 2) != 0 && !rd.virtualLpis.best.isEmpty;
  const pending = vlpiPending || bestVsgi(rd, groups) != NO_VSGI;
  const carelessly = (value & PENDING_LAST) != 0;
  rd.vpendbaser =
    (value & ~(PENDING_LAST | DIRTY | DOORBELL | GROUP_ENABLES)) |
    (rd.vpendbaser & GROUP_ENABLES) |
    (pending || carelessly ? PENDING_LAST : 0);
  if (entry.allocated) {
    entry.setNotResident();
    if ((value & DOORBELL) != 0 && !pending && !carelessly) entry.arm(groups);
  }
  rd.resident = 0;
  rd.residentEntry = 0;
  rd.virtualLpis.detach();
  touchVirtual(rd.cpu);
  rd.dirtyReads = machine().descheduleReads;
  count(Counter.SCHEDULED_OUT);
  emit(Event.SCHEDULED_OUT, rd.cpu, rd.vpendbaser & PENDING_LAST ? 1 : 0);
}

/** VGrp0En and VGrp1En as bits 0 and 1: VGrp0En is bit 59, VGrp1En bit 58. */
function groupsOf(value: u64): u32 {
  const fields = <u32>(value >> GROUP_ENABLES_SHIFT) & 3;
  return (fields >> 1) | ((fields & 1) << 1);
}

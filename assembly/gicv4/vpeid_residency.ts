// Residency of vPEs in the GICv4.1 layout: GICR_VPENDBASER holds a vPEID (sections 3.12, 7.6). All changes are done
// when the write is; Dirty is only shown for as many reads as the machine is told to.
import { Counter, Diagnostic, Event } from '../abi';
import { report } from '../diag/diagnostics';
import { emit } from '../diag/events';
import { NO_CPU } from '../gic/bank';
import { Redistributor, redistributorOf } from '../gic/redistributor';
import { vpeEnd, vpePendingTable } from '../its/tables';
import { count } from '../memory/counters';
import { machine } from '../memory/machine';
import { touchVirtual } from '../virt/outputs';
import { attachVlpis } from './residency';
import { countsForPendingLast } from './vlpi';
import { VpeConfiguration } from './vpe_configuration';
import { mappedConfiguration } from './vpe_table';
import { bestVsgi, NO_VSGI } from './vsgi';

const VALID: u64 = 1 << 63;
const DOORBELL: u64 = 1 << 62;
const PENDING_LAST: u64 = 1 << 61;
const DIRTY: u64 = 1 << 60;
const GROUP_ENABLES_SHIFT: u64 = 58;
const GROUP_ENABLES: u64 = 3 << 58;
const VPEID: u64 = 0xffff;
/** No vPEID: the vPE of a redistributor was taken away while Valid is still 1. */
const NO_VPE: u32 = 0xffffffff;

/** While a vPE is resident only Valid can change: anything else of a write is ignored. */
export function writeVpeResidency(rd: Redistributor, value: u64): void {
  const valid = (value & VALID) != 0;
  if (rd.dirtyReads && valid != (rd.resident != 0)) report(Diagnostic.VPENDBASER_WRITE_WHILE_DIRTY, rd.cpu);
  if (rd.resident) {
    // A deschedule may leave the group enables out.
    const kept = valid ? VPEID | GROUP_ENABLES : VPEID;
    if ((value ^ rd.vpendbaser) & kept) report(Diagnostic.VPE_CHANGED_WHILE_RESIDENT, rd.cpu);
    if (!valid) scheduleOut(rd, value);
  } else if (valid) scheduleIn(rd, value);
  else rd.vpendbaser = value & ~(DIRTY | DOORBELL);
}

/**
 * A vPEID that is not mapped, or too wide, is taken as if Valid were 0. A vPE that is resident elsewhere, which is
 * UNPREDICTABLE, is taken away from there: software runs it where it has made it resident last.
 */
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
  evict(entry, vpeId);
  rd.vpendbaser = (value | PENDING_LAST) & ~(DIRTY | DOORBELL);
  rd.resident = 1;
  rd.residentVpe = vpeId;
  rd.residentEntry = changetype<usize>(entry);
  rd.virtualGroups = groupsOf(value);
  entry.setResident(rd.cpu);
  entry.disarm();
  attachVlpis(rd, vpeEnd(entry.mapping), entry.configTable, vpePendingTable(entry.mapping));
}

/**
 * A doorbell is requested by Doorbell=1, unless something is pending or PendingLast is written as 1. It is requested
 * before that is known: what another thread makes pending meanwhile either rings or is found.
 */
function scheduleOut(rd: Redistributor, value: u64): void {
  const carelessly = (value & PENDING_LAST) != 0;
  const entry = changetype<VpeConfiguration>(rd.residentEntry);
  if (changetype<usize>(entry)) {
    entry.setNotResident();
    if ((value & DOORBELL) != 0 && !carelessly) entry.arm(rd.virtualGroups);
  }
  rd.virtualLpis.takeAllArrivals();
  const pending = hasPending(rd);
  if (pending && changetype<usize>(entry)) entry.disarm();
  const kept = rd.vpendbaser & (GROUP_ENABLES | VPEID);
  rd.vpendbaser = kept | (pending || carelessly ? PENDING_LAST : 0);
  rd.resident = 0;
  rd.residentEntry = 0;
  rd.virtualLpis.detach();
  touchVirtual(rd.cpu);
  rd.dirtyReads = machine().descheduleReads;
  count(Counter.SCHEDULED_OUT);
  emit(Event.SCHEDULED_OUT, rd.cpu, rd.vpendbaser & PENDING_LAST ? 1 : 0);
}

/** PendingLast: what is pending in a group that is forwarded, whatever the virtual CPU interface lets through. */
function hasPending(rd: Redistributor): bool {
  const groups = rd.virtualGroups;
  return ((groups & 2) != 0 && countsForPendingLast(rd.virtualLpis)) || bestVsgi(rd, groups) != NO_VSGI;
}

/**
 * Takes a vPE away from the redistributor that it is resident on, if any. There Valid stays 1 until software clears it,
 * but nothing is forwarded or pending any more.
 */
export function evict(entry: VpeConfiguration, vpeId: u32): void {
  const cpu = entry.residentCpu(vpeId);
  if (cpu == NO_CPU) return;
  const rd = redistributorOf(cpu);
  entry.setNotResident();
  rd.residentVpe = NO_VPE;
  rd.residentEntry = 0;
  rd.virtualLpis.detach();
  touchVirtual(cpu);
}

/** VGrp0En and VGrp1En as bits 0 and 1: VGrp0En is bit 59, VGrp1En bit 58. */
function groupsOf(value: u64): u32 {
  const fields = <u32>(value >> GROUP_ENABLES_SHIFT) & 3;
  return (fields >> 1) | ((fields & 1) << 1);
}

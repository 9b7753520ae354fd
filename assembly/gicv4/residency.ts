// Residency of vPEs in the GICv4.0 layout: GICR_VPROPBASER and GICR_VPENDBASER (sections 3.11, 3.12, 7.4, 7.5).
import { Choice, Counter, Diagnostic, Event, Policy } from '../abi';
import { report } from '../diag/diagnostics';
import { emit } from '../diag/events';
import { FIRST_LPI } from '../gic/intid';
import { tableEnd } from '../gic/lpi';
import { NOT_RESIDENT, Redistributor, redistributorOf } from '../gic/redistributor';
import { count } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { ramAt } from '../memory/ram';
import { countsForPendingLast } from './vlpi';

const VALID: u64 = 1 << 63;
const PENDING_LAST: u64 = 1 << 61;
const DIRTY: u64 = 1 << 60;
const CONFIG_ADDRESS: u64 = 0x000ffffffffff000;
const PENDING_ADDRESS: u64 = 0x000fffffffff0000;

/** Dirty reads as one for as many reads as the last change of residency takes. */
export function readVpendbaser(rd: Redistributor): u64 {
  return rd.dirtyReads ? rd.vpendbaser | DIRTY : rd.vpendbaser;
}

/** Software has read the register once. */
export function observeVpendbaser(rd: Redistributor): void {
  if (rd.dirtyReads) rd.dirtyReads--;
}

export function writeVpendbaser(rd: Redistributor, value: u64): void {
  const wasValid = rd.resident != 0;
  const valid = (value & VALID) != 0;
  if (wasValid && valid) {
    report(Diagnostic.VPE_CHANGED_WHILE_RESIDENT, rd.cpu);
    return;
  }
  if (valid && rd.dirtyReads) report(Diagnostic.VPENDBASER_WRITE_WHILE_DIRTY, rd.cpu);
  if (valid) scheduleIn(rd, value);
  else if (wasValid) scheduleOut(rd, value);
  else rd.vpendbaser = value & ~DIRTY;
}

/** The VM's configuration table changes while one of its vPEs is resident: UNPREDICTABLE. */
export function writeVpropbaser(rd: Redistributor, value: u64): void {
  if (rd.resident) {
    report(Diagnostic.VPROPBASER_WRITE_WHILE_RESIDENT, rd.cpu);
    if (policy(Policy.lpiTableWriteWhileEnabled) != Choice.LPI_TABLE_WRITE_ACCEPT) return;
  }
  rd.vpropbaser = value;
}

function scheduleIn(rd: Redistributor, value: u64): void {
  const table = value & PENDING_ADDRESS;
  reportSecondResidence(rd, table);
  rd.vpendbaser = (value | PENDING_LAST) & ~DIRTY;
  rd.resident = 1;
  const end = tableEnd(rd.vpropbaser);
  rd.hold(table, end);
  store<u32>(tagOf(rd.cpu), tableTag(table));
  attachVlpis(rd, end, rd.vpropbaser & CONFIG_ADDRESS, table);
}

/** Takes the tables of a vPE that has become resident into use. */
export function attachVlpis(rd: Redistributor, end: u32, configAddress: u64, pendingAddress: u64): void {
  const configTable = end > FIRST_LPI ? ramAt(configAddress, end - FIRST_LPI) : 0;
  const pendingTable = end > FIRST_LPI ? ramAt(pendingAddress, end >> 3) : 0;
  if (end > FIRST_LPI && (configTable == 0 || pendingTable == 0)) {
    report(Diagnostic.VIRTUAL_TABLE_OUTSIDE_RAM, rd.cpu);
  }
  rd.virtualLpis.attach(end, configTable, pendingTable);
  rd.dirtyReads = machine().parseReads;
  count(Counter.SCHEDULED_IN);
  emit(Event.SCHEDULED_IN, rd.cpu);
}

function scheduleOut(rd: Redistributor, value: u64): void {
  rd.letGo();
  rd.virtualLpis.takeAllArrivals();
  const pending = countsForPendingLast(rd.virtualLpis);
  rd.vpendbaser = (value & ~(PENDING_LAST | DIRTY)) | (pending ? PENDING_LAST : 0);
  rd.resident = 0;
  store<u32>(tagOf(rd.cpu), 0);
  rd.virtualLpis.detach();
  rd.dirtyReads = machine().descheduleReads;
  count(Counter.SCHEDULED_OUT);
  emit(Event.SCHEDULED_OUT, rd.cpu, rd.vpendbaser & PENDING_LAST ? 1 : 0);
}

/** A vPE on two redistributors at once is UNPREDICTABLE (section 7.1). */
function reportSecondResidence(rd: Redistributor, table: u64): void {
  if (!isTagged(tableTag(table))) return;
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    const other = redistributorOf(cpu);
    if (cpu != rd.cpu && other.residentEnd(table) != NOT_RESIDENT) {
      report(Diagnostic.VPE_RESIDENT_TWICE, rd.cpu, cpu);
    }
  }
}

/** Bits [47:16] of the address of a pending table; PEs without a resident vPE have 0. */
function tableTag(table: u64): u32 {
  return <u32>(table >> 16);
}

function tagOf(cpu: u32): usize {
  return machine().residentTables + ((<usize>cpu) << 2);
}

/** Whether any PE may have a pending table in use. The tags stand close together, so that few cache lines are read. */
function isTagged(tag: u32): bool {
  const m = machine();
  const end = tagOf(m.cpuCount);
  if (ASC_FEATURE_SIMD) {
    const wanted = i32x4.splat(<i32>tag);
    let found = i32x4.splat(0);
    for (let at = m.residentTables; at < end; at += 64) {
      const low = v128.or(i32x4.eq(v128.load(at), wanted), i32x4.eq(v128.load(at, 16), wanted));
      const high = v128.or(i32x4.eq(v128.load(at, 32), wanted), i32x4.eq(v128.load(at, 48), wanted));
      found = v128.or(found, v128.or(low, high));
    }
    return v128.any_true(found);
  }
  for (let at = m.residentTables; at < end; at += 4) {
    if (load<u32>(at) == tag) return true;
  }
  return false;
}

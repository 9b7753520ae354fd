// VMAPP in the GICv4.1 layout (section 6.15). What the redistributors of a group know of a vPE is in their vPE
// Configuration table: Alloc=1 makes that entry, or takes it away. Each ITS has its own mapping besides; where all of
// them share one table it differs only in whether it is there. (Section 11, item 4.)
import { Choice, Diagnostic, Outcome, Policy } from '../abi';
import { report } from '../diag/diagnostics';
import { NO_CPU } from '../gic/bank';
import { FIRST_LPI } from '../gic/intid';
import { redistributorOf } from '../gic/redistributor';
import { VpeConfiguration } from '../gicv4/vpe_configuration';
import { configurationAt, sharedWithIts } from '../gicv4/vpe_table';
import { evict } from '../gicv4/vpeid_residency';
import { machine, policy } from '../memory/machine';
import { ramAt } from '../memory/ram';
import { closeGate, openGate } from '../threads/gate';
import { COMMAND_FAULT, error } from './command_errors';
import * as decode from './decode';
import { Command, ErrorReason } from './decode';
import { Its, itsOf } from './its';
import { foundConfiguration, lookupVpe } from './lookup';
import { FAULT, UNMAPPED, vpeCapacity, vpeEnd, vpeEntry, vpeEntryAt, vpePendingTable } from './tables';
import { isDoorbell } from './vpe_commands';

export function vmapp41(its: Its, at: usize): u32 {
  const vpeId = decode.vpeId(at);
  if (<u64>vpeId >= vpeCapacity(its)) return error(Command.VMAPP, ErrorReason.VPE_OUT_OF_RANGE);
  const entryAt = vpeEntryAt(its, vpeId);
  if (entryAt == FAULT) return COMMAND_FAULT;
  if (entryAt == UNMAPPED) return error(Command.VMAPP, ErrorReason.VPE_OUT_OF_RANGE);
  closeGate();
  let failed: u32 = 0;
  if (decode.valid(at)) failed = mapVpe(its, at, vpeId, entryAt);
  else unmapVpe(its, decode.allocates(at), vpeId, entryAt);
  openGate();
  return failed;
}

/** Alloc=1 of a vPE that is allocated starts it anew; Alloc=0 of one that is not allocates it. Both are reported. */
function mapVpe(its: Its, at: usize, vpeId: u32, entryAt: usize): u32 {
  const cpu = decode.vpeTarget(at);
  if (cpu == NO_CPU || decode.vptSize(at) >= machine().intidBits) {
    return error(Command.VMAPP, ErrorReason.SIZE_OUT_OF_RANGE);
  }
  if (!isDoorbell(decode.defaultDoorbell(at))) return error(Command.VMAPP, ErrorReason.DOORBELL_OUT_OF_RANGE);
  const rd = redistributorOf(cpu);
  const configurationPlace = configurationAt(rd, vpeId);
  if (configurationPlace == FAULT) return COMMAND_FAULT;
  if (configurationPlace == UNMAPPED) return error(Command.VMAPP, ErrorReason.VPE_OUT_OF_RANGE);
  if (sharedWithIts(rd) && configurationPlace != entryAt) {
    report(Diagnostic.VPE_TABLE_NOT_SHARED, its.number, vpeId, cpu);
  }
  if (configurationPlace != entryAt) releaseOverwritten(entryAt, vpeId);
  const entry = changetype<VpeConfiguration>(configurationPlace);
  const mapping = vpeEntry(cpu, decode.vptAddress(at), decode.vptSize(at));
  if (decode.allocates(at) == entry.live) {
    report(decode.allocates(at) ? Diagnostic.VPE_REMAPPED : Diagnostic.VPE_NOT_ALLOCATED, its.number, vpeId);
  }
  if (decode.allocates(at) || !entry.live) allocate(its, at, vpeId, entry, mapping);
  else if (!agrees(at, entry, mapping)) report(Diagnostic.VPE_MAPPING_MISMATCH, its.number, vpeId);
  store<u64>(entryAt, entry.mapping);
  its.setMapsVpe(vpeId, true);
  return 0;
}

/** What a group knows of the vPE by the entry that this mapping to another group is about to overwrite. */
function releaseOverwritten(entryAt: usize, vpeId: u32): void {
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    if (configurationAt(redistributorOf(cpu), vpeId) != entryAt) continue;
    const entry = changetype<VpeConfiguration>(entryAt);
    if (!entry.live) return;
    evict(entry, vpeId);
    entry.release();
    return;
  }
}

function allocate(its: Its, at: usize, vpeId: u32, entry: VpeConfiguration, mapping: u64): void {
  if (entry.live) evict(entry, vpeId);
  unmapElsewhere(its, vpeId);
  if (decode.pendingTableZero(at)) takePendingTableForZero(its, vpeId, mapping);
  entry.allocate(mapping, decode.vconfAddress(at), decode.defaultDoorbell(at));
}

/** A further ITS must say what the first one has said; where it doesn't, the first one counts. */
function agrees(at: usize, entry: VpeConfiguration, mapping: u64): bool {
  return (
    entry.mapping == mapping &&
    entry.configTable == decode.vconfAddress(at) &&
    entry.defaultDoorbell == decode.defaultDoorbell(at)
  );
}

/** PTZ=1 promised an all-zero table; what is there all the same is not looked at and gets lost. */
function takePendingTableForZero(its: Its, vpeId: u32, mapping: u64): void {
  if (policy(Policy.pendingTableZero) == Choice.PENDING_TABLE_ZERO_IGNORE) return;
  const bytes = vpeEnd(mapping) >> 3;
  const start = ramAt(vpePendingTable(mapping), bytes);
  if (start == 0 || vpeEnd(mapping) < FIRST_LPI) return;
  for (let at = start; at < start + bytes; at += 8) {
    if (load<u64>(at) == 0) continue;
    report(Diagnostic.VPE_PENDING_TABLE_NOT_ZERO, its.number, vpeId);
    memory.fill(start, 0, bytes);
    return;
  }
}

/** A vPE that this ITS has not mapped stays as it is. Alloc=1 ends the mappings of all ITSs. */
function unmapVpe(its: Its, release: bool, vpeId: u32, entryAt: usize): void {
  if (lookupVpe(its, vpeId) != Outcome.PENDING) {
    its.setMapsVpe(vpeId, false);
    return;
  }
  const entry = foundConfiguration;
  const others = mappedElsewhere(its, vpeId);
  its.setMapsVpe(vpeId, false);
  // The table's entry can be that of other ITSs too, even where the configuration is in another group's table.
  if (!release) {
    if (!others) report(Diagnostic.VPE_NOT_RELEASED, its.number, vpeId);
    return;
  }
  if (others) report(Diagnostic.VPE_RELEASED_WHILE_MAPPED, its.number, vpeId);
  const cpu = entry.residentCpu(vpeId);
  if (cpu != NO_CPU) report(Diagnostic.VPE_UNMAPPED_WHILE_RESIDENT, its.number, vpeId, cpu);
  evict(entry, vpeId);
  unmapElsewhere(its, vpeId);
  entry.release();
  store<u64>(entryAt, 0);
}

function mappedElsewhere(its: Its, vpeId: u32): bool {
  for (let n: u32 = 0; n < machine().itsCount; n++) {
    if (n != its.number && itsOf(n).mapsVpe(vpeId)) return true;
  }
  return false;
}

function unmapElsewhere(its: Its, vpeId: u32): void {
  for (let n: u32 = 0; n < machine().itsCount; n++) {
    if (n != its.number) itsOf(n).setMapsVpe(vpeId, false);
  }
}

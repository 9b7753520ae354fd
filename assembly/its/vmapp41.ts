// VMAPP in the GICv4.1 layout, and the commands that only GICv4.1 has: VSGI and INVDB (sections 6.15, 6.22, 6.23).
import { Diagnostic, Outcome } from '../abi';
import { report } from '../diag/diagnostics';
import { NO_CPU } from '../gic/bank';
import { redistributorOf } from '../gic/redistributor';
import { configurationAt, configurationOf, VpeConfiguration } from '../gicv4/vpe_configuration';
import { clearPendingVsgi, configureVsgi, setPendingVsgi } from '../gicv4/vsgi';
import { machine } from '../memory/machine';
import { COMMAND_FAULT, error } from './command_errors';
import * as decode from './decode';
import { Command, ErrorReason } from './decode';
import { Its } from './its';
import { foundVpe, lookupVpe } from './lookup';
import { FAULT, isMappedVpe, UNMAPPED, vpeCapacity, vpeCpu, vpeEntry, vpeEntryAt } from './tables';
import { isDoorbell, requireVpe } from './vpe_commands';

/**
 * 6.15. Alloc=1 makes the vPE's entry at the redistributors, or takes it away; without it only this ITS gains or drops
 * its mapping. Where ITS and redistributors share one table there is one mapping for all ITSs, and only Alloc=1 ends it.
 */
export function vmapp41(its: Its, at: usize): u32 {
  const vpeId = decode.vpeId(at);
  if (<u64>vpeId >= vpeCapacity(its)) return error(Command.VMAPP, ErrorReason.VPE_OUT_OF_RANGE);
  const entryAt = vpeEntryAt(its, vpeId);
  if (entryAt == FAULT) return COMMAND_FAULT;
  if (entryAt == UNMAPPED) return error(Command.VMAPP, ErrorReason.VPE_OUT_OF_RANGE);
  return decode.valid(at) ? mapVpe(its, at, vpeId, entryAt) : unmapVpe(its, at, vpeId, entryAt);
}

function mapVpe(its: Its, at: usize, vpeId: u32, entryAt: usize): u32 {
  const cpu = decode.target(at, 2);
  if (cpu == NO_CPU || decode.vptSize(at) >= machine().intidBits) {
    return error(Command.VMAPP, ErrorReason.SIZE_OUT_OF_RANGE);
  }
  if (!isDoorbell(decode.defaultDoorbell(at))) return error(Command.VMAPP, ErrorReason.DOORBELL_OUT_OF_RANGE);
  const configAt = configurationAt(redistributorOf(cpu), vpeId);
  if (configAt == FAULT) return COMMAND_FAULT;
  if (configAt == UNMAPPED) return error(Command.VMAPP, ErrorReason.VPE_OUT_OF_RANGE);
  const entry = changetype<VpeConfiguration>(configAt);
  const mapping = vpeEntry(cpu, decode.vptAddress(at), decode.vptSize(at));
  if (decode.allocates(at) == entry.allocated) {
    report(decode.allocates(at) ? Diagnostic.VPE_REMAPPED : Diagnostic.VPE_NOT_ALLOCATED, its.number, vpeId);
  }
  if (decode.allocates(at) || !entry.allocated) {
    entry.allocate(mapping, decode.vconfAddress(at), decode.defaultDoorbell(at));
  }
  store<u64>(entryAt, mapping);
  return 0;
}

function unmapVpe(its: Its, at: usize, vpeId: u32, entryAt: usize): u32 {
  const old = load<u64>(entryAt);
  if (!isMappedVpe(old)) return 0;
  const entry = configurationOf(old, vpeId);
  const shared = changetype<usize>(entry) == entryAt;
  if (decode.allocates(at) && changetype<usize>(entry)) {
    const cpu = entry.residentCpu(vpeId);
    if (cpu != NO_CPU) report(Diagnostic.VPE_UNMAPPED_WHILE_RESIDENT, its.number, vpeId, cpu);
    entry.release();
  }
  if (!shared) store<u64>(entryAt, 0);
  return 0;
}

/** 6.22: Clear=1 clears the pending state only, Clear=0 writes the configuration only. */
export function vsgi(its: Its, at: usize): u32 {
  const vpeId = decode.vpeId(at);
  const failed = requireVpe(its, vpeId, Command.VSGI);
  if (failed) return failed;
  const entry = configurationOf(foundVpe, vpeId);
  if (changetype<usize>(entry) == 0) return error(Command.VSGI, ErrorReason.VPE_UNMAPPED);
  const intid = decode.vsgiIntid(at);
  if (decode.vsgiClears(at)) clearPendingVsgi(entry, vpeId, intid);
  else
    configureVsgi(entry, vpeId, intid, decode.vsgiEnable(at), decode.vsgiGroup(at), decode.vsgiPriority(at));
  return 0;
}

/** 6.23: the cached configuration of the vPE's default doorbell is read again. */
export function invdb(its: Its, at: usize): u32 {
  const vpeId = decode.vpeId(at);
  const failed = requireVpe(its, vpeId, Command.INVDB);
  if (failed) return failed;
  const entry = configurationOf(foundVpe, vpeId);
  if (changetype<usize>(entry) == 0) return error(Command.INVDB, ErrorReason.VPE_UNMAPPED);
  redistributorOf(vpeCpu(foundVpe)).physicalLpis.invalidate(entry.defaultDoorbell);
  return 0;
}

/** GITS_SGIR (section 5.12): a vSGI for a vPE that is not mapped is dropped. */
export function sendVsgi(its: Its, vpeId: u32, intid: u32): void {
  const mapped = lookupVpe(its, vpeId) == Outcome.PENDING;
  const entry = mapped ? configurationOf(foundVpe, vpeId) : changetype<VpeConfiguration>(0);
  if (changetype<usize>(entry) == 0) report(Diagnostic.VSGI_DROPPED, its.number, vpeId, intid);
  else setPendingVsgi(entry, vpeId, intid);
}

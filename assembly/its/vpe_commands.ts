// GICv4 commands: VMAPP of GICv4.0, VMAPTI, VMAPI, VMOVI, VINVALL, VSYNC, INVDB (sections 6.14, 6.16-6.18, 6.20, 6.21,
// 6.23).
import { Choice, Counter, Diagnostic, Feature, Outcome, Policy } from '../abi';
import { report } from '../diag/diagnostics';
import { NO_CPU } from '../gic/bank';
import { FIRST_LPI } from '../gic/intid';
import { redistributorOf } from '../gic/redistributor';
import { NO_DOORBELL } from '../gicv4/default_doorbell';
import { canHoldVlpi, clearPendingVlpi, invalidateVpe, residence, setPendingVlpi } from '../gicv4/vlpi';
import { VpeConfiguration } from '../gicv4/vpe_configuration';
import { count } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { loadShared, storeShared } from '../memory/shared_words';
import { awaitEvent, awaitTranslations } from '../threads/gate';
import { COMMAND_FAULT, error, lookupError } from './command_errors';
import * as decode from './decode';
import { Command, ErrorReason } from './decode';
import { Its } from './its';
import {
  foundAt,
  foundConfiguration,
  foundEntry,
  foundVpe,
  lookupEvent,
  lookupInterrupt,
  lookupVpe,
} from './lookup';
import {
  FAULT,
  interruptDoorbell,
  interruptIntid,
  interruptVpe,
  isMappedVpe,
  isValid,
  isVirtual,
  UNMAPPED,
  virtualInterruptEntry,
  vpeCapacity,
  vpeEnd,
  vpeEntry,
  vpeEntryAt,
  vpePendingTable,
} from './tables';

/** 6.14: with V=0 everything but the vPEID is ignored. */
export function vmapp(its: Its, at: usize): u32 {
  const vpeId = decode.vpeId(at);
  if (<u64>vpeId >= vpeCapacity(its)) return error(Command.VMAPP, ErrorReason.VPE_OUT_OF_RANGE);
  const entryAt = vpeEntryAt(its, vpeId);
  if (entryAt == FAULT) return COMMAND_FAULT;
  if (entryAt == UNMAPPED) return error(Command.VMAPP, ErrorReason.VPE_OUT_OF_RANGE);
  const old = loadShared(entryAt);
  if (!decode.valid(at)) {
    if (isMappedVpe(old)) {
      reportResident(Diagnostic.VPE_UNMAPPED_WHILE_RESIDENT, its, vpeId, old, foundConfiguration);
    }
    storeShared(entryAt, 0);
    awaitTranslations();
    return 0;
  }
  const cpu = decode.vpeTarget(at);
  if (cpu == NO_CPU || decode.vptSize(at) >= machine().intidBits) {
    return error(Command.VMAPP, ErrorReason.SIZE_OUT_OF_RANGE);
  }
  if (isValid(old)) report(Diagnostic.VPE_REMAPPED, its.number, vpeId);
  storeShared(entryAt, vpeEntry(cpu, decode.vptAddress(at), decode.vptSize(at)));
  awaitTranslations();
  return 0;
}

/** 6.16 and 6.17: that the vPE is mapped is checked at delivery. */
export function vmapti(its: Its, at: usize, vintid: u32, command: Command): u32 {
  const deviceId = decode.deviceId(at);
  const eventId = decode.eventId(at);
  const vpeId = decode.vpeId(at);
  const outcome = lookupEvent(its, deviceId, eventId);
  if (outcome != Outcome.PENDING) return lookupError(command, outcome);
  if (vintid < FIRST_LPI || vintid >= machine().lpiLimit)
    return error(command, ErrorReason.INTID_OUT_OF_RANGE);
  const doorbell = decode.doorbell(at);
  if (!isIndividualDoorbell(doorbell)) return error(command, ErrorReason.DOORBELL_OUT_OF_RANGE);
  if (<u64>vpeId >= vpeCapacity(its)) return error(command, ErrorReason.VPE_OUT_OF_RANGE);
  const remaps = isValid(loadShared(foundAt));
  if (remaps) {
    report(Diagnostic.REMAPPED_EVENT, its.number, deviceId, eventId);
    if (policy(Policy.maptiRemap) == Choice.REMAP_IGNORE) return 0;
  }
  storeShared(foundAt, virtualInterruptEntry(vintid, vpeId, doorbell));
  if (remaps) awaitEvent(deviceId, eventId);
  return 0;
}

/** 6.18: a pending VLPI moves along; with the same vPE only the doorbell changes. */
export function vmovi(its: Its, at: usize): u32 {
  const outcome = lookupInterrupt(its, decode.deviceId(at), decode.eventId(at));
  if (outcome != Outcome.PENDING) return lookupError(Command.VMOVI, outcome);
  const entryAt = foundAt;
  const entry = foundEntry;
  if (!isVirtual(entry)) return error(Command.VMOVI, ErrorReason.INTERRUPT_UNMAPPED);
  const replaces = decode.doorbellValid(at);
  if (replaces && !isIndividualDoorbell(decode.doorbell(at)))
    return error(Command.VMOVI, ErrorReason.DOORBELL_OUT_OF_RANGE);
  const vpeId = decode.vpeId(at);
  const failed = requireVpe(its, vpeId, Command.VMOVI);
  if (failed) return failed;
  const newVpe = foundVpe;
  const newConfiguration = foundConfiguration;
  const oldFailed = requireVpe(its, interruptVpe(entry), Command.VMOVI);
  if (oldFailed) return oldFailed;
  const oldVpe = foundVpe;
  const oldConfiguration = foundConfiguration;
  const vintid = interruptIntid(entry);
  if (vintid >= vpeEnd(newVpe) || vintid >= vpeEnd(oldVpe)) {
    return error(Command.VMOVI, ErrorReason.INTID_OUT_OF_RANGE);
  }
  const doorbell = replaces ? decode.doorbell(at) : interruptDoorbell(entry);
  const moves = vpePendingTable(oldVpe) != vpePendingTable(newVpe);
  if (moves && !canHoldVlpi(newVpe, vpeId, newConfiguration, vintid)) return COMMAND_FAULT;
  storeShared(entryAt, virtualInterruptEntry(vintid, vpeId, doorbell));
  if (!moves) return 0;
  awaitEvent(decode.deviceId(at), decode.eventId(at));
  if (clearPendingVlpi(oldVpe, interruptVpe(entry), oldConfiguration, vintid)) {
    const outcome = setPendingVlpi(newVpe, vpeId, newConfiguration, vintid, doorbell, true);
    // Pending there already, so that two become one, or beyond what the resident vPE takes.
    if (outcome != Outcome.PENDING) count(Counter.VLPIS_CLEARED);
  }
  return 0;
}

/** 6.20. */
export function vinvall(its: Its, at: usize): u32 {
  const failed = requireVpe(its, decode.vpeId(at), Command.VINVALL);
  if (failed) return failed;
  invalidateVpe(foundVpe, decode.vpeId(at), foundConfiguration);
  return 0;
}

/** 6.21: as SYNC. */
export function vsync(its: Its, at: usize): u32 {
  awaitTranslations();
  return policy(Policy.checkSyncOperands) ? requireVpe(its, decode.vpeId(at), Command.VSYNC) : 0;
}

/**
 * 6.23: the cached configuration of the vPE's default doorbell is read again, on all redistributors: on one that the
 * vPE was moved away from the doorbell can still be pending.
 */
export function invdb(its: Its, at: usize): u32 {
  const failed = requireVpe(its, decode.vpeId(at), Command.INVDB);
  if (failed) return failed;
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    redistributorOf(cpu).physicalLpis.invalidate(foundConfiguration.defaultDoorbell);
  }
  return 0;
}

/** Finds a mapped vPE: 0, or the error. */
export function requireVpe(its: Its, vpeId: u32, command: Command): u32 {
  if (<u64>vpeId >= vpeCapacity(its)) return error(command, ErrorReason.VPE_OUT_OF_RANGE);
  const outcome = lookupVpe(its, vpeId);
  return outcome == Outcome.PENDING ? 0 : lookupError(command, outcome);
}

/** Whether an INTID may stand for a doorbell: an LPI, or 1023 for none. */
export function isDoorbell(intid: u32): bool {
  return intid == NO_DOORBELL || (intid >= FIRST_LPI && intid < machine().lpiLimit);
}

/** Whether an INTID may stand for the doorbell of an event: with GITS_TYPER.nID=1 events have none of their own. */
function isIndividualDoorbell(intid: u32): bool {
  return intid == NO_DOORBELL || (isDoorbell(intid) && machine().has(Feature.INDIVIDUAL_DOORBELLS));
}

/** Reports what must not be done to a resident vPE. */
export function reportResident(
  code: Diagnostic,
  its: Its,
  vpeId: u32,
  vte: u64,
  configuration: VpeConfiguration,
): void {
  const cpu = residence(vte, vpeId, configuration);
  if (cpu != NO_CPU) report(code, its.number, vpeId, cpu);
}

// GICv4 commands: VMAPP, VMAPTI, VMAPI, VMOVI, VMOVP, VINVALL, VSYNC (sections 6.14, 6.16-6.21).
import { Choice, Diagnostic, Feature, Outcome, Policy } from '../abi';
import { report } from '../diag/diagnostics';
import { NO_CPU } from '../gic/bank';
import { FIRST_LPI } from '../gic/intid';
import { redistributorOf } from '../gic/redistributor';
import { NO_DOORBELL } from '../gicv4/default_doorbell';
import { clearPendingVlpi, invalidateVpe, residence, setPendingVlpi } from '../gicv4/vlpi';
import { configurationAt, configurationOf, VpeConfiguration } from '../gicv4/vpe_configuration';
import { machine, policy } from '../memory/machine';
import { COMMAND_FAULT, COMMAND_WAITS, error, lookupError } from './command_errors';
import * as decode from './decode';
import { Command, ErrorReason } from './decode';
import { Its, itsOf } from './its';
import { foundAt, foundEntry, foundVpe, foundVpeAt, lookupEvent, lookupInterrupt, lookupVpe } from './lookup';
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
  vpeCpu,
  vpeEnd,
  vpeEntry,
  vpeEntryAt,
  vpePendingTable,
  withVpeCpu,
} from './tables';

/** 6.14: with V=0 everything but the vPEID is ignored. */
export function vmapp(its: Its, at: usize): u32 {
  const vpeId = decode.vpeId(at);
  if (<u64>vpeId >= vpeCapacity(its)) return error(Command.VMAPP, ErrorReason.VPE_OUT_OF_RANGE);
  const entryAt = vpeEntryAt(its, vpeId);
  if (entryAt == FAULT) return COMMAND_FAULT;
  if (entryAt == UNMAPPED) return error(Command.VMAPP, ErrorReason.VPE_OUT_OF_RANGE);
  const old = load<u64>(entryAt);
  if (!decode.valid(at)) {
    if (isMappedVpe(old)) reportResident(Diagnostic.VPE_UNMAPPED_WHILE_RESIDENT, its, vpeId, old);
    store<u64>(entryAt, 0);
    return 0;
  }
  const cpu = decode.target(at, 2);
  if (cpu == NO_CPU || decode.vptSize(at) >= machine().intidBits) {
    return error(Command.VMAPP, ErrorReason.SIZE_OUT_OF_RANGE);
  }
  if (isValid(old)) report(Diagnostic.VPE_REMAPPED, its.number, vpeId);
  store<u64>(entryAt, vpeEntry(cpu, decode.vptAddress(at), decode.vptSize(at)));
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
  if (!isDoorbell(doorbell) || !hasIndividualDoorbell(doorbell)) {
    return error(command, ErrorReason.DOORBELL_OUT_OF_RANGE);
  }
  if (<u64>vpeId >= vpeCapacity(its)) return error(command, ErrorReason.VPE_OUT_OF_RANGE);
  if (isValid(load<u64>(foundAt))) {
    report(Diagnostic.REMAPPED_EVENT, its.number, deviceId, eventId);
    if (policy(Policy.maptiRemap) == Choice.REMAP_IGNORE) return 0;
  }
  store<u64>(foundAt, virtualInterruptEntry(vintid, vpeId, doorbell));
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
  if (replaces && !isDoorbell(decode.doorbell(at)))
    return error(Command.VMOVI, ErrorReason.DOORBELL_OUT_OF_RANGE);
  const vpeId = decode.vpeId(at);
  const failed = requireVpe(its, vpeId, Command.VMOVI);
  if (failed) return failed;
  const newVpe = foundVpe;
  const oldFailed = requireVpe(its, interruptVpe(entry), Command.VMOVI);
  if (oldFailed) return oldFailed;
  const oldVpe = foundVpe;
  const vintid = interruptIntid(entry);
  if (vintid >= vpeEnd(newVpe) || vintid >= vpeEnd(oldVpe)) {
    return error(Command.VMOVI, ErrorReason.INTID_OUT_OF_RANGE);
  }
  const doorbell = replaces ? decode.doorbell(at) : interruptDoorbell(entry);
  store<u64>(entryAt, virtualInterruptEntry(vintid, vpeId, doorbell));
  const moves = vpePendingTable(oldVpe) != vpePendingTable(newVpe);
  if (moves && clearPendingVlpi(oldVpe, interruptVpe(entry), vintid)) {
    setPendingVlpi(newVpe, vpeId, vintid, doorbell);
  }
  return 0;
}

/** 6.19. */
export function vmovp(its: Its, at: usize): u32 {
  if (its.moved) {
    its.moved = 0;
    return 0;
  }
  const vpeId = decode.vpeId(at);
  const failed = requireVpe(its, vpeId, Command.VMOVP);
  if (failed) return failed;
  const cpu = decode.target(at, 2);
  if (cpu == NO_CPU) return error(Command.VMOVP, ErrorReason.SIZE_OUT_OF_RANGE);
  const doorbellReplaced = machine().has(Feature.GICV4_1) && decode.replacesDefaultDoorbell(at);
  if (doorbellReplaced && !isDoorbell(decode.movedDefaultDoorbell(at))) {
    return error(Command.VMOVP, ErrorReason.DOORBELL_OUT_OF_RANGE);
  }
  if (machine().has(Feature.GICV4_1)) {
    const moveFailed = moveConfiguration(foundVpe, vpeId, cpu);
    if (moveFailed) return moveFailed;
    const entry = configurationAt(redistributorOf(cpu), vpeId);
    if (doorbellReplaced)
      changetype<VpeConfiguration>(entry).defaultDoorbell = decode.movedDefaultDoorbell(at);
  }
  if (machine().has(Feature.VMOVP_ON_ANY_ITS)) {
    for (let n: u32 = 0; n < machine().itsCount; n++) moveVpe(itsOf(n), vpeId, cpu);
    return 0;
  }
  return moveTogether(its, decode.moveKey(at), vpeId, cpu);
}

/**
 * The protocol of several ITSs: each one waits with the command until all ITSs of the ITSList have reached the
 * VMOVP with the same SequenceNumber, then all perform it.
 */
function moveTogether(its: Its, key: u32, vpeId: u32, cpu: u32): u32 {
  its.moving = 1;
  its.moveKey = key;
  its.moveVpe = vpeId;
  its.moveCpu = cpu;
  const list = key & 0xffff;
  // A listed ITS that does not exist never comes.
  if (list >> machine().itsCount) return COMMAND_WAITS;
  for (let n: u32 = 0; n < machine().itsCount; n++) {
    if (((list >> n) & 1) == 0 || n == its.number) continue;
    const partner = itsOf(n);
    if (!partner.moving) return COMMAND_WAITS;
    if (partner.moveKey == key && partner.moveVpe == vpeId && partner.moveCpu == cpu) continue;
    // A partner that waits for other ITSs first will come to this command; one that waits for this ITS can't.
    if ((partner.moveKey >> its.number) & 1)
      report(Diagnostic.VMOVP_MISMATCH, its.number, n, key, partner.moveKey, vpeId);
    return COMMAND_WAITS;
  }
  for (let n: u32 = 0; n < machine().itsCount; n++) {
    if (((list >> n) & 1) == 0 && n != its.number) continue;
    const partner = itsOf(n);
    moveVpe(partner, vpeId, cpu);
    partner.moving = 0;
    if (n != its.number) partner.moved = 1;
  }
  return 0;
}

/** GICv4.1: a PE of another group has another vPE Configuration table, which takes the vPE's entry over. */
function moveConfiguration(vte: u64, vpeId: u32, cpu: u32): u32 {
  const from = configurationOf(vte, vpeId);
  const to = configurationAt(redistributorOf(cpu), vpeId);
  if (to == FAULT) return COMMAND_FAULT;
  if (to == UNMAPPED || changetype<usize>(from) == 0) return error(Command.VMOVP, ErrorReason.VPE_UNMAPPED);
  if (changetype<usize>(from) != to) {
    memory.copy(to, changetype<usize>(from), offsetof<VpeConfiguration>());
    from.release();
  }
  const entry = changetype<VpeConfiguration>(to);
  entry.mapping = withVpeCpu(entry.mapping, cpu);
  return 0;
}

/** Sends the VLPIs of a vPE to another PE from now on; its pending table stays where it is. */
function moveVpe(its: Its, vpeId: u32, cpu: u32): void {
  if (lookupVpe(its, vpeId) != Outcome.PENDING) return;
  if (vpeCpu(foundVpe) != cpu) reportResident(Diagnostic.VPE_MOVED_WHILE_RESIDENT, its, vpeId, foundVpe);
  store<u64>(foundVpeAt, withVpeCpu(foundVpe, cpu));
}

/** 6.20. */
export function vinvall(its: Its, at: usize): u32 {
  const failed = requireVpe(its, decode.vpeId(at), Command.VINVALL);
  if (failed) return failed;
  invalidateVpe(foundVpe, decode.vpeId(at));
  return 0;
}

/** 6.21: all effects of earlier commands are visible already. */
export function vsync(its: Its, at: usize): u32 {
  return policy(Policy.checkSyncOperands) ? requireVpe(its, decode.vpeId(at), Command.VSYNC) : 0;
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

/** With GITS_TYPER.nID=1 an event has no doorbell of its own. */
function hasIndividualDoorbell(intid: u32): bool {
  return intid == NO_DOORBELL || machine().has(Feature.INDIVIDUAL_DOORBELLS);
}

function reportResident(code: Diagnostic, its: Its, vpeId: u32, vte: u64): void {
  const cpu = residence(vte, vpeId);
  if (cpu != NO_CPU) report(code, its.number, vpeId, cpu);
}

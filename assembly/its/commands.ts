// Execution of ITS commands (sections 6.2 to 6.13). A command returns 0, or how it failed and has then changed nothing.
import { Choice, Counter, Diagnostic, Feature, Outcome, Policy } from '../abi';
import { report } from '../diag/diagnostics';
import { NO_CPU } from '../gic/bank';
import { FIRST_LPI } from '../gic/intid';
import { redistributorOf } from '../gic/redistributor';
import { clearPendingVlpi, invalidateVlpi } from '../gicv4/vlpi';
import { count, countMany } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { loadShared, storeShared } from '../memory/shared_words';
import { awaitDevice, awaitEvent, awaitTranslations } from '../threads/gate';
import { COMMAND_FAULT, COMMAND_UNKNOWN, error, lookupError } from './command_errors';
import * as decode from './decode';
import { Command, ErrorReason } from './decode';
import { Its } from './its';
import {
  foundAt,
  foundCollection,
  foundConfiguration,
  foundEntry,
  foundVpe,
  lookupCollection,
  lookupEvent,
  lookupInterrupt,
  lookupVpe,
} from './lookup';
import {
  collectionCapacity,
  collectionCpu,
  collectionEntry,
  collectionEntryAt,
  deviceCapacity,
  deviceEntry,
  deviceEntryAt,
  FAULT,
  interruptEntry,
  interruptIcid,
  interruptIntid,
  interruptVpe,
  isMappedInterrupt,
  isValid,
  isVirtual,
  UNMAPPED,
  withIcid,
} from './tables';
import { injectEvent } from './translation';
import { vmapp41 } from './vmapp41';
import { vmovp } from './vmovp';
import { invdb, vinvall, vmapp, vmapti, vmovi, vsync } from './vpe_commands';
import { vsgi } from './vsgi_commands';

/** Executes the command at a linear address. */
export function execute(its: Its, at: usize): u32 {
  switch (decode.commandNumber(at)) {
    case Command.MAPD:
      return mapd(its, at);
    case Command.MAPC:
      return mapc(its, at);
    case Command.MAPTI:
      return mapti(its, at, decode.pIntid(at), Command.MAPTI);
    case Command.MAPI:
      return mapti(its, at, decode.eventId(at), Command.MAPI);
    case Command.MOVI:
      return movi(its, at);
    case Command.MOVALL:
      return movall(at);
    case Command.INT:
      return int(its, at);
    case Command.CLEAR:
      return clear(its, at);
    case Command.DISCARD:
      return discard(its, at);
    case Command.INV:
      return inv(its, at);
    case Command.INVALL:
      return invall(its, at);
    case Command.SYNC:
      return sync(at);
    default:
      return its.isVirtual ? executeVirtual(its, at) : COMMAND_UNKNOWN;
  }
}

/** Commands that an ITS of GICv4 has besides. */
function executeVirtual(its: Its, at: usize): u32 {
  switch (decode.commandNumber(at)) {
    case Command.VMAPP:
      return machine().has(Feature.GICV4_1) ? vmapp41(its, at) : vmapp(its, at);
    case Command.VMAPTI:
      return vmapti(its, at, decode.vIntid(at), Command.VMAPTI);
    case Command.VMAPI:
      return vmapti(its, at, decode.eventId(at), Command.VMAPI);
    case Command.VMOVI:
      return vmovi(its, at);
    case Command.VMOVP:
      return vmovp(its, at);
    case Command.VINVALL:
      return vinvall(its, at);
    case Command.VSYNC:
      return vsync(its, at);
    case Command.VSGI:
      return machine().has(Feature.VIRTUAL_SGIS) ? vsgi(its, at) : COMMAND_UNKNOWN;
    case Command.INVDB:
      return machine().has(Feature.GICV4_1) ? invdb(its, at) : COMMAND_UNKNOWN;
    default:
      return COMMAND_UNKNOWN;
  }
}

/** 6.2: with V=0 the size does not matter, and a device that is not mapped may be unmapped. */
function mapd(its: Its, at: usize): u32 {
  const deviceId = decode.deviceId(at);
  const valid = decode.valid(at);
  if (<u64>deviceId >= deviceCapacity(its)) return error(Command.MAPD, ErrorReason.DEVICE_OUT_OF_RANGE);
  if (valid && decode.ittSize(at) >= machine().eventIdBits)
    return error(Command.MAPD, ErrorReason.SIZE_OUT_OF_RANGE);
  const entryAt = deviceEntryAt(its, deviceId);
  if (entryAt == FAULT) return COMMAND_FAULT;
  if (entryAt == UNMAPPED) return error(Command.MAPD, ErrorReason.DEVICE_OUT_OF_RANGE);
  storeShared(entryAt, valid ? deviceEntry(decode.ittAddress(at), decode.ittSize(at)) : 0);
  awaitDevice(deviceId);
  return 0;
}

/** 6.3: with V=0 RDbase does not matter. Pending state is not moved. */
function mapc(its: Its, at: usize): u32 {
  const icid = decode.icid(at);
  const valid = decode.valid(at);
  if (<u64>icid >= collectionCapacity(its)) return error(Command.MAPC, ErrorReason.COLLECTION_OUT_OF_RANGE);
  const cpu = valid ? decode.target(at, 2) : 0;
  if (cpu == NO_CPU) return error(Command.MAPC, ErrorReason.SIZE_OUT_OF_RANGE);
  const entryAt = collectionEntryAt(its, icid);
  if (entryAt == FAULT) return COMMAND_FAULT;
  if (entryAt == UNMAPPED) return error(Command.MAPC, ErrorReason.COLLECTION_OUT_OF_RANGE);
  storeShared(entryAt, valid ? collectionEntry(cpu) : 0);
  awaitTranslations();
  return 0;
}

/** 6.4 and 6.5: the collection need not be mapped yet; pending state does not change. */
function mapti(its: Its, at: usize, intid: u32, command: Command): u32 {
  const deviceId = decode.deviceId(at);
  const eventId = decode.eventId(at);
  const icid = decode.icid(at);
  const outcome = lookupEvent(its, deviceId, eventId);
  if (outcome != Outcome.PENDING) return lookupError(command, outcome);
  if (intid < FIRST_LPI || intid >= machine().lpiLimit) return error(command, ErrorReason.INTID_OUT_OF_RANGE);
  if (<u64>icid >= collectionCapacity(its)) return error(command, ErrorReason.COLLECTION_OUT_OF_RANGE);
  const remaps = isValid(loadShared(foundAt));
  if (remaps) {
    report(Diagnostic.REMAPPED_EVENT, its.number, deviceId, eventId);
    if (policy(Policy.maptiRemap) == Choice.REMAP_IGNORE) return 0;
  }
  if (policy(Policy.maptiClearsPending)) {
    const collection = lookupCollection(its, icid);
    if (collection == Outcome.TABLE_FAULT) return COMMAND_FAULT;
    if (collection == Outcome.PENDING) clearLpi(collectionCpu(foundCollection), intid);
  }
  storeShared(foundAt, interruptEntry(intid, icid));
  if (remaps) awaitEvent(deviceId, eventId);
  return 0;
}

/** 6.6: a pending LPI moves along, neither lost nor delivered twice. */
function movi(its: Its, at: usize): u32 {
  const icid = decode.icid(at);
  const outcome = lookupInterrupt(its, decode.deviceId(at), decode.eventId(at));
  if (outcome != Outcome.PENDING) return lookupError(Command.MOVI, outcome);
  const entryAt = foundAt;
  const entry = foundEntry;
  if (isVirtual(entry)) return error(Command.MOVI, ErrorReason.INTERRUPT_UNMAPPED);
  if (<u64>icid >= collectionCapacity(its)) return error(Command.MOVI, ErrorReason.COLLECTION_OUT_OF_RANGE);
  const newCollection = lookupCollection(its, icid);
  if (newCollection != Outcome.PENDING) return lookupError(Command.MOVI, newCollection);
  const newCpu = collectionCpu(foundCollection);
  const oldCollection = lookupCollection(its, interruptIcid(entry));
  if (oldCollection != Outcome.PENDING) return lookupError(Command.MOVI, oldCollection);
  const oldCpu = collectionCpu(foundCollection);
  storeShared(entryAt, withIcid(entry, icid));
  if (oldCpu == newCpu) return 0;
  awaitEvent(decode.deviceId(at), decode.eventId(at));
  moveLpi(interruptIntid(entry), oldCpu, newCpu);
  return 0;
}

function moveLpi(intid: u32, oldCpu: u32, newCpu: u32): void {
  const from = redistributorOf(oldCpu).physicalLpis;
  const to = redistributorOf(newCpu).physicalLpis;
  if (from.isPending(intid)) {
    const accepted = intid < to.end && to.pendingTable != 0;
    if (!accepted) {
      report(Diagnostic.MOVE_TO_DISABLED_REDISTRIBUTOR, newCpu, intid, oldCpu);
      if (policy(Policy.moviTargetDisabled) != Choice.MOVE_DROP) return;
    }
    from.take(intid);
    // Dropped, or pending at its new place already: two become one.
    if (!accepted || to.setPending(intid) == Outcome.COALESCED) count(Counter.LPIS_CLEARED);
  }
  from.forget(intid);
}

/** 6.7: pending LPIs are added to those of the destination; no mapping changes. */
function movall(at: usize): u32 {
  const from = decode.target(at, 2);
  const to = decode.target(at, 3);
  if (from == NO_CPU || to == NO_CPU) return error(Command.MOVALL, ErrorReason.DEVICE_OUT_OF_RANGE);
  if (from == to) return 0;
  const source = redistributorOf(from);
  const destination = redistributorOf(to);
  if (destination.lpisEnabled) {
    source.physicalLpis.moveAll(destination.physicalLpis);
    return 0;
  }
  report(Diagnostic.MOVE_TO_DISABLED_REDISTRIBUTOR, to, 0, from);
  if (policy(Policy.movallTargetDisabled) == Choice.MOVE_DROP)
    countMany(Counter.LPIS_CLEARED, source.physicalLpis.clearAll());
  return 0;
}

/** 6.8: as an MSI. A redistributor with LPIs disabled ignores it; that is no error. */
function int(its: Its, at: usize): u32 {
  const deviceId = decode.deviceId(at);
  const eventId = decode.eventId(at);
  const outcome = injectEvent(its, deviceId, eventId);
  count(Counter.INT + outcome);
  if (outcome <= Outcome.COALESCED) return 0;
  // A redistributor's pending table outside RAM is no fault of the tables that the ITS knows, a vPE's VPT among them.
  const ownFault =
    outcome == Outcome.TABLE_FAULT && (resolve(its, at, Command.INT) != 0 || isVirtual(foundEntry));
  const ignored = outcome == Outcome.LPIS_DISABLED || outcome == Outcome.INTID_OUT_OF_RANGE;
  if (ignored || (outcome == Outcome.TABLE_FAULT && !ownFault)) {
    report(Diagnostic.ACTION_ON_DISABLED_LPIS, its.number, deviceId, eventId, outcome);
    return 0;
  }
  // An unmapped collection or vPE has no code of its own for INT.
  if (outcome == Outcome.COLLECTION_UNMAPPED || outcome == Outcome.VPE_UNMAPPED)
    return error(Command.INT, ErrorReason.INTERRUPT_UNMAPPED);
  return lookupError(Command.INT, outcome);
}

/** The mapped event of CLEAR, DISCARD and INV, with its collection or vPE: 0, or the error. */
function resolve(its: Its, at: usize, command: Command): u32 {
  const outcome = lookupInterrupt(its, decode.deviceId(at), decode.eventId(at));
  if (outcome != Outcome.PENDING) return lookupError(command, outcome);
  const target = lookupTarget(its);
  return target == Outcome.PENDING ? 0 : targetError(command, target);
}

/** The collection or vPE of the event that was found. */
function lookupTarget(its: Its): Outcome {
  return isVirtual(foundEntry)
    ? lookupVpe(its, interruptVpe(foundEntry))
    : lookupCollection(its, interruptIcid(foundEntry));
}

/** Commands that name an event have no code for its unmapped collection: it is that of an unmapped interrupt. */
function targetError(command: Command, outcome: Outcome): u32 {
  if (outcome == Outcome.COLLECTION_UNMAPPED) return error(command, ErrorReason.INTERRUPT_UNMAPPED);
  return lookupError(command, outcome);
}

/** Clears the pending state of the interrupt that `resolve` found. */
function clearFound(): void {
  const intid = interruptIntid(foundEntry);
  if (isVirtual(foundEntry)) {
    if (clearPendingVlpi(foundVpe, interruptVpe(foundEntry), foundConfiguration, intid))
      count(Counter.VLPIS_CLEARED);
  } else {
    clearLpi(collectionCpu(foundCollection), intid);
  }
}

function clearLpi(cpu: u32, intid: u32): void {
  if (redistributorOf(cpu).physicalLpis.clearPending(intid)) count(Counter.LPIS_CLEARED);
}

/** 6.9. */
function clear(its: Its, at: usize): u32 {
  const failed = resolve(its, at, Command.CLEAR);
  if (failed == 0) clearFound();
  return failed;
}

/** 6.10: clears the pending state and removes the mapping. */
function discard(its: Its, at: usize): u32 {
  const outcome = lookupInterrupt(its, decode.deviceId(at), decode.eventId(at));
  if (outcome != Outcome.PENDING) return lookupError(Command.DISCARD, outcome);
  const target = lookupTarget(its);
  if (target != Outcome.PENDING) {
    const refused = policy(Policy.discardUnmappedCollection) == Choice.DISCARD_ERROR;
    if (refused || target == Outcome.TABLE_FAULT) return targetError(Command.DISCARD, target);
    report(Diagnostic.DISCARD_OF_UNMAPPED_COLLECTION, its.number, decode.deviceId(at), decode.eventId(at));
  }
  storeShared(foundAt, 0);
  awaitEvent(decode.deviceId(at), decode.eventId(at));
  if (target == Outcome.PENDING) clearFound();
  return 0;
}

/** 6.11. */
function inv(its: Its, at: usize): u32 {
  const failed = resolve(its, at, Command.INV);
  if (failed) return failed;
  const intid = interruptIntid(foundEntry);
  if (isVirtual(foundEntry)) invalidateVlpi(foundVpe, interruptVpe(foundEntry), foundConfiguration, intid);
  else redistributorOf(collectionCpu(foundCollection)).physicalLpis.invalidate(intid);
  return 0;
}

/** 6.12. */
function invall(its: Its, at: usize): u32 {
  const icid = decode.icid(at);
  if (policy(Policy.checkSyncOperands)) {
    if (<u64>icid >= collectionCapacity(its))
      return error(Command.INVALL, ErrorReason.COLLECTION_OUT_OF_RANGE);
    const outcome = lookupCollection(its, icid);
    if (outcome != Outcome.PENDING) return lookupError(Command.INVALL, outcome);
  }
  if (policy(Policy.invallScope) == Choice.INVALL_ALL) {
    for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) redistributorOf(cpu).physicalLpis.invalidateAll();
    return 0;
  }
  const outcome = lookupCollection(its, icid);
  if (outcome == Outcome.TABLE_FAULT) return COMMAND_FAULT;
  if (outcome == Outcome.PENDING)
    redistributorOf(collectionCpu(foundCollection)).physicalLpis.invalidateAll();
  return 0;
}

/**
 * 6.13: all effects of earlier commands are visible already; MSIs that other threads are sending are waited for. SYNC
 * has no architected error code.
 */
function sync(at: usize): u32 {
  awaitTranslations();
  const known = decode.target(at, 2) != NO_CPU || !policy(Policy.checkSyncOperands);
  return known ? 0 : error(Command.SYNC, ErrorReason.TARGET_OUT_OF_RANGE);
}

/** An event's entry, 0 where it is not mapped, for the host's inspection. */
export function inspectInterrupt(its: Its, deviceId: u32, eventId: u32): u64 {
  if (lookupEvent(its, deviceId, eventId) != Outcome.PENDING) return 0;
  const entry = loadShared(foundAt);
  return isMappedInterrupt(entry) ? entry : 0;
}

/** A device's entry, 0 where it has none. */
export function inspectDevice(its: Its, deviceId: u32): u64 {
  const at = deviceEntryAt(its, deviceId);
  if (at == UNMAPPED || at == FAULT) return 0;
  const entry = loadShared(at);
  return isValid(entry) ? entry : 0;
}

/** A collection's entry, 0 where it is not mapped. */
export function inspectCollection(its: Its, icid: u32): u64 {
  return lookupCollection(its, icid) == Outcome.PENDING ? foundCollection : 0;
}

/** A vPE's entry, 0 where it is not mapped. */
export function inspectVpe(its: Its, vpeId: u32): u64 {
  return lookupVpe(its, vpeId) == Outcome.PENDING ? foundVpe : 0;
}

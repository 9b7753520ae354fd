// Execution of ITS commands (section 6). A command returns 0, or the error code of section 6.1 and has then
// changed nothing; COMMAND_FAULT tells that a table access fell outside RAM.
import { Choice, Counter, Diagnostic, Outcome, Policy } from '../abi';
import { report } from '../diag/diagnostics';
import { NO_CPU } from '../gic/bank';
import { FIRST_LPI } from '../gic/intid';
import {
  clearPendingLpi,
  dropAllLpis,
  forgetConfig,
  invalidateAllLpis,
  invalidateLpi,
  isPendingLpi,
  moveAllLpis,
  setPendingLpi,
} from '../gic/lpi';
import { redistributorOf } from '../gic/redistributor';
import { count } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import * as decode from './decode';
import { Command, ErrorReason } from './decode';
import { Its } from './its';
import {
  foundAt,
  foundCollection,
  foundDevice,
  foundEntry,
  lookupCollection,
  lookupEvent,
  lookupInterrupt,
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
  isPhysical,
  isValid,
  UNMAPPED,
  withIcid,
} from './tables';
import { injectEvent } from './translation';

/** A table access outside RAM; no error code of section 6.1 stands for it. */
export const COMMAND_FAULT: u32 = 0xffffffff;
/** A command number that this ITS does not implement. */
export const COMMAND_UNKNOWN: u32 = 0xfffffffe;

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
      return COMMAND_UNKNOWN;
  }
}

/** 0x01_CC_EE. CLEAR has 05 where its command number is 04. */
function error(command: Command, reason: ErrorReason): u32 {
  return 0x010000 | ((command == Command.CLEAR ? 5 : <u32>command) << 8) | <u32>reason;
}

/** The error of a command whose lookup ended in `outcome`. */
function lookupError(command: Command, outcome: Outcome): u32 {
  switch (outcome) {
    case Outcome.DEVICE_OUT_OF_RANGE:
      return error(command, ErrorReason.DEVICE_OUT_OF_RANGE);
    case Outcome.DEVICE_UNMAPPED:
      return error(command, ErrorReason.DEVICE_UNMAPPED);
    case Outcome.EVENT_OUT_OF_RANGE:
      return error(command, ErrorReason.EVENT_OUT_OF_RANGE);
    case Outcome.EVENT_UNMAPPED:
      return error(command, ErrorReason.INTERRUPT_UNMAPPED);
    case Outcome.COLLECTION_UNMAPPED:
      return error(command, ErrorReason.COLLECTION_UNMAPPED);
    default:
      return COMMAND_FAULT;
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
  store<u64>(entryAt, valid ? deviceEntry(decode.ittAddress(at), decode.ittSize(at)) : 0);
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
  store<u64>(entryAt, valid ? collectionEntry(cpu) : 0);
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
  if (isValid(load<u64>(foundAt))) {
    report(Diagnostic.REMAPPED_EVENT, its.number, deviceId, eventId);
    if (policy(Policy.maptiRemap) == Choice.REMAP_IGNORE) return 0;
  }
  store<u64>(foundAt, interruptEntry(intid, icid));
  if (policy(Policy.maptiClearsPending) && lookupCollection(its, icid) == Outcome.PENDING) {
    clearPendingLpi(redistributorOf(collectionCpu(foundCollection)), intid);
  }
  return 0;
}

/** 6.6: a pending LPI moves along, neither lost nor delivered twice. */
function movi(its: Its, at: usize): u32 {
  const icid = decode.icid(at);
  const outcome = lookupInterrupt(its, decode.deviceId(at), decode.eventId(at));
  if (outcome != Outcome.PENDING) return lookupError(Command.MOVI, outcome);
  const entryAt = foundAt;
  const entry = foundEntry;
  if (<u64>icid >= collectionCapacity(its)) return error(Command.MOVI, ErrorReason.COLLECTION_OUT_OF_RANGE);
  const newCollection = lookupCollection(its, icid);
  if (newCollection != Outcome.PENDING) return lookupError(Command.MOVI, newCollection);
  const newCpu = collectionCpu(foundCollection);
  const oldCollection = lookupCollection(its, interruptIcid(entry));
  if (oldCollection != Outcome.PENDING) return lookupError(Command.MOVI, oldCollection);
  const oldCpu = collectionCpu(foundCollection);
  store<u64>(entryAt, withIcid(entry, icid));
  if (oldCpu != newCpu) moveLpi(interruptIntid(entry), oldCpu, newCpu);
  return 0;
}

function moveLpi(intid: u32, oldCpu: u32, newCpu: u32): void {
  const from = redistributorOf(oldCpu);
  const to = redistributorOf(newCpu);
  if (isPendingLpi(from, intid)) {
    const accepted = intid < to.lpiEnd && to.pendingTable != 0;
    if (!accepted) {
      report(Diagnostic.MOVE_TO_DISABLED_REDISTRIBUTOR, newCpu, intid, oldCpu);
      if (policy(Policy.moviTargetDisabled) != Choice.MOVE_DROP) return;
    }
    clearPendingLpi(from, intid);
    if (accepted) setPendingLpi(to, intid);
  }
  forgetConfig(from, intid);
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
    moveAllLpis(source, destination);
    return 0;
  }
  report(Diagnostic.MOVE_TO_DISABLED_REDISTRIBUTOR, to, 0, from);
  if (policy(Policy.movallTargetDisabled) == Choice.MOVE_DROP) dropAllLpis(source);
  return 0;
}

/** 6.8: as an MSI. A redistributor with LPIs disabled ignores it; that is no error. */
function int(its: Its, at: usize): u32 {
  const deviceId = decode.deviceId(at);
  const eventId = decode.eventId(at);
  const outcome = injectEvent(its, deviceId, eventId);
  count(Counter.INT + outcome);
  if (outcome <= Outcome.COALESCED) return 0;
  if (outcome == Outcome.LPIS_DISABLED || outcome == Outcome.INTID_OUT_OF_RANGE) {
    report(Diagnostic.ACTION_ON_DISABLED_LPIS, its.number, deviceId, eventId, outcome);
    return 0;
  }
  // An unmapped collection has no code of its own for INT.
  if (outcome == Outcome.COLLECTION_UNMAPPED) return error(Command.INT, ErrorReason.INTERRUPT_UNMAPPED);
  return lookupError(Command.INT, outcome);
}

/** The mapped event of CLEAR, DISCARD and INV, with the PE of its collection: 0, or the error. */
function resolve(its: Its, at: usize, command: Command): u32 {
  const outcome = lookupInterrupt(its, decode.deviceId(at), decode.eventId(at));
  if (outcome != Outcome.PENDING) return lookupError(command, outcome);
  const collection = lookupCollection(its, interruptIcid(foundEntry));
  return collection == Outcome.PENDING ? 0 : lookupError(command, collection);
}

/** 6.9. */
function clear(its: Its, at: usize): u32 {
  const failed = resolve(its, at, Command.CLEAR);
  if (failed) return failed;
  clearPendingLpi(redistributorOf(collectionCpu(foundCollection)), interruptIntid(foundEntry));
  return 0;
}

/** 6.10: clears the pending state and removes the mapping. */
function discard(its: Its, at: usize): u32 {
  const failed = resolve(its, at, Command.DISCARD);
  if (failed == error(Command.DISCARD, ErrorReason.COLLECTION_UNMAPPED)) {
    if (policy(Policy.discardUnmappedCollection) == Choice.DISCARD_ERROR) return failed;
    report(Diagnostic.DISCARD_OF_UNMAPPED_COLLECTION, its.number, decode.deviceId(at), decode.eventId(at));
  } else if (failed) {
    return failed;
  } else {
    clearPendingLpi(redistributorOf(collectionCpu(foundCollection)), interruptIntid(foundEntry));
  }
  store<u64>(foundAt, 0);
  return 0;
}

/** 6.11. */
function inv(its: Its, at: usize): u32 {
  const failed = resolve(its, at, Command.INV);
  if (failed) return failed;
  invalidateLpi(redistributorOf(collectionCpu(foundCollection)), interruptIntid(foundEntry));
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
    for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) invalidateAllLpis(redistributorOf(cpu));
  } else if (lookupCollection(its, icid) == Outcome.PENDING) {
    invalidateAllLpis(redistributorOf(collectionCpu(foundCollection)));
  }
  return 0;
}

/** 6.13: all effects of earlier commands are visible already. SYNC has no architected error code. */
function sync(at: usize): u32 {
  const known = decode.target(at, 2) != NO_CPU || !policy(Policy.checkSyncOperands);
  return known ? 0 : error(Command.SYNC, ErrorReason.SIZE_OUT_OF_RANGE);
}

/** Whether an event's entry maps it to an LPI, for the host's inspection. */
export function inspectInterrupt(its: Its, deviceId: u32, eventId: u32): u64 {
  if (lookupEvent(its, deviceId, eventId) != Outcome.PENDING) return 0;
  const entry = load<u64>(foundAt);
  return isPhysical(entry) ? entry : 0;
}

/** A device's entry, 0 where it has none. */
export function inspectDevice(its: Its, deviceId: u32): u64 {
  return lookupEvent(its, deviceId, 0) == Outcome.PENDING ? foundDevice : 0;
}

/** A collection's entry, 0 where it is not mapped. */
export function inspectCollection(its: Its, icid: u32): u64 {
  return lookupCollection(its, icid) == Outcome.PENDING ? foundCollection : 0;
}

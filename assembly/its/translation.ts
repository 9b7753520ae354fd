// An MSI from a device: GITS_TRANSLATER with a DeviceID (section 5.11).
import { Choice, Counter, Event, Outcome, Policy } from '../abi';
import { emit } from '../diag/events';
import { setPendingLpi } from '../gic/lpi';
import { redistributorOf } from '../gic/redistributor';
import { setPendingVlpi } from '../gicv4/vlpi';
import { count } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { noteDropped } from '../threads/dropped';
import { injects } from '../threads/lane';
import { Its, itsOf } from './its';
import {
  foundCollection,
  foundConfiguration,
  foundEntry,
  foundVpe,
  lookupCollection,
  lookupInterrupt,
  lookupVpe,
} from './lookup';
import {
  collectionCpu,
  interruptDoorbell,
  interruptIcid,
  interruptIntid,
  interruptVpe,
  isVirtual,
} from './tables';
import { reportDropped } from './unmapped_msi';

/** Takes a device's write of `eventId`; tells what became of it. */
export function translateMsi(number: u32, deviceId: u32, eventId: u32): Outcome {
  const its = itsOf(number);
  let event = eventId;
  if (policy(Policy.eventIdHighBits) == Choice.EVENT_ID_IGNORE_BITS && machine().eventIdBits < 32) {
    event &= ((<u32>1) << machine().eventIdBits) - 1;
  }
  emit(Event.MSI, number, deviceId, eventId);
  const outcome = its.enabled ? injectEvent(its, deviceId, event) : Outcome.ITS_DISABLED;
  count(Counter.MSI + outcome);
  emit(Event.MSI_OUTCOME, number, outcome);
  if (outcome > Outcome.COALESCED) {
    if (injects()) noteDropped(number, deviceId, eventId, outcome);
    else reportDropped(its, deviceId, eventId, outcome);
  }
  return outcome;
}

/** Translates an event and makes its LPI pending: what an MSI and an INT command have in common. */
export function injectEvent(its: Its, deviceId: u32, eventId: u32): Outcome {
  const outcome = lookupInterrupt(its, deviceId, eventId);
  if (outcome != Outcome.PENDING) return outcome;
  const entry = foundEntry;
  if (isVirtual(entry)) {
    const vpeId = interruptVpe(entry);
    const vpe = lookupVpe(its, vpeId);
    if (vpe != Outcome.PENDING) return vpe;
    const doorbell = interruptDoorbell(entry);
    return setPendingVlpi(foundVpe, vpeId, foundConfiguration, interruptIntid(entry), doorbell, false);
  }
  const collection = lookupCollection(its, interruptIcid(entry));
  if (collection != Outcome.PENDING) return collection;
  return setPendingLpi(redistributorOf(collectionCpu(foundCollection)), interruptIntid(entry));
}

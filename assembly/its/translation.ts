// An MSI from a device: GITS_TRANSLATER with a DeviceID (section 5.11).
import { Choice, Counter, Diagnostic, Event, Feature, Outcome, Policy } from '../abi';
import { report } from '../diag/diagnostics';
import { emit } from '../diag/events';
import { setPendingLpi } from '../gic/lpi';
import { redistributorOf } from '../gic/redistributor';
import { setPendingVlpi } from '../gicv4/vlpi';
import { count } from '../memory/counters';
import { machine, policy } from '../memory/machine';
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

const STATUSR_UMSI: u32 = 1 << 4;
const STATUSR_OVERFLOW: u32 = 1 << 5;
const STATUSR_SYNDROME_SHIFT: u32 = 6;
const STATUSR_SYNDROME: u32 = 0xf << 6;

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
    report(Diagnostic.MSI_DROPPED, number, deviceId, eventId, outcome);
    if (machine().has(Feature.UNMAPPED_MSI_REPORTING)) reportUnmapped(its, deviceId, eventId, outcome);
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
    return setPendingVlpi(foundVpe, vpeId, foundConfiguration, interruptIntid(entry), doorbell);
  }
  const collection = lookupCollection(its, interruptIcid(entry));
  if (collection != Outcome.PENDING) return collection;
  return setPendingLpi(redistributorOf(collectionCpu(foundCollection)), interruptIntid(entry));
}

/** GITS_STATUSR.UMSI and GITS_UMSIR (section 5.6): the first MSI without a mapping is kept, later ones overflow. */
function reportUnmapped(its: Its, deviceId: u32, eventId: u32, outcome: Outcome): void {
  const syndrome = syndromeOf(outcome);
  if (syndrome == 0) return;
  if (its.statusr & STATUSR_UMSI) {
    its.statusr |= STATUSR_OVERFLOW;
    return;
  }
  its.statusr = (its.statusr & ~STATUSR_SYNDROME) | STATUSR_UMSI | (syndrome << STATUSR_SYNDROME_SHIFT);
  its.umsir = ((<u64>deviceId) << 32) | eventId;
}

function syndromeOf(outcome: Outcome): u32 {
  switch (outcome) {
    case Outcome.DEVICE_OUT_OF_RANGE:
      return 2;
    case Outcome.DEVICE_UNMAPPED:
      return 3;
    case Outcome.EVENT_OUT_OF_RANGE:
      return 4;
    case Outcome.EVENT_UNMAPPED:
      return 5;
    case Outcome.COLLECTION_UNMAPPED:
      return 7;
    case Outcome.VPE_UNMAPPED:
      return 9;
    default:
      return 0;
  }
}

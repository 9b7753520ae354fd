// From (DeviceID, EventID) to an interrupt translation entry: the steps that translation of an MSI and most
// commands share (sections 5.11, 6.1). The result stays here until the next lookup.
import { Feature, Outcome } from '../abi';
import { VpeConfiguration } from '../gicv4/vpe_configuration';
import { configurationOf } from '../gicv4/vpe_table';
import { machine } from '../memory/machine';
import { loadShared } from '../memory/shared_words';
import { DEVICE_TABLE, Its } from './its';
import {
  collectionEntryAt,
  deviceEvents,
  entryAt,
  FAULT,
  interruptEntryAt,
  isMappedCollection,
  isMappedInterrupt,
  isMappedVpe,
  isValid,
  UNMAPPED,
  vpeEntryAt,
} from './tables';

/** The entry that `lookupEvent` or `lookupInterrupt` found, and where it stands. */
let foundDevice: u64 = 0;
export let foundAt: usize = 0;
export let foundEntry: u64 = 0;

/** The device's entry and the place of the event's entry, mapped or not. PENDING stands for success. */
export function lookupEvent(its: Its, deviceId: u32, eventId: u32): Outcome {
  const devices = its.table(DEVICE_TABLE);
  if (<u64>deviceId >= devices.capacity) return Outcome.DEVICE_OUT_OF_RANGE;
  const deviceAt = entryAt(devices, deviceId);
  if (deviceAt == FAULT) return Outcome.TABLE_FAULT;
  if (deviceAt == UNMAPPED) return Outcome.DEVICE_UNMAPPED;
  foundDevice = loadShared(deviceAt);
  if (!isValid(foundDevice)) return Outcome.DEVICE_UNMAPPED;
  if (<u64>eventId >= deviceEvents(foundDevice)) return Outcome.EVENT_OUT_OF_RANGE;
  if (machine().eventIdBits < 32 && eventId >> machine().eventIdBits) return Outcome.EVENT_OUT_OF_RANGE;
  foundAt = interruptEntryAt(foundDevice, eventId);
  return foundAt == FAULT ? Outcome.TABLE_FAULT : Outcome.PENDING;
}

/** `lookupEvent`, and the event must be mapped, to an LPI or a VLPI. */
export function lookupInterrupt(its: Its, deviceId: u32, eventId: u32): Outcome {
  const outcome = lookupEvent(its, deviceId, eventId);
  if (outcome != Outcome.PENDING) return outcome;
  foundEntry = loadShared(foundAt);
  return isMappedInterrupt(foundEntry) ? Outcome.PENDING : Outcome.EVENT_UNMAPPED;
}

/** The entry that `lookupCollection` found. */
export let foundCollection: u64 = 0;

export function lookupCollection(its: Its, icid: u32): Outcome {
  const at = collectionEntryAt(its, icid);
  if (at == FAULT) return Outcome.TABLE_FAULT;
  if (at == UNMAPPED) return Outcome.COLLECTION_UNMAPPED;
  foundCollection = loadShared(at);
  return isMappedCollection(foundCollection) ? Outcome.PENDING : Outcome.COLLECTION_UNMAPPED;
}

/** The entry that `lookupVpe` found, and where it stands; in GICv4.1 the vPE's configuration too, before it null. */
export let foundVpe: u64 = 0;
export let foundVpeAt: usize = 0;
export let foundConfiguration: VpeConfiguration = changetype<VpeConfiguration>(0);

/** A vPE that this ITS has mapped and, in GICv4.1, that the redistributor which it is mapped to knows. */
export function lookupVpe(its: Its, vpeId: u32): Outcome {
  const outcome = lookupVpeEntry(its, vpeId);
  if (outcome != Outcome.PENDING || !machine().has(Feature.GICV4_1)) return outcome;
  foundConfiguration = configurationOf(foundVpe, vpeId);
  return changetype<usize>(foundConfiguration) ? Outcome.PENDING : Outcome.VPE_UNMAPPED;
}

/** What this ITS has mapped, whether a redistributor knows it or not. */
export function lookupVpeEntry(its: Its, vpeId: u32): Outcome {
  foundVpeAt = vpeEntryAt(its, vpeId);
  if (foundVpeAt == FAULT) return Outcome.TABLE_FAULT;
  if (foundVpeAt == UNMAPPED) return Outcome.VPE_UNMAPPED;
  foundVpe = loadShared(foundVpeAt);
  const mapped = isMappedVpe(foundVpe) && (!machine().has(Feature.GICV4_1) || its.mapsVpe(vpeId));
  return mapped ? Outcome.PENDING : Outcome.VPE_UNMAPPED;
}

// Restoring a virtual ITS from the guest's tables (KVM_DEV_ARM_ITS_RESTORE_TABLES), which may hold anything: collections
// first, then devices with their events. A restore that fails leaves nothing mapped. Entries: see save.ts.
import { EBUSY, EEXIST, EFAULT, EINVAL, ENOMEM } from '../../irqchip/errno';
import { guestMemory } from '../guest_memory';
import { FIRST_LPI, MAX_LPI_INTID } from '../limits';
import { vmOf } from '../state';
import { isStopped } from './its';
import { DEVICE_ID_BITS, EVENT_ID_BITS } from './limits';
import { findCollection, findDevice } from './lookup';
import { addCollection, addDevice, addIte, freeAllCollections, freeAllDevices, freeDevice } from './mapping';
import { Device, Its, UNMAPPED } from './records';
import {
  deviceEntryAddress,
  ENTRY_BYTES,
  fitsCollection,
  fitsEvent,
  isIndirect,
  isTableValid,
  NOWHERE,
  tableAddress,
  tableBytes,
} from './tables';

const VALID: u64 = 1 << 63;
const LEVEL2_ADDRESS: u64 = 0x000fffffffff0000;
const LEVEL2_ENTRIES: u32 = 8192;
const SIZE_MASK: u64 = 0x1f;
const ITT_MASK: u64 = 0xfffffffffff;
const DEVICE_NEXT_MASK: u64 = 0x3fff;

/** What a scan came to, where it is no errno: the last valid entry was met, or the table ended before it. */
const COMPLETE: i32 = 0;
const ENDED: i32 = 1;

export function restoreTables(its: Its): i32 {
  if (!isStopped(its.vm)) return EBUSY;
  const failed = isTableValid(its.collectionTable) ? restoreCollections(its) : 0;
  if (failed) {
    freeAllCollections(its);
    return failed;
  }
  const result = isTableValid(its.deviceTable) ? restoreDevices(its) : 0;
  if (result >= 0) return 0;
  freeAllDevices(its);
  freeAllCollections(its);
  return result;
}

/** The entry at an address of guest memory is in linear memory at the result, 0 for nowhere. */
function entryAt(its: Its, address: u64): usize {
  return guestMemory(vmOf(its.vm), address, ENTRY_BYTES);
}

function restoreCollections(its: Its): i32 {
  const base = tableAddress(its.collectionTable);
  for (let offset: u64 = 0; offset < tableBytes(its.collectionTable); offset += ENTRY_BYTES) {
    const at = entryAt(its, base + offset);
    if (at == 0) return EFAULT;
    const entry = load<u64>(at);
    if ((entry & VALID) == 0) return 0;
    const failed = restoreCollection(its, <u32>(entry & 0xffff), <u32>(entry >> 16));
    if (failed) return failed;
  }
  return 0;
}

function restoreCollection(its: Its, icid: u32, target: u32): i32 {
  if (target != UNMAPPED && target >= vmOf(its.vm).vcpus) return EINVAL;
  if (findCollection(its, icid) !== null) return EEXIST;
  if (!fitsCollection(its, icid)) return EINVAL;
  return addCollection(its, icid, target) === null ? ENOMEM : 0;
}

function restoreDevices(its: Its): i32 {
  const base = tableAddress(its.deviceTable);
  const bytes = tableBytes(its.deviceTable);
  if (!isIndirect(its.deviceTable)) return scanDevices(its, base, <u32>(bytes / ENTRY_BYTES), 0);
  const pages = min<u32>(<u32>(bytes / ENTRY_BYTES), (1 << DEVICE_ID_BITS) / LEVEL2_ENTRIES);
  for (let page: u32 = 0; page < pages; page++) {
    const at = entryAt(its, base + <u64>page * ENTRY_BYTES);
    if (at == 0) return EFAULT;
    const entry = load<u64>(at);
    if ((entry & VALID) == 0) continue;
    const result = scanDevices(its, entry & LEVEL2_ADDRESS, LEVEL2_ENTRIES, page * LEVEL2_ENTRIES);
    if (result != ENDED) return result;
  }
  return 0;
}

/** Device entries of one piece of memory: from a valid one to where it says the next one is, one by one otherwise. */
function scanDevices(its: Its, base: u64, entries: u32, firstId: u32): i32 {
  for (let n: u32 = 0; n < entries; ) {
    const at = entryAt(its, base + <u64>n * ENTRY_BYTES);
    if (at == 0) return EFAULT;
    const entry = load<u64>(at);
    if ((entry & VALID) == 0) {
      n++;
      continue;
    }
    const failed = restoreDevice(its, firstId + n, entry);
    if (failed) return failed;
    const next = <u32>((entry >> 49) & DEVICE_NEXT_MASK);
    if (next == 0) return COMPLETE;
    n += next;
  }
  return ENDED;
}

function restoreDevice(its: Its, deviceId: u32, entry: u64): i32 {
  const eventIdBits = <u32>(entry & SIZE_MASK) + 1;
  if (eventIdBits > EVENT_ID_BITS || deviceEntryAddress(its, deviceId) == NOWHERE) return EINVAL;
  if (findDevice(its, deviceId) !== null) return EEXIST;
  const device = addDevice(its, deviceId, ((entry >> 5) & ITT_MASK) << 8, eventIdBits);
  if (device === null) return ENOMEM;
  const failed = scanEvents(its, device);
  if (failed) freeDevice(its, device);
  return failed;
}

/** An ITT: its first valid entry is looked for, the others are where the one before says. */
function scanEvents(its: Its, device: Device): i32 {
  const entries: u32 = (<u32>1) << device.eventIdBits;
  for (let eventId: u32 = 0; eventId < entries; ) {
    const at = entryAt(its, device.ittAddress + <u64>eventId * ENTRY_BYTES);
    if (at == 0) return EFAULT;
    const entry = load<u64>(at);
    const intid = <u32>(entry >> 16);
    if (intid == 0) {
      eventId++;
      continue;
    }
    const next = <u32>(entry >> 48);
    if (eventId + next >= entries) return EINVAL;
    const failed = restoreEvent(its, device, eventId, intid, <u32>(entry & 0xffff));
    if (failed) return failed;
    if (next == 0) return 0;
    eventId += next;
  }
  return 0;
}

function restoreEvent(its: Its, device: Device, eventId: u32, intid: u32, icid: u32): i32 {
  if (intid < FIRST_LPI || intid > MAX_LPI_INTID) return EINVAL;
  const collection = findCollection(its, icid);
  if (collection === null || !fitsEvent(its.vm, device, eventId)) return EINVAL;
  return addIte(its, device, eventId, intid, collection);
}

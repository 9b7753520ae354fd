// Where entries of the guest's tables stand, and whether an id has one (vgic_its_check_id, vgic_its_check_event_id).
import { guestMemory, isVisible } from '../guest_memory';
import { vmOf } from '../state';
import { DEVICE_ID_BITS } from './limits';
import { Device, Its } from './records';

export const ENTRY_BYTES: u64 = 8;
const PAGE_BYTES: u64 = 65536;
const ENTRIES_IN_PAGE: u32 = 8192;
const VALID: u64 = 1 << 63;
const INDIRECT: u64 = 1 << 62;
const BASE_ADDRESS: u64 = 0x0000ffffffff0000;
/** Address of a level 2 page, or of a device's entry, in a table entry. */
const PAGE_ADDRESS: u64 = 0x000fffffffff0000;
const LAST_PAGE: u64 = 0xff;

/** No address: the id has no entry in guest memory. */
export const NOWHERE: u64 = 0xffffffffffffffff;

export function isTableValid(baser: u64): bool {
  return (baser & VALID) != 0;
}

export function isIndirect(baser: u64): bool {
  return (baser & INDIRECT) != 0;
}

export function tableAddress(baser: u64): u64 {
  return baser & BASE_ADDRESS;
}

/** Bytes of a flat table or of the first level of one with two. */
export function tableBytes(baser: u64): u64 {
  return ((baser & LAST_PAGE) + 1) * PAGE_BYTES;
}

/** Guest physical address of a device's entry, NOWHERE where the id does not fit or the page is no guest memory. */
export function deviceEntryAddress(its: Its, deviceId: u32): u64 {
  if (deviceId >> DEVICE_ID_BITS) return NOWHERE;
  const baser = its.deviceTable;
  const address = isIndirect(baser) ? indirectAddress(its, deviceId) : flatAddress(baser, deviceId);
  return address != NOWHERE && isVisible(vmOf(its.vm), address) ? address : NOWHERE;
}

/** The collection table is flat; its entries are not indexed by ICID, only counted. */
export function fitsCollection(its: Its, icid: u32): bool {
  const address = flatAddress(its.collectionTable, icid);
  return address != NOWHERE && isVisible(vmOf(its.vm), address);
}

function flatAddress(baser: u64, id: u32): u64 {
  const offset = <u64>id * ENTRY_BYTES;
  return offset < tableBytes(baser) ? tableAddress(baser) + offset : NOWHERE;
}

function indirectAddress(its: Its, id: u32): u64 {
  const first = flatAddress(its.deviceTable, id / ENTRIES_IN_PAGE);
  if (first == NOWHERE) return NOWHERE;
  const at = guestMemory(vmOf(its.vm), first, ENTRY_BYTES);
  if (at == 0) return NOWHERE;
  const entry = load<u64>(at);
  if ((entry & VALID) == 0) return NOWHERE;
  return (entry & PAGE_ADDRESS) + <u64>(id % ENTRIES_IN_PAGE) * ENTRY_BYTES;
}

export function eventEntryAddress(device: Device, eventId: u32): u64 {
  return device.ittAddress + <u64>eventId * ENTRY_BYTES;
}

/** The event fits its device's ITT, and the page of its entry is guest memory. */
export function fitsEvent(vm: u32, device: Device, eventId: u32): bool {
  if (eventId >> device.eventIdBits) return false;
  return isVisible(vmOf(vm), eventEntryAddress(device, eventId));
}

/** Writes an entry; false where it is not in guest memory. */
export function writeEntry(vm: u32, address: u64, value: u64): bool {
  const at = guestMemory(vmOf(vm), address, ENTRY_BYTES);
  if (at == 0) return false;
  store<u64>(at, value);
  return true;
}

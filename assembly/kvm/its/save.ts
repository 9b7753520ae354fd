// Saving a virtual ITS into the guest's tables, ABI revision 0 (KVM_DEV_ARM_ITS_SAVE_TABLES). Each entry is 64 bits and
// tells the distance to the next valid one of its table:
//
//   device      63 valid, 62:49 next DeviceID, 48:5 ITT address bits 51:8, 4:0 EventID bits - 1
//   event       63:48 next EventID, 47:16 INTID (0: no event), 15:0 ICID
//   collection  63 valid, 51:16 vCPU, 15:0 ICID; packed, an invalid one ends the table
import { EACCES, EBUSY, EFAULT, EINVAL } from '../../irqchip/errno';
import { kvm } from '../state';
import { sort } from './entries';
import { isStopped } from './its';
import { Collection, Device, Entry, Ite, Its } from './records';
import {
  deviceEntryAddress,
  ENTRY_BYTES,
  eventEntryAddress,
  isTableValid,
  NOWHERE,
  tableAddress,
  tableBytes,
  writeEntry,
} from './tables';

const VALID: u64 = 1 << 63;
const DEVICE_NEXT_SHIFT: u64 = 49;
const DEVICE_NEXT_MAX: u32 = (1 << 14) - 1;
const DEVICE_ITT_SHIFT: u64 = 5;
const EVENT_NEXT_SHIFT: u64 = 48;
const EVENT_NEXT_MAX: u32 = (1 << 16) - 1;
const INTID_SHIFT: u64 = 16;
const TARGET_SHIFT: u64 = 16;

/** Devices in the order of their DeviceIDs, each after its events in the order of theirs; then collections. */
export function saveTables(its: Its): i32 {
  if (!isStopped(its.vm)) return EBUSY;
  const failed = isTableValid(its.deviceTable) ? saveDevices(its) : 0;
  if (failed) return failed;
  return isTableValid(its.collectionTable) ? saveCollections(its) : 0;
}

function saveDevices(its: Its): i32 {
  sort(its.devices);
  let entry = its.devicesFirst;
  while (entry !== null) {
    const device = changetype<Device>(entry);
    const address = deviceEntryAddress(its, device.id);
    if (address == NOWHERE) return EINVAL;
    const failed = saveEvents(its, device);
    if (failed) return failed;
    const next = entry.next;
    const distance = next === null ? 0 : min<u32>(next.id - entry.id, DEVICE_NEXT_MAX);
    const value =
      VALID |
      ((<u64>distance) << DEVICE_NEXT_SHIFT) |
      ((device.ittAddress >> 8) << DEVICE_ITT_SHIFT) |
      (device.eventIdBits - 1);
    if (!writeEntry(its.vm, address, value)) return EFAULT;
    entry = next;
  }
  return 0;
}

function saveEvents(its: Its, device: Device): i32 {
  sort(device.ites);
  let ite = nextSaved(device.itesFirst);
  while (ite !== null) {
    // The pending state of a VLPI can be read with GICv4.1 only.
    if (ite.irq.hw && !kvm().hasGicv4_1) return EACCES;
    const next = nextSaved(ite.next);
    const distance = next === null ? 0 : min<u32>(next.eventId - ite.eventId, EVENT_NEXT_MAX);
    const value = ((<u64>distance) << EVENT_NEXT_SHIFT) | ((<u64>ite.irq.intid) << INTID_SHIFT) | icidOf(ite);
    if (!writeEntry(its.vm, eventEntryAddress(device, ite.eventId), value)) return EFAULT;
    ite = next;
  }
  return 0;
}

/** The ABI has no entry for an event whose collection is gone: it can't be delivered, and is left out. */
function nextSaved(from: Entry | null): Ite | null {
  let ite = changetype<Ite | null>(from);
  while (ite !== null && ite.collection === null) ite = changetype<Ite | null>(ite.next);
  return ite;
}

function icidOf(ite: Ite): u64 {
  const collection = ite.collection;
  return collection === null ? 0 : collection.id;
}

function saveCollections(its: Its): i32 {
  let address = tableAddress(its.collectionTable);
  const end = address + tableBytes(its.collectionTable);
  let collection = changetype<Collection | null>(its.collectionsFirst);
  while (collection !== null) {
    if (address == end) return EINVAL;
    const value = VALID | ((<u64>collection.target) << TARGET_SHIFT) | collection.id;
    if (!writeEntry(its.vm, address, value)) return EFAULT;
    address += ENTRY_BYTES;
    collection = changetype<Collection | null>(collection.next);
  }
  return address == end || writeEntry(its.vm, address, 0) ? 0 : EFAULT;
}

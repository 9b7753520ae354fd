// Devices, collections and mapped events of a virtual ITS coming and going.

import { ENOMEM } from '../../irqchip/errno';
import { unmapForwarded } from '../forwarding';
import { lpiOf, putIrq } from '../vgic_irq';
import { invalidateCache } from './cache';
import { add, remove } from './entries';
import { vcpuOfCollection } from './lookup';
import { addLpi } from './lpi_tables';
import { Collection, Device, Ite, Its, KIND_COLLECTION, KIND_DEVICE, KIND_ITE, numberOfIts } from './records';

export function addDevice(its: Its, deviceId: u32, ittAddress: u64, eventIdBits: u32): Device | null {
  const entry = add(KIND_DEVICE, numberOfIts(its), deviceId, 0, its.devices);
  if (entry === null) return null;
  const device = changetype<Device>(entry);
  device.ittAddress = ittAddress;
  device.eventIdBits = eventIdBits;
  return device;
}

/** vgic_its_free_device: with all its events. */
export function freeDevice(its: Its, device: Device): void {
  for (let ite = device.itesFirst; ite !== null; ite = device.itesFirst) freeIte(changetype<Ite>(ite));
  invalidateCache(its);
  remove(device, its.devices);
}

export function freeAllDevices(its: Its): void {
  for (let entry = its.devicesFirst; entry !== null; entry = its.devicesFirst) {
    freeDevice(its, changetype<Device>(entry));
  }
}

export function addCollection(its: Its, icid: u32, target: u32): Collection | null {
  const entry = add(KIND_COLLECTION, numberOfIts(its), icid, 0, its.collections);
  if (entry === null) return null;
  const collection = changetype<Collection>(entry);
  collection.target = target;
  return collection;
}

/** vgic_its_free_collection: its events keep their LPIs, and are of no collection. */
export function freeCollection(its: Its, collection: Collection): void {
  let device = its.devicesFirst;
  while (device !== null) {
    let ite = changetype<Ite | null>(changetype<Device>(device).itesFirst);
    while (ite !== null) {
      if (ite.collection == collection) ite.collection = null;
      ite = changetype<Ite | null>(ite.next);
    }
    device = device.next;
  }
  remove(collection, its.collections);
}

export function freeAllCollections(its: Its): void {
  for (let entry = its.collectionsFirst; entry !== null; entry = its.collectionsFirst) {
    freeCollection(its, changetype<Collection>(entry));
  }
}

/** Maps an event to an LPI, which is made or shared; 0 or an errno, and nothing is left behind then. */
export function addIte(its: Its, device: Device, eventId: u32, intid: u32, collection: Collection): i32 {
  const entry = add(KIND_ITE, numberOfIts(its), device.id, eventId, device.ites);
  if (entry === null) return ENOMEM;
  const failed = addLpi(its.vm, intid, vcpuOfCollection(its, collection));
  if (failed) {
    remove(entry, device.ites);
    return failed;
  }
  const ite = changetype<Ite>(entry);
  ite.device = device;
  ite.collection = collection;
  ite.irq = lpiOf(its.vm, intid);
  return 0;
}

/** its_free_ite: a VLPI becomes an LPI of the host again, and the LPI is gone unless somebody else holds it. */
export function freeIte(ite: Ite): void {
  const irq = ite.irq;
  unmapForwarded(irq);
  remove(ite, ite.device.ites);
  putIrq(irq);
}

// What a virtual ITS has mapped, by its ids.

import { NONE } from '../limits';
import { vmOf } from '../state';
import { vcpuNumber } from '../vgic_irq';
import { find } from './entries';
import {
  Collection,
  Device,
  Ite,
  Its,
  itsOf,
  itsVmOf,
  KIND_COLLECTION,
  KIND_DEVICE,
  KIND_ITE,
  numberOfIts,
} from './records';

/** Bytes of the two frames of a vITS. */
export const FRAMES_BYTES: u64 = 0x20000;

export function findDevice(its: Its, deviceId: u32): Device | null {
  return changetype<Device | null>(find(KIND_DEVICE, numberOfIts(its), deviceId, 0));
}

export function findCollection(its: Its, icid: u32): Collection | null {
  return changetype<Collection | null>(find(KIND_COLLECTION, numberOfIts(its), icid, 0));
}

export function findIte(its: Its, deviceId: u32, eventId: u32): Ite | null {
  return changetype<Ite | null>(find(KIND_ITE, numberOfIts(its), deviceId, eventId));
}

/** The vCPU of a collection, NONE where it has none. */
export function vcpuOfCollection(its: Its, collection: Collection | null): u32 {
  return collection === null ? NONE : vcpuNumber(vmOf(its.vm), collection.target);
}

/** Number of the vITS that has a guest physical address in one of its frames, or NONE. */
export function itsAtAddress(vm: u32, address: u64): u32 {
  for (let n = itsVmOf(vm).firstIts; n; n = itsOf(n - 1).next) {
    if (address - itsOf(n - 1).base < FRAMES_BYTES) return n - 1;
  }
  return NONE;
}

// The commands of a guest's queue (vgic_its_handle_command): each with its checks in the kernel's order. RDbase is a
// vCPU's index, as GITS_TYPER.PTA is 0.
import { ItsOutcome, MsiResult } from '../../abi';
import { ENOMEM } from '../../irqchip/errno';
import {
  Command,
  commandNumber,
  deviceId,
  eventId,
  icid,
  ittAddress,
  ittSize,
  pIntid,
  valid,
} from '../../its/decode';
import { touch } from '../ap_list';
import { retarget, setHostPending } from '../forwarding';
import { FIRST_LPI, MAX_LPI_INTID, NONE } from '../limits';
import { vmOf } from '../state';
import { isNull, lpiOf } from '../vgic_irq';
import { invalidateCache } from './cache';
import { EVENT_ID_BITS } from './limits';
import { findCollection, findDevice, findIte, vcpuOfCollection } from './lookup';
import { invalidateAllLpis, loadProperty, lpiLimit } from './lpi_tables';
import { addCollection, addDevice, addIte, freeCollection, freeDevice, freeIte } from './mapping';
import { Collection, Device, Ite, Its, UNMAPPED } from './records';
import {
  deviceEntryAddress,
  eventEntryAddress,
  fitsCollection,
  fitsEvent,
  NOWHERE,
  writeEntry,
} from './tables';
import { trigger } from './translation';

const RDBASE: u64 = 0xfffffffff;

export function handleCommand(its: Its, at: usize): ItsOutcome {
  switch (commandNumber(at)) {
    case Command.MAPD:
      return mapd(its, at);
    case Command.MAPC:
      return mapc(its, at);
    case Command.MAPTI:
      return mapti(its, at, pIntid(at));
    case Command.MAPI:
      return mapti(its, at, eventId(at));
    case Command.MOVI:
      return movi(its, at);
    case Command.MOVALL:
      return movall(its, at);
    case Command.DISCARD:
      return discard(its, at);
    case Command.INT:
      return int(its, at);
    case Command.CLEAR:
      return clear(its, at);
    case Command.INV:
      return inv(its, at);
    case Command.INVALL:
      return invall(its, at);
    case Command.SYNC:
      return ItsOutcome.DONE;
    default:
      return ItsOutcome.UNKNOWN_COMMAND;
  }
}

/** vCPU of the RDbase field of a doubleword, NONE beyond the VM's. */
function vcpuOfRdbase(its: Its, at: usize, doubleword: u32): u32 {
  const index = (load<u64>(at + (doubleword << 3)) >> 16) & RDBASE;
  const vm = vmOf(its.vm);
  return index < vm.vcpus ? vm.firstVcpu + <u32>index : NONE;
}

function isMapped(its: Its, collection: Collection | null): bool {
  return vcpuOfCollection(its, collection) != NONE;
}

/** Of an operation on the host. */
function outcomeOf(failed: i32): ItsOutcome {
  return failed ? ItsOutcome.HOST_ERROR : ItsOutcome.DONE;
}

/** A device that is known loses all its events first, whatever V says; unmapping an unknown one is no error. */
function mapd(its: Its, at: usize): ItsOutcome {
  const id = deviceId(at);
  const eventIdBits = ittSize(at) + 1;
  const entry = deviceEntryAddress(its, id);
  if (entry == NOWHERE) return ItsOutcome.MAPD_DEVICE_OOR;
  if (valid(at) && eventIdBits > EVENT_ID_BITS) return ItsOutcome.MAPD_ITTSIZE_OOR;
  const known = findDevice(its, id);
  if (known !== null) freeDevice(its, known);
  if (valid(at)) {
    const device = addDevice(its, id, ittAddress(at), eventIdBits);
    return device === null ? ItsOutcome.NO_MEMORY : ItsOutcome.DONE;
  }
  // A stale entry of an earlier save would come back with a restore.
  if (known === null) return ItsOutcome.DONE;
  return writeEntry(its.vm, entry, 0) ? ItsOutcome.DONE : ItsOutcome.TABLE_FAULT;
}

function mapc(its: Its, at: usize): ItsOutcome {
  const vcpu = vcpuOfRdbase(its, at, 2);
  if (vcpu == NONE) return ItsOutcome.MAPC_PROCNUM_OOR;
  const id = icid(at);
  const collection = findCollection(its, id);
  if (!valid(at)) {
    if (collection !== null) freeCollection(its, collection);
    invalidateCache(its);
    return ItsOutcome.DONE;
  }
  const target = vcpu - vmOf(its.vm).firstVcpu;
  if (collection !== null) return retargetCollection(its, collection, target);
  if (!fitsCollection(its, id)) return ItsOutcome.MAPC_COLLECTION_OOR;
  return addCollection(its, id, target) === null ? ItsOutcome.NO_MEMORY : ItsOutcome.DONE;
}

/** update_affinity_collection. Cached translations stay good: they lead to the LPI, whose target changes in place. */
function retargetCollection(its: Its, collection: Collection, target: u32): ItsOutcome {
  collection.target = target;
  const vcpu = vcpuOfCollection(its, collection);
  let device = its.devicesFirst;
  while (device !== null) {
    let ite = changetype<Ite | null>(changetype<Device>(device).itesFirst);
    while (ite !== null) {
      if (ite.collection == collection) retarget(ite.irq, vcpu);
      ite = changetype<Ite | null>(ite.next);
    }
    device = device.next;
  }
  return ItsOutcome.DONE;
}

/** MAPTI, and MAPI whose LPI has the number of the event. Mapping a pair once more changes nothing. */
function mapti(its: Its, at: usize, intid: u32): ItsOutcome {
  const device = findDevice(its, deviceId(at));
  if (device === null) return ItsOutcome.MAPTI_UNMAPPED_DEVICE;
  if (!fitsEvent(its.vm, device, eventId(at))) return ItsOutcome.MAPTI_ID_OOR;
  if (intid < FIRST_LPI || intid >= lpiLimit(its.vm)) return ItsOutcome.MAPTI_PHYSICALID_OOR;
  if (findIte(its, deviceId(at), eventId(at)) !== null) return ItsOutcome.DONE;
  const known = findCollection(its, icid(at));
  if (known === null && !fitsCollection(its, icid(at))) return ItsOutcome.MAPC_COLLECTION_OOR;
  const collection = known !== null ? known : addCollection(its, icid(at), UNMAPPED);
  if (collection === null) return ItsOutcome.NO_MEMORY;
  const failed = addIte(its, device, eventId(at), intid, collection);
  if (failed == 0) return ItsOutcome.DONE;
  if (known === null) freeCollection(its, collection);
  return failed == ENOMEM ? ItsOutcome.NO_MEMORY : ItsOutcome.TABLE_FAULT;
}

function movi(its: Its, at: usize): ItsOutcome {
  const ite = findIte(its, deviceId(at), eventId(at));
  if (ite === null) return ItsOutcome.MOVI_UNMAPPED_INTERRUPT;
  const collection = findCollection(its, icid(at));
  if (!isMapped(its, ite.collection) || !isMapped(its, collection))
    return ItsOutcome.MOVI_UNMAPPED_COLLECTION;
  ite.collection = collection;
  invalidateCache(its);
  return outcomeOf(retarget(ite.irq, vcpuOfCollection(its, collection)));
}

/** All LPIs of one vCPU go to another: those of other vITSs too. Collections stay where they are. */
function movall(its: Its, at: usize): ItsOutcome {
  const from = vcpuOfRdbase(its, at, 2);
  const to = vcpuOfRdbase(its, at, 3);
  if (from == NONE || to == NONE) return ItsOutcome.MOVALL_PROCNUM_OOR;
  if (from == to) return ItsOutcome.DONE;
  let left = vmOf(its.vm).lpis;
  for (let intid = FIRST_LPI; left > 0 && intid <= MAX_LPI_INTID; intid++) {
    const irq = lpiOf(its.vm, intid);
    if (isNull(irq)) continue;
    left--;
    if (irq.target == from) retarget(irq, to);
  }
  invalidateCache(its);
  return ItsOutcome.DONE;
}

/** The pending state goes with the LPI. A stale entry of an earlier save would come back with a restore. */
function discard(its: Its, at: usize): ItsOutcome {
  const ite = findIte(its, deviceId(at), eventId(at));
  if (ite === null || !isMapped(its, ite.collection)) return ItsOutcome.DISCARD_UNMAPPED_INTERRUPT;
  const entry = eventEntryAddress(ite.device, ite.eventId);
  invalidateCache(its);
  freeIte(ite);
  return writeEntry(its.vm, entry, 0) ? ItsOutcome.DONE : ItsOutcome.TABLE_FAULT;
}

function int(its: Its, at: usize): ItsOutcome {
  switch (trigger(its, deviceId(at), eventId(at))) {
    case MsiResult.UNMAPPED:
      return ItsOutcome.INT_UNMAPPED_INTERRUPT;
    case MsiResult.LPIS_DISABLED:
      return ItsOutcome.LPIS_DISABLED;
    case MsiResult.HOST_ERROR:
      return ItsOutcome.HOST_ERROR;
    default:
      return ItsOutcome.DONE;
  }
}

function clear(its: Its, at: usize): ItsOutcome {
  const ite = findIte(its, deviceId(at), eventId(at));
  if (ite === null) return ItsOutcome.CLEAR_UNMAPPED_INTERRUPT;
  const irq = ite.irq;
  irq.pendingLatch = false;
  touch(irq);
  return irq.hw ? outcomeOf(setHostPending(irq, false)) : ItsOutcome.DONE;
}

function inv(its: Its, at: usize): ItsOutcome {
  const ite = findIte(its, deviceId(at), eventId(at));
  if (ite === null) return ItsOutcome.INV_UNMAPPED_INTERRUPT;
  return loadProperty(ite.irq, true) ? ItsOutcome.DONE : ItsOutcome.TABLE_FAULT;
}

function invall(its: Its, at: usize): ItsOutcome {
  const vcpu = vcpuOfCollection(its, findCollection(its, icid(at)));
  if (vcpu == NONE) return ItsOutcome.INVALL_UNMAPPED_COLLECTION;
  invalidateAllLpis(vcpu);
  return ItsOutcome.DONE;
}

// What the host calls of virtual ITSs, irqfds and routes: numbers in, an errno or a number out.
import { IrqfdField, ItsField, ItsOutcome, MsiResult } from '../../abi';
import { EINVAL } from '../../irqchip/errno';
import { machine } from '../../memory/machine';
import * as irqfds from '../irqfd';
import { serveAll } from '../service';
import { vcpuOf, vmOf } from '../state';
import { cachedCount } from './cache';
import { createIts, resetIts } from './its';
import { MAX_ITSES } from './limits';
import { findCollection, findDevice, findIte } from './lookup';
import { errorAt, errorCountAt, Its, itsOf, itsVmOf, msiCountAt, outcomeCountAt } from './records';
import { readItsRegister, restoreItsRegister, writeItsRegister } from './registers';
import { restoreTables } from './restore';
import { saveTables } from './save';
import { savePendingTables } from './save_pending';
import { sendMsi } from './translation';

export function vitsCreate(vm: u32, base: f64): i32 {
  return isVm(vm) ? served(createIts(vm, <u64>base)) : EINVAL;
}

export function vitsRead(its: u32, offset: u32, size: u32): u32 {
  const value = isIts(its) ? readItsRegister(its, offset, size) : 0;
  machine().resultHigh = <u32>(value >> 32);
  return <u32>value;
}

/** The guest's write. */
export function vitsWrite(its: u32, offset: u32, size: u32, low: u32, high: u32): void {
  if (!isIts(its)) return;
  writeItsRegister(its, offset, size, ((<u64>high) << 32) | low);
  serveAll();
}

/** User space's write. */
export function vitsRestoreRegister(its: u32, offset: u32, low: u32, high: u32): i32 {
  return isIts(its) ? served(restoreItsRegister(its, offset, ((<u64>high) << 32) | low)) : EINVAL;
}

export function vitsReset(its: u32): i32 {
  return isIts(its) ? served(resetIts(itsOf(its))) : EINVAL;
}

export function vitsSaveTables(its: u32): i32 {
  return isIts(its) ? served(saveTables(itsOf(its))) : EINVAL;
}

export function vitsRestoreTables(its: u32): i32 {
  return isIts(its) ? served(restoreTables(itsOf(its))) : EINVAL;
}

export function vitsSavePending(vm: u32): i32 {
  return isVm(vm) ? served(savePendingTables(vm)) : EINVAL;
}

/** KVM_SIGNAL_MSI; `flags` bit 0: the DeviceID is valid. */
export function vitsSignalMsi(vm: u32, address: f64, data: u32, deviceId: u32, flags: u32): i32 {
  if (!isVm(vm)) return EINVAL;
  return served(sendMsi(vm, <u64>address, data, deviceId, (flags & 1) != 0));
}

// --- inspection ---

export function vitsField(n: u32, field: ItsField): f64 {
  return isIts(n) ? fieldOf(itsOf(n), field) : -1;
}

function fieldOf(its: Its, field: ItsField): f64 {
  switch (field) {
    case ItsField.VM:
      return its.vm;
    case ItsField.DEVICES:
      return its.devicesLength;
    case ItsField.COLLECTIONS:
      return its.collectionsLength;
    case ItsField.CACHED:
      return cachedCount(its);
    case ItsField.COMMANDS:
      return its.commands;
    case ItsField.LAST_OUTCOME:
      return its.lastOutcome;
    case ItsField.CACHE_HITS:
      return itsVmOf(its.vm).hits;
    case ItsField.CACHE_MISSES:
      return itsVmOf(its.vm).misses;
    default:
      return -1;
  }
}

/** Events that a device has mapped, -1 for an unknown device. */
export function vitsDeviceEvents(its: u32, deviceId: u32): i32 {
  const device = isIts(its) ? findDevice(itsOf(its), deviceId) : null;
  return device === null ? -1 : <i32>device.itesLength;
}

/** EventID bits of a device, -1 for an unknown one. */
export function vitsDeviceBits(its: u32, deviceId: u32): i32 {
  const device = isIts(its) ? findDevice(itsOf(its), deviceId) : null;
  return device === null ? -1 : <i32>device.eventIdBits;
}

export function vitsDeviceItt(its: u32, deviceId: u32): f64 {
  const device = isIts(its) ? findDevice(itsOf(its), deviceId) : null;
  return device === null ? -1 : <f64>device.ittAddress;
}

/** Index of the vCPU of a collection, -1 for an unknown collection, -2 for one without a vCPU. */
export function vitsCollection(its: u32, icid: u32): i32 {
  const collection = isIts(its) ? findCollection(itsOf(its), icid) : null;
  if (collection === null) return -1;
  return collection.target < vmOf(itsOf(its).vm).vcpus ? <i32>collection.target : -2;
}

/** INTID of a mapped event, -1 for none. */
export function vitsEventIntid(its: u32, deviceId: u32, eventId: u32): i32 {
  const ite = isIts(its) ? findIte(itsOf(its), deviceId, eventId) : null;
  return ite === null ? -1 : <i32>ite.irq.intid;
}

/** ICID of a mapped event, -1 for none, -2 where its collection is gone. */
export function vitsEventIcid(its: u32, deviceId: u32, eventId: u32): i32 {
  const ite = isIts(its) ? findIte(itsOf(its), deviceId, eventId) : null;
  if (ite === null) return -1;
  const collection = ite.collection;
  return collection === null ? -2 : <i32>collection.id;
}

/** Linux irq that a mapped event is forwarded from, -1 for none. */
export function vitsEventHostIrq(its: u32, deviceId: u32, eventId: u32): i32 {
  const ite = isIts(its) ? findIte(itsOf(its), deviceId, eventId) : null;
  return ite === null || !ite.irq.hw ? -1 : <i32>ite.irq.hostIrq;
}

/** How often commands had an outcome. */
export function vitsOutcomes(its: u32, outcome: ItsOutcome): u32 {
  return isIts(its) && outcome < ItsOutcome.COUNT ? load<u32>(outcomeCountAt(its, outcome)) : 0;
}

/** Failed commands of all vITSs ever, and where the record of one of the last 256 stands. */
export function vitsErrorCount(): u32 {
  return load<u32>(errorCountAt());
}

export function vitsErrorAt(n: u32): usize {
  return errorAt(n);
}

/** How often a VM's messages had a result, in place: 64 bits each, by `MsiResult`. */
export function vitsMsiCounts(vm: u32): usize {
  return isVm(vm) ? msiCountAt(vm, MsiResult.INJECTED) : 0;
}

/** VLPIs that target a vCPU. */
export function kvmVlpis(vcpu: u32): i32 {
  return vcpu < machine().vcpuLimit && vcpuOf(vcpu).used ? <i32>vcpuOf(vcpu).vlpis : EINVAL;
}

// --- routes and irqfds ---

export function kvmRouteMsi(vm: u32, gsi: u32, address: f64, data: u32, deviceId: u32, flags: u32): i32 {
  if (!isVm(vm)) return EINVAL;
  return served(irqfds.routeToMsi(vm, gsi, <u64>address, data, deviceId, (flags & 1) != 0));
}

/** To a pin of the distributor (SPI 32 + pin), or with NONE to nothing. */
export function kvmRoutePin(vm: u32, gsi: u32, pin: u32): i32 {
  return isVm(vm) ? served(irqfds.routeToPin(vm, gsi, pin)) : EINVAL;
}

export function kvmOpenIrqfd(vm: u32, gsi: u32): i32 {
  return isVm(vm) ? irqfds.openIrqfd(vm, gsi) : EINVAL;
}

export function kvmCloseIrqfd(irqfd: u32): i32 {
  if (!irqfds.isIrqfd(irqfd)) return EINVAL;
  irqfds.closeIrqfd(irqfd);
  return served(0);
}

export function kvmAddProducer(irqfd: u32, hostIrq: u32): i32 {
  return irqfds.isIrqfd(irqfd) ? served(irqfds.addProducer(irqfd, hostIrq)) : EINVAL;
}

export function kvmRemoveProducer(irqfd: u32): i32 {
  if (!irqfds.isIrqfd(irqfd)) return EINVAL;
  irqfds.removeProducer(irqfd);
  return served(0);
}

export function kvmSignalIrqfd(irqfd: u32): i32 {
  return irqfds.isIrqfd(irqfd) ? served(irqfds.signalIrqfd(irqfd)) : EINVAL;
}

export function kvmIrqfdField(irqfd: u32, field: IrqfdField): i32 {
  return irqfds.isIrqfd(irqfd) ? irqfds.irqfdField(irqfd, field) : EINVAL;
}

export function kvmIrqfdResults(irqfd: u32, result: MsiResult): u32 {
  return irqfds.isIrqfd(irqfd) && result < MsiResult.COUNT ? irqfds.irqfdResults(irqfd, result) : 0;
}

function isVm(vm: u32): bool {
  return vm < machine().vmLimit && vmOf(vm).used != 0;
}

function isIts(its: u32): bool {
  return its < MAX_ITSES && itsOf(its).used != 0;
}

function served(outcome: i32): i32 {
  serveAll();
  return outcome;
}

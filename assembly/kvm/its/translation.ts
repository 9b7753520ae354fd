// MSIs for a guest: KVM_SIGNAL_MSI, irqfds and the command INT find the LPI of an event and make it pending
// (vgic_its_inject_msi).
import { MsiResult } from '../../abi';
import { setHostPending } from '../forwarding';
import { latchIrq } from '../inject';
import { NONE } from '../limits';
import { vcpuOf } from '../state';
import { isNewEra, isNull, VgicIrq } from '../vgic_irq';
import { cachedIrq, cacheTranslation } from './cache';
import { findIte, itsAtAddress, vcpuOfCollection } from './lookup';
import { Ite, Its, itsOf, msiCountAt } from './records';

const GITS_TRANSLATER: u64 = 0x10040;

/** A message of a device, from user space or the hypervisor itself. */
export function sendMsi(vm: u32, address: u64, data: u32, deviceId: u32, hasDeviceId: bool): MsiResult {
  const cached = hasDeviceId ? cachedMsi(vm, address, deviceId, data) : changetype<VgicIrq>(0);
  if (!isNull(cached)) return count(vm, latchLpi(cached));
  return sendThroughTables(vm, address, data, deviceId, hasDeviceId);
}

/** The cached LPI of a message, null for none: what an interrupt handler of the host may use. */
export function cachedMsi(vm: u32, address: u64, deviceId: u32, eventId: u32): VgicIrq {
  const n = itsAtAddress(vm, address);
  // The cache of a whole VM knows its doorbells by their exact address.
  const known = n != NONE && (isNewEra() || address - itsOf(n).base == GITS_TRANSLATER);
  return known ? cachedIrq(itsOf(n), deviceId, eventId) : changetype<VgicIrq>(0);
}

/** The same without the cache, which it fills. */
export function sendThroughTables(
  vm: u32,
  address: u64,
  data: u32,
  deviceId: u32,
  hasDeviceId: bool,
): MsiResult {
  if (!hasDeviceId) return count(vm, MsiResult.NO_DEVICE_ID);
  const n = itsAtAddress(vm, address);
  return count(vm, n == NONE ? MsiResult.NO_ITS : trigger(itsOf(n), deviceId, data));
}

/** vgic_its_trigger_msi. */
export function trigger(its: Its, deviceId: u32, eventId: u32): MsiResult {
  const ite = findIte(its, deviceId, eventId);
  const obstacle = obstacleOf(its, ite);
  if (obstacle != MsiResult.INJECTED) return obstacle;
  const irq = ite!.irq;
  cacheTranslation(its, deviceId, eventId, irq);
  return latchLpi(irq);
}

/** vgic_its_resolve_lpi: why an event cannot be delivered, INJECTED where it can. */
function obstacleOf(its: Its, ite: Ite | null): MsiResult {
  if (!its.enabled) return MsiResult.ITS_DISABLED;
  if (ite === null) return MsiResult.UNMAPPED;
  const vcpu = vcpuOfCollection(its, ite.collection);
  if (vcpu == NONE) return MsiResult.UNMAPPED;
  return vcpuOf(vcpu).lpisEnabled ? MsiResult.INJECTED : MsiResult.LPIS_DISABLED;
}

/** The LPI that a message would make pending, null where it would be dropped. */
export function lpiOfMsi(vm: u32, address: u64, deviceId: u32, eventId: u32): VgicIrq {
  const n = itsAtAddress(vm, address);
  if (n == NONE) return changetype<VgicIrq>(0);
  const ite = findIte(itsOf(n), deviceId, eventId);
  if (obstacleOf(itsOf(n), ite) != MsiResult.INJECTED) return changetype<VgicIrq>(0);
  cacheTranslation(itsOf(n), deviceId, eventId, ite!.irq);
  return ite!.irq;
}

/** Makes an LPI pending, by software or, where it is forwarded, by the host's ITS. */
export function latchLpi(irq: VgicIrq): MsiResult {
  if (irq.hw) return setHostPending(irq, true) ? MsiResult.HOST_ERROR : MsiResult.FORWARDED;
  const wasPending = irq.pendingLatch;
  latchIrq(irq);
  return wasPending ? MsiResult.COALESCED : MsiResult.INJECTED;
}

/** Counts what became of a VM's message. */
export function count(vm: u32, result: MsiResult): MsiResult {
  const at = msiCountAt(vm, result);
  store<u64>(at, load<u64>(at) + 1);
  return result;
}

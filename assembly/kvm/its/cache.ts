// The translation cache: (DeviceID, EventID) straight to the LPI, without the ITS lock, so that an interrupt handler of
// the host may use it. Kernels from 5.3 on have it: first one of sixteen entries a vCPU for the whole VM, which forgets
// what was used longest ago, later one for each vITS without a limit.
import { chip, ERA_S } from '../../irqchip/state';
import { vmOf } from '../state';
import { holdIrq, isNewEra, putIrq, VgicIrq } from '../vgic_irq';
import { add, find, moveToEnd, remove } from './entries';
import { Cached, Entry, Its, itsOf, itsVmOf, KIND_CACHED, List, numberOfIts } from './records';

const ENTRIES_A_VCPU: u32 = 16;

function cacheOf(its: Its): List {
  return isNewEra() ? its.cache : itsVmOf(its.vm).cache;
}

/** Translations that are cached. */
export function cachedCount(its: Its): u32 {
  return cacheOf(its).length;
}

/**
 * The cached LPI of an event, null for none. An LPI that was forwarded since is not taken: its pending state is the
 * hardware's now.
 */
export function cachedIrq(its: Its, deviceId: u32, eventId: u32): VgicIrq {
  const self = itsVmOf(its.vm);
  const entry = find(KIND_CACHED, numberOfIts(its), deviceId, eventId);
  if (entry === null || changetype<Cached>(entry).irq.hw) {
    self.misses++;
    return changetype<VgicIrq>(0);
  }
  self.hits++;
  if (!isNewEra()) moveToEnd(self.cache, entry);
  return changetype<Cached>(entry).irq;
}

/** vgic_its_cache_translation: the entry holds a reference. A forwarded LPI is never cached. */
export function cacheTranslation(its: Its, deviceId: u32, eventId: u32, irq: VgicIrq): void {
  const number = numberOfIts(its);
  if (chip().era == ERA_S || irq.hw || find(KIND_CACHED, number, deviceId, eventId) !== null) return;
  const list = cacheOf(its);
  if (!isNewEra() && list.length >= ENTRIES_A_VCPU * vmOf(its.vm).vcpus) drop(list.first!, list);
  const entry = add(KIND_CACHED, number, deviceId, eventId, list);
  if (entry === null) return;
  changetype<Cached>(entry).irq = irq;
  holdIrq(irq);
}

/** vgic_its_invalidate_cache: everything, as the kernel does, not the one event that changed. */
export function invalidateCache(its: Its): void {
  const list = cacheOf(its);
  for (let entry = list.first; entry !== null; entry = list.first) drop(entry, list);
}

export function invalidateAllCaches(vm: u32): void {
  for (let n = itsVmOf(vm).firstIts; n; n = itsOf(n - 1).next) invalidateCache(itsOf(n - 1));
}

function drop(entry: Entry, list: List): void {
  const irq = changetype<Cached>(entry).irq;
  remove(entry, list);
  putIrq(irq);
}

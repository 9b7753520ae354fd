// its_create_device and its_free_device: an ITT in RAM, a block of LPIs, an irq for each event.
import { sendMapd } from './commands';
import { EBUSY, EINVAL, ENOMEM } from './errno';
import { allocateLpis, freeLpis, lpisFor, NO_LPI, smallerBlock } from './lpi_allocator';
import { isDisabled } from './lpi_config';
import { beginUndo, endUndo } from './queue';
import { allocatePages, freePages, pagesOf } from './ram';
import {
  chip,
  Device,
  deviceOf,
  irqOf,
  itsNode,
  KIND_DEVICE,
  KIND_FREE,
  MAX_DEVICES,
  MAX_IRQS,
  NONE,
} from './state';
import { ensureEntry } from './tables';

/** No irq of a run of free ones. */
const NO_IRQ: u32 = NONE;

/**
 * Makes a device with room for `events` events on an ITS; its number, or an errno. The proxy device has no LPIs and no
 * irqs of its own.
 */
export function createDevice(its: u32, deviceId: u32, events: u32, withIrqs: bool): i32 {
  const node = itsNode(its);
  if (node.failed) return EINVAL;
  if (node.deviceIdBits < 32 && deviceId >> node.deviceIdBits) return EINVAL;
  if (events == 0 || events > MAX_IRQS) return EINVAL;
  if (findDevice(its, deviceId) >= 0) return isProxy(its, deviceId) ? EINVAL : EBUSY;
  const slot = freeSlot();
  if (slot < 0) return ENOMEM;
  const device = deviceOf(<u32>slot);
  device.its = its;
  device.deviceId = deviceId;
  device.events = max<u32>(2, powerOfTwo(events));
  device.vm = NONE;
  device.vlpis = 0;
  device.allocated = 0;
  device.firstIrq = NO_IRQ;
  device.lpiBase = NO_LPI;
  device.lpis = 0;
  device.ittPages = pagesOf(device.events * max<u32>(node.ittEntryBytes, 8));
  device.itt = allocatePages(device.ittPages, 1);
  const complete = device.itt != 0 && (!withIrqs || takeIrqs(<u32>slot, device));
  let failed = complete ? ensureEntry(its, 0, deviceId) : ENOMEM;
  if (failed == 0) failed = mapDevice(device);
  if (failed) {
    release(device);
    return failed;
  }
  device.used = 1;
  return slot;
}

function mapDevice(device: Device): i32 {
  const failed = sendMapd(device, true);
  if (failed && beginUndo()) {
    sendMapd(device, false);
    endUndo();
  }
  return failed;
}

/** Frees a device none of whose events is in use. */
export function destroyDevice(n: u32): i32 {
  if (n >= MAX_DEVICES || !deviceOf(n).used) return EINVAL;
  const device = deviceOf(n);
  if (device.allocated || n == chip().proxyDevice) return EBUSY;
  const failed = sendMapd(device, false);
  if (failed) {
    if (beginUndo()) {
      sendMapd(device, true);
      endUndo();
    }
    return failed;
  }
  release(device);
  return 0;
}

export function findDevice(its: u32, deviceId: u32): i32 {
  for (let n: u32 = 0; n < MAX_DEVICES; n++) {
    const device = deviceOf(n);
    if (device.used && device.its == its && device.deviceId == deviceId) return <i32>n;
  }
  return -1;
}

function isProxy(its: u32, deviceId: u32): bool {
  const proxy = chip().proxyDevice;
  return proxy != NONE && deviceOf(proxy).its == its && deviceOf(proxy).deviceId == deviceId;
}

function freeSlot(): i32 {
  for (let n: u32 = 0; n < MAX_DEVICES; n++) {
    if (!deviceOf(n).used) return <i32>n;
  }
  return -1;
}

/** LPIs and irqs for all events, or for the first ones where LPIs are short; whether there are any. */
function takeIrqs(n: u32, device: Device): bool {
  let lpis = lpisFor(device.events);
  while (lpis != 0 && device.lpiBase == NO_LPI) {
    device.lpiBase = allocateLpis(lpis);
    if (device.lpiBase == NO_LPI) lpis = smallerBlock(lpis);
  }
  if (device.lpiBase == NO_LPI) return false;
  device.lpis = lpis;
  device.firstIrq = findIrqs(irqsOf(device));
  if (device.firstIrq == NO_IRQ) return false;
  for (let event: u32 = 0; event < irqsOf(device); event++) {
    const irq = irqOf(device.firstIrq + event);
    irq.kind = KIND_DEVICE;
    irq.owner = n;
    irq.event = event;
    irq.intid = device.lpiBase + event;
    irq.cpu = 0;
    irq.activated = 0;
    irq.masked = isDisabled(irq.intid) ? 1 : 0;
    irq.forwarded = 0;
  }
  return true;
}

function release(device: Device): void {
  if (device.firstIrq != NO_IRQ) freeIrqs(device.firstIrq, irqsOf(device));
  if (device.lpiBase != NO_LPI) freeLpis(device.lpiBase, device.lpis);
  freePages(device.itt, device.ittPages);
  device.used = 0;
}

/** How many events of a device have an LPI and an irq. */
export function irqsOf(device: Device): u32 {
  return min<u32>(device.events, device.lpis);
}

/** The first of `count` consecutive free irqs, or NONE. */
export function findIrqs(count: u32): u32 {
  let run: u32 = 0;
  // Irq 0 is no valid irq, as in Linux.
  for (let n: u32 = 1; n < MAX_IRQS; n++) {
    run = irqOf(n).kind == KIND_FREE ? run + 1 : 0;
    if (run == count) return n - count + 1;
  }
  return NONE;
}

export function freeIrqs(first: u32, count: u32): void {
  for (let n = first; n < first + count; n++) irqOf(n).kind = KIND_FREE;
}

function powerOfTwo(n: u32): u32 {
  return n <= 1 ? 1 : (<u32>1) << (32 - clz(n - 1));
}

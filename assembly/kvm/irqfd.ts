// From a device to the guest's interrupt: the VM's GSI routing table, irqfds, and the irq bypass that joins an assigned
// device's host irq (the producer) to an irqfd (the consumer), so that it can be delivered directly.
import { IrqfdField, MsiResult } from '../abi';
import { deviceIrq } from '../irqchip/device_irq';
import { EBUSY, EINVAL, ENOMEM } from '../irqchip/errno';
import { irqOf } from '../irqchip/state';
import { areaAt, IRQFDS_AT, kvmTables } from './areas';
import { FORWARDED_BYTES, forward, isForwarded, unforward } from './forwarding';
import { handleLpi, LPI_DEVICE } from './host';
import { injectIrq } from './inject';
import { cachedMsi, count, latchLpi, lpiOfMsi, sendThroughTables } from './its/translation';
import { NONE, PRIVATE_IRQS } from './limits';
import { vmOf } from './state';
import { isNull, spiOf } from './vgic_irq';
import { isDirect } from './vgic_v4';

/** GSIs of a VM, and irqfds of all VMs. */
export const MAX_GSIS: u32 = 1024;
export const MAX_IRQFDS: u32 = 32768;

export const ROUTE_NONE: u32 = 0;
const ROUTE_PIN: u32 = 1;
const ROUTE_MSI: u32 = 2;

/** An entry of the routing table (kvm_kernel_irq_routing_entry). */
@unmanaged
export class Route {
  kind: u32;
  /** Pin of the distributor: SPI 32 + pin. */
  pin: u32;
  data: u32;
  deviceId: u32;
  hasDeviceId: bool;
  address: u64;
}

@unmanaged
export class Irqfd {
  used: bool;
  vm: u32;
  gsi: u32;
  /** Linux irq of the producer, NONE without. */
  hostIrq: u32;
  signalled: u32;
  deferred: u32;
  lastResult: u32;
}

const ROUTE_BYTES: usize = (offsetof<Route>() + 7) & ~7;
const IRQFD_BYTES: usize = (offsetof<Irqfd>() + 7) & ~7;
/** The routing table of a VM. */
export const ROUTES_OF_VM_BYTES: usize = <usize>MAX_GSIS * ROUTE_BYTES;

const FDS_AT: usize = FORWARDED_BYTES;
const RESULTS_AT: usize = FDS_AT + <usize>MAX_IRQFDS * IRQFD_BYTES;
/** Irqfds that were ever used: none stands behind them. */
const HIGHEST_AT: usize = RESULTS_AT + <usize>MAX_IRQFDS * MsiResult.COUNT * 4;

/** Bytes of the forwarded interrupts and irqfds. */
export const IRQFDS_BYTES: usize = (HIGHEST_AT + 4 + 63) & ~63;

function routeOf(vm: u32, gsi: u32): Route {
  return changetype<Route>(kvmTables().routes + <usize>vm * ROUTES_OF_VM_BYTES + <usize>gsi * ROUTE_BYTES);
}

function irqfdOf(n: u32): Irqfd {
  return changetype<Irqfd>(areaAt(IRQFDS_AT) + FDS_AT + <usize>n * IRQFD_BYTES);
}

/** How often the signals of an irqfd had a result. */
function resultAt(n: u32, result: MsiResult): usize {
  return areaAt(IRQFDS_AT) + RESULTS_AT + ((<usize>(n * MsiResult.COUNT + result)) << 2);
}

function highest(): u32 {
  return load<u32>(areaAt(IRQFDS_AT) + HIGHEST_AT);
}

export function isIrqfd(n: u32): bool {
  return n < MAX_IRQFDS && irqfdOf(n).used;
}

// --- routing ---

export function routeToMsi(
  vm: u32,
  gsi: u32,
  address: u64,
  data: u32,
  deviceId: u32,
  hasDeviceId: bool,
): i32 {
  if (gsi >= MAX_GSIS) return EINVAL;
  const route = routeOf(vm, gsi);
  const same =
    route.kind == ROUTE_MSI &&
    route.address == address &&
    route.data == data &&
    route.deviceId == deviceId &&
    route.hasDeviceId == hasDeviceId;
  if (!same) leaveRoute(vm, gsi);
  route.kind = ROUTE_MSI;
  route.address = address;
  route.data = data;
  route.deviceId = deviceId;
  route.hasDeviceId = hasDeviceId;
  return 0;
}

/** A pin of the distributor, or nothing. */
export function routeToPin(vm: u32, gsi: u32, pin: u32): i32 {
  if (gsi >= MAX_GSIS) return EINVAL;
  const route = routeOf(vm, gsi);
  if (route.kind == ROUTE_MSI) leaveRoute(vm, gsi);
  route.kind = pin == NONE ? ROUTE_NONE : ROUTE_PIN;
  route.pin = pin;
  return 0;
}

/**
 * kvm_arch_update_irqfd_routing: the LPI of the route that is left is software's again. The new route cannot be resolved
 * where this runs, so the interrupt stays with software until the producer comes anew.
 */
function leaveRoute(vm: u32, gsi: u32): void {
  for (let n: u32 = 0; n < highest(); n++) {
    const irqfd = irqfdOf(n);
    if (irqfd.used && irqfd.vm == vm && irqfd.gsi == gsi && irqfd.hostIrq != NONE) unforward(irqfd.hostIrq);
  }
}

// --- irqfds ---

/** KVM_IRQFD: its number, or an errno. */
export function openIrqfd(vm: u32, gsi: u32): i32 {
  if (gsi >= MAX_GSIS) return EINVAL;
  let n: u32 = 0;
  while (n < highest() && irqfdOf(n).used) n++;
  if (n == MAX_IRQFDS) return ENOMEM;
  if (n == highest()) store<u32>(areaAt(IRQFDS_AT) + HIGHEST_AT, n + 1);
  const irqfd = irqfdOf(n);
  memory.fill(changetype<usize>(irqfd), 0, IRQFD_BYTES);
  memory.fill(resultAt(n, MsiResult.INJECTED), 0, <usize>MsiResult.COUNT * 4);
  irqfd.used = true;
  irqfd.vm = vm;
  irqfd.gsi = gsi;
  irqfd.hostIrq = NONE;
  return <i32>n;
}

export function closeIrqfd(n: u32): void {
  removeProducer(n);
  irqfdOf(n).used = false;
}

/** The VM goes. */
export function closeIrqfds(vm: u32): void {
  for (let n: u32 = 0; n < highest(); n++) {
    if (irqfdOf(n).used && irqfdOf(n).vm == vm) closeIrqfd(n);
  }
  memory.fill(changetype<usize>(routeOf(vm, 0)), 0, <usize>MAX_GSIS * ROUTE_BYTES);
}

/**
 * VFIO enables a vector whose eventfd is this irqfd's (kvm_arch_irq_bypass_add_producer): the host's handler signals it,
 * and the interrupt is forwarded if the guest has mapped the event by now. Once more for the same host irq changes
 * nothing, except that an event which has been mapped since is forwarded.
 */
export function addProducer(n: u32, hostIrq: u32): i32 {
  const host = deviceIrq(hostIrq);
  if (changetype<usize>(host) == 0 || !host.activated) return EINVAL;
  const irqfd = irqfdOf(n);
  if (irqfd.hostIrq != hostIrq && (irqfd.hostIrq != NONE || isProducer(hostIrq))) return EBUSY;
  irqfd.hostIrq = hostIrq;
  handleLpi(host.intid, LPI_DEVICE, n);
  const route = routeOf(irqfd.vm, irqfd.gsi);
  if (!isDirect(vmOf(irqfd.vm)) || route.kind != ROUTE_MSI || !route.hasDeviceId) return 0;
  const irq = lpiOfMsi(irqfd.vm, route.address, route.deviceId, route.data);
  // Whatever the host says, software delivers what is not forwarded.
  if (!isNull(irq)) forward(irq, hostIrq);
  return 0;
}

function isProducer(hostIrq: u32): bool {
  for (let n: u32 = 0; n < highest(); n++) {
    if (irqfdOf(n).used && irqfdOf(n).hostIrq == hostIrq) return true;
  }
  return false;
}

/** VFIO disables the vector (kvm_arch_irq_bypass_del_producer). */
export function removeProducer(n: u32): void {
  const irqfd = irqfdOf(n);
  if (irqfd.hostIrq == NONE) return;
  unforward(irqfd.hostIrq);
  handleLpi(irqOf(irqfd.hostIrq).intid, 0, 0);
  irqfd.hostIrq = NONE;
}

/** The host took an assigned device's LPI: VFIO's handler signals the eventfd. */
export function handleDeviceLpi(n: u32): void {
  if (isIrqfd(n)) signalIrqfd(n);
}

/** The eventfd is signalled (irqfd_wakeup, and irqfd_inject from its work item). */
export function signalIrqfd(n: u32): MsiResult {
  const irqfd = irqfdOf(n);
  irqfd.signalled++;
  const result = inject(irqfd);
  irqfd.lastResult = result;
  store<u32>(resultAt(n, result), load<u32>(resultAt(n, result)) + 1);
  return result;
}

function inject(irqfd: Irqfd): MsiResult {
  const vm = irqfd.vm;
  const route = routeOf(vm, irqfd.gsi);
  if (route.kind == ROUTE_NONE) return MsiResult.NO_ROUTE;
  if (route.kind == ROUTE_PIN) return raisePin(vm, route.pin);
  // In the handler only a cached translation may be used; all else waits for the work item.
  if (route.hasDeviceId) {
    const cached = cachedMsi(vm, route.address, route.deviceId, route.data);
    if (!isNull(cached)) return count(vm, latchLpi(cached));
  }
  irqfd.deferred++;
  return sendThroughTables(vm, route.address, route.data, route.deviceId, route.hasDeviceId);
}

/** vgic_irqfd_set_irq: an edge, or a level that somebody else takes down again. */
function raisePin(vm: u32, pin: u32): MsiResult {
  const irq = spiOf(vm, PRIVATE_IRQS + pin);
  if (isNull(irq)) return MsiResult.NO_SPI;
  const wasPending = irq.isPending;
  injectIrq(vm, NONE, irq.intid, true, 0);
  return wasPending ? MsiResult.COALESCED : MsiResult.INJECTED;
}

export function irqfdField(n: u32, field: IrqfdField): i32 {
  const irqfd = irqfdOf(n);
  switch (field) {
    case IrqfdField.VM:
      return irqfd.vm;
    case IrqfdField.GSI:
      return irqfd.gsi;
    case IrqfdField.HOST_IRQ:
      return irqfd.hostIrq;
    case IrqfdField.FORWARDED:
      return irqfd.hostIrq != NONE && isForwarded(irqfd.hostIrq) ? 1 : 0;
    case IrqfdField.SIGNALLED:
      return irqfd.signalled;
    case IrqfdField.DEFERRED:
      return irqfd.deferred;
    case IrqfdField.LAST_RESULT:
      return irqfd.lastResult;
    default:
      return -1;
  }
}

/** How often the signals of an irqfd had a result. */
export function irqfdResults(n: u32, result: MsiResult): u32 {
  return load<u32>(resultAt(n, result));
}

// Devices: when they fire, and what a firing is.
import { Cost, Counter, MsiResult, Outcome, SimDeviceKind, SimEvent } from '../abi';
import { settle } from '../gic/outputs';
import { setSpiLevel } from '../gic/wires';
import { priceOf, takeSpent } from '../irqchip/costs';
import { translateMsi } from '../its/translation';
import { injectIrq } from '../kvm/inject';
import { signalIrqfd } from '../kvm/irqfd';
import { NONE } from '../kvm/limits';
import { irqOf } from '../kvm/vgic_irq';
import { countOf } from '../memory/counters';
import { DEVICE, schedule } from './event_queue';
import { deviceFlow } from './flow';
import { exponential, nextState, scramble } from './random';
import { addAt, Device, deviceOf, sim, Thread } from './state';
import { record } from './trace';

const POISSON: u64 = 1;
const BURSTS: u64 = 2;

/** The interrupt of a device in the kernel or in user space comes after the software's way to it. */
function delayOf(device: Device): u64 {
  const isAssigned = device.kind == SimDeviceKind.MSI || device.kind == SimDeviceKind.HOST_SPI;
  return isAssigned ? 0 : priceOf(Cost.INJECT);
}

export function startDevice(n: u32): void {
  const device = deviceOf(n);
  device.random = scramble(sim().seed + (n + 1) * 0x9e3779b97f4a7c15);
  device.next = max<u64>(device.start, sim().now);
  device.burstLeft = device.burst;
  if (device.arrival == POISSON) device.next += interval(device);
  schedule(DEVICE + n, device.next + delayOf(device));
}

/** ns until the next arrival. */
function interval(device: Device): u64 {
  if (device.arrival == POISSON) {
    device.random = nextState(device.random);
    return exponential(scramble(device.random), device.period);
  }
  if (device.arrival != BURSTS) return device.period;
  device.burstLeft--;
  if (device.burstLeft) return device.gap;
  device.burstLeft = device.burst;
  return device.period;
}

/** The event of a device. */
export function fireDevice(n: u32): void {
  const device = deviceOf(n);
  sim().actor = NONE;
  deviceFlow(n).reconcile(irqOf(<u32>device.vm, NONE, <u32>device.intid));
  deviceFlow(n).fire(device.next);
  const outcome = signal(n, device);
  record(SimEvent.DEVICE, NONE, NONE, n, outcome);
  addAt(changetype<usize>(device) + offsetof<Device>('outcomes0'), outcome, 1);
  if (outcome > <u32>Outcome.COALESCED) deviceFlow(n).drop();
  else if (outcome == <u32>Outcome.COALESCED) deviceFlow(n).coalesce();
  settle();
  sim().backEnd += takeSpent();
  device.fired++;
  if (device.limit && device.fired >= device.limit) return;
  device.next += interval(device);
  schedule(DEVICE + n, device.next + delayOf(device));
}

function signal(n: u32, device: Device): u32 {
  const intid = <u32>device.intid;
  const vm = <u32>device.vm;
  if (device.kind == SimDeviceKind.MSI) {
    return translateMsi(<u32>device.its, <u32>device.deviceId, <u32>device.eventId);
  }
  if (device.kind == SimDeviceKind.IRQFD) return signalBackEnd(n, device);
  if (device.kind == SimDeviceKind.EDGE_SPI) {
    injectIrq(vm, NONE, intid, true, 0);
    deviceFlow(n).reconcile(irqOf(vm, NONE, intid));
    return Outcome.PENDING;
  }
  if (device.line) return Outcome.COALESCED;
  device.line = true;
  if (device.kind == SimDeviceKind.HOST_SPI) setSpiLevel(<u32>device.hostSpi, true, false);
  else injectIrq(vm, NONE, intid, true, 0);
  return Outcome.PENDING;
}

/** An irqfd. What the virtual ITS forwards becomes an INT command to the host's ITS. */
function signalBackEnd(n: u32, device: Device): u32 {
  const counter = Counter.INT + Outcome.COALESCED;
  const merged = countOf(counter);
  const result = signalIrqfd(<u32>device.irqfd);
  deviceFlow(n).reconcile(irqOf(<u32>device.vm, NONE, <u32>device.intid));
  switch (result) {
    case MsiResult.INJECTED:
    case MsiResult.COALESCED:
      return Outcome.PENDING;
    case MsiResult.FORWARDED:
      return countOf(counter) == merged ? Outcome.PENDING : Outcome.COALESCED;
    case MsiResult.ITS_DISABLED:
      return Outcome.ITS_DISABLED;
    case MsiResult.LPIS_DISABLED:
      return Outcome.LPIS_DISABLED;
    default:
      return Outcome.EVENT_UNMAPPED;
  }
}

/** User space lowers the line that the guest's access has told it to. */
export function lowerLine(thread: Thread): void {
  if (thread.lowers == 0) return;
  const device = deviceOf(thread.lowers - 1);
  thread.lowers = 0;
  device.line = false;
  injectIrq(<u32>device.vm, NONE, <u32>device.intid, false, 0);
}

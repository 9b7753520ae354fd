// Which origin an interrupt has that a guest acknowledges.
import { SimDeviceKind } from '../abi';
import { settle } from '../gic/outputs';
import { setSpiLevel } from '../gic/wires';
import { contextOf } from '../kvm/arch_timer';
import { NONE } from '../kvm/limits';
import { vcpuOf } from '../kvm/state';
import { irqOf, privateIrq } from '../kvm/vgic_irq';
import { VIRTUAL_TIMER } from '../timer/timers';
import { simTables } from './areas';
import { deviceFlow, sgiFlow, timerFlow } from './flow';
import { takeTimer } from './guest_timer';
import { deviceOf, Pe, Thread } from './state';

const SGIS: u32 = 16;
const INTID_BITS: u32 = 16;
/** Of a VM, by INTID: a device and one, 0 for none. */
export const OWNERS_BYTES: usize = 2 << 16;

function ownerAt(vm: u32, intid: u32): usize {
  return simTables().owners + <usize>vm * OWNERS_BYTES + ((<usize>intid) << 1);
}

/** An interrupt of a VM is a device's. */
export function setOwner(vm: u32, intid: u32, device: u32): void {
  store<u16>(ownerAt(vm, intid), <u16>(device + 1));
}

function ownerOf(vm: u32, intid: u32): u32 {
  if (intid >> INTID_BITS) return NONE;
  const owner: u32 = load<u16>(ownerAt(vm, intid));
  return owner ? owner - 1 : NONE;
}

/** The guest has acknowledged an interrupt; ns since it was fired. */
export function acknowledged(pe: Pe, thread: Thread, intid: u32): u64 {
  const n = pe.thread;
  if (intid < SGIS) {
    const flow = sgiFlow(n, intid);
    flow.reconcile(privateIrq(n, intid));
    return flow.deliver();
  }
  if (intid == contextOf(n, VIRTUAL_TIMER).ppi && thread.timer)
    return takeTimer(pe.cpu, thread, timerFlow(n));
  const vm = vcpuOf(n).vm;
  const device = ownerOf(vm, intid);
  if (device == NONE) return 0;
  const flow = deviceFlow(device);
  flow.reconcile(irqOf(vm, n, intid));
  return flow.deliver();
}

/** The guest is done with an interrupt's device; whether lowering its line is for user space to do. */
export function finishDevice(pe: Pe, thread: Thread): bool {
  const n = ownerOf(vcpuOf(pe.thread).vm, thread.intid);
  if (thread.intid < 32 || n == NONE) return false;
  const device = deviceOf(n);
  if (device.kind == SimDeviceKind.LEVEL_SPI) {
    thread.lowers = n + 1;
    return true;
  }
  if (device.kind != SimDeviceKind.HOST_SPI) return false;
  device.line = false;
  setSpiLevel(<u32>device.hostSpi, false, false);
  settle();
  return false;
}

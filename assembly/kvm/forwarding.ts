// An assigned device's interrupt that is delivered as a VLPI: the guest's LPI tied to the host irq of the device, and
// what the guest's changes to that LPI become on the host (the LPI half of kvm/vgic-v4.c).
import { setPending } from '../irqchip/api';
import { deviceIrq } from '../irqchip/device_irq';
import { EINVAL } from '../irqchip/errno';
import { chip, ERA_S, irqOf, MAX_IRQS } from '../irqchip/state';
import { mapVlpi, unmapVlpi, updateVlpi } from '../irqchip/vlpi';
import { touch } from './ap_list';
import { areaAt, IRQFDS_AT } from './areas';
import { queueIrq } from './inject';
import { NONE } from './limits';
import { vcpuOf } from './state';
import { irqAt, numberOf, VgicIrq } from './vgic_irq';

/** For each host irq the number of the LPI that it is forwarded to, 0 for none: record 0 is an SGI. */
export const FORWARDED_BYTES: usize = <usize>MAX_IRQS * 4;
const PROPERTY_GROUP1: u32 = 2;

function forwardedAt(hostIrq: u32): usize {
  return areaAt(IRQFDS_AT) + ((<usize>hostIrq) << 2);
}

/** The host irq is a VLPI of a guest. */
export function isForwarded(hostIrq: u32): bool {
  return load<u32>(forwardedAt(hostIrq)) != 0;
}

/**
 * kvm_vgic_v4_set_forwarding, once the LPI is known: the host irq becomes a VLPI of the vCPU that the LPI targets. An LPI
 * that is forwarded already stays as it is. 0, or the errno with which it stays with software.
 */
export function forward(irq: VgicIrq, hostIrq: u32): i32 {
  if (irq.hw) return 0;
  const host = deviceIrq(hostIrq);
  if (changetype<usize>(host) == 0 || irq.target == NONE || vcpuOf(irq.target).vpe == NONE) return EINVAL;
  unforward(hostIrq);
  const property = <u32>irq.priority | PROPERTY_GROUP1 | (irq.enabled ? 1 : 0);
  const failed = mapVlpi(host, vcpuOf(irq.target).vpe, irq.intid, property, true);
  if (failed) return failed;
  irq.hw = true;
  irq.hostIrq = hostIrq;
  store<u32>(forwardedAt(hostIrq), numberOf(irq));
  vcpuOf(irq.target).vlpis++;
  // The driver of 2017 maps a VLPI without its properties.
  if (chip().era == ERA_S) updateForwarded(irq, property, true);
  if (irq.pendingLatch && chip().era != ERA_S) {
    setHostPending(irq, true);
    irq.pendingLatch = false;
    queueIrq(irq);
  }
  return 0;
}

/** kvm_vgic_v4_unset_forwarding: by the host irq, whatever the guest has made of its tables since. */
export function unforward(hostIrq: u32): i32 {
  const number = load<u32>(forwardedAt(hostIrq));
  return number ? unmapForwarded(irqAt(number)) : 0;
}

/** The VLPI goes, the host's LPI comes back and software delivers it. Nothing where the LPI is not forwarded. */
export function unmapForwarded(irq: VgicIrq): i32 {
  if (!irq.hw) return 0;
  irq.hw = false;
  store<u32>(forwardedAt(irq.hostIrq), 0);
  if (irq.target != NONE) vcpuOf(irq.target).vlpis--;
  const failed = unmapVlpi(irqOf(irq.hostIrq));
  irq.hostIrq = NONE;
  return failed;
}

/** update_affinity: an LPI goes to another vCPU; on a list, at its owner's next exit. */
export function retarget(irq: VgicIrq, vcpu: u32): i32 {
  const from = irq.target;
  irq.target = vcpu;
  touch(irq);
  if (!irq.hw) return 0;
  if (from != NONE) vcpuOf(from).vlpis--;
  vcpuOf(vcpu).vlpis++;
  const host = irqOf(irq.hostIrq);
  return mapVlpi(host, vcpuOf(vcpu).vpe, host.vintid, host.properties, host.doorbellEnabled != 0);
}

/** The hardware's pending state of a forwarded LPI. */
export function setHostPending(irq: VgicIrq, pending: bool): i32 {
  return setPending(irq.hostIrq, pending);
}

/** The guest's property byte of a forwarded LPI has been read: it goes to the VLPI, with an invalidation or without. */
export function updateForwarded(irq: VgicIrq, property: u32, invalidate: bool): i32 {
  return updateVlpi(irqOf(irq.hostIrq), property, invalidate);
}

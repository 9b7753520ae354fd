// What a guest's write to a GICD_* or GICR_* bit does to one interrupt (vgic-mmio.c): the effects beyond the bit itself
// are those on the host's interrupt that it is tied to.
import { mask, setPending } from '../../irqchip/api';
import { irqOf as hostIrqOf } from '../../irqchip/state';
import { isSgiPending, updateSgi } from '../../irqchip/vsgi';
import { numberOfVcpuOf } from '../affinity';
import { touch } from '../ap_list';
import { clearPhysicalPending, physicalLine, setPhysicalActive } from '../forwarded';
import { latchIrq, queueIrq } from '../inject';
import { VgicIrq } from '../vgic_irq';

/** Priority bits that the model has: five. */
const PRIORITY_MASK: u32 = 0xf8;

export function enableIrq(irq: VgicIrq): void {
  if (irq.isVsgi) {
    if (!irq.enabled) mask(irq.hostIrq, false);
    irq.enabled = true;
    return;
  }
  if (irq.isMappedLevel) resampleLine(irq);
  irq.enabled = true;
  queueIrq(irq);
}

/** The line may have changed while nobody was told: an interrupt that is gone must not stay active on the host. */
function resampleLine(irq: VgicIrq): void {
  const wasHigh = irq.lineLevel;
  irq.lineLevel = physicalLine(irq);
  if (!irq.active && wasHigh && !irq.lineLevel) setPhysicalActive(irq, false);
}

/** What is on a list leaves it at the next exit. */
export function disableIrq(irq: VgicIrq): void {
  if (irq.isVsgi && irq.enabled) mask(irq.hostIrq, true);
  irq.enabled = false;
  touch(irq);
}

export function isIrqPending(irq: VgicIrq): bool {
  return irq.isVsgi ? isSgiPending(hostIrqOf(irq.hostIrq)) > 0 : irq.isPending;
}

export function setIrqPending(irq: VgicIrq): void {
  if (irq.isVsgi) {
    setPending(irq.hostIrq, true);
    return;
  }
  if (irq.hw) setPhysicalActive(irq, true);
  latchIrq(irq);
}

export function clearIrqPending(irq: VgicIrq): void {
  if (irq.isVsgi) {
    setPending(irq.hostIrq, false);
    return;
  }
  irq.pendingLatch = false;
  if (irq.hw) {
    clearPhysicalPending(irq);
    if (!irq.active) setPhysicalActive(irq, false);
  }
  touch(irq);
}

/** With all vCPUs of the VM out of the guest. A vSGI has no active state. */
export function setIrqActive(irq: VgicIrq, active: bool): void {
  if (irq.isVsgi) {
    irq.active = false;
    return;
  }
  irq.active = active;
  if (irq.hw) setPhysicalActive(irq, active);
  if (active) queueIrq(irq);
  else touch(irq);
}

export function setIrqPriority(irq: VgicIrq, priority: u32): void {
  irq.priority = <u8>(priority & PRIORITY_MASK);
  settleProperties(irq);
}

export function setIrqGroup(irq: VgicIrq, group: u32): void {
  irq.group = <u8>group;
  settleProperties(irq);
}

function settleProperties(irq: VgicIrq): void {
  if (irq.isVsgi) updateSgi(hostIrqOf(irq.hostIrq), irq.priority, irq.group);
  touch(irq);
}

/** Edge or level of a PPI or SPI. An active interrupt and one that belongs to the host keep what they have. */
export function setIrqTrigger(irq: VgicIrq, isEdge: bool): void {
  if (irq.intid < 16 || irq.active || irq.hw) return;
  irq.isLevel = !isEdge;
  touch(irq);
}

/** GICD_IROUTER<n>. What is pending moves when its present owner next leaves the guest. */
export function setIrqRouter(irq: VgicIrq, affinity: u64): void {
  irq.router = affinity;
  irq.target = numberOfVcpuOf(irq.vm, affinity);
  touch(irq);
}

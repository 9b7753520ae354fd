// The guest's LPI configuration and pending tables, which all redistributors and the virtual ITSs read.
import { EFAULT, ENOMEM } from '../../irqchip/errno';
import { vpeOf } from '../../irqchip/state';
import { invallVpe } from '../../irqchip/vpe';
import { firstByKey, nextByKey } from '../ap_list';
import { EMPTY } from '../ap_list_buckets';
import { setHostPending, updateForwarded } from '../forwarding';
import { guestMemory } from '../guest_memory';
import { queueIrq } from '../inject';
import { FIRST_LPI, MAX_LPI_INTID, NONE } from '../limits';
import { delist } from '../membership';
import { vcpuOf, vmOf } from '../state';
import { holdIrq, irqAt, isNull, lpiOf, putIrq, takeLpi, VgicIrq } from '../vgic_irq';
import { invalidateAllCaches } from './cache';
import { INTID_BITS } from './limits';

const PROPBASER_ADDRESS: u64 = 0x000ffffffffff000;
const PROPBASER_ID_BITS: u64 = 0x1f;
const PENDBASER_ADDRESS: u64 = 0x000fffffffff0000;
const PENDBASER_PTZ: u64 = 1 << 62;
const PROPERTY_ENABLE: u32 = 1;
const PROPERTY_PRIORITY: u32 = 0xfc;

/** The first INTID beyond what GICR_PROPBASER.IDbits and KVM's sixteen bits allow. */
export function lpiLimit(vm: u32): u32 {
  const bits = (vmOf(vm).propbaser & PROPBASER_ID_BITS) + 1;
  return (<u32>1) << min<u32>(<u32>bits, INTID_BITS);
}

/** Where an LPI's byte of the pending table of a vCPU stands, 0 outside guest memory. */
export function pendingByteAt(vcpu: u32, intid: u32): usize {
  const self = vcpuOf(vcpu);
  return guestMemory(vmOf(self.vm), (self.pendbaser & PENDBASER_ADDRESS) + (intid >> 3), 1);
}

export function pendingBit(intid: u32): u32 {
  return 1 << (intid & 7);
}

/** vgic_add_lpi: one more user of an LPI, which is made where it is new. 0 or an errno, and no LPI left then. */
export function addLpi(vm: u32, intid: u32, target: u32): i32 {
  const known = lpiOf(vm, intid);
  if (!isNull(known)) {
    holdIrq(known);
    return 0;
  }
  const irq = takeLpi(vm, intid, target);
  if (isNull(irq)) return ENOMEM;
  if (loadProperty(irq, false) && takePending(irq)) return 0;
  putIrq(irq);
  return EFAULT;
}

/** update_lpi_config: reads an LPI's byte again, changed or not; false where there is no memory. */
export function loadProperty(irq: VgicIrq, invalidate: bool): bool {
  const vm = vmOf(irq.vm);
  const at = guestMemory(vm, (vm.propbaser & PROPBASER_ADDRESS) + (irq.intid - FIRST_LPI), 1);
  if (at == 0) return false;
  const byte: u32 = load<u8>(at);
  irq.priority = <u8>(byte & PROPERTY_PRIORITY);
  irq.enabled = (byte & PROPERTY_ENABLE) != 0;
  queueIrq(irq);
  if (irq.hw) updateForwarded(irq, byte, invalidate);
  return true;
}

/** vgic_v3_lpi_sync_pending_status: a pending bit that software left in the table moves into the LPI. */
function takePending(irq: VgicIrq): bool {
  if (irq.target == NONE) return true;
  const at = pendingByteAt(irq.target, irq.intid);
  if (at == 0) return false;
  const byte: u32 = load<u8>(at);
  const bit = pendingBit(irq.intid);
  irq.pendingLatch = (byte & bit) != 0;
  queueIrq(irq);
  if (byte & bit) store<u8>(at, <u8>(byte & ~bit));
  return true;
}

/**
 * GICR_CTLR.EnableLPIs 0 to 1 (vgic_enable_lpis): the pending bits of the LPIs that are mapped to this vCPU, unless
 * GICR_PENDBASER.PTZ says that there are none.
 */
export function enableLpis(vcpu: u32): void {
  const self = vcpuOf(vcpu);
  self.lpisEnabled = true;
  if (self.pendbaser & PENDBASER_PTZ) return;
  let left = vmOf(self.vm).lpis;
  for (let intid = FIRST_LPI; left > 0 && intid <= MAX_LPI_INTID; intid++) {
    const irq = lpiOf(self.vm, intid);
    if (isNull(irq)) continue;
    left--;
    if (irq.target != vcpu) continue;
    const at = pendingByteAt(vcpu, intid);
    if (at == 0) return;
    setPending(irq, (<u32>load<u8>(at) & pendingBit(intid)) != 0);
  }
}

/** A forwarded LPI's pending state is the hardware's: a bit that is set reaches it, nothing stays here. */
function setPending(irq: VgicIrq, pending: bool): void {
  if (irq.hw) {
    if (pending) setHostPending(irq, true);
    return;
  }
  irq.pendingLatch = pending;
  queueIrq(irq);
}

/**
 * GICR_CTLR.EnableLPIs 1 to 0 (vgic_flush_pending_lpis): no LPI stays on the vCPU's list. One that is in a list register
 * of the running vCPU is forgotten when it leaves the list, or the vCPU's next exit would bring it back.
 */
export function disableLpis(vcpu: u32): void {
  const self = vcpuOf(vcpu);
  self.lpisEnabled = false;
  let n = firstByKey(self);
  while (n != EMPTY) {
    const irq = irqAt(n);
    n = nextByKey(self, irq);
    if (!irq.isLpi) continue;
    irq.active = false;
    delist(irq);
  }
  invalidateAllCaches(self.vm);
}

/** GICR_INVLPIR. */
export function invalidateLpi(vcpu: u32, intid: u32): void {
  const irq = lpiOf(vcpuOf(vcpu).vm, intid);
  if (!isNull(irq)) loadProperty(irq, true);
}

/** GICR_INVALLR and INVALL (vgic_its_invall): a vCPU's LPIs, whichever collection they are in. */
export function invalidateAllLpis(vcpu: u32): void {
  const self = vcpuOf(vcpu);
  let left = vmOf(self.vm).lpis;
  for (let intid = FIRST_LPI; left > 0 && intid <= MAX_LPI_INTID; intid++) {
    const irq = lpiOf(self.vm, intid);
    if (isNull(irq)) continue;
    left--;
    if (irq.target == vcpu) loadProperty(irq, false);
  }
  if (self.vpe != NONE) invallVpe(vpeOf(self.vpe));
}

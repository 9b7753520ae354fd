// User space's view of GICD_* and GICR_*, which differs from a guest's where pending is concerned: the latch alone is
// saved and restored, lines are set by themselves (vgic_v3_uaccess_read_pending and its counterpart).
import { setPending } from '../../irqchip/api';
import { touch } from '../ap_list';
import { queueIrq } from '../inject';
import { isNull, VgicIrq } from '../vgic_irq';
import { ICPENDR, ISPENDR, irqHere } from './bitmaps';
import { isIrqPending } from './irq_state';

/** Offset of GICD_ISPENDR<n>, GICD_ICPENDR<n> or their like. */
export function isPendingRegister(offset: u32): bool {
  return offset >= ISPENDR && offset < ICPENDR + 0x80;
}

/** ICPENDR reads as zero. */
export function userReadPending(vm: u32, vcpu: u32, offset: u32): u32 {
  if (offset >= ICPENDR) return 0;
  let value: u32 = 0;
  for (let n: u32 = 0; n < 32; n++) {
    const irq = irqHere(vm, vcpu, ((offset - ISPENDR) << 3) + n);
    if (!isNull(irq) && isLatched(irq)) value |= (<u32>1) << n;
  }
  return value;
}

/** ISPENDR takes zeros as well as ones; writes to ICPENDR are ignored. */
export function userWritePending(vm: u32, vcpu: u32, offset: u32, value: u32): void {
  if (offset >= ICPENDR) return;
  for (let n: u32 = 0; n < 32; n++) {
    const irq = irqHere(vm, vcpu, ((offset - ISPENDR) << 3) + n);
    if (!isNull(irq)) setLatch(irq, ((value >> n) & 1) != 0);
  }
}

function isLatched(irq: VgicIrq): bool {
  return irq.isVsgi ? isIrqPending(irq) : irq.pendingLatch;
}

function setLatch(irq: VgicIrq, latched: bool): void {
  if (irq.isVsgi) {
    setPending(irq.hostIrq, latched);
    return;
  }
  irq.pendingLatch = latched;
  if (latched) queueIrq(irq);
  else touch(irq);
}

// The irqchip operations by irq number, whatever kind of interrupt it is.
import { leastLoaded } from './affinity';
import { activateIrq, deactivateIrq, setIrqAffinity, setIrqPending, setMasked } from './device_irq';
import { EINVAL } from './errno';
import { chip, Irq, irqOf, KIND_DEVICE, KIND_DOORBELL, KIND_SGI, MAX_IRQS, vpeOf } from './state';
import { activateVpe, deactivateVpe, retriggerDoorbell, setDoorbellMasked, setDoorbellPending } from './vpe';
import { moveVpe, pickVpeCpu } from './vpe_moves';
import { activateSgi, deactivateSgi, isSgiPending, setSgiMasked, setSgiPending } from './vsgi';

/** The irq of a number, null where there is none. */
export function irqOfNumber(n: u32): Irq {
  const known = chip().ready != 0 && n < MAX_IRQS && irqOf(n).kind != 0;
  return changetype<Irq>(known ? changetype<usize>(irqOf(n)) : 0);
}

/** A device interrupt goes to a PE of the affinity mask. */
export function activate(n: u32): i32 {
  const irq = irqOfNumber(n);
  if (!changetype<usize>(irq)) return EINVAL;
  if (irq.kind == KIND_DEVICE) return activateIrq(irq, leastLoaded());
  return irq.kind == KIND_DOORBELL ? activateVpe(vpeOf(irq.owner)) : activateSgi(irq);
}

export function deactivate(n: u32): i32 {
  const irq = irqOfNumber(n);
  if (!changetype<usize>(irq)) return EINVAL;
  if (irq.kind == KIND_DEVICE) return deactivateIrq(irq);
  return irq.kind == KIND_DOORBELL ? deactivateVpe(vpeOf(irq.owner)) : deactivateSgi(irq);
}

export function mask(n: u32, masked: bool): i32 {
  const irq = irqOfNumber(n);
  if (!changetype<usize>(irq)) return EINVAL;
  if (irq.kind == KIND_DEVICE) return setMasked(irq, masked);
  return irq.kind == KIND_DOORBELL ? setDoorbellMasked(vpeOf(irq.owner), masked) : setSgiMasked(irq, masked);
}

/** To a PE of the affinity mask. A vSGI accepts any affinity, without effect. */
export function setAffinity(n: u32): i32 {
  const irq = irqOfNumber(n);
  if (!changetype<usize>(irq)) return EINVAL;
  if (irq.kind == KIND_DEVICE) return setIrqAffinity(irq);
  return irq.kind == KIND_DOORBELL ? moveVpe(vpeOf(irq.owner), pickVpeCpu(vpeOf(irq.owner))) : 0;
}

/** Sends an interrupt that was found pending again. */
export function retrigger(n: u32): i32 {
  const irq = irqOfNumber(n);
  if (!changetype<usize>(irq)) return EINVAL;
  return irq.kind == KIND_DOORBELL ? retriggerDoorbell(vpeOf(irq.owner)) : setPending(n, true);
}

export function setPending(n: u32, pending: bool): i32 {
  const irq = irqOfNumber(n);
  if (!changetype<usize>(irq)) return EINVAL;
  if (irq.kind == KIND_DEVICE) return setIrqPending(irq, pending);
  return irq.kind == KIND_DOORBELL
    ? setDoorbellPending(vpeOf(irq.owner), pending)
    : setSgiPending(irq, pending);
}

/** Only vSGIs tell: LPIs and VLPIs have no readable pending state. */
export function isPending(n: u32): i32 {
  const irq = irqOfNumber(n);
  return changetype<usize>(irq) && irq.kind == KIND_SGI ? isSgiPending(irq) : EINVAL;
}

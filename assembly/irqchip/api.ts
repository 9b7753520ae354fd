// The irqchip operations by irq number, whatever kind of interrupt it is.
import { machine } from '../memory/machine';
import { activateIrq, deactivateIrq, setIrqAffinity, setIrqPending, setMasked } from './device_irq';
import { EINVAL } from './errno';
import { chip, Irq, irqOf, KIND_DEVICE, KIND_DOORBELL, KIND_SGI, MAX_IRQS, vpeOf } from './state';
import { activateVpe, deactivateVpe, moveVpe, setDoorbellMasked, setDoorbellPending } from './vpe';
import { activateSgi, deactivateSgi, isSgiPending, setSgiMasked, setSgiPending } from './vsgi';

/** The irq of a number, null where there is none. */
export function irqOfNumber(n: u32): Irq {
  const known = chip().ready != 0 && n < MAX_IRQS && irqOf(n).kind != 0;
  return changetype<Irq>(known ? changetype<usize>(irqOf(n)) : 0);
}

export function activate(n: u32, cpu: u32): i32 {
  const irq = irqOfNumber(n);
  if (!changetype<usize>(irq) || cpu >= machine().cpuCount) return EINVAL;
  if (irq.kind == KIND_DEVICE) return activateIrq(irq, cpu);
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

/** A vSGI accepts any affinity, without effect. */
export function setAffinity(n: u32, cpu: u32): i32 {
  const irq = irqOfNumber(n);
  if (!changetype<usize>(irq) || cpu >= machine().cpuCount) return EINVAL;
  if (irq.kind == KIND_DEVICE) return setIrqAffinity(irq, cpu);
  return irq.kind == KIND_DOORBELL ? moveVpe(vpeOf(irq.owner), cpu) : 0;
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

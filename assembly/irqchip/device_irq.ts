// Device interrupts: the irqchip operations of an LPI, or of the VLPI that it was switched to.
import { addLoad, leastLoaded, NO_CPU } from './affinity';
import { sendClear, sendDiscard, sendInt, sendMapti, sendMovi, sendVmovi } from './commands';
import { EBUSY, EINVAL } from './errno';
import { invalidate, isDisabled, PROP_ENABLED, updatePhysical, updateVirtual } from './lpi_config';
import { beginUndo, endUndo } from './queue';
import { chip, Device, deviceOf, Irq, irqOf, KIND_DEVICE, MAX_IRQS, vpeOf } from './state';

const ALL_BITS: u32 = 0xff;

/** The device interrupt of a number, null for any other. */
export function deviceIrq(n: u32): Irq {
  const known = n < MAX_IRQS && irqOf(n).kind == KIND_DEVICE;
  return changetype<Irq>(known ? changetype<usize>(irqOf(n)) : 0);
}

function ownerOf(irq: Irq): Device {
  return deviceOf(irq.owner);
}

/** its_irq_domain_activate: the event is mapped to its LPI on a PE. */
export function activateIrq(irq: Irq, cpu: u32): i32 {
  if (cpu == NO_CPU || irq.activated) return EINVAL;
  const failed = sendMapti(ownerOf(irq), irq.event, irq.intid, cpu);
  if (failed) {
    if (beginUndo()) {
      sendDiscard(ownerOf(irq), irq.event, cpu);
      endUndo();
    }
    return failed;
  }
  irq.cpu = cpu;
  irq.activated = 1;
  addLoad(cpu, 1);
  ownerOf(irq).allocated++;
  return 0;
}

/** its_irq_domain_deactivate; a VLPI has to be unmapped first. */
export function deactivateIrq(irq: Irq): i32 {
  if (!irq.activated) return EINVAL;
  if (irq.forwarded) return EBUSY;
  const failed = sendDiscard(ownerOf(irq), irq.event, irq.cpu);
  if (failed) {
    if (beginUndo()) {
      sendMapti(ownerOf(irq), irq.event, irq.intid, irq.cpu);
      endUndo();
    }
    return failed;
  }
  irq.activated = 0;
  addLoad(irq.cpu, -1);
  ownerOf(irq).allocated--;
  return 0;
}

/** its_mask_irq and its_unmask_irq. */
export function setMasked(irq: Irq, masked: bool): i32 {
  if (!irq.activated) return EINVAL;
  const failed = irq.forwarded ? maskVlpi(irq, masked) : maskLpi(irq, masked);
  if (failed == 0) irq.masked = masked ? 1 : 0;
  return failed;
}

function maskLpi(irq: Irq, masked: bool): i32 {
  const was = isDisabled(irq.intid);
  enableLpi(irq.intid, !masked);
  const failed = invalidate(irq);
  if (failed == 0) return 0;
  enableLpi(irq.intid, !was);
  if (beginUndo()) {
    invalidate(irq);
    endUndo();
  }
  return failed;
}

function enableLpi(intid: u32, enable: bool): void {
  updatePhysical(intid, enable ? 0 : PROP_ENABLED, enable ? PROP_ENABLED : 0);
}

/** A VLPI whose vPE no ITS maps any more: a command about it would name a vPE that is not there. */
export function isCutOff(irq: Irq): bool {
  return irq.forwarded != 0 && vpeOf(irq.vpe).vmapps == 0;
}

/** The doorbell of a VLPI follows its enable bit. */
function maskVlpi(irq: Irq, masked: bool): i32 {
  if (isCutOff(irq)) return EINVAL;
  const old = irq.properties;
  const hadDoorbell = irq.doorbellEnabled != 0;
  let failed = setDoorbell(irq, !masked);
  if (failed) return failed;
  setProperties(irq, masked ? old & ~PROP_ENABLED : old | PROP_ENABLED);
  failed = invalidate(irq);
  if (failed == 0) return 0;
  setProperties(irq, old);
  if (beginUndo()) {
    invalidate(irq);
    setDoorbell(irq, hadDoorbell);
    endUndo();
  }
  return failed;
}

/** The configuration byte of a VLPI, as the driver knows it and in the table of its VM. */
export function setProperties(irq: Irq, properties: u32): void {
  irq.properties = properties;
  updateVirtual(vpeOf(irq.vpe).vm, irq.vintid, ALL_BITS, properties);
}

/** A VLPI's doorbell changes by VMOVI to the same vPE: VMAPTI of a mapped event would be UNPREDICTABLE. */
export function setDoorbell(irq: Irq, enable: bool): i32 {
  if (chip().hasRvpeid || (irq.doorbellEnabled != 0) == enable) return 0;
  irq.doorbellEnabled = enable ? 1 : 0;
  const failed = sendVmovi(irq);
  if (failed == 0) return 0;
  irq.doorbellEnabled = enable ? 0 : 1;
  if (beginUndo()) {
    sendVmovi(irq);
    endUndo();
  }
  return failed;
}

/** its_set_affinity: to the PE of the affinity mask with the fewest others; a VLPI follows its vPE. */
export function setIrqAffinity(irq: Irq): i32 {
  if (!irq.activated || irq.forwarded) return EINVAL;
  const from = irq.cpu;
  addLoad(from, -1);
  const cpu = leastLoaded();
  let failed = cpu == NO_CPU ? EINVAL : 0;
  if (failed == 0 && cpu != from) {
    failed = sendMovi(ownerOf(irq), irq.event, from, cpu);
    if (failed && beginUndo()) {
      sendMovi(ownerOf(irq), irq.event, cpu, from);
      endUndo();
    }
  }
  if (failed == 0) irq.cpu = cpu;
  addLoad(irq.cpu, 1);
  return failed;
}

/** its_irq_set_irqchip_state(PENDING). */
export function setIrqPending(irq: Irq, pending: bool): i32 {
  if (!irq.activated || isCutOff(irq)) return EINVAL;
  return pending ? sendInt(irq) : sendClear(irq);
}

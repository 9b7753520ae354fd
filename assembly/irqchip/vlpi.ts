// its_irq_set_vcpu_affinity of a device interrupt: switching an event between its LPI and a VLPI.
import { sendDiscard, sendMapti, sendVmapti, sendVmovi } from './commands';
import { isCutOff, setDoorbell, setProperties } from './device_irq';
import { EINVAL } from './errno';
import { invalidate, updatePhysical, updateVirtual } from './lpi_config';
import { beginUndo, endUndo } from './queue';
import { chip, Device, deviceOf, ERA_S, Irq, irqOf, itsNode, MAX_VPES, NONE, vpeOf } from './state';
import { mapVmOn, unmapVmOn } from './vpe';

const ALL_BITS: u32 = 0xff;
/** Priority 0xa0, Group 1, enabled: what an LPI gets back after it was a VLPI. */
const RESTORED_PROPERTY: u32 = 0xa3;
const FIRST_LPI: u32 = 8192;

/** MAP_VLPI: the event's LPI goes, the VLPI comes; of an event that is a VLPI already, vPE and doorbell change. */
export function mapVlpi(irq: Irq, vpe: u32, vintid: u32, properties: u32, doorbell: bool): i32 {
  const device = deviceOf(irq.owner);
  const bad = checkMap(irq, device, vpe, vintid);
  if (bad) return bad;
  if (irq.forwarded) return remapVlpi(irq, vpe, vintid, properties, doorbell);
  const vm = vpeOf(vpe).vm;
  const unmapped = mapVmOn(device.its, vm);
  if (unmapped) return unmapped;
  setMap(irq, vpe, vintid, properties, doorbell);
  irq.forwarded = 1;
  if (chip().era != ERA_S) updateVirtual(vm, vintid, ALL_BITS, properties);
  const discarded = sendDiscard(device, irq.event, irq.cpu);
  const failed = discarded ? discarded : sendVmapti(irq);
  if (failed) {
    if (beginUndo()) {
      if (!discarded) sendDiscard(device, irq.event, irq.cpu);
      sendMapti(device, irq.event, irq.intid, irq.cpu);
      endUndo();
    }
    irq.forwarded = 0;
    unmapVmOn(device.its, vm);
    return failed;
  }
  device.vm = vm;
  device.vlpis++;
  vpeOf(vpe).vlpis++;
  return 0;
}

function remapVlpi(irq: Irq, vpe: u32, vintid: u32, properties: u32, doorbell: bool): i32 {
  const oldVpe = irq.vpe;
  const oldVintid = irq.vintid;
  const oldProperties = irq.properties;
  const oldDoorbell = irq.doorbellEnabled != 0;
  setMap(irq, vpe, vintid, properties, doorbell);
  const failed = sendVmovi(irq);
  if (failed == 0) return 0;
  setMap(irq, oldVpe, oldVintid, oldProperties, oldDoorbell);
  if (beginUndo()) {
    sendVmovi(irq);
    endUndo();
  }
  return failed;
}

function checkMap(irq: Irq, device: Device, vpe: u32, vintid: u32): i32 {
  if (!itsNode(device.its).isV4 || !irq.activated) return EINVAL;
  if (vpe >= MAX_VPES || !vpeOf(vpe).used || !irqOf(vpeOf(vpe).irq).activated) return EINVAL;
  if (vintid < FIRST_LPI || vintid >= (<u32>1) << chip().idBits) return EINVAL;
  return device.vm == NONE || device.vm == vpeOf(vpe).vm ? 0 : EINVAL;
}

function setMap(irq: Irq, vpe: u32, vintid: u32, properties: u32, doorbell: bool): void {
  if (irq.forwarded) {
    vpeOf(irq.vpe).vlpis--;
    vpeOf(vpe).vlpis++;
  }
  irq.vpe = vpe;
  irq.vintid = vintid;
  irq.properties = properties;
  irq.doorbellEnabled = doorbell ? 1 : 0;
}

/** Null info: the LPI comes back, enabled at the default priority. Mapping first, then configuration. */
export function unmapVlpi(irq: Irq): i32 {
  const device = deviceOf(irq.owner);
  if (!itsNode(device.its).isV4 || !irq.forwarded) return EINVAL;
  const vm = vpeOf(irq.vpe).vm;
  const discarded = sendDiscard(device, irq.event, irq.cpu);
  if (discarded) {
    if (beginUndo()) {
      sendVmapti(irq);
      endUndo();
    }
    return discarded;
  }
  irq.forwarded = 0;
  vpeOf(irq.vpe).vlpis--;
  // From here on the VLPI is gone, whatever the ITS does: the VM must not be held by it.
  let failed = sendMapti(device, irq.event, irq.intid, irq.cpu);
  irq.masked = 0;
  updatePhysical(irq.intid, ALL_BITS, RESTORED_PROPERTY);
  if (failed == 0) failed = invalidate(irq);
  unmapVmOn(device.its, vm);
  device.vlpis--;
  if (device.vlpis == 0) device.vm = NONE;
  return failed;
}

/** PROP_UPDATE_VLPI and PROP_UPDATE_AND_INV_VLPI; the doorbell follows the enable bit. */
export function updateVlpi(irq: Irq, config: u32, andInvalidate: bool): i32 {
  if (!itsNode(deviceOf(irq.owner).its).isV4 || !irq.forwarded || isCutOff(irq)) return EINVAL;
  const old = irq.properties;
  setProperties(irq, config);
  let failed = andInvalidate ? invalidate(irq) : 0;
  if (failed == 0) failed = setDoorbell(irq, (config & 1) != 0);
  if (failed == 0) return 0;
  setProperties(irq, old);
  if (andInvalidate && beginUndo()) {
    invalidate(irq);
    endUndo();
  }
  return failed;
}

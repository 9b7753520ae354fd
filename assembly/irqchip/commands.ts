// The ITS commands that the driver sends, each with its sync rule.
import { IrqChipBug } from '../abi';
import { NO_SYNC, post, postV, startV } from './queue';
import { rdAddress } from './redistributor';
import { chip, Device, deviceOf, ERA_S, hasBug, Irq, itsNode, Vpe, vmOf, vpeOf } from './state';

const VALID: u64 = 1 << 63;
/** pINTID of "no doorbell". */
export const NO_DOORBELL: u32 = 1023;

/** The redistributor of a PE as an ITS names it, in place: [51:16] of a doubleword (GITS_TYPER.PTA). */
export function rdBase(its: u32, cpu: u32): u64 {
  return itsNode(its).pta ? rdAddress(cpu, 0) : (<u64>cpu) << 16;
}

/** The redistributor that a vPE is mapped to, as an ITS wants it named in VMAPP and VMOVP. */
function vpeTarget(its: u32, cpu: u32): u64 {
  return rdBase(its, cpu) + itsNode(its).vlpiRedistOffset;
}

function event(command: u64, device: Device): u64 {
  return command | ((<u64>device.deviceId) << 32);
}

export function sendMapd(device: Device, valid: bool): i32 {
  const size: u64 = 31 - clz((device.events - 1) | 1);
  return post(device.its, event(0x08, device), size, device.itt | (valid ? VALID : 0), 0, NO_SYNC);
}

export function sendMapc(its: u32, cpu: u32): i32 {
  return post(its, 0x09, 0, VALID | rdBase(its, cpu) | cpu, 0, rdBase(its, cpu));
}

/** Linux sends the SYNC since 5.16: without it configuration bytes can stay cached for a moment. */
export function sendInvall(its: u32, cpu: u32): i32 {
  return post(its, 0x0d, 0, cpu, 0, chip().era == ERA_S ? NO_SYNC : rdBase(its, cpu));
}

export function sendMapti(device: Device, eventId: u32, intid: u32, cpu: u32): i32 {
  return post(
    device.its,
    event(0x0a, device),
    ((<u64>intid) << 32) | eventId,
    cpu,
    0,
    rdBase(device.its, cpu),
  );
}

export function sendMovi(device: Device, eventId: u32, from: u32, to: u32): i32 {
  return post(device.its, event(0x01, device), eventId, to, 0, rdBase(device.its, from));
}

export function sendDiscard(device: Device, eventId: u32, cpu: u32): i32 {
  return post(device.its, event(0x0f, device), eventId, 0, 0, rdBase(device.its, cpu));
}

/** INV, INT and CLEAR: VSYNC where the event is a VLPI. */
function sendEvent(command: u64, irq: Irq): i32 {
  const device = deviceOf(irq.owner);
  if (irq.forwarded && !hasBug(IrqChipBug.VLPI_INV_SYNCED_ON_COLLECTION)) {
    return postV(device.its, event(command, device), irq.event, 0, 0, vpeOf(irq.vpe).vpeId);
  }
  return post(device.its, event(command, device), irq.event, 0, 0, rdBase(device.its, irq.cpu));
}

export function sendInv(irq: Irq): i32 {
  return sendEvent(0x0c, irq);
}

export function sendInt(irq: Irq): i32 {
  return sendEvent(0x03, irq);
}

export function sendClear(irq: Irq): i32 {
  return sendEvent(0x04, irq);
}

/** An event of the proxy device, which has no irq of its own. */
export function sendProxy(command: u64, device: Device, slot: u32, cpu: u32): i32 {
  return post(device.its, event(command, device), slot, 0, 0, rdBase(device.its, cpu));
}

/** The doorbell of a VLPI: none in GICv4.1, none while it is disabled. */
function doorbellOf(irq: Irq): u64 {
  const enabled = irq.doorbellEnabled != 0 && !chip().hasRvpeid;
  return (<u64>(enabled ? vpeOf(irq.vpe).doorbell : NO_DOORBELL)) << 32;
}

export function sendVmapti(irq: Irq): i32 {
  const device = deviceOf(irq.owner);
  const vpeId = vpeOf(irq.vpe).vpeId;
  const target = ((<u64>vpeId) << 32) | irq.event;
  return postV(device.its, event(0x2a, device), target, doorbellOf(irq) | irq.vintid, 0, vpeId);
}

export function sendVmovi(irq: Irq): i32 {
  const device = deviceOf(irq.owner);
  const vpeId = vpeOf(irq.vpe).vpeId;
  return postV(
    device.its,
    event(0x21, device),
    ((<u64>vpeId) << 32) | irq.event,
    doorbellOf(irq) | 1,
    0,
    vpeId,
  );
}

/** VMAPP; `alloc` matters to GICv4.1 only, whose unmapping is complete by itself. */
export function sendVmapp(its: u32, vpe: Vpe, valid: bool, alloc: bool): i32 {
  const v4_1 = itsNode(its).isV4_1 != 0;
  const command: u64 = 0x29 | (v4_1 && alloc ? 1 << 8 : 0);
  const id = (<u64>vpe.vpeId) << 32;
  if (!valid) {
    const synced = !v4_1 || hasBug(IrqChipBug.VSYNC_AFTER_LAST_UNMAP);
    return synced ? postV(its, command, id, 0, 0, vpe.vpeId) : post(its, command, id, 0, 0, NO_SYNC);
  }
  const target = VALID | vpeTarget(its, vpe.cpu);
  const table = vpe.pendingTable | (chip().idBits - 1);
  if (!v4_1) return postV(its, command, id, target, table, vpe.vpeId);
  return postV(its, command | vmOf(vpe.vm).propertyTable, id | vpe.doorbell, target, table, vpe.vpeId);
}

export function sendVinvall(its: u32, vpe: Vpe): i32 {
  return postV(its, 0x2d, (<u64>vpe.vpeId) << 32, 0, 0, vpe.vpeId);
}

/** VMOVP, without the wait: where ITSs move a vPE together, none completes before all have come to it. */
export function startVmovp(its: u32, vpe: Vpe, sequence: u32, itsList: u32): i32 {
  const v4_1 = itsNode(its).isV4_1 != 0;
  const a = 0x22 | ((<u64>sequence) << 32);
  const b = ((<u64>vpe.vpeId) << 32) | itsList;
  const c = vpeTarget(its, vpe.cpu) | (v4_1 ? VALID : 0);
  return startV(its, a, b, c, v4_1 ? vpe.doorbell : 0, vpe.vpeId);
}

export function sendInvdb(its: u32, vpe: Vpe): i32 {
  return postV(its, 0x2e, (<u64>vpe.vpeId) << 32, 0, 0, vpe.vpeId);
}

/** `config` as `Vpe.sgiConfig`; configuration and clearing cannot be combined. */
export function sendVsgi(its: u32, vpe: Vpe, sgi: u32, config: u32, clear: bool): i32 {
  let a: u64 = 0x23 | ((<u64>sgi) << 32);
  if (clear) a |= 1 << 9;
  else a |= ((<u64>(config & 1)) << 8) | ((<u64>((config >> 1) & 1)) << 10) | ((<u64>(config >> 4)) << 20);
  return postV(its, a, (<u64>vpe.vpeId) << 32, 0, 0, vpe.vpeId);
}

// The irqchip layer as the host calls it. Results are 0 or a number, or a negative errno; every action settles.
import { IrqChipField } from '../abi';
import { settle } from '../gic/outputs';
import { machine } from '../memory/machine';
import * as irqs from './api';
import { boot } from './boot';
import { createDevice, destroyDevice, irqsOf } from './device';
import { deviceIrq } from './device_irq';
import { EINVAL } from './errno';
import { commitVpe, descheduleVpe, scheduleVpe } from './residency';
import {
  affinityMaskAt,
  chip,
  deviceOf,
  irqOf,
  KIND_SGI,
  logRecordAt,
  MAX_DEVICES,
  MAX_IRQS,
  MAX_VMS,
  MAX_VPES,
  vmOf,
  vpeOf,
} from './state';
import { mapVlpi, unmapVlpi, updateVlpi } from './vlpi';
import { allocateVm, freeVm } from './vm';
import { invallVpe } from './vpe';
import { allocateSgis, updateSgi } from './vsgi';

export function irqchipBoot(era: u32, ramBase: f64, ramPages: u32, pollLimit: u32, bugs: u32): i32 {
  return settled(boot(era, <u64>ramBase, ramPages, pollLimit, bugs));
}

export function irqchipCreateDevice(its: u32, deviceId: u32, events: u32): i32 {
  if (!chip().ready || its >= machine().itsCount) return EINVAL;
  return settled(createDevice(its, deviceId, events, true));
}

export function irqchipDestroyDevice(device: u32): i32 {
  return chip().ready ? settled(destroyDevice(device)) : EINVAL;
}

/** The first irq of a device. */
export function irqchipFirstIrq(device: u32): i32 {
  return device < MAX_DEVICES && deviceOf(device).used ? <i32>deviceOf(device).firstIrq : EINVAL;
}

/** How many irqs a device has: fewer than its events where LPIs are short. */
export function irqchipIrqCount(device: u32): i32 {
  return device < MAX_DEVICES && deviceOf(device).used ? <i32>irqsOf(deviceOf(device)) : EINVAL;
}

/** Where the host writes the affinity mask of `irqchipActivate` and `irqchipSetAffinity`: a bit for each PE. */
export function irqchipAffinityMask(): usize {
  return affinityMaskAt();
}

export function irqchipActivate(irq: u32): i32 {
  return settled(irqs.activate(irq));
}

export function irqchipDeactivate(irq: u32): i32 {
  return settled(irqs.deactivate(irq));
}

export function irqchipMask(irq: u32, masked: u32): i32 {
  return settled(irqs.mask(irq, masked != 0));
}

export function irqchipSetAffinity(irq: u32): i32 {
  return settled(irqs.setAffinity(irq));
}

export function irqchipRetrigger(irq: u32): i32 {
  return settled(irqs.retrigger(irq));
}

export function irqchipSetPending(irq: u32, pending: u32): i32 {
  return settled(irqs.setPending(irq, pending != 0));
}

export function irqchipIsPending(irq: u32): i32 {
  return settled(irqs.isPending(irq));
}

export function irqchipMapVlpi(irq: u32, vpe: u32, vintid: u32, properties: u32, doorbell: u32): i32 {
  const target = deviceIrq(irq);
  if (!chip().ready || !changetype<usize>(target)) return EINVAL;
  return settled(mapVlpi(target, vpe, vintid, properties, doorbell != 0));
}

export function irqchipUnmapVlpi(irq: u32): i32 {
  const target = deviceIrq(irq);
  return changetype<usize>(target) ? settled(unmapVlpi(target)) : EINVAL;
}

export function irqchipUpdateVlpi(irq: u32, config: u32, andInvalidate: u32): i32 {
  const target = deviceIrq(irq);
  return changetype<usize>(target) ? settled(updateVlpi(target, config, andInvalidate != 0)) : EINVAL;
}

export function irqchipCreateVm(vpes: u32): i32 {
  return chip().ready ? settled(allocateVm(vpes)) : EINVAL;
}

export function irqchipDestroyVm(vm: u32): i32 {
  return chip().ready ? settled(freeVm(vm)) : EINVAL;
}

/** The first vPE of a VM. */
export function irqchipFirstVpe(vm: u32): i32 {
  return vm < MAX_VMS && vmOf(vm).used ? <i32>vmOf(vm).firstVpe : EINVAL;
}

export function irqchipSchedule(vpe: u32, cpu: u32, groups: u32): i32 {
  return isVpe(vpe) ? settled(scheduleVpe(vpeOf(vpe), cpu, groups)) : EINVAL;
}

export function irqchipDeschedule(vpe: u32, doorbell: u32): i32 {
  return isVpe(vpe) ? settled(descheduleVpe(vpeOf(vpe), doorbell != 0)) : EINVAL;
}

export function irqchipCommit(vpe: u32): i32 {
  return isVpe(vpe) ? settled(commitVpe(vpeOf(vpe))) : EINVAL;
}

export function irqchipInvall(vpe: u32): i32 {
  return isVpe(vpe) ? settled(invallVpe(vpeOf(vpe))) : EINVAL;
}

export function irqchipCreateSgis(vpe: u32): i32 {
  return isVpe(vpe) ? allocateSgis(vpeOf(vpe), vpe) : EINVAL;
}

export function irqchipUpdateSgi(irq: u32, priority: u32, group: u32): i32 {
  const known = irq < MAX_IRQS && irqOf(irq).kind == KIND_SGI;
  return known ? settled(updateSgi(irqOf(irq), priority, group)) : EINVAL;
}

/** A field of a vPE, for the host. */
export function irqchipVpeField(vpe: u32, field: IrqChipField): f64 {
  if (!isVpe(vpe)) return -1;
  const record = vpeOf(vpe);
  switch (field) {
    case IrqChipField.VPE_ID:
      return record.vpeId;
    case IrqChipField.IRQ:
      return record.irq;
    case IrqChipField.INTID:
      return record.doorbell;
    case IrqChipField.CPU:
      return record.cpu;
    case IrqChipField.RESIDENT:
      return record.resident;
    case IrqChipField.PENDING_LAST:
      return record.pendingLast;
    case IrqChipField.TABLE:
      return <f64>record.pendingTable;
    default:
      return -1;
  }
}

/** A field of a device interrupt, for the host. */
export function irqchipIrqField(irq: u32, field: IrqChipField): f64 {
  if (irq >= MAX_IRQS || irqOf(irq).kind == 0) return -1;
  const record = irqOf(irq);
  switch (field) {
    case IrqChipField.INTID:
      return record.intid;
    case IrqChipField.CPU:
      return record.cpu;
    case IrqChipField.MASKED:
      return record.masked;
    case IrqChipField.ACTIVATED:
      return record.activated;
    case IrqChipField.FORWARDED:
      return record.forwarded;
    case IrqChipField.VPE:
      return record.vpe;
    case IrqChipField.VINTID:
      return record.vintid;
    case IrqChipField.PROPERTIES:
      return record.properties;
    case IrqChipField.DOORBELL_ENABLED:
      return record.doorbellEnabled;
    default:
      return -1;
  }
}

/** The VM's virtual property table. */
export function irqchipVmTable(vm: u32): f64 {
  return vm < MAX_VMS && vmOf(vm).used ? <f64>vmOf(vm).propertyTable : -1;
}

/** Where record `n` of the log stands, and how many were written. */
export function irqchipLogAt(n: u32): usize {
  return logRecordAt(n);
}

export function irqchipLogCount(): u32 {
  return chip().logCount;
}

function isVpe(vpe: u32): bool {
  return chip().ready != 0 && vpe < MAX_VPES && vpeOf(vpe).used != 0;
}

function settled(outcome: i32): i32 {
  settle();
  return outcome;
}

// vPEs and their doorbells: mapping a VM on an ITS, scheduling, moving.
// The doorbell's irq is the handle of the vPE.
import { machine } from '../memory/machine';
import { sendInvdb, sendVinvall, sendVmapp, startVmovp } from './commands';
import { EINVAL, ETIMEDOUT } from './errno';
import { PROP_ENABLED, updatePhysical } from './lpi_config';
import { clearProxy, invalidateProxy, moveProxy, raiseProxy } from './proxy';
import { awaitQueue } from './queue';
import {
  GICR_CLRLPIR,
  GICR_INVALLR,
  GICR_INVLPIR,
  GICR_SETLPIR,
  GICR_TYPER,
  GICR_VPENDBASER,
  GICR_VPROPBASER,
  invalidateAt,
  readRd,
  waitForClean,
  waitForSync,
  writeRd,
} from './redistributor';
import { chip, ERA_S, Irq, irqOf, itsNode, Vm, Vpe, vmOf, vpeOf } from './state';

const VALID: u64 = 1 << 63;
const IDAI: u64 = 1 << 62;
const DOORBELL: u64 = 1 << 62;
const PENDING_LAST: u64 = 1 << 61;
const DIRTY: u64 = 1 << 60;
const VGRP0EN: u64 = 1 << 59;
const VGRP1EN: u64 = 1 << 58;
const INNER_SHAREABLE: u64 = 1 << 10;
const RA_WB: u64 = 3 << 7;
const RA_WA_WB: u64 = 7 << 7;
const TYPER_DIRTY: u64 = 1 << 2;
const VIRTUAL: u64 = 1 << 63;

/** vPEs are mapped with their doorbell, or only where the VM has VLPIs, which the driver of 2017 did not know. */
function isEager(): bool {
  return chip().era == ERA_S || chip().itsListMap == 0 || chip().hasRvpeid != 0;
}

/** its_map_vm: the first VLPI of a VM on an ITS maps its vPEs there, where they are mapped lazily. */
export function mapVmOn(its: u32, n: u32): i32 {
  const vm = vmOf(n);
  if (isEager()) return 0;
  vm.addVlpis(its, 1);
  if (vm.vlpisOn(its) > 1) return 0;
  for (let i: u32 = 0; i < vm.vpes; i++) {
    const failed = mapOn(its, vpeOf(vm.firstVpe + i));
    if (failed) {
      for (let done: u32 = 0; done < i; done++) unmapOn(its, vpeOf(vm.firstVpe + done));
      vm.addVlpis(its, -1);
      return failed;
    }
  }
  return 0;
}

export function unmapVmOn(its: u32, n: u32): void {
  const vm = vmOf(n);
  if (isEager()) return;
  vm.addVlpis(its, -1);
  if (vm.vlpisOn(its)) return;
  for (let i: u32 = 0; i < vm.vpes; i++) unmapOn(its, vpeOf(vm.firstVpe + i));
}

function mapOn(its: u32, vpe: Vpe): i32 {
  const failed = sendVmapp(its, vpe, true, vpe.vmapps == 0);
  if (failed) return failed;
  vpe.vmapps++;
  const invalidated = sendVinvall(its, vpe);
  if (invalidated) unmapOn(its, vpe);
  return invalidated;
}

function unmapOn(its: u32, vpe: Vpe): i32 {
  if (vpe.vmapps) vpe.vmapps--;
  return sendVmapp(its, vpe, false, vpe.vmapps == 0);
}

/** its_vpe_irq_domain_activate. */
export function activateVpe(vpe: Vpe): i32 {
  const irq = irqOf(vpe.irq);
  if (irq.activated) return EINVAL;
  if (isEager()) {
    vpe.cpu = 0;
    const failed = chip().era == ERA_S ? mapEverywhereInTurns(vpe) : mapEverywhere(vpe);
    if (failed) {
      unmapFirst(vpe, vpe.vmapps);
      return failed;
    }
  }
  irq.activated = 1;
  return 0;
}

/** Takes an incomplete mapping back from the first `count` GICv4 ITSs. */
function unmapFirst(vpe: Vpe, count: u32): void {
  let left = count;
  for (let its: u32 = 0; its < machine().itsCount && left > 0; its++) {
    if (!itsNode(its).isV4) continue;
    unmapOn(its, vpe);
    left--;
  }
}

function mapEverywhere(vpe: Vpe): i32 {
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    if (!itsNode(its).isV4) continue;
    const failed = mapOn(its, vpe);
    if (failed) return failed;
  }
  return 0;
}

/** As posted in 2017: VMAPP on all ITSs, then VINVALL on all. */
function mapEverywhereInTurns(vpe: Vpe): i32 {
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    if (!itsNode(its).isV4) continue;
    const failed = sendVmapp(its, vpe, true, vpe.vmapps == 0);
    if (failed) return failed;
    vpe.vmapps++;
  }
  return invalidateEverywhere(vpe);
}

function invalidateEverywhere(vpe: Vpe): i32 {
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    if (!itsNode(its).isV4) continue;
    const failed = sendVinvall(its, vpe);
    if (failed) return failed;
  }
  return 0;
}

/** its_vpe_irq_domain_deactivate. */
export function deactivateVpe(vpe: Vpe): i32 {
  const irq = irqOf(vpe.irq);
  if (!irq.activated || vpe.resident) return EINVAL;
  irq.activated = 0;
  if (!isEager()) return 0;
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    if (!itsNode(its).isV4 || vpe.vmapps == 0) continue;
    const failed = unmapOn(its, vpe);
    if (failed) return failed;
  }
  return 0;
}

/**
 * GICv4.0: its_make_vpe_resident disables the doorbell, its_make_vpe_non_resident enables it where it is asked for. The
 * driver of 2017 left that to its caller.
 */
function ringsWhileOut(vpe: Vpe): bool {
  return !chip().hasRvpeid && chip().era != ERA_S && irqOf(vpe.irq).activated != 0;
}

/** SCHEDULE_VPE on a PE: the vPE becomes resident there. `groups`: bit 0 Group 0, bit 1 Group 1; GICv4.1 only. */
export function scheduleVpe(vpe: Vpe, cpu: u32, groups: u32): i32 {
  if (cpu >= machine().cpuCount || vpe.resident || !irqOf(vpe.irq).activated) return EINVAL;
  const silenced = ringsWhileOut(vpe) && !irqOf(vpe.irq).masked ? setDoorbellMasked(vpe, true) : 0;
  if (silenced) return silenced;
  if (chip().hasRvpeid) {
    const enables = (groups & 1 ? VGRP0EN : 0) | (groups & 2 ? VGRP1EN : 0);
    writeRd(cpu, GICR_VPENDBASER, 8, VALID | enables | vpe.vpeId);
  } else {
    const config = vmOf(vpe.vm).propertyTable | INNER_SHAREABLE | RA_WB | (chip().idBits - 1);
    writeRd(cpu, GICR_VPROPBASER, 8, config);
    const shareability: u64 = chip().era == ERA_S ? 0 : INNER_SHAREABLE;
    const pending = vpe.pendingTable | shareability | RA_WA_WB | (vpe.idai ? IDAI : 0);
    writeRd(cpu, GICR_VPENDBASER, 8, VALID | PENDING_LAST | pending);
  }
  vpe.resident = 1;
  vpe.ready = 0;
  vpe.residentCpu = cpu;
  return 0;
}

/** DESCHEDULE_VPE; PendingLast and IDAI are kept in the vPE. `doorbell`: it shall ring from now on. */
export function descheduleVpe(vpe: Vpe, doorbell: bool): i32 {
  if (!vpe.resident) return EINVAL;
  const cpu = vpe.residentCpu;
  if (doorbell && ringsWhileOut(vpe) && irqOf(vpe.irq).masked) {
    const failed = setDoorbellMasked(vpe, false);
    if (failed) return failed;
  }
  // A table that is still being parsed must not be taken away.
  if (chip().era != ERA_S) waitForClean(cpu);
  const value = readRd(cpu, GICR_VPENDBASER, 8) & ~VALID;
  const rest = value & ~(PENDING_LAST | DIRTY | DOORBELL);
  // GICv4.0 leaves the other bits as they read.
  const left = chip().hasRvpeid ? rest | (doorbell ? DOORBELL : PENDING_LAST) : value;
  writeRd(cpu, GICR_VPENDBASER, 8, left);
  const result = waitForClean(cpu);
  const timedOut = (result & DIRTY) != 0;
  vpe.idai = (result & IDAI) != 0 && !(timedOut && chip().era == ERA_S) ? 1 : 0;
  vpe.pendingLast = timedOut || (result & PENDING_LAST) != 0 || (chip().hasRvpeid != 0 && !doorbell) ? 1 : 0;
  vpe.resident = 0;
  vpe.ready = 0;
  return timedOut ? ETIMEDOUT : 0;
}

/** COMMIT_VPE: waits until the redistributor has parsed the pending table, where it tells. */
export function commitVpe(vpe: Vpe): i32 {
  if (!vpe.resident) return EINVAL;
  const cpu = vpe.residentCpu;
  const tells = (readRd(cpu, GICR_TYPER, 8) & TYPER_DIRTY) != 0;
  if (!vpe.ready && tells && (waitForClean(cpu) & DIRTY) != 0) return ETIMEDOUT;
  vpe.ready = 1;
  return 0;
}

/** INVALL_VPE: one ITS is enough, it reaches the redistributors. */
export function invallVpe(vpe: Vpe): i32 {
  if (chip().hasRvpeid) return invalidateAt(vpe.cpu, GICR_INVALLR, VIRTUAL | ((<u64>vpe.vpeId) << 32));
  if (chip().era == ERA_S) return invalidateEverywhere(vpe);
  const vm = vmOf(vpe.vm);
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    if (itsNode(its).isV4 && (isEager() || vm.vlpisOn(its))) return sendVinvall(its, vpe);
  }
  return 0;
}

/** irq_set_affinity of a doorbell: the vPE moves (its_vpe_set_affinity). */
export function moveVpe(vpe: Vpe, cpu: u32): i32 {
  if (cpu >= machine().cpuCount) return EINVAL;
  if (vpe.vmapps == 0) {
    if (isEager()) return chip().era == ERA_S ? 0 : EINVAL;
    // No hardware to tell; the VM's first VLPI maps the vPE to where it is then.
    vpe.cpu = cpu;
    return 0;
  }
  const from = vpe.cpu;
  if (cpu == from) return 0;
  vpe.cpu = cpu;
  const failed = sendMoves(vpe);
  if (failed) vpe.cpu = from;
  if (failed || chip().hasRvpeid) return failed;
  return moveDoorbell(vpe, from);
}

function sendMoves(vpe: Vpe): i32 {
  if (chip().itsListMap == 0) {
    const failed = startVmovp(firstV4Its(), vpe, 0, 0);
    return failed ? failed : awaitQueue(firstV4Its(), 2);
  }
  const list = itsListOf(vmOf(vpe.vm));
  chip().vmovpSequence = (chip().vmovpSequence + 1) & 0xffff;
  return postMoves(vpe, list);
}

/** ITSs that take part in moving a vPE: those with VLPIs of its VM; GICv4.1, and the driver of 2017: all. */
function itsListOf(vm: Vm): u32 {
  let list: u32 = 0;
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    const node = itsNode(its);
    if (!node.isV4) continue;
    if (chip().era == ERA_S || isEager() || vm.vlpisOn(its)) list |= (<u32>1) << node.listNumber;
  }
  return list;
}

function postMoves(vpe: Vpe, list: u32): i32 {
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    const node = itsNode(its);
    if (!node.isV4 || ((list >> node.listNumber) & 1) == 0) continue;
    const failed = startVmovp(its, vpe, chip().vmovpSequence, list);
    if (failed) return failed;
  }
  return awaitMoves(list);
}

function awaitMoves(list: u32): i32 {
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    const node = itsNode(its);
    if (!node.isV4 || ((list >> node.listNumber) & 1) == 0) continue;
    const failed = awaitQueue(its, 2);
    if (failed) return failed;
  }
  return 0;
}

/** A doorbell that is pending at the old PE is cleared there, or moved by its proxy event. */
function moveDoorbell(vpe: Vpe, from: u32): i32 {
  if (!chip().hasDirectLpi) return moveProxy(vpe);
  writeRd(from, GICR_CLRLPIR, 8, vpe.doorbell);
  return waitForSync(from);
}

export function firstV4Its(): u32 {
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    if (itsNode(its).isV4) return its;
  }
  return 0;
}

/** its_vpe_mask_irq and its_vpe_unmask_irq. */
export function setDoorbellMasked(vpe: Vpe, masked: bool): i32 {
  const irq: Irq = irqOf(vpe.irq);
  if (!irq.activated) return EINVAL;
  irq.masked = masked ? 1 : 0;
  updatePhysical(vpe.doorbell, masked ? PROP_ENABLED : 0, masked ? 0 : PROP_ENABLED);
  if (chip().hasRvpeid) return sendInvdb(firstV4Its(), vpe);
  return chip().hasDirectLpi ? invalidateAt(vpe.cpu, GICR_INVLPIR, vpe.doorbell) : invalidateProxy(vpe);
}

/** its_vpe_set_irqchip_state(PENDING); GICv4.1 does not provide it. */
export function setDoorbellPending(vpe: Vpe, pending: bool): i32 {
  if (!irqOf(vpe.irq).activated || chip().hasRvpeid) return EINVAL;
  if (!chip().hasDirectLpi) return pending ? raiseProxy(vpe) : clearProxy(vpe);
  writeRd(vpe.cpu, pending ? GICR_SETLPIR : GICR_CLRLPIR, 8, vpe.doorbell);
  return pending ? 0 : waitForSync(vpe.cpu);
}

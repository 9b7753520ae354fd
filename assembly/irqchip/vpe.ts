// vPEs and their doorbells: mapping on an ITS, masking, invalidation.
// The doorbell's irq is the handle of the vPE.
import { IrqChipBug } from '../abi';
import { machine } from '../memory/machine';
import { sendInvdb, sendVinvall, sendVmapp } from './commands';
import { EINVAL, ENOSYS } from './errno';
import { isDisabled, PROP_ENABLED, updatePhysical } from './lpi_config';
import { clearProxy, invalidateProxy, raiseProxy } from './proxy';
import { beginUndo, endUndo } from './queue';
import {
  GICR_CLRLPIR,
  GICR_INVALLR,
  GICR_INVLPIR,
  GICR_SETLPIR,
  invalidateAt,
  waitForSync,
  writeRd,
} from './redistributor';
import { chip, ERA_S, hasBug, Irq, irqOf, itsNode, Vm, Vpe, vmOf, vpeOf } from './state';

const VIRTUAL: u64 = 1 << 63;

/** vPEs are mapped with their doorbell, or only where the VM has VLPIs, which the driver of 2017 did not know. */
export function isEager(): bool {
  return chip().era == ERA_S || chip().itsListMap == 0 || chip().hasRvpeid != 0;
}

/** its_map_vm: the first VLPI of a VM on an ITS maps its vPEs there, where they are mapped lazily. */
export function mapVmOn(its: u32, n: u32): i32 {
  const vm = vmOf(n);
  if (isEager()) return 0;
  vm.addVlpis(its, 1);
  if (vm.vlpisOn(its) > 1) return 0;
  for (let i: u32 = 0; i < vm.vpes; i++) {
    if (hasBug(IrqChipBug.LAZY_MAP_RESETS_AFFINITY)) vpeOf(vm.firstVpe + i).cpu = 0;
    const failed = mapOn(its, vpeOf(vm.firstVpe + i));
    if (failed) {
      for (let done: u32 = 0; done < i; done++) takeBack(its, vpeOf(vm.firstVpe + done));
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
  if (failed && !chip().posted) return failed;
  vpe.vmapps++;
  const invalidated = failed ? failed : sendVinvall(its, vpe);
  if (invalidated) takeBack(its, vpe);
  return invalidated;
}

function takeBack(its: u32, vpe: Vpe): void {
  chip().undoing++;
  unmapOn(its, vpe);
  chip().undoing--;
}

function unmapOn(its: u32, vpe: Vpe): i32 {
  if (vpe.vmapps) vpe.vmapps--;
  return sendVmapp(its, vpe, false, vpe.vmapps == 0);
}

/** its_vpe_irq_domain_activate. */
export function activateVpe(vpe: Vpe): i32 {
  const irq = irqOf(vpe.irq);
  if (irq.activated) return EINVAL;
  vpe.cpu = 0;
  if (isEager()) {
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
    takeBack(its, vpe);
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
    if (failed && !chip().posted) return failed;
    vpe.vmapps++;
    if (failed) return failed;
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

/** its_vpe_irq_domain_deactivate: the vPE goes from all ITSs, also where one of them does not complete. */
export function deactivateVpe(vpe: Vpe): i32 {
  const irq = irqOf(vpe.irq);
  if (!irq.activated || vpe.resident) return EINVAL;
  irq.activated = 0;
  let first: i32 = 0;
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    if (!isEager() || !itsNode(its).isV4) continue;
    const failed = unmapOn(its, vpe);
    if (first == 0) first = failed;
  }
  return first;
}

/** its_vpe_mask_irq and its_vpe_unmask_irq. */
export function setDoorbellMasked(vpe: Vpe, masked: bool): i32 {
  const irq: Irq = irqOf(vpe.irq);
  if (!irq.activated) return EINVAL;
  const was = isDisabled(vpe.doorbell);
  updatePhysical(vpe.doorbell, masked ? PROP_ENABLED : 0, masked ? 0 : PROP_ENABLED);
  const failed = invalidateDoorbell(vpe);
  if (failed == 0) irq.masked = masked ? 1 : 0;
  else {
    updatePhysical(vpe.doorbell, was ? PROP_ENABLED : 0, was ? 0 : PROP_ENABLED);
    if (beginUndo()) {
      invalidateDoorbell(vpe);
      endUndo();
    }
  }
  return failed;
}

function invalidateDoorbell(vpe: Vpe): i32 {
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

/** INVALL_VPE: one ITS is enough, it reaches the redistributors. A vPE that no ITS maps has nothing to invalidate. */
export function invallVpe(vpe: Vpe): i32 {
  if (vpe.vmapps == 0 && chip().era != ERA_S) return isEager() ? EINVAL : 0;
  if (chip().hasRvpeid) return invalidateAt(vpe.cpu, GICR_INVALLR, VIRTUAL | ((<u64>vpe.vpeId) << 32));
  if (chip().era == ERA_S) return invalidateEverywhere(vpe);
  const vm: Vm = vmOf(vpe.vm);
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    if (itsNode(its).isV4 && (isEager() || vm.vlpisOn(its))) return sendVinvall(its, vpe);
  }
  return 0;
}

export function firstV4Its(): u32 {
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    if (itsNode(its).isV4) return its;
  }
  return 0;
}

/** its_vpe_retrigger: a doorbell that is found pending is sent again; the driver had no such callback until 2020. */
export function retriggerDoorbell(vpe: Vpe): i32 {
  return hasBug(IrqChipBug.NO_DOORBELL_RETRIGGER) ? ENOSYS : setDoorbellPending(vpe, true);
}

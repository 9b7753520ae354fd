// irq_set_affinity of a doorbell: the vPE moves to another redistributor (its_vpe_set_affinity).
import { IrqChipBug } from '../abi';
import { machine } from '../memory/machine';
import { hasCpu, NO_CPU } from './affinity';
import { startVmovp } from './commands';
import { EINVAL, ETIMEDOUT } from './errno';
import { moveProxy } from './proxy';
import { awaitQueue, beginUndo, endUndo, room } from './queue';
import { GICR_CLRLPIR, sharesVpeTable, waitForSync, writeRd } from './redistributor';
import { chip, hasBug, itsNode, Vm, Vpe, vmOf } from './state';
import { firstV4Its, isEager } from './vpe';

/** Moves a vPE to a PE. */
export function moveVpe(vpe: Vpe, cpu: u32): i32 {
  if (cpu >= machine().cpuCount) return EINVAL;
  if (vpe.vmapps == 0 && !hasBug(IrqChipBug.VMOVP_ON_DYING_VPE)) {
    if (isEager() || hasBug(IrqChipBug.NO_AFFINITY_FOR_UNMAPPED)) return EINVAL;
    // No hardware to tell; the VM's first VLPI maps the vPE to where it is then.
    vpe.cpu = cpu;
    return 0;
  }
  const from = vpe.cpu;
  if (cpu == from) return 0;
  vpe.cpu = cpu;
  if (hasBug(IrqChipBug.VMOVP_SKIPPED_IN_SHARED_TABLE) && chip().hasRvpeid && sharesVpeTable(cpu, from)) {
    return 0;
  }
  let failed = sendMoves(vpe);
  if (failed == 0 && !chip().hasRvpeid) failed = moveDoorbell(vpe, from);
  if (failed == 0) return 0;
  vpe.cpu = from;
  if (beginUndo()) {
    sendMoves(vpe);
    endUndo();
  }
  return failed;
}

/** The PE of the affinity mask that a vPE goes to; GICv4.1 prefers one that its vPE table serves already. */
export function pickVpeCpu(vpe: Vpe): u32 {
  const first = firstOfMask();
  if (!chip().hasRvpeid) return first;
  if (hasCpu(vpe.cpu)) return vpe.cpu;
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    if (hasCpu(cpu) && sharesVpeTable(cpu, vpe.cpu)) return cpu;
  }
  return first;
}

function firstOfMask(): u32 {
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    if (hasCpu(cpu)) return cpu;
  }
  return NO_CPU;
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

/** ITSs that take part in moving a vPE: those with VLPIs of its VM; in GICv4.1 all. */
function itsListOf(vm: Vm): u32 {
  const all = isEager() || hasBug(IrqChipBug.VMOVP_ITSLIST_ALL);
  let list: u32 = 0;
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    const node = itsNode(its);
    if (node.isV4 && (all || vm.vlpisOn(its))) list |= (<u32>1) << node.listNumber;
  }
  return list;
}

/** All ITSs of a list get the command, or none: one that never came would hold the others up. */
function postMoves(vpe: Vpe, list: u32): i32 {
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    if (isListed(its, list) && !room(its, 2)) return ETIMEDOUT;
  }
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    if (!isListed(its, list)) continue;
    const failed = startVmovp(its, vpe, chip().vmovpSequence, list);
    if (failed) return failed;
  }
  return awaitMoves(list);
}

function isListed(its: u32, list: u32): bool {
  const node = itsNode(its);
  return node.isV4 != 0 && ((list >> node.listNumber) & 1) != 0;
}

function awaitMoves(list: u32): i32 {
  for (let its: u32 = 0; its < machine().itsCount; its++) {
    if (!isListed(its, list)) continue;
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

// SCHEDULE_VPE, DESCHEDULE_VPE and COMMIT_VPE: which vPE is resident on a redistributor.
import { IrqChipBug } from '../abi';
import { machine } from '../memory/machine';
import { EINVAL, ETIMEDOUT } from './errno';
import { GICR_TYPER, GICR_VPENDBASER, GICR_VPROPBASER, readRd, waitForClean, writeRd } from './redistributor';
import { chip, ERA_S, hasBug, irqOf, Vpe, vmOf } from './state';
import { setDoorbellMasked } from './vpe';

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
  if (hasBug(IrqChipBug.POLL_AT_SCHEDULE)) waitForParsed(cpu);
  return 0;
}

/** Waits until a pending table is parsed, where the redistributor tells (GICR_TYPER.Dirty). */
function waitForParsed(cpu: u32): bool {
  const tells = (readRd(cpu, GICR_TYPER, 8) & TYPER_DIRTY) != 0;
  return !tells || (waitForClean(cpu) & DIRTY) == 0;
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
  if (chip().era != ERA_S && !hasBug(IrqChipBug.PUT_WHILE_PARSING)) waitForClean(cpu);
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

/** COMMIT_VPE, which the driver of 2017 did not have: waits until the pending table is parsed. */
export function commitVpe(vpe: Vpe): i32 {
  if (chip().era == ERA_S || !vpe.resident) return EINVAL;
  if (!vpe.ready && !waitForParsed(vpe.residentCpu)) return ETIMEDOUT;
  vpe.ready = 1;
  return 0;
}

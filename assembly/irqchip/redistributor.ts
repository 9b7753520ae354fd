// What the driver does to redistributors: every write is logged, every wait
// bounded.
import { readBus, writeBus } from '../gic/bus';
import { machine } from '../memory/machine';
import { Cost, spend } from './costs';
import { ETIMEDOUT } from './errno';
import { LOG_RD_POLL, LOG_RD_WRITE, log } from './log';
import { chip } from './state';

export const GICR_CTLR: u32 = 0x0000;
export const GICR_TYPER: u32 = 0x0008;
export const GICR_WAKER: u32 = 0x0014;
export const GICR_SETLPIR: u32 = 0x0040;
export const GICR_CLRLPIR: u32 = 0x0048;
export const GICR_PROPBASER: u32 = 0x0070;
export const GICR_PENDBASER: u32 = 0x0078;
export const GICR_INVLPIR: u32 = 0x00a0;
export const GICR_INVALLR: u32 = 0x00b0;
const GICR_SYNCR: u32 = 0x00c0;
export const GICR_VPROPBASER: u32 = 0x20070;
export const GICR_VPENDBASER: u32 = 0x20078;
export const GICR_VSGIR: u32 = 0x20080;
const GICR_VSGIPENDR: u32 = 0x20088;

const VPENDBASER_DIRTY: u64 = 1 << 60;
const VSGIPENDR_BUSY: u32 = 1 << 31;

export function rdAddress(cpu: u32, offset: u32): u64 {
  return machine().gicrBase + machine().gicrStride * cpu + offset;
}

/** What does not change is read once and remembered: GICR_TYPER costs nothing. */
export function readRd(cpu: u32, offset: u32, size: u32): u64 {
  if (offset != GICR_TYPER) spend(Cost.RD_READ, 1);
  return readBus(rdAddress(cpu, offset), size);
}

export function writeRd(cpu: u32, offset: u32, size: u32, value: u64): void {
  log(LOG_RD_WRITE, cpu, offset, value);
  spend(Cost.RD_WRITE, 1);
  writeBus(rdAddress(cpu, offset), size, value);
}

/** GICR_TYPER.CommonLPIAff: whether the redistributors of two PEs share their LPI and vPE tables. */
export function sharesVpeTable(cpu: u32, other: u32): bool {
  return vpeTableGroup(cpu) == vpeTableGroup(other);
}

/** The part of its affinity that a redistributor has in common with all that share its tables. */
export function vpeTableGroup(cpu: u32): u32 {
  const typer = readRd(cpu, GICR_TYPER, 8);
  const levels = <u32>(typer >> 24) & 3;
  return <u32>(typer >> 32) & ~(<u32>0xffffffff >> (levels << 3));
}

/** Waits until GICR_SYNCR.Busy is 0. */
export function waitForSync(cpu: u32): i32 {
  log(LOG_RD_POLL, cpu, GICR_SYNCR);
  for (let poll: u32 = 0; poll <= chip().pollLimit; poll++) {
    if ((readRd(cpu, GICR_SYNCR, 4) & 1) == 0) return 0;
  }
  return ETIMEDOUT;
}

/** GICR_INVLPIR and the like, then the wait. */
export function invalidateAt(cpu: u32, offset: u32, value: u64): i32 {
  writeRd(cpu, offset, 8, value);
  return waitForSync(cpu);
}

/** GICR_VPENDBASER once Dirty is 0; Dirty is still 1 in the result when the wait was given up. */
export function waitForClean(cpu: u32): u64 {
  log(LOG_RD_POLL, cpu, GICR_VPENDBASER);
  let value: u64 = 0;
  for (let poll: u32 = 0; poll <= chip().pollLimit; poll++) {
    value = readRd(cpu, GICR_VPENDBASER, 8);
    if ((value & VPENDBASER_DIRTY) == 0) break;
  }
  return value;
}

/** The pending vSGIs of a vPE, or -1 where the query does not end. */
export function queryVsgis(cpu: u32, vpeId: u32): i32 {
  writeRd(cpu, GICR_VSGIR, 4, vpeId);
  log(LOG_RD_POLL, cpu, GICR_VSGIPENDR);
  for (let poll: u32 = 0; poll <= chip().pollLimit; poll++) {
    const value = <u32>readRd(cpu, GICR_VSGIPENDR, 4);
    if ((value & VSGIPENDR_BUSY) == 0) return value & 0xffff;
  }
  return -1;
}

// GICR_* of the RD_base and SGI_base frames (sections 3.1-3.9).
import { Choice, Counter, Diagnostic, Feature, Policy, RedistributorTrait, Register } from '../abi';
import { report } from '../diag/diagnostics';
import { readVpendbaser, writeVpendbaser, writeVpropbaser } from '../gicv4/residency';
import { invalidateVlpi, invalidateVpe } from '../gicv4/vlpi';
import { VpeConfiguration } from '../gicv4/vpe_configuration';
import { mappedConfiguration, writeVpeTable } from '../gicv4/vpe_table';
import { writeVpeResidency } from '../gicv4/vpeid_residency';
import { count } from '../memory/counters';
import { machine, policy } from '../memory/machine';
import { closeGate, openGate } from '../threads/gate';
import { Bank } from './bank';
import { readBank, writeBank } from './bank_registers';
import { cpuInterfaceOf } from './cpu_interface';
import { disableLpis, enableLpis, reloadLpiTables, setPendingLpi } from './lpi';
import { touchCpu } from './outputs';
import { Redistributor, redistributorOf } from './redistributor';
import { rerouteOneOfN } from './routing';

const CTLR_ENABLE_LPIS: u32 = 1;
const CTLR_IR: u32 = 4;
const WAKER_PROCESSOR_SLEEP: u32 = 2;
const WAKER_CHILDREN_ASLEEP: u32 = 4;
export const PENDBASER_PTZ: u64 = 1 << 62;
const SHAREABILITY: u64 = 3 << 10;

export function readRedistributor(cpu: u32, register: u32, element: u32): u64 {
  const rd = redistributorOf(cpu);
  switch (register) {
    case Register.GICR_CTLR:
      return rd.ctlr | (rd.traits & RedistributorTrait.INVALIDATION ? CTLR_IR : 0);
    case Register.GICR_TYPER:
      return rd.typer;
    case Register.GICR_STATUSR:
      return rd.statusr;
    case Register.GICR_WAKER:
      return rd.asleep ? WAKER_PROCESSOR_SLEEP | WAKER_CHILDREN_ASLEEP : 0;
    case Register.GICR_PROPBASER:
      return rd.propbaser;
    case Register.GICR_PENDBASER:
      return rd.pendbaser;
    case Register.GICR_VPROPBASER:
      return rd.vpropbaser;
    case Register.GICR_VPENDBASER:
      return readVpendbaser(rd);
    case Register.GICR_VSGIPENDR:
      return rd.vsgiPending;
    default:
      return readBank(changetype<Bank>(rd.bank), register, element);
  }
}

export function writeRedistributor(cpu: u32, register: u32, element: u32, value: u64): void {
  const rd = redistributorOf(cpu);
  switch (register) {
    case Register.GICR_CTLR:
      return writeCtlr(rd, <u32>value);
    case Register.GICR_STATUSR:
      rd.statusr &= ~(<u32>value);
      return;
    case Register.GICR_WAKER:
      return writeWaker(rd, (<u32>value & WAKER_PROCESSOR_SLEEP) != 0);
    case Register.GICR_PROPBASER:
      if (!lpiTableWritable(rd, register)) return;
      rd.propbaser = legalShareability(value);
      if (rd.lpisEnabled) takeNewTables(rd);
      return;
    case Register.GICR_PENDBASER:
      return writePendbaser(rd, value);
    case Register.GICR_SETLPIR:
      count(Counter.SETLPIR + setPendingLpi(rd, <u32>value));
      return;
    case Register.GICR_CLRLPIR:
      if (rd.physicalLpis.clearPending(<u32>value)) count(Counter.LPIS_CLEARED);
      return;
    case Register.GICR_INVLPIR:
      return invalidateByRegister(rd, value);
    case Register.GICR_INVALLR:
      return invalidateAllByRegister(rd, value);
    case Register.GICR_VPROPBASER:
      if (machine().has(Feature.GICV4_1)) writeVpeTable(rd, legalShareability(value));
      else writeVpropbaser(rd, legalShareability(value));
      return;
    case Register.GICR_VPENDBASER:
      if (machine().has(Feature.GICV4_1)) writeVpeResidency(rd, value);
      else writeVpendbaser(rd, legalShareability(value));
      return;
    case Register.GICR_VSGIR:
      rd.vsgiPending = pendingVsgis(rd, <u32>value);
      return;
    default:
      writeBank(changetype<Bank>(rd.bank), register, element, <u32>value);
  }
}

export function reportRedistributorAccess(cpu: u32, status: u32): void {
  redistributorOf(cpu).statusr |= status;
}

function writeCtlr(rd: Redistributor, value: u32): void {
  const wasEnabled = (rd.ctlr & CTLR_ENABLE_LPIS) != 0;
  let enabled = (value & CTLR_ENABLE_LPIS) != 0;
  if (wasEnabled && !enabled && !policy(Policy.enableLpisClearable)) {
    report(Diagnostic.ENABLE_LPIS_NOT_CLEARABLE, rd.cpu);
    enabled = true;
  }
  rd.ctlr = enabled ? value | CTLR_ENABLE_LPIS : value & ~CTLR_ENABLE_LPIS;
  closeGate();
  if (enabled && !wasEnabled) enableLpis(rd);
  else if (!enabled && wasEnabled) disableLpis(rd);
  openGate();
  rerouteOneOfN();
}

function takeNewTables(rd: Redistributor): void {
  closeGate();
  reloadLpiTables(rd);
  openGate();
}

function writeWaker(rd: Redistributor, sleep: bool): void {
  if (sleep && !rd.asleep && cpuInterfaceOf(rd.cpu).groupEnables)
    report(Diagnostic.SLEEP_WITH_GROUP_ENABLED, rd.cpu);
  rd.asleep = sleep ? 1 : 0;
  touchCpu(rd.cpu);
  rerouteOneOfN();
}

function writePendbaser(rd: Redistributor, value: u64): void {
  if (!lpiTableWritable(rd, Register.GICR_PENDBASER)) return;
  rd.pendingTableZero = (value & PENDBASER_PTZ) != 0 ? 1 : 0;
  const readsBack = policy(Policy.pendingTableZero) == Choice.PENDING_TABLE_ZERO_IGNORE;
  rd.pendbaser = legalShareability(readsBack ? value : value & ~PENDBASER_PTZ);
  if (rd.lpisEnabled) takeNewTables(rd);
}

const INVLPIR_VIRTUAL: u64 = 1 << 63;

/** GICR_INVLPIR: with V=1, in GICv4.1, a VLPI of the vPEID in [47:32]. */
function invalidateByRegister(rd: Redistributor, value: u64): void {
  if ((value & INVLPIR_VIRTUAL) == 0) {
    rd.physicalLpis.invalidate(<u32>value);
    return;
  }
  const vpeId = <u32>(value >> 32) & 0xffff;
  const entry = knownVpe(rd, vpeId);
  if (changetype<usize>(entry)) invalidateVlpi(entry.mapping, vpeId, entry, <u32>value);
}

/** GICR_INVALLR: with V=1, in GICv4.1, all VLPIs of a vPE. */
function invalidateAllByRegister(rd: Redistributor, value: u64): void {
  if ((value & INVLPIR_VIRTUAL) == 0) {
    rd.physicalLpis.invalidateAll();
    return;
  }
  const vpeId = <u32>(value >> 32) & 0xffff;
  const entry = knownVpe(rd, vpeId);
  if (changetype<usize>(entry)) invalidateVpe(entry.mapping, vpeId, entry);
}

/** GICR_VSGIR (section 3.13): the pending vSGIs of a vPE; none of one that is not mapped. Busy is never seen. */
function pendingVsgis(rd: Redistributor, vpeId: u32): u32 {
  const entry = knownVpe(rd, vpeId);
  return changetype<usize>(entry) ? entry.pendingSgis : 0;
}

/** The vPE that a register of this redistributor names, null where its group has none of that vPEID. */
function knownVpe(rd: Redistributor, vpeId: u32): VpeConfiguration {
  const entry = mappedConfiguration(rd, vpeId);
  if (changetype<usize>(entry) == 0) report(Diagnostic.VPE_NOT_MAPPED, rd.cpu, vpeId);
  return entry;
}

/** Changing the LPI tables while EnableLPIs=1 is UNPREDICTABLE (sections 3.2, 3.7). */
function lpiTableWritable(rd: Redistributor, register: u32): bool {
  if (!rd.lpisEnabled) return true;
  report(Diagnostic.LPI_TABLE_WRITE_WHILE_ENABLED, rd.cpu, register);
  return policy(Policy.lpiTableWriteWhileEnabled) == Choice.LPI_TABLE_WRITE_ACCEPT;
}

/** Shareability 0b11 is reserved and means Non-shareable. */
function legalShareability(value: u64): u64 {
  if (policy(Policy.lpiTableReservedBits)) return value;
  return (value & SHAREABILITY) == SHAREABILITY ? value & ~SHAREABILITY : value;
}

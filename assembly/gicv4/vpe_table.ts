// GICv4.1: the vPE Configuration table that GICR_VPROPBASER names for the redistributors of one CommonLPIAff group
// (sections 3.3, 3.11). Entries are used where they stand in RAM and nothing is cached, so a table that becomes valid
// brings its vPEs along, and nothing has to be written back when it becomes invalid (GICR_CTLR.RWP stays 0).
import { Diagnostic } from '../abi';
import { report } from '../diag/diagnostics';
import { Redistributor, redistributorOf } from '../gic/redistributor';
import { Table } from '../its/its';
import { entryAt, measureTable, UNMAPPED, vpeCpu } from '../its/tables';
import { machine } from '../memory/machine';
import { ramAt } from '../memory/ram';
import { closeGate, openGate } from '../threads/gate';
import { VpeConfiguration } from './vpe_configuration';

/** Bytes of an entry: GICR_VPROPBASER.Entry_Size and GITS_BASER2.Entry_Size tell it. */
const ENTRY_BYTES: u32 = 32;

const VALID: u64 = 1 << 63;
const INDIRECT: u64 = 1 << 55;
const PAGE_SIZE_SHIFT: u64 = 53;
const Z: u64 = 1 << 52;
const ADDRESS: u64 = 0x000ffffffffff000;
const SIZE: u64 = 0x7f;
/** What the redistributors of a group must agree on: all but the attributes. */
const PLACE: u64 = VALID | INDIRECT | (3 << PAGE_SIZE_SHIFT) | ADDRESS | SIZE;

/** GICR_VPROPBASER.Z reads as zero. While a vPE is resident the table stays as it is. */
export function writeVpeTable(rd: Redistributor, value: u64): void {
  if (rd.resident) {
    report(Diagnostic.VPROPBASER_WRITE_WHILE_RESIDENT, rd.cpu);
    return;
  }
  const table = changetype<Table>(rd.vpeTable);
  const becomesValid = (value & ~rd.vpropbaser & VALID) != 0;
  rd.vpropbaser = value & ~Z;
  closeGate();
  attach(table, rd.vpropbaser);
  openGate();
  if ((value & VALID) == 0) return;
  if (becomesValid && (value & Z) != 0 && !isZero(table, value)) {
    report(Diagnostic.VPE_TABLE_NOT_ZERO, rd.cpu);
  }
  reportMismatch(rd);
}

/** The place of a vPE's entry in the table of a redistributor's group; UNMAPPED or FAULT where there is none. */
export function configurationAt(rd: Redistributor, vpeId: u32): usize {
  const table = changetype<Table>(rd.vpeTable);
  return <u64>vpeId < table.capacity ? entryAt(table, vpeId) : UNMAPPED;
}

/** The mapped vPE of a vPEID, as the redistributors of a group know it; null where it is not mapped. */
export function mappedConfiguration(rd: Redistributor, vpeId: u32): VpeConfiguration {
  const at = configurationAt(rd, vpeId);
  const entry = changetype<VpeConfiguration>(at > 1 ? at : 0);
  return at > 1 && entry.live ? entry : changetype<VpeConfiguration>(0);
}

/** The entry of the vPE that an ITS has mapped, null where the redistributor that it is mapped to has none. */
export function configurationOf(vte: u64, vpeId: u32): VpeConfiguration {
  return mappedConfiguration(redistributorOf(vpeCpu(vte)), vpeId);
}

/** The part of an affinity that the redistributors of a group have in common. */
function groupOf(rd: Redistributor): u32 {
  const levels = <u32>(rd.typer >> 24) & 3;
  return rd.affinity & ~(<u32>0xffffffff >> (levels << 3));
}

/** GITS_TYPER.SVPET and GITS_MPIDR: whether the ITSs' vPE table and that of a redistributor are to be one (5.5). */
export function sharedWithIts(rd: Redistributor): bool {
  const m = machine();
  const levels = m.sharedVpeTable;
  return levels != 0 && (m.itsAffinity & ~(<u32>0xffffffff >> (levels << 3))) == groupOf(rd);
}

/** Derives the table's place and size. A misaligned address counts with its low bits as zero, as in GITS_BASER<n>. */
function attach(table: Table, vpropbaser: u64): void {
  const pageSize = <u32>(vpropbaser >> PAGE_SIZE_SHIFT) & 3;
  table.pageBytes = pageSize == 0 ? 0x1000 : pageSize == 1 ? 0x4000 : 0x10000;
  table.entryBytes = ENTRY_BYTES;
  table.entriesPerPage = vpropbaser & INDIRECT ? <u32>(table.pageBytes / ENTRY_BYTES) : 0;
  table.address = vpropbaser & ADDRESS & ~(table.pageBytes - 1);
  measureTable(table, vpropbaser & VALID ? tableBytes(table, vpropbaser) : 0, machine().vpeIdBits);
}

function tableBytes(table: Table, vpropbaser: u64): u64 {
  return ((vpropbaser & SIZE) + 1) * table.pageBytes;
}

/** Whether the promise of Z=1 holds. What the table holds counts all the same: others of the group may use it. */
function isZero(table: Table, vpropbaser: u64): bool {
  const bytes = tableBytes(table, vpropbaser);
  const start = ramAt(table.address, bytes);
  if (start == 0) return true;
  for (let at = start; at < start + <usize>bytes; at += 8) {
    if (load<u64>(at)) return false;
  }
  return true;
}

function reportMismatch(rd: Redistributor): void {
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    const other = redistributorOf(cpu);
    if ((other.vpropbaser & VALID) == 0 || groupOf(other) != groupOf(rd)) continue;
    if ((other.vpropbaser & PLACE) != (rd.vpropbaser & PLACE)) {
      report(Diagnostic.VPE_TABLE_MISMATCH, rd.cpu, cpu);
      return;
    }
  }
}

// GICv4.1: entries of the vPE Configuration table that GICR_VPROPBASER names for the redistributors of one group
// (sections 3.11, 7.1, 7.6). An entry is four 64-bit words; word 0 is the entry that the ITS keeps too, so that one
// table can serve both (GITS_TYPER.SVPET).
//
//   0  [63] Valid | [62:53] PE that it is mapped to | [51:16] pending table | [4:0] INTID bits - 1
//   1  [63] resident | [62:53] on this PE | [51:16] configuration table | [15:0] vSGIs pending
//   2  [57] allocated | [56:55] groups at the last deschedule | [54] doorbell requested
//      [53:38] vSGI groups | [37:22] vSGIs enabled | [21:0] default doorbell
//   3  [63:0] vSGI priorities, four bits each
import { NO_CPU } from '../gic/bank';
import { Redistributor, redistributorOf } from '../gic/redistributor';
import { Table } from '../its/its';
import { entryAt, isMappedVpe, UNMAPPED, vpeCpu } from '../its/tables';
import { machine } from '../memory/machine';

/** Bytes of an entry: GICR_VPROPBASER.Entry_Size and GITS_BASER2.Entry_Size tell it. */
export const VPE_ENTRY_BYTES: u32 = 32;

const RESIDENT: u64 = 1 << 63;
const RESIDENT_CPU_SHIFT: u64 = 53;
const TABLE_ADDRESS: u64 = 0x000fffffffff0000;
const DOORBELL: u64 = 0x3fffff;
const ENABLES_SHIFT: u64 = 22;
const GROUPS_SHIFT: u64 = 38;
const ARMED: u64 = 1 << 54;
const ARMED_GROUPS_SHIFT: u64 = 55;
const ALLOCATED: u64 = 1 << 57;

@unmanaged
export class VpeConfiguration {
  mapping: u64;
  place: u64;
  state: u64;
  priorities: u64;

  /** VMAPP with Alloc=1. */
  allocate(mapping: u64, configTable: u64, doorbell: u32): void {
    this.mapping = mapping;
    this.place = configTable & TABLE_ADDRESS;
    this.state = ALLOCATED | doorbell;
    this.priorities = 0;
  }

  /** VMAPP with V=0 and Alloc=1. */
  release(): void {
    this.mapping = 0;
    this.place = 0;
    this.state = 0;
    this.priorities = 0;
  }

  get allocated(): bool {
    return (this.state & ALLOCATED) != 0;
  }

  /** Physical address of the VM's configuration table. */
  get configTable(): u64 {
    return this.place & TABLE_ADDRESS;
  }

  get pendingSgis(): u32 {
    return <u32>this.place & 0xffff;
  }

  set pendingSgis(bits: u32) {
    this.place = (this.place & ~(<u64>0xffff)) | bits;
  }

  get enabledSgis(): u32 {
    return <u32>(this.state >> ENABLES_SHIFT) & 0xffff;
  }

  get sgiGroups(): u32 {
    return <u32>(this.state >> GROUPS_SHIFT) & 0xffff;
  }

  /** Priority[7:4] of a vSGI as an 8-bit priority. */
  sgiPriority(intid: u32): u32 {
    return (<u32>(this.priorities >> ((<u64>intid) << 2)) & 0xf) << 4;
  }

  configureSgi(intid: u32, enable: bool, group: u32, priority: u32): void {
    const enableBit = (<u64>1) << (ENABLES_SHIFT + intid);
    const groupBit = (<u64>1) << (GROUPS_SHIFT + intid);
    const shift = (<u64>intid) << 2;
    this.state = (this.state & ~(enableBit | groupBit)) | (enable ? enableBit : 0) | (group ? groupBit : 0);
    this.priorities = (this.priorities & ~((<u64>0xf) << shift)) | ((<u64>priority) << shift);
  }

  get defaultDoorbell(): u32 {
    return <u32>(this.state & DOORBELL);
  }

  set defaultDoorbell(intid: u32) {
    this.state = (this.state & ~DOORBELL) | intid;
  }

  /** A doorbell was requested at the last deschedule and has not rung since. */
  get armed(): bool {
    return (this.state & ARMED) != 0;
  }

  /** Requests the default doorbell for interrupts of `groups` (bit 0: Group 0, bit 1: Group 1). */
  arm(groups: u32): void {
    this.disarm();
    this.state |= ARMED | ((<u64>groups) << ARMED_GROUPS_SHIFT);
  }

  disarm(): void {
    this.state &= ~(ARMED | ((<u64>3) << ARMED_GROUPS_SHIFT));
  }

  armedFor(group: u32): bool {
    return this.armed && ((this.state >> (ARMED_GROUPS_SHIFT + group)) & 1) != 0;
  }

  setResident(cpu: u32): void {
    this.place =
      (this.place & ~((<u64>0x7ff) << RESIDENT_CPU_SHIFT)) | RESIDENT | ((<u64>cpu) << RESIDENT_CPU_SHIFT);
  }

  setNotResident(): void {
    this.place &= ~((<u64>0x7ff) << RESIDENT_CPU_SHIFT);
  }

  /** The PE that the entry says the vPE is resident on, if that PE says so too; else NO_CPU. */
  residentCpu(vpeId: u32): u32 {
    if ((this.place & RESIDENT) == 0) return NO_CPU;
    const cpu = <u32>(this.place >> RESIDENT_CPU_SHIFT) & 0x3ff;
    if (cpu >= machine().cpuCount) return NO_CPU;
    const rd = redistributorOf(cpu);
    return rd.resident && rd.residentVpe == vpeId ? cpu : NO_CPU;
  }
}

/** The place of a vPE's entry in the table of a redistributor's group; UNMAPPED or FAULT where there is none. */
export function configurationAt(rd: Redistributor, vpeId: u32): usize {
  const table = changetype<Table>(rd.vpeTable);
  return <u64>vpeId < table.capacity && vpeId >> machine().vpeIdBits == 0 ? entryAt(table, vpeId) : UNMAPPED;
}

/** The entry of a mapped vPE, null where the redistributor that it is mapped to has none. */
export function configurationOf(vte: u64, vpeId: u32): VpeConfiguration {
  const at = configurationAt(redistributorOf(vpeCpu(vte)), vpeId);
  return changetype<VpeConfiguration>(at > 1 ? at : 0);
}

const VPROPBASER_VALID: u64 = 1 << 63;
const VPROPBASER_INDIRECT: u64 = 1 << 55;

/** Derives the table's place and size from GICR_VPROPBASER in the GICv4.1 layout (section 3.11). */
export function attachVpeTable(table: Table, vpropbaser: u64): void {
  const pageSize = <u32>(vpropbaser >> 53) & 3;
  table.pageBytes = pageSize == 0 ? 0x1000 : pageSize == 1 ? 0x4000 : 0x10000;
  table.entryBytes = VPE_ENTRY_BYTES;
  table.entriesPerPage = vpropbaser & VPROPBASER_INDIRECT ? <u32>(table.pageBytes / VPE_ENTRY_BYTES) : 0;
  table.address = vpropbaser & 0x000ffffffffff000 & ~(table.pageBytes - 1);
  const bytes = ((vpropbaser & 0x7f) + 1) * table.pageBytes;
  if ((vpropbaser & VPROPBASER_VALID) == 0) table.capacity = 0;
  else if (table.entriesPerPage) table.capacity = (bytes >> 3) * table.entriesPerPage;
  else table.capacity = bytes / VPE_ENTRY_BYTES;
}

/** The mapped vPE of a vPEID, as the redistributors of a group know it; null where it is not mapped. */
export function mappedConfiguration(rd: Redistributor, vpeId: u32): VpeConfiguration {
  const at = configurationAt(rd, vpeId);
  if (at <= 1) return changetype<VpeConfiguration>(0);
  const entry = changetype<VpeConfiguration>(at);
  return isMappedVpe(entry.mapping) ? entry : changetype<VpeConfiguration>(0);
}

// GICv4.1: an entry of the vPE Configuration table (sections 3.11, 7.1, 7.6). An entry is four 64-bit words; word 0 is
// the entry that the ITS keeps too, so that one table can serve both (GITS_TYPER.SVPET).
//
//   0  [63] Valid | [62:53] PE that it is mapped to | [51:16] pending table | [4:0] INTID bits - 1
//   1  [63] resident | [62:53] on this PE | [51:16] configuration table | [15:0] vSGIs pending
//   2  [57] allocated | [56:55] groups at the last deschedule | [54] doorbell requested
//      [53:38] vSGI groups | [37:22] vSGIs enabled | [21:0] default doorbell
//   3  [63:0] vSGI priorities, four bits each
//
// While a vPE is not allocated, its vSGIs are kept in the first 1 KiB of its pending table, which is the
// implementation's own (section 4.4):
//
//   0  [47:32] groups | [31:16] enabled | [15:0] pending
//   1  [63:0] priorities, four bits each
import { NO_CPU } from '../gic/bank';
import { FIRST_LPI } from '../gic/intid';
import { redistributorOf } from '../gic/redistributor';
import { isMappedVpe, vpeEnd, vpePendingTable } from '../its/tables';
import { machine } from '../memory/machine';
import { ramAt } from '../memory/ram';
import { changeBits, loadShared, storeShared } from '../memory/shared_words';

const RESIDENT: u64 = 1 << 63;
const RESIDENT_CPU_SHIFT: u64 = 53;
const RESIDENCE: u64 = 0x7ff << 53;
const TABLE_ADDRESS: u64 = 0x000fffffffff0000;
const DOORBELL: u64 = 0x3fffff;
const ENABLES_SHIFT: u64 = 22;
const GROUPS_SHIFT: u64 = 38;
const ARMED: u64 = 1 << 54;
const ARMED_GROUPS_SHIFT: u64 = 55;
const ARMED_AT_ALL: u64 = 7 << 54;
const ALLOCATED: u64 = 1 << 57;

const SAVED_ENABLES_SHIFT: u64 = 16;
const SAVED_GROUPS_SHIFT: u64 = 32;
const SAVED_BYTES: u64 = 16;

@unmanaged
export class VpeConfiguration {
  mapping: u64;
  place: u64;
  state: u64;
  priorities: u64;

  /** VMAPP with V=1 and Alloc=1. The vSGIs start as they were when the vPE was last released. */
  allocate(mapping: u64, configTable: u64, doorbell: u32): void {
    this.mapping = mapping;
    this.place = configTable & TABLE_ADDRESS;
    this.state = ALLOCATED | doorbell;
    this.priorities = 0;
    this.loadSgis();
  }

  /** VMAPP with V=0 and Alloc=1: all that is left of the vPE is in its pending table. */
  release(): void {
    this.saveSgis();
    this.mapping = 0;
    this.forget();
  }

  /** The entry is another group's from now on; word 0 can still be the ITS's. */
  forget(): void {
    this.place = 0;
    this.state = 0;
    this.priorities = 0;
  }

  get allocated(): bool {
    return (this.state & ALLOCATED) != 0;
  }

  /** Software owns the memory, so an entry counts only while it makes sense. */
  get live(): bool {
    return this.allocated && isMappedVpe(this.mapping);
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
    this.changeState(enableBit | groupBit, (enable ? enableBit : 0) | (group ? groupBit : 0));
    this.priorities = (this.priorities & ~((<u64>0xf) << shift)) | ((<u64>priority) << shift);
  }

  get defaultDoorbell(): u32 {
    return <u32>(this.state & DOORBELL);
  }

  set defaultDoorbell(intid: u32) {
    this.changeState(DOORBELL, intid);
  }

  /** Requests the default doorbell for interrupts of `groups` (bit 0: Group 0, bit 1: Group 1). */
  arm(groups: u32): void {
    this.changeState(ARMED_AT_ALL, ARMED | ((<u64>groups) << ARMED_GROUPS_SHIFT));
  }

  /** Takes the request back; whether there was one, which then is the caller's alone. */
  disarm(): bool {
    return (this.changeState(ARMED_AT_ALL, 0) & ARMED) != 0;
  }

  /** A doorbell for `group` was requested at the last deschedule and has not rung since. */
  armedFor(group: u32): bool {
    const state = loadShared(this.stateAt);
    return (state & ARMED) != 0 && ((state >> (ARMED_GROUPS_SHIFT + group)) & 1) != 0;
  }

  setResident(cpu: u32): void {
    const rest = this.place & ~RESIDENCE;
    storeShared(this.placeAt, rest | RESIDENT | ((<u64>cpu) << RESIDENT_CPU_SHIFT));
  }

  setNotResident(): void {
    storeShared(this.placeAt, this.place & ~RESIDENCE);
  }

  /** The PE that the entry says the vPE is resident on, if that PE says so too; else NO_CPU. */
  residentCpu(vpeId: u32): u32 {
    const place = loadShared(this.placeAt);
    if ((place & RESIDENT) == 0) return NO_CPU;
    const cpu = <u32>(place >> RESIDENT_CPU_SHIFT) & 0x3ff;
    if (cpu >= machine().cpuCount) return NO_CPU;
    const rd = redistributorOf(cpu);
    return rd.resident && rd.residentVpe == vpeId ? cpu : NO_CPU;
  }

  /** Another thread that rings the doorbell disarms it. */
  private changeState(cleared: u64, set: u64): u64 {
    return changeBits(this.stateAt, cleared, set);
  }

  private get placeAt(): usize {
    return changetype<usize>(this) + offsetof<VpeConfiguration>('place');
  }

  private get stateAt(): usize {
    return changetype<usize>(this) + offsetof<VpeConfiguration>('state');
  }

  private saveSgis(): void {
    const at = this.savedSgis();
    if (at == 0) return;
    const enabled = (<u64>this.enabledSgis) << SAVED_ENABLES_SHIFT;
    store<u64>(at, ((<u64>this.sgiGroups) << SAVED_GROUPS_SHIFT) | enabled | this.pendingSgis);
    store<u64>(at, this.priorities, 8);
  }

  private loadSgis(): void {
    const at = this.savedSgis();
    if (at == 0) return;
    const saved = load<u64>(at);
    const enabled = (saved >> SAVED_ENABLES_SHIFT) & 0xffff;
    const groups = (saved >> SAVED_GROUPS_SHIFT) & 0xffff;
    this.pendingSgis = <u32>saved & 0xffff;
    this.state |= (groups << GROUPS_SHIFT) | (enabled << ENABLES_SHIFT);
    this.priorities = load<u64>(at, 8);
  }

  /** 0 outside RAM, and where the pending table is too small to have a first 1 KiB. */
  private savedSgis(): usize {
    return vpeEnd(this.mapping) < FIRST_LPI ? 0 : ramAt(vpePendingTable(this.mapping), SAVED_BYTES);
  }
}

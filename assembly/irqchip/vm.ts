// its_alloc_vcpu_irqs and its_free_vcpu_irqs: the domain of a VM's doorbells, with the tables that its vPEs need.
// Either everything is allocated or nothing.
import { IrqChipBug } from '../abi';
import { ramAt } from '../memory/ram';
import { DEFAULT_PROPERTY, roundUp } from './boot';
import { findIrqs, freeIrqs } from './device';
import { EBUSY, EINVAL, ENOMEM, ENOSYS } from './errno';
import { allocateLpis, freeLpis, lpisFor, NO_LPI } from './lpi_allocator';
import { isDisabled } from './lpi_config';
import { unmapSlot } from './proxy';
import { allocatePages, freePages, PAGE_64K, pagesOf } from './ram';
import {
  chip,
  hasBug,
  irqOf,
  KIND_DOORBELL,
  MAX_VMS,
  MAX_VPES,
  NONE,
  Vm,
  Vpe,
  vmOf,
  vpeIdsAt,
  vpeOf,
} from './state';
import { ensureVpeEntries } from './vpe_tables';
import { freeSgis } from './vsgi';

const FIRST_LPI: u32 = 8192;

/** Makes a VM with `count` vPEs; its number, or an errno. */
export function allocateVm(count: u32): i32 {
  if (!chip().v4) return ENOSYS;
  if (count == 0 || count > MAX_VPES) return EINVAL;
  const n = freeVmSlot();
  const firstVpe = findVpes(count);
  if (n < 0 || firstVpe == NONE) return ENOMEM;
  const vm = vmOf(<u32>n);
  memory.fill(changetype<usize>(vm), 0, offsetof<Vm>());
  vm.firstVpe = firstVpe;
  const firstIrq = findIrqs(count);
  const complete = firstIrq != NONE && allocateTables(vm, count) && allocateVpes(<u32>n, vm, count, firstIrq);
  if (!complete) {
    giveBack(vm);
    return ENOMEM;
  }
  vm.used = 1;
  return n;
}

/** Frees a VM whose doorbells are all deactivated. */
export function freeVm(n: u32): i32 {
  if (n >= MAX_VMS || !vmOf(n).used) return EINVAL;
  const vm = vmOf(n);
  for (let i: u32 = 0; i < vm.vpes; i++) {
    const vpe = vpeOf(vm.firstVpe + i);
    if (irqOf(vpe.irq).activated || vpe.vlpis || vpe.resident) return EBUSY;
  }
  for (let i: u32 = 0; i < vm.vpes; i++) {
    const failed = unmapSlot(vpeOf(vm.firstVpe + i));
    if (failed) return failed;
  }
  release(vm);
  return 0;
}

/** Undoes an allocation that went as far as the vPE counted last, which is not complete. */
function giveBack(vm: Vm): void {
  if (hasBug(IrqChipBug.VPE_LEAK_ON_ERROR) && vm.vpes > 1) {
    const forgotten = vpeOf(vm.firstVpe + vm.vpes - 2);
    forgotten.vpeId = NONE;
    forgotten.pendingTable = 0;
  }
  release(vm);
  if (hasBug(IrqChipBug.VM_FREED_TWICE)) freeLpis(vm.doorbellBase, vm.doorbells);
}

function allocateTables(vm: Vm, count: u32): bool {
  const bytes = ((<u32>1) << chip().idBits) - FIRST_LPI;
  vm.doorbells = lpisFor(roundUp(count));
  vm.doorbellBase = allocateLpis(vm.doorbells);
  vm.propertyPages = pagesOf(bytes);
  vm.propertyTable = allocatePages(vm.propertyPages, PAGE_64K);
  if (vm.doorbellBase == NO_LPI || vm.propertyTable == 0) return false;
  memory.fill(ramAt(vm.propertyTable, bytes), <u8>DEFAULT_PROPERTY, bytes);
  return true;
}

/** Each vPE is counted as soon as it holds something, so that `release` finds it. */
function allocateVpes(n: u32, vm: Vm, count: u32, firstIrq: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const vpe = vpeOf(vm.firstVpe + i);
    memory.fill(changetype<usize>(vpe), 0, offsetof<Vpe>());
    vpe.vm = n;
    vpe.irq = firstIrq + i;
    vpe.doorbell = vm.doorbellBase + i;
    vpe.proxySlot = NONE;
    vpe.firstSgiIrq = NONE;
    vpe.idai = 1;
    vpe.vpeId = allocateVpeId();
    vpe.used = 1;
    vm.vpes++;
    if (vpe.vpeId == NONE) return false;
    vpe.pendingPages = PAGE_64K;
    vpe.pendingTable = allocatePages(PAGE_64K, PAGE_64K);
    if (vpe.pendingTable == 0) return false;
    if (!ensureVpeEntries(vpe.vpeId)) {
      if (hasBug(IrqChipBug.VPT_FREED_OF_UNFILLED_VPE)) vpe.pendingTable = 0;
      return false;
    }
    const irq = irqOf(vpe.irq);
    irq.kind = KIND_DOORBELL;
    irq.owner = vm.firstVpe + i;
    irq.intid = vpe.doorbell;
    irq.activated = 0;
    irq.masked = isDisabled(irq.intid) ? 1 : 0;
    irq.forwarded = 0;
  }
  return true;
}

function release(vm: Vm): void {
  for (let i: u32 = 0; i < vm.vpes; i++) {
    const vpe = vpeOf(vm.firstVpe + i);
    freeSgis(vpe);
    freePages(vpe.pendingTable, vpe.pendingPages);
    if (vpe.vpeId != NONE) markVpeId(vpe.vpeId, false);
    if (irqOf(vpe.irq).kind == KIND_DOORBELL) freeIrqs(vpe.irq, 1);
    vpe.used = 0;
  }
  if (vm.doorbellBase != NO_LPI) freeLpis(vm.doorbellBase, vm.doorbells);
  freePages(vm.propertyTable, vm.propertyPages);
  vm.used = 0;
}

function freeVmSlot(): i32 {
  for (let n: u32 = 0; n < MAX_VMS; n++) {
    if (!vmOf(n).used) return <i32>n;
  }
  return -1;
}

function findVpes(count: u32): u32 {
  let run: u32 = 0;
  for (let n: u32 = 0; n < MAX_VPES; n++) {
    run = vpeOf(n).used ? 0 : run + 1;
    if (run == count) return n - count + 1;
  }
  return NONE;
}

/** vPEIDs that are not allocated. */
export function freeVpeIdCount(): u32 {
  let taken: u32 = 0;
  for (let at: u32 = 0; at < 8192; at += 8) taken += <u32>popcnt(load<u64>(vpeIdsAt() + at));
  return ((<u32>1) << chip().vpeIdBits) - taken;
}

/** The lowest free vPEID, or NONE. */
function allocateVpeId(): u32 {
  const end = (<u32>1) << chip().vpeIdBits;
  for (let id: u32 = 0; id < end; id += 8) {
    const taken: u32 = load<u8>(vpeIdsAt() + (id >> 3));
    if (taken == 0xff) continue;
    const free = id + <u32>ctz(~taken);
    if (free >= end) return NONE;
    markVpeId(free, true);
    return free;
  }
  return NONE;
}

function markVpeId(id: u32, taken: bool): void {
  const at = vpeIdsAt() + (id >> 3);
  const bit = (<u32>1) << (id & 7);
  const old: u32 = load<u8>(at);
  store<u8>(at, <u8>(taken ? old | bit : old & ~bit));
}

// Virtual ITSs of a VM: made, reset, destroyed with it (vgic_its_create, vgic_its_reset, vgic_its_destroy).

import { ItsOutcome, MsiResult } from '../../abi';
import { EBUSY, EEXIST, EINVAL, ENOMEM } from '../../irqchip/errno';
import { closeIrqfds } from '../irqfd';
import { NONE } from '../limits';
import { vcpuOf, vmOf } from '../state';
import { initDirect } from '../vgic_v4';
import { invalidateAllCaches, invalidateCache } from './cache';
import { MAX_ITSES } from './limits';
import { FRAMES_BYTES } from './lookup';
import { freeAllCollections, freeAllDevices } from './mapping';
import { Its, ItsVm, itsOf, itsVmOf, msiCountAt, outcomeCountAt } from './records';
import { isTableValid } from './tables';

export { itsAtAddress } from './lookup';

const FRAME_BYTES: u64 = 0x10000;
const VALID: u64 = 1 << 63;
/** GITS_BASER<n> out of reset: RaWb, inner shareable, pages of 64 KiB, entries of 8 bytes; then the type. */
const INITIAL_BASER: u64 = ((<u64>3) << 59) | ((<u64>7) << 48) | (1 << 10) | (2 << 8);
export const TYPE_DEVICES: u64 = 1;
export const TYPE_COLLECTIONS: u64 = 4;
export const TYPE_SHIFT: u64 = 56;

/** Makes a virtual ITS whose frames are at a guest physical address; its number, or an errno. */
export function createIts(vm: u32, base: u64): i32 {
  const bad = checkFrames(vm, base);
  if (bad) return bad;
  const n = freeSlot();
  if (n == NONE) return ENOMEM;
  const its = itsOf(n);
  memory.fill(changetype<usize>(its), 0, offsetof<Its>());
  memory.fill(outcomeCountAt(n, 0), 0, <usize>ItsOutcome.COUNT * 4);
  its.used = 1;
  its.vm = vm;
  its.base = base;
  its.deviceTable = INITIAL_BASER | (TYPE_DEVICES << TYPE_SHIFT);
  its.collectionTable = INITIAL_BASER | (TYPE_COLLECTIONS << TYPE_SHIFT);
  link(vm, n);
  vmOf(vm).hasIts = true;
  if (!vmOf(vm).initialized) return <i32>n;
  const failed = initDirect(vm);
  if (failed == 0) return <i32>n;
  unlinkLast(vm);
  return failed;
}

/** vgic_check_iorange: 64 KiB aligned, beside guest RAM and the VGIC's other frames. */
function checkFrames(vm: u32, base: u64): i32 {
  const self = vmOf(vm);
  if (base & (FRAME_BYTES - 1) || base >> 48) return EINVAL;
  if (isOverlapping(base, self.ramBase, self.ramSize)) return EINVAL;
  const vgic =
    isOverlapping(base, self.distributorBase, FRAME_BYTES) ||
    isOverlapping(base, self.redistributorBase, FRAMES_BYTES * self.vcpus);
  if (vgic) return EEXIST;
  for (let n = itsVmOf(vm).firstIts; n; n = itsOf(n - 1).next) {
    if (isOverlapping(base, itsOf(n - 1).base, FRAMES_BYTES)) return EEXIST;
  }
  return 0;
}

function isOverlapping(base: u64, other: u64, bytes: u64): bool {
  return base + FRAMES_BYTES > other && base < other + bytes;
}

function freeSlot(): u32 {
  for (let n: u32 = 0; n < MAX_ITSES; n++) {
    if (!itsOf(n).used) return n;
  }
  return NONE;
}

/** The newest one stands last: an address is looked for in the order of creation. */
function link(vm: u32, n: u32): void {
  let at = itsVmOf(vm).firstIts;
  if (at == 0) {
    itsVmOf(vm).firstIts = n + 1;
    return;
  }
  while (itsOf(at - 1).next) at = itsOf(at - 1).next;
  itsOf(at - 1).next = n + 1;
}

/** Without the vPEs that it was to bring the vITS does not come to be. */
function unlinkLast(vm: u32): void {
  const self = itsVmOf(vm);
  let before: u32 = 0;
  let at = self.firstIts;
  while (itsOf(at - 1).next) {
    before = at;
    at = itsOf(at - 1).next;
  }
  itsOf(at - 1).used = 0;
  if (before) itsOf(before - 1).next = 0;
  else self.firstIts = 0;
  vmOf(vm).hasIts = self.firstIts != 0;
}

/** KVM_DEV_ARM_ITS_CTRL_RESET. */
export function resetIts(its: Its): i32 {
  if (!isStopped(its.vm)) return EBUSY;
  its.deviceTable &= ~VALID;
  its.collectionTable &= ~VALID;
  its.cbaser = 0;
  its.creadr = 0;
  its.cwriter = 0;
  its.enabled = false;
  dropEverything(its);
  return 0;
}

function dropEverything(its: Its): void {
  invalidateCache(its);
  freeAllDevices(its);
  freeAllCollections(its);
}

/** All vCPUs are out of KVM_RUN, which saving and restoring asks for. */
export function isStopped(vm: u32): bool {
  const self = vmOf(vm);
  for (let i: u32 = 0; i < self.vcpus; i++) {
    const vcpu = vcpuOf(self.firstVcpu + i);
    if (vcpu.loadedOn != NONE || vcpu.running || vcpu.inWfi) return false;
  }
  return true;
}

/** The VM goes: cached translations hold LPIs, so they are dropped first. */
export function destroyItses(vm: u32): void {
  closeIrqfds(vm);
  invalidateAllCaches(vm);
  for (let n = itsVmOf(vm).firstIts; n; n = itsOf(n - 1).next) {
    dropEverything(itsOf(n - 1));
    itsOf(n - 1).used = 0;
  }
  memory.fill(changetype<usize>(itsVmOf(vm)), 0, offsetof<ItsVm>());
  memory.fill(msiCountAt(vm, 0), 0, <usize>MsiResult.COUNT * 8);
  vmOf(vm).hasIts = false;
}

export function hasTables(its: Its): bool {
  return isTableValid(its.deviceTable) && isTableValid(its.collectionTable) && isTableValid(its.cbaser);
}

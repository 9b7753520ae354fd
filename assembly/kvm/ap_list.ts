// A vCPU's list of active and pending interrupts (the kernel's ap_list), in buckets by sort key, so that choosing what
// goes into the list registers costs the same with sixteen interrupts or a thousand.
//
// KVM keeps one list in the order of arrival and sorts it, stably, when there are more interrupts than list registers.
// Ties are so broken by the order after the last sort. The buckets give the same order without sorting:
//
//   order of the whole list  = (key at the last sort, rank in that key's bucket then), new arrivals last
//   order within a bucket    = the same, which is the list's order because the sort is stable
//
// An interrupt whose key changes remembers both numbers from before, until the next sort makes them void.
import {
  EMPTY,
  emptyBuckets,
  GROUP_KEYS,
  headOf,
  KEYS,
  PRIORITY_LEVELS,
  STATE_KEYS,
  setHead,
  setTail,
  tailOf,
} from './ap_list_buckets';
import { noteChange } from './changes';
import { NONE } from './limits';
import { numberOfVcpu, Vcpu, vcpuOf } from './state';
import { strayAdd, strayRemove } from './strays';
import { irqAt, isGroupEnabled, isNewEra, numberOf, oracle, VgicIrq } from './vgic_irq';

/** Key of what arrived after the last sort. */
const ARRIVED: u32 = 0xffffffff;
const FIRST_RANK: u64 = (<u64>1) << 62;
const RANK_GAP: u64 = (<u64>1) << 32;

/** Keys up to 6.18: active first, as they can't leave the list registers, then pending by priority, then the rest. */
const OLD_ACTIVE: u32 = 0;
const OLD_PENDING: u32 = 1;
const OLD_REST: u32 = OLD_PENDING + PRIORITY_LEVELS;

/** vgic_irq_cmp as a number: of two interrupts the one with the lower key comes first. */
function keyOf(irq: VgicIrq, vcpu: Vcpu): u32 {
  const waits = irq.enabled && irq.isPending;
  const level: u32 = irq.priority >> 2;
  if (!isNewEra()) {
    if (irq.active) return OLD_ACTIVE;
    return waits ? OLD_PENDING + level : OLD_REST;
  }
  if (oracle(irq) != irq.vcpu) return KEYS - 1;
  const group: u32 = isGroupEnabled(vcpu, irq) ? 0 : GROUP_KEYS;
  const state: u32 = waits && !irq.active ? 0 : STATE_KEYS;
  return group + state + 2 * level + (irq.hw ? 0 : 1);
}

/** A list without anything. */
export function initList(vcpu: u32): void {
  emptyBuckets(vcpu);
  const self = vcpuOf(vcpu);
  self.firstStray = NONE;
  self.used0 = 0;
  self.used1 = 0;
  self.used2 = 0;
  self.used3 = 0;
  self.used4 = 0;
  self.used5 = 0;
  self.used6 = 0;
  self.used7 = 0;
  self.used8 = 0;
}

/** Appends an interrupt. */
export function addToList(irq: VgicIrq, vcpu: u32): void {
  const self = vcpuOf(vcpu);
  noteChange(self);
  irq.vcpu = vcpu;
  irq.movedIn = self.sorts;
  irq.sortedKey = ARRIVED;
  irq.sortedRank = ++self.arrivals;
  irq.stray = false;
  self.listed++;
  if (irq.intid < 16) self.listedSgis++;
  insert(irq, self, keyOf(irq, self));
  noteStray(irq);
}

export function removeFromList(irq: VgicIrq): void {
  const self = vcpuOf(irq.vcpu);
  noteChange(self);
  unlink(irq, self);
  self.listed--;
  if (irq.intid < 16) self.listedSgis--;
  if (irq.stray) strayRemove(irq, self);
  // Should a list register still hold it, that one is not folded any more.
  irq.onLr = false;
  irq.vcpu = NONE;
}

/**
 * Something that the list is sorted by, or that decides whether it belongs here, has changed. What a list register holds
 * keeps its place until it is folded: nobody looks at the list before.
 */
export function touch(irq: VgicIrq): void {
  if (irq.vcpu == NONE || irq.onLr) return;
  const self = vcpuOf(irq.vcpu);
  noteChange(self);
  const key = keyOf(irq, self);
  if (key != irq.key) {
    rememberOrder(irq, self);
    unlink(irq, self);
    insert(irq, self, key);
  }
  noteStray(irq);
}

/** The same for a whole list: the distributor's or the groups' enables have changed. */
export function touchAll(vcpu: Vcpu): void {
  noteChange(vcpu);
  for (let key = nextKey(vcpu, 0); key < KEYS; key = nextKey(vcpu, key + 1)) {
    let n = headOf(numberOfVcpu(vcpu), key);
    while (n != EMPTY) {
      const irq = irqAt(n);
      n = irq.next;
      touch(irq);
    }
  }
}

function noteStray(irq: VgicIrq): void {
  const stray = oracle(irq) != irq.vcpu;
  if (stray == irq.stray) return;
  if (stray) strayAdd(irq, vcpuOf(irq.vcpu));
  else strayRemove(irq, vcpuOf(irq.vcpu));
}

/** vgic_sort_ap_list: the order of the buckets becomes the order of the list. */
export function sortList(vcpu: Vcpu): void {
  vcpu.sorts++;
}

/** Whether `a` comes before `b` on their list. */
export function isBefore(a: VgicIrq, b: VgicIrq, vcpu: Vcpu): bool {
  const keyA = listKey(a, vcpu);
  const keyB = listKey(b, vcpu);
  return keyA != keyB ? keyA < keyB : listRank(a, vcpu) < listRank(b, vcpu);
}

function listKey(irq: VgicIrq, vcpu: Vcpu): u32 {
  return irq.movedIn == vcpu.sorts ? irq.sortedKey : irq.key;
}

function listRank(irq: VgicIrq, vcpu: Vcpu): u64 {
  return irq.movedIn == vcpu.sorts ? irq.sortedRank : irq.rank;
}

function rememberOrder(irq: VgicIrq, vcpu: Vcpu): void {
  if (irq.movedIn == vcpu.sorts) return;
  irq.movedIn = vcpu.sorts;
  irq.sortedKey = irq.key;
  irq.sortedRank = irq.rank;
}

/** Puts an interrupt where the list's order has it in a bucket, from the end that is nearer. */
function insert(irq: VgicIrq, vcpu: Vcpu, key: u32): void {
  const n = numberOfVcpu(vcpu);
  irq.key = key;
  countKey(vcpu, key, 1);
  let before: u32 = tailOf(n, key);
  let after: u32 = EMPTY;
  if (irq.sortedKey > key) {
    while (before != EMPTY && isBefore(irq, irqAt(before), vcpu)) {
      after = before;
      before = irqAt(before).previous;
    }
  } else {
    after = headOf(n, key);
    before = EMPTY;
    while (after != EMPTY && isBefore(irqAt(after), irq, vcpu)) {
      before = after;
      after = irqAt(after).next;
    }
  }
  link(irq, n, before, after);
  if (!rankBetween(irq, before, after)) rankAnew(vcpu, key);
  setUsed(vcpu, key, true);
}

function link(irq: VgicIrq, vcpu: u32, before: u32, after: u32): void {
  const self = numberOf(irq);
  irq.previous = before;
  irq.next = after;
  if (before != EMPTY) irqAt(before).next = self;
  else setHead(vcpu, irq.key, self);
  if (after != EMPTY) irqAt(after).previous = self;
  else setTail(vcpu, irq.key, self);
}

/** A rank between two neighbours; whether there was one left. */
function rankBetween(irq: VgicIrq, before: u32, after: u32): bool {
  if (before == EMPTY) {
    irq.rank = after == EMPTY ? FIRST_RANK : irqAt(after).rank - RANK_GAP;
    return true;
  }
  const low = irqAt(before).rank;
  irq.rank = after == EMPTY ? low + RANK_GAP : low + ((irqAt(after).rank - low) >> 1);
  return irq.rank != low;
}

function rankAnew(vcpu: Vcpu, key: u32): void {
  let rank = FIRST_RANK;
  for (let n = headOf(numberOfVcpu(vcpu), key); n != EMPTY; n = irqAt(n).next) {
    rememberOrder(irqAt(n), vcpu);
    irqAt(n).rank = rank;
    rank += RANK_GAP;
  }
}

function unlink(irq: VgicIrq, vcpu: Vcpu): void {
  const n = numberOfVcpu(vcpu);
  countKey(vcpu, irq.key, -1);
  if (irq.previous != EMPTY) irqAt(irq.previous).next = irq.next;
  else setHead(n, irq.key, irq.next);
  if (irq.next != EMPTY) irqAt(irq.next).previous = irq.previous;
  else setTail(n, irq.key, irq.previous);
  if (headOf(n, irq.key) == EMPTY) setUsed(vcpu, irq.key, false);
}

/** 6.19 counts what waits and what is active for this vCPU. */
function countKey(vcpu: Vcpu, key: u32, change: i32): void {
  if (!isNewEra() || key == KEYS - 1) return;
  if (key % GROUP_KEYS < STATE_KEYS) vcpu.waitingCount += change;
  else vcpu.activeCount += change;
}

// --- walking ---

function setUsed(vcpu: Vcpu, key: u32, used: bool): void {
  const at = changetype<usize>(vcpu) + offsetof<Vcpu>('used0') + ((key >> 6) << 3);
  const bit = (<u64>1) << (key & 63);
  store<u64>(at, used ? load<u64>(at) | bit : load<u64>(at) & ~bit);
}

/** The first key from `from` on whose bucket holds something, KEYS for none. */
export function nextKey(vcpu: Vcpu, from: u32): u32 {
  for (let word = from >> 6; word << 6 < KEYS; word++) {
    const at = changetype<usize>(vcpu) + offsetof<Vcpu>('used0') + (word << 3);
    const below: u32 = word << 6 < from ? from & 63 : 0;
    const used = (load<u64>(at) >> below) << below;
    if (used) return (word << 6) | <u32>ctz(used);
  }
  return KEYS;
}

/** The first interrupt in the order of the keys, EMPTY for none. */
export function firstByKey(vcpu: Vcpu): u32 {
  const key = nextKey(vcpu, 0);
  return key < KEYS ? headOf(numberOfVcpu(vcpu), key) : EMPTY;
}

/** The one behind it. */
export function nextByKey(vcpu: Vcpu, irq: VgicIrq): u32 {
  if (irq.next != EMPTY) return irq.next;
  const key = nextKey(vcpu, irq.key + 1);
  return key < KEYS ? headOf(numberOfVcpu(vcpu), key) : EMPTY;
}

/** The first interrupt in the order of the list, EMPTY for none. Walks everything: for inspection. */
export function firstInOrder(vcpu: Vcpu): u32 {
  return bestBehind(vcpu, changetype<VgicIrq>(0));
}

/** The one behind it in the order of the list. */
export function nextInOrder(vcpu: Vcpu, irq: VgicIrq): u32 {
  return bestBehind(vcpu, irq);
}

function bestBehind(vcpu: Vcpu, after: VgicIrq): u32 {
  let best: u32 = EMPTY;
  for (let n = firstByKey(vcpu); n != EMPTY; n = nextByKey(vcpu, irqAt(n))) {
    const irq = irqAt(n);
    if (changetype<usize>(after) != 0 && !isBefore(after, irq, vcpu)) continue;
    if (best == EMPTY || isBefore(irq, irqAt(best), vcpu)) best = n;
  }
  return best;
}

/** 6.19: the first active interrupt in the order of the keys, EMPTY for none. */
export function firstActive(vcpu: Vcpu): u32 {
  return activeFrom(vcpu, 0);
}

/** The active one behind an active one. */
export function nextActive(vcpu: Vcpu, irq: VgicIrq): u32 {
  return irq.next != EMPTY ? irq.next : activeFrom(vcpu, irq.key + 1);
}

function activeFrom(vcpu: Vcpu, from: u32): u32 {
  let key = nextKey(vcpu, max<u32>(from, STATE_KEYS));
  if (key >= GROUP_KEYS) key = nextKey(vcpu, max<u32>(from, GROUP_KEYS + STATE_KEYS));
  return key < KEYS - 1 ? headOf(numberOfVcpu(vcpu), key) : EMPTY;
}

/**
 * The best priority of what is enabled, pending and not active, 256 for nothing: what the kernel's
 * kvm_vgic_vcpu_pending_irq looks for.
 */
export function bestWaiting(vcpu: Vcpu): u32 {
  if (!isNewEra()) {
    const key = nextKey(vcpu, OLD_PENDING);
    return key < OLD_REST ? (key - OLD_PENDING) << 2 : 256;
  }
  let best: u32 = 256;
  for (let group: u32 = 0; group < 2; group++) {
    const key = nextKey(vcpu, group * GROUP_KEYS) - group * GROUP_KEYS;
    if (key < STATE_KEYS) best = min<u32>(best, (key >> 1) << 2);
  }
  for (let n = headOf(numberOfVcpu(vcpu), KEYS - 1); n != EMPTY; n = irqAt(n).next) {
    const irq = irqAt(n);
    if (irq.enabled && irq.isPending && !irq.active) best = min<u32>(best, irq.priority);
  }
  return best;
}

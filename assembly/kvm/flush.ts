// kvm_vgic_flush_hwstate, at each entry: what goes into the list registers (vgic_flush_lr_state, vgic_v3_populate_lr).
import { firstByKey, isBefore, nextByKey, sortList } from './ap_list';
import { EMPTY } from './ap_list_buckets';
import { Cost, tally } from './costs';
import { hcrOf, isOverflowing } from './overflow';
import { Kvm, kvm, numberOfVcpu, Vcpu } from './state';
import { irqAt, oracle, VgicIrq } from './vgic_irq';

const LR_PENDING: u64 = (<u64>1) << 62;
const LR_ACTIVE: u64 = (<u64>1) << 63;
const LR_HW: u64 = (<u64>1) << 61;
const LR_GROUP_SHIFT: u64 = 60;
const LR_PRIORITY_SHIFT: u64 = 48;
const LR_PINTID_SHIFT: u64 = 32;
const LR_EOI: u64 = (<u64>1) << 41;

/** Fills the list registers of a vCPU in memory, and decides what its ICH_HCR_EL2 will be. */
export function flushLists(vcpu: Vcpu): void {
  const room = kvm().listRegisters;
  const overflow = isOverflowing(vcpu);
  if (overflow) {
    tally(Cost.LR_OVERFLOW, 1);
    sortList(vcpu);
  }
  // Decided by what waits before loading changes it.
  vcpu.hcr = hcrOf(vcpu);
  const used = overflow ? fillByKey(vcpu, room) : fillInOrder(vcpu);
  for (let n = used; n < room; n++) vcpu.setLr(n, 0);
  vcpu.usedLrs = used;
}

/** More interrupts than list registers: the first ones by the sort. */
function fillByKey(vcpu: Vcpu, room: u32): u32 {
  const self = numberOfVcpu(vcpu);
  let taken: u32 = 0;
  for (let n = firstByKey(vcpu); n != EMPTY && taken < room; n = nextByKey(vcpu, irqAt(n))) {
    if (oracle(irqAt(n)) == self) setOrder(taken++, n);
  }
  return populate(vcpu, taken);
}

/** All fit: in the order of the list, which decides which list register each gets. */
function fillInOrder(vcpu: Vcpu): u32 {
  const self = numberOfVcpu(vcpu);
  let taken: u32 = 0;
  for (let n = firstByKey(vcpu); n != EMPTY; n = nextByKey(vcpu, irqAt(n))) {
    const irq = irqAt(n);
    if (oracle(irq) != self) continue;
    let place = taken++;
    for (; place > 0 && isBefore(irq, irqAt(orderOf(place - 1)), vcpu); place--)
      setOrder(place, orderOf(place - 1));
    setOrder(place, n);
  }
  return populate(vcpu, taken);
}

function populate(vcpu: Vcpu, count: u32): u32 {
  for (let n: u32 = 0; n < count; n++) {
    const irq = irqAt(orderOf(n));
    vcpu.setLr(n, listRegisterOf(irq));
    irq.onLr = true;
  }
  return count;
}

/** vgic_v3_populate_lr: the list register of an interrupt, and what loading it consumes. */
export function listRegisterOf(irq: VgicIrq): u64 {
  let value: u64 = irq.intid;
  value |= (<u64>irq.group) << LR_GROUP_SHIFT;
  value |= (<u64>irq.priority) << LR_PRIORITY_SHIFT;
  let mayPend = true;
  if (irq.active) value |= LR_ACTIVE;
  // A forwarded LPI comes here only with what was pending before it was forwarded: LPIs never have the HW bit.
  const linked = irq.hw && !irq.softwareResample && !irq.isLpi;
  if (linked) {
    value |= LR_HW | ((<u64>irq.hwintid) << LR_PINTID_SHIFT);
    // HW with Pending and Active is not allowed: the second state stays behind.
    if (irq.active) mayPend = false;
  } else if (irq.isLevel) {
    value |= LR_EOI;
    // A level that is still high at the end of the interrupt makes it pending again by itself.
    if (irq.active) mayPend = false;
  }
  if (!mayPend || !irq.isPending) return value;
  if (!irq.isLevel) irq.pendingLatch = false;
  // Of a mapped level only the rising edge is seen from the host: the level in memory is spent.
  else if (irq.isMappedLevel) irq.lineLevel = false;
  return value | LR_PENDING;
}

function orderAt(n: u32): usize {
  return changetype<usize>(kvm()) + offsetof<Kvm>('order0') + (n << 2);
}

function orderOf(n: u32): u32 {
  return load<u32>(orderAt(n));
}

function setOrder(n: u32, irq: u32): void {
  store<u32>(orderAt(n), irq);
}

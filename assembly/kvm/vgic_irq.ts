// The state of one virtual interrupt (the kernel's vgic_irq), and where each one stands: SGIs and PPIs with their vCPU,
// SPIs with their VM, LPIs in a pool that all VMs share.
import { chip } from '../irqchip/state';
import { kvmTables } from './areas';
import { FIRST_LPI, LAST_PPI, LAST_SPI, MAX_LPI_INTID, NONE, PRIVATE_IRQS, SPI_SLOTS } from './limits';
import { kvm, Vcpu, VgicVm, vmOf } from './state';

/** Who knows the level of the line of a mapped interrupt (the kernel's irq_ops). */
export const LINE_UNKNOWN: u32 = 0;
/** The architected timers: PPIs of the PE that the vCPU is loaded on. */
export const LINE_TIMER: u32 = 1;
/** A passthrough device: the input of the host's SPI. */
export const LINE_HOST_SPI: u32 = 2;

/** Numbers of a VM's LPI records, by INTID. */
export const LPI_MAP_BYTES: usize = 65536 << 2;

@unmanaged
export class VgicIrq {
  intid: u32;
  vm: u32;
  /** Edge or level; SGIs and LPIs are always edge. */
  isLevel: bool;
  enabled: bool;
  group: u8;
  priority: u8;
  /** Edge: pending. Level: made pending by software (GICD_ISPENDR). */
  pendingLatch: bool;
  lineLevel: bool;
  active: bool;
  /** Tied to a host interrupt: a mapped PPI or SPI, a VLPI, a vSGI. */
  hw: bool;
  /** Resampled by software: no HW bit in the list register (VGIC_IRQ_SW_RESAMPLE). */
  softwareResample: bool;
  /** In a list register of a vCPU that is in the guest (6.19). */
  onLr: bool;
  line: u8;
  /** On a list where it does not belong any more. */
  stray: bool;
  /** Linux irq of a VLPI or vSGI, and the physical INTID of a mapped interrupt. */
  hostIrq: u32;
  hwintid: u32;
  /** vCPU on whose list it is, or NONE; vCPU that it is routed to, or NONE. */
  vcpu: u32;
  target: u32;
  /** In-kernel device that may drive the line, 0 for any. */
  owner: u32;
  /** LPIs: mapped ITEs, cache entries, the list, and whoever looks at it. */
  references: u32;
  /** Edges that found it pending in memory already: one delivery stands for both. */
  merged: u32;
  /** IROUTER of an SPI as it was written, whether a vCPU has that affinity or not. */
  router: u64;

  /** Neighbours in the bucket of the list; `next` links free LPIs too. */
  next: u32;
  previous: u32;
  /** Neighbours among the strays of the list, see strays.ts. */
  nextStray: u32;
  previousStray: u32;
  /** Bucket that it is in. */
  key: u32;
  /** See ap_list.ts: what the order of the whole list was when it was last sorted. */
  movedIn: u32;
  sortedKey: u32;
  sortedRank: u64;
  rank: u64;

  get isPending(): bool {
    return this.isLevel ? this.pendingLatch || this.lineLevel : this.pendingLatch;
  }

  /** An edge arrives. */
  latch(): void {
    if (this.pendingLatch) this.merged++;
    this.pendingLatch = true;
  }

  get isMappedLevel(): bool {
    return this.hw && this.isLevel && this.intid >= 16;
  }

  get isLpi(): bool {
    return this.intid >= FIRST_LPI;
  }

  get isVsgi(): bool {
    return this.hw && this.intid < 16;
  }
}

export function irqAt(n: u32): VgicIrq {
  return changetype<VgicIrq>(kvmTables().irqs + <usize>n * offsetof<VgicIrq>());
}

/** The number of an interrupt by its record. */
export function numberOf(irq: VgicIrq): u32 {
  return <u32>((changetype<usize>(irq) - kvmTables().irqs) / offsetof<VgicIrq>());
}

export function isNull(irq: VgicIrq): bool {
  return changetype<usize>(irq) == 0;
}

const NULL: usize = 0;

/** SGI or PPI of a vCPU. */
export function privateIrq(vcpu: u32, intid: u32): VgicIrq {
  return irqAt(vcpu * PRIVATE_IRQS + intid);
}

/** vgic_get_irq: of a vCPU for SGIs and PPIs, else of its VM; null where there is none. Takes no reference. */
export function irqOf(vm: u32, vcpu: u32, intid: u32): VgicIrq {
  if (intid <= LAST_PPI) return vcpu == NONE ? changetype<VgicIrq>(NULL) : privateIrq(vcpu, intid);
  return intid <= LAST_SPI ? spiOf(vm, intid) : lpiOf(vm, intid);
}

export function spiOf(vm: u32, intid: u32): VgicIrq {
  const spis = vmOf(vm).spis;
  return intid - 32 < spis ? irqAt(spiNumber(vm, intid)) : changetype<VgicIrq>(NULL);
}

export function spiNumber(vm: u32, intid: u32): u32 {
  return kvm().firstSpi + vm * SPI_SLOTS + intid;
}

/** The LPI of a VM, null where it has none of that INTID. */
export function lpiOf(vm: u32, intid: u32): VgicIrq {
  if (intid < FIRST_LPI || intid > MAX_LPI_INTID) return changetype<VgicIrq>(NULL);
  const n = load<u32>(lpiSlot(vm, intid));
  return n ? irqAt(n) : changetype<VgicIrq>(NULL);
}

/** Number of the LPI's record, 0 for none: record 0 is an SGI. */
function lpiSlot(vm: u32, intid: u32): usize {
  return kvmTables().lpiMaps + <usize>vm * LPI_MAP_BYTES + ((<usize>intid) << 2);
}

/** vgic_add_lpi without reading guest tables: the LPI of that INTID, made where it is new; null when none is left. */
export function takeLpi(vm: u32, intid: u32, target: u32): VgicIrq {
  let irq = lpiOf(vm, intid);
  if (isNull(irq)) {
    const n = takeRecord();
    if (n == NONE) return irq;
    irq = irqAt(n);
    memory.fill(changetype<usize>(irq), 0, offsetof<VgicIrq>());
    irq.intid = intid;
    irq.vm = vm;
    irq.group = 1;
    irq.vcpu = NONE;
    irq.target = target;
    irq.hostIrq = NONE;
    store<u32>(lpiSlot(vm, intid), n);
    vmOf(vm).lpis++;
  }
  irq.references++;
  return irq;
}

function takeRecord(): u32 {
  const self = kvm();
  const n = self.freeLpi;
  if (n != NONE) {
    self.freeLpi = irqAt(n).next;
    return n;
  }
  return self.freshLpi < self.endLpi ? self.freshLpi++ : NONE;
}

/** Another reference to an LPI. */
export function holdIrq(irq: VgicIrq): void {
  if (irq.isLpi) irq.references++;
}

/** vgic_put_irq: without a reference left an LPI is gone. */
export function putIrq(irq: VgicIrq): void {
  if (!irq.isLpi) return;
  irq.references--;
  if (irq.references) return;
  store<u32>(lpiSlot(irq.vm, irq.intid), 0);
  vmOf(irq.vm).lpis--;
  irq.next = kvm().freeLpi;
  kvm().freeLpi = numberOf(irq);
}

/**
 * vgic_target_oracle: the vCPU on whose list an interrupt belongs, NONE for none. An active interrupt never moves; a
 * pending one belongs to its target, while the distributor is enabled.
 */
export function oracle(irq: VgicIrq): u32 {
  if (irq.active) return irq.vcpu != NONE ? irq.vcpu : irq.target;
  if (!irq.enabled || !irq.isPending) return NONE;
  return vmOf(irq.vm).enabled ? irq.target : NONE;
}

/** The guest's group enables, ICH_VMCR_EL2.VENG0 and VENG1, let it through. */
export function isGroupEnabled(vcpu: Vcpu, irq: VgicIrq): bool {
  return ((vcpu.vmcr >> irq.group) & 1) != 0;
}

/** The vCPU of an index in a VM, NONE beyond them. */
export function vcpuNumber(vm: VgicVm, index: u32): u32 {
  return index < vm.vcpus ? vm.firstVcpu + index : NONE;
}

/** The kernel is 6.19 or later: active interrupts may leave the list registers. */
export function isNewEra(): bool {
  return chip().era == 2;
}

// GICD_*: the distributor that a guest sees (vgic-mmio-v3.c).
import { touchAll } from '../ap_list';
import { haltGuest, resumeGuest } from '../halt';
import { kick, request, requestInterrupt } from '../kick';
import { LAST_PPI, NONE } from '../limits';
import { hasPendingIrq } from '../run';
import { kvm, REQ_RELOAD_GICV4, VgicVm, vcpuOf, vmOf } from '../state';
import { irqOf, isNull } from '../vgic_irq';
import { switchSgis } from '../vsgi';
import { BITMAPS_END, ICACTIVER, IGROUPR, ISACTIVER, readBitmap, writeBitmap } from './bitmaps';
import { IIDR, PIDR2, PIDR2_OFFSET } from './identity';
import { setIrqRouter } from './irq_state';

const GICD_CTLR: u32 = 0x0000;
const GICD_TYPER: u32 = 0x0004;
const GICD_IIDR: u32 = 0x0008;
const GICD_TYPER2: u32 = 0x000c;
const GICD_IROUTER: u32 = 0x6000;
const GICD_IROUTER_END: u32 = 0x7fe0;

const CTLR_ENABLE_GRP1: u32 = 1 << 1;
const CTLR_ARE: u32 = 1 << 4;
const CTLR_DS: u32 = 1 << 6;
const CTLR_NASSGIREQ: u32 = 1 << 8;
const TYPER_LPIS: u32 = 1 << 17;
const TYPER_MBIS_ABSENT_ID_BITS: u32 = (16 - 1) << 19;
const TYPER_ID_BITS_SPI: u32 = (10 - 1) << 19;
const TYPER2_NASSGICAP: u32 = 1 << 8;
/** Routing to any of the PEs is not offered. */
const ROUTER_MASK: u64 = 0xff00ffffff;

export function readDistributor(vm: u32, offset: u32, size: u32): u64 {
  const self = vmOf(vm);
  switch (offset & ~3) {
    case GICD_CTLR:
      return control(self);
    case GICD_TYPER:
      return typer(self);
    case GICD_IIDR:
      return IIDR;
    case GICD_TYPER2:
      return kvm().hasVsgis ? TYPER2_NASSGICAP : 0;
    case PIDR2_OFFSET:
      return PIDR2;
    default:
  }
  if (offset >= IGROUPR && offset < BITMAPS_END) return readBitmap(vm, NONE, offset, size);
  return isRouter(offset) ? readRouter(vm, offset, size) : 0;
}

export function writeDistributor(vm: u32, offset: u32, size: u32, value: u64): void {
  if ((offset & ~3) == GICD_CTLR) writeControl(vm, <u32>value);
  else if (isRouter(offset)) writeRouter(vm, offset, size, value);
  else if (offset >= ISACTIVER && offset < ICACTIVER + 0x80) writeActive(vm, NONE, offset, size, <u32>value);
  else if (offset >= IGROUPR && offset < BITMAPS_END) writeBitmap(vm, NONE, offset, size, <u32>value);
}

/** The state may be in a list register of any vCPU: all leave the guest first, and stay out until it is changed. */
export function writeActive(vm: u32, vcpu: u32, offset: u32, size: u32, value: u32): void {
  haltGuest(vmOf(vm));
  writeBitmap(vm, vcpu, offset, size, value);
  resumeGuest(vmOf(vm));
}

function control(vm: VgicVm): u32 {
  return CTLR_DS | CTLR_ARE | (vm.enabled ? CTLR_ENABLE_GRP1 : 0) | (vm.nassgireq ? CTLR_NASSGIREQ : 0);
}

function typer(vm: VgicVm): u32 {
  const lines = (vm.spis + 31) >> 5;
  return lines | (vm.hasIts ? TYPER_LPIS | TYPER_MBIS_ABSENT_ID_BITS : TYPER_ID_BITS_SPI);
}

/** nASSGIreq is read-only while the distributor is on and stays on. */
function writeControl(n: u32, value: u32): void {
  const vm = vmOf(n);
  const wasEnabled = vm.enabled;
  const enabled = (value & CTLR_ENABLE_GRP1) != 0;
  if (kvm().hasVsgis && !(wasEnabled && enabled)) {
    const direct = (value & CTLR_NASSGIREQ) != 0;
    if (direct != vm.nassgireq) {
      vm.nassgireq = direct;
      switchSgis(n, direct);
    }
  }
  if (enabled == wasEnabled) return;
  vm.enabled = enabled;
  for (let i: u32 = 0; i < vm.vcpus; i++) touchAll(vcpuOf(vm.firstVcpu + i));
  if (kvm().hasGicv4_1) reloadAll(vm);
  else if (enabled) kickPending(vm);
}

/** The group enables of a resident vPE stand in GICR_VPENDBASER. */
function reloadAll(vm: VgicVm): void {
  for (let i: u32 = 0; i < vm.vcpus; i++) {
    request(vcpuOf(vm.firstVcpu + i), REQ_RELOAD_GICV4);
    kick(vcpuOf(vm.firstVcpu + i));
  }
}

/** vgic_kick_vcpus. */
function kickPending(vm: VgicVm): void {
  for (let i: u32 = 0; i < vm.vcpus; i++) {
    const vcpu = vcpuOf(vm.firstVcpu + i);
    if (hasPendingIrq(vcpu)) requestInterrupt(vcpu);
  }
}

function isRouter(offset: u32): bool {
  return offset >= GICD_IROUTER + (LAST_PPI + 1) * 8 && offset < GICD_IROUTER_END;
}

function readRouter(vm: u32, offset: u32, size: u32): u64 {
  const irq = irqOf(vm, NONE, (offset - GICD_IROUTER) >> 3);
  if (isNull(irq)) return 0;
  return size == 8 ? irq.router : (irq.router >> ((offset & 4) << 3)) & 0xffffffff;
}

/** KVM looks at the lower half alone where the register is written in halves. */
function writeRouter(vm: u32, offset: u32, size: u32, value: u64): void {
  const irq = irqOf(vm, NONE, (offset - GICD_IROUTER) >> 3);
  if (isNull(irq) || (size == 4 && offset & 4)) return;
  setIrqRouter(irq, value & ROUTER_MASK);
}

// GICR_*: the redistributor of a vCPU that a guest sees (vgic-mmio-v3.c).
import { affinityOfIndex } from '../affinity';
import { disableLpis, enableLpis, invalidateAllLpis, invalidateLpi } from '../its/lpi_tables';
import { Vcpu, VgicVm, vcpuOf, vmOfVcpu } from '../state';
import { BITMAPS_END, ICACTIVER, IGROUPR, ISACTIVER, readBitmap, writeBitmap } from './bitmaps';
import { writeActive } from './distributor';
import { IIDR, PIDR2, PIDR2_OFFSET } from './identity';

const GICR_CTLR: u32 = 0x0000;
const _GICR_IIDR: u32 = 0x0004;
const GICR_TYPER: u32 = 0x0008;
const GICR_PROPBASER: u32 = 0x0070;
const GICR_PENDBASER: u32 = 0x0078;
const GICR_INVLPIR: u32 = 0x00a0;
const GICR_INVALLR: u32 = 0x00b0;
export const SGI_FRAME: u32 = 0x10000;

const CTLR_ENABLE_LPIS: u32 = 1;
/** EnableLPIs can be cleared; invalidation by register is there. */
const CTLR_CES: u32 = 1 << 1;
const CTLR_IR: u32 = 1 << 2;
const TYPER_PLPIS: u64 = 1 << 0;
const TYPER_LAST: u64 = 1 << 4;
/** Fields of GICR_PROPBASER and GICR_PENDBASER that are kept; PTZ is write-only. */
const PROPBASER_MASK: u64 = 0x070ffffffffff79f;
const PENDBASER_MASK: u64 = 0x470fffffffff0780;
const PTZ: u64 = 1 << 62;

export function readRedistributor(n: u32, offset: u32, size: u32): u64 {
  if (offset >= SGI_FRAME) return readSgiFrame(n, offset - SGI_FRAME, size);
  const vcpu = vcpuOf(n);
  const vm = vmOfVcpu(vcpu);
  switch (offset & ~7) {
    case GICR_CTLR & ~7:
      return part(control(vcpu) | ((<u64>IIDR) << 32), offset, size);
    case GICR_TYPER:
      return part(typer(vcpu, vm), offset, size);
    case GICR_PROPBASER:
      return part(vm.propbaser, offset, size);
    case GICR_PENDBASER:
      return part(vcpu.pendbaser & ~PTZ, offset, size);
    default:
      return offset == PIDR2_OFFSET ? PIDR2 : 0;
  }
}

export function writeRedistributor(n: u32, offset: u32, size: u32, value: u64): void {
  if (offset >= SGI_FRAME) {
    writeSgiFrame(n, offset - SGI_FRAME, size, <u32>value);
    return;
  }
  const vcpu = vcpuOf(n);
  const vm = vmOfVcpu(vcpu);
  switch (offset & ~7) {
    case GICR_CTLR:
      if (offset == GICR_CTLR) writeControl(n, vcpu, vm, <u32>value);
      return;
    case GICR_PROPBASER:
      if (!anyLpisEnabled(vm)) vm.propbaser = merge(vm.propbaser, offset, size, value) & PROPBASER_MASK;
      return;
    case GICR_PENDBASER:
      if (!vcpu.lpisEnabled) vcpu.pendbaser = merge(vcpu.pendbaser, offset, size, value) & PENDBASER_MASK;
      return;
    case GICR_INVLPIR:
      if (vcpu.lpisEnabled && offset == GICR_INVLPIR) invalidateLpi(n, <u32>value);
      return;
    case GICR_INVALLR:
      if (vcpu.lpisEnabled && offset == GICR_INVALLR) invalidateAllLpis(n);
      return;
    default:
  }
}

function control(vcpu: Vcpu): u32 {
  return CTLR_CES | CTLR_IR | (vcpu.lpisEnabled ? CTLR_ENABLE_LPIS : 0);
}

/** LPIs exist once the VM has a virtual ITS. */
function writeControl(n: u32, vcpu: Vcpu, vm: VgicVm, value: u32): void {
  const enable = (value & CTLR_ENABLE_LPIS) != 0;
  if (!vm.hasIts || enable == vcpu.lpisEnabled) return;
  vcpu.lpisEnabled = enable;
  if (enable) enableLpis(n);
  else disableLpis(n);
}

function typer(vcpu: Vcpu, vm: VgicVm): u64 {
  const last = vcpu.index == vm.vcpus - 1 ? TYPER_LAST : 0;
  return (
    ((<u64>affinityOfIndex(vcpu.index)) << 32) |
    ((<u64>vcpu.index) << 8) |
    last |
    (vm.hasIts ? TYPER_PLPIS : 0)
  );
}

function anyLpisEnabled(vm: VgicVm): bool {
  for (let i: u32 = 0; i < vm.vcpus; i++) {
    if (vcpuOf(vm.firstVcpu + i).lpisEnabled) return true;
  }
  return false;
}

function readSgiFrame(n: u32, offset: u32, size: u32): u64 {
  return offset >= IGROUPR && offset < BITMAPS_END ? readBitmap(vcpuOf(n).vm, n, offset, size) : 0;
}

function writeSgiFrame(n: u32, offset: u32, size: u32, value: u32): void {
  const vm = vcpuOf(n).vm;
  if (offset >= ISACTIVER && offset < ICACTIVER + 0x80) writeActive(vm, n, offset, size, value);
  else if (offset >= IGROUPR && offset < BITMAPS_END) writeBitmap(vm, n, offset, size, value);
}

/** The bytes of a 64-bit register that an access names. */
function part(value: u64, offset: u32, size: u32): u64 {
  const shifted = value >> ((offset & 7) << 3);
  return size == 8 ? shifted : shifted & (((<u64>1) << (size << 3)) - 1);
}

function merge(old: u64, offset: u32, size: u32, value: u64): u64 {
  if (size == 8) return value;
  const shift = (offset & 7) << 3;
  const mask = (((<u64>1) << (size << 3)) - 1) << shift;
  return (old & ~mask) | ((value << shift) & mask);
}

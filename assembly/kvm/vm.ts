// Making and destroying virtual machines: kvm_vgic_create, kvm_vgic_vcpu_init, kvm_vgic_init, kvm_vgic_destroy.

import { Layer, SystemRegister } from '../abi';
import { EBUSY, EINVAL, ENODEV, ENOMEM } from '../irqchip/errno';
import { allocatePages, freePages, PAGE_64K } from '../irqchip/ram';
import { GICR_TYPER, readRd } from '../irqchip/redistributor';
import { chip, ERA_S } from '../irqchip/state';
import { machine } from '../memory/machine';
import { readVirtualRegister } from '../virt/system_registers';
import { firstByKey, initList } from './ap_list';
import { EMPTY } from './ap_list_buckets';
import { enableTimers, resetTimers } from './arch_timer';
import { irqRecords } from './areas';
import { unassignAll } from './assigned';
import { setUpHost } from './host';
import { destroyItses } from './its/its';
import { LAST_PPI, LAST_SPI, NONE, PRIVATE_IRQS } from './limits';
import { delist } from './membership';
import { kvm, Vcpu, VgicVm, vcpuOf, vmOf } from './state';
import { irqAt, privateIrq, spiNumber, VgicIrq } from './vgic_irq';
import { initDirect, tearDownDirect } from './vgic_v4';
import { dropWoken } from './woken';

const TYPER_VSGI: u64 = 1 << 26;
const VTR_TDS: u32 = 1 << 19;
const VTR_NV4: u64 = 1 << 20;
const VTR_LIST_REGISTERS: u32 = 31;
const PAGE_SHIFT: u64 = 12;
const LAST_SGI: u32 = 15;
/** Guest physical addresses, as QEMU's virt machine has them. */
const DISTRIBUTOR_BASE: u64 = 0x08000000;
const REDISTRIBUTOR_BASE: u64 = 0x080a0000;

/** Sets the layer up above the irqchip layer; `gicv4` is the kernel parameter kvm-arm.vgic_v4_enable. */
export function setUpKvm(gicv4: bool): i32 {
  if (machine().layers < <u32>Layer.KVM) return ENODEV;
  if (!chip().ready) return EINVAL;
  const self = kvm();
  if (self.ready) return EBUSY;
  const vtr = machine().ichVtr;
  self.listRegisters = (vtr & VTR_LIST_REGISTERS) + 1;
  self.trapsDir = vtr & VTR_TDS ? 1 : 0;
  // The kernels of 2017 knew nothing of GICv4.1.
  const tooNew = chip().era == ERA_S && chip().hasRvpeid != 0;
  self.hasGicv4 = gicv4 && chip().v4 != 0 && !tooNew && everyPeTakesVlpis() ? 1 : 0;
  self.hasGicv4_1 = self.hasGicv4 != 0 && chip().hasRvpeid != 0 ? 1 : 0;
  self.hasVsgis = self.hasGicv4_1 != 0 && haveVsgis() ? 1 : 0;
  const m = machine();
  self.firstSpi = irqRecords(0, m.vcpuLimit, 0);
  self.firstLpi = irqRecords(m.vmLimit, m.vcpuLimit, 0);
  self.endLpi = irqRecords(m.vmLimit, m.vcpuLimit, m.guestLpiLimit);
  self.freshLpi = self.firstLpi;
  self.freeLpi = NONE;
  self.firstWoken = NONE;
  self.lastWoken = NONE;
  self.currentCpu = NONE;
  self.ready = 1;
  setUpHost();
  return 0;
}

function haveVsgis(): bool {
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    if ((readRd(cpu, GICR_TYPER, 8) & TYPER_VSGI) == 0) return false;
  }
  return true;
}

/** No GICv4 where the CPU interface of any PE cannot have virtual interrupts injected directly. */
function everyPeTakesVlpis(): bool {
  for (let cpu: u32 = 0; cpu < machine().cpuCount; cpu++) {
    if (readVirtualRegister(cpu, SystemRegister.ICH_VTR_EL2) & VTR_NV4) return false;
  }
  return true;
}

/** Makes a VM of `vcpus` vCPUs with SPIs 32 to 31 + `spis` and RAM of its own; its number, or an errno. */
export function createVm(vcpus: u32, spis: u32, ramBase: u64, ramPages: u32): i32 {
  if (!kvm().ready || vcpus == 0 || vcpus > machine().vcpuLimit || spis > LAST_SPI - LAST_PPI) return EINVAL;
  const n = freeVm();
  const first = freeVcpus(vcpus);
  if (n < 0 || first == NONE) return ENOMEM;
  const ram = allocatePages(ramPages, PAGE_64K);
  if (ram == 0) return ENOMEM;
  const vm = vmOf(<u32>n);
  memory.fill(changetype<usize>(vm), 0, offsetof<VgicVm>());
  vm.vcpus = vcpus;
  vm.firstVcpu = first;
  vm.spis = spis;
  vm.itsVm = NONE;
  vm.distributorBase = DISTRIBUTOR_BASE;
  vm.redistributorBase = REDISTRIBUTOR_BASE;
  vm.ramBase = ramBase;
  vm.ramAt = ram;
  vm.ramSize = (<u64>ramPages) << PAGE_SHIFT;
  for (let i: u32 = 0; i < vcpus; i++) initVcpu(<u32>n, first + i, i);
  for (let spi: u32 = 0; spi < spis; spi++) initSpi(<u32>n, first, 32 + spi);
  vm.used = 1;
  return n;
}

function initVcpu(vm: u32, n: u32, index: u32): void {
  const vcpu = vcpuOf(n);
  memory.fill(changetype<usize>(vcpu), 0, offsetof<Vcpu>());
  vcpu.used = true;
  vcpu.vm = vm;
  vcpu.index = index;
  vcpu.loadedOn = NONE;
  vcpu.lastCpu = NONE;
  vcpu.vpe = NONE;
  vcpu.nextWoken = NONE;
  initList(n);
  for (let intid: u32 = 0; intid < PRIVATE_IRQS; intid++) {
    const irq = privateIrq(n, intid);
    initIrq(irq, vm, intid);
    irq.target = n;
    irq.isLevel = intid > LAST_SGI;
    irq.enabled = intid <= LAST_SGI;
  }
  resetTimers(n);
}

function initSpi(vm: u32, firstVcpu: u32, intid: u32): void {
  const irq = irqAt(spiNumber(vm, intid));
  initIrq(irq, vm, intid);
  irq.target = firstVcpu;
  irq.isLevel = true;
}

function initIrq(irq: VgicIrq, vm: u32, intid: u32): void {
  memory.fill(changetype<usize>(irq), 0, offsetof<VgicIrq>());
  irq.intid = intid;
  irq.vm = vm;
  irq.group = 1;
  irq.vcpu = NONE;
  irq.hostIrq = NONE;
}

/** vgic_init: the number of vCPUs is fixed from here on. Once; later calls do nothing. */
export function initVgic(n: u32): i32 {
  const vm = vmOf(n);
  if (vm.initialized) return 0;
  const failed = initDirect(n);
  if (failed) return failed;
  for (let i: u32 = 0; i < vm.vcpus; i++) enableTimers(vm.firstVcpu + i);
  vm.initialized = true;
  return 0;
}

/** kvm_vgic_destroy, while the vCPUs still exist: the vPEs live in them. */
export function destroyVm(n: u32): i32 {
  if (n >= machine().vmLimit || !vmOf(n).used) return EINVAL;
  const vm = vmOf(n);
  for (let i: u32 = 0; i < vm.vcpus; i++) {
    if (vcpuOf(vm.firstVcpu + i).loadedOn != NONE) return EBUSY;
  }
  destroyItses(n);
  unassignAll(n, vm);
  const failed = tearDownDirect(n);
  if (failed) return failed;
  for (let i: u32 = 0; i < vm.vcpus; i++) {
    const vcpu = vcpuOf(vm.firstVcpu + i);
    dropWoken(vcpu);
    for (let at = firstByKey(vcpu); at != EMPTY; at = firstByKey(vcpu)) delist(irqAt(at));
    vcpu.used = false;
  }
  freePages(vm.ramAt, <u32>(vm.ramSize >> PAGE_SHIFT));
  vm.used = 0;
  return 0;
}

function freeVm(): i32 {
  for (let n: u32 = 0; n < machine().vmLimit; n++) {
    if (!vmOf(n).used) return <i32>n;
  }
  return -1;
}

/** The first of `count` free vCPUs in a row, or NONE. */
function freeVcpus(count: u32): u32 {
  let run: u32 = 0;
  for (let n: u32 = 0; n < machine().vcpuLimit; n++) {
    run = vcpuOf(n).used ? 0 : run + 1;
    if (run == count) return n - count + 1;
  }
  return NONE;
}

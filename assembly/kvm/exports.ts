// What the host calls of the KVM layer: numbers in, an errno or a number out. Actions settle the outputs at their end.
import { KvmField, VcpuField } from '../abi';
import { settle } from '../gic/outputs';
import { EBUSY, EINVAL } from '../irqchip/errno';
import { machine } from '../memory/machine';
import { firstInOrder, nextInOrder } from './ap_list';
import {
  expireSoftTimers,
  nextSoftTimer,
  shouldFire,
  timerCompare,
  timerControl,
  VCPU_TIMERS,
} from './arch_timer';
import { assignSpi, unassignSpi } from './assigned';
import * as guest from './guest';
import { guestMemory } from './guest_memory';
import { handleHostInterrupts } from './host';
import { injectIrq } from './inject';
import { NONE } from './limits';
import { loadedVcpu } from './loaded';
import { isEmulated, userRead, userWrite } from './mmio/dispatch';
import { timesAcked, watchSpi } from './resample';
import * as run from './run';
import { runVcpu, serveAll, stopVcpu, waitForInterrupt } from './service';
import { Vcpu, VgicVm, vcpuOf, vmOf } from './state';
import { irqAt, irqOf, isNull, VgicIrq } from './vgic_irq';
import { createVm, destroyVm, initVgic, setUpKvm } from './vm';
import { takeWoken } from './woken';

export function kvmSetUp(gicv4: u32): i32 {
  return setUpKvm(gicv4 != 0);
}

export function kvmCreateVm(vcpus: u32, spis: u32, ramBase: f64, ramPages: u32): i32 {
  return settled(createVm(vcpus, spis, <u64>ramBase, ramPages));
}

export function kvmInit(vm: u32): i32 {
  return isVm(vm) ? settled(initVgic(vm)) : EINVAL;
}

export function kvmDestroyVm(vm: u32): i32 {
  return settled(destroyVm(vm));
}

/** The first vCPU of a VM. */
export function kvmFirstVcpu(vm: u32): i32 {
  return isVm(vm) ? <i32>vmOf(vm).firstVcpu : EINVAL;
}

/** Where guest memory stands in linear memory, 0 for nowhere. */
export function kvmGuestMemory(vm: u32, address: f64, bytes: f64): usize {
  return isVm(vm) ? guestMemory(vmOf(vm), <u64>address, <u64>bytes) : 0;
}

/** KVM_IRQ_LINE and in-kernel devices; `vcpu` counts for SGIs and PPIs. */
export function kvmInject(vm: u32, vcpu: u32, intid: u32, level: u32, owner: u32): i32 {
  if (!isVm(vm)) return EINVAL;
  const known = injectIrq(vm, vcpu == NONE ? NONE : vmOf(vm).firstVcpu + vcpu, intid, level != 0, owner);
  return served(known ? 0 : EINVAL);
}

/** A passthrough device: SPI `intid` of a VM is the host's `hostIntid`, taken by PE `cpu`. */
export function kvmAssignSpi(vm: u32, intid: u32, hostIntid: u32, cpu: u32, isEdge: u32): i32 {
  return isVm(vm) ? served(assignSpi(vm, intid, hostIntid, cpu, isEdge != 0)) : EINVAL;
}

export function kvmUnassignSpi(vm: u32, intid: u32): i32 {
  return isVm(vm) ? served(unassignSpi(vm, intid)) : EINVAL;
}

// --- what a guest does ---

/** Whether an access to an address is KVM's to emulate; user space's otherwise. */
export function kvmIsEmulated(vm: u32, address: f64): i32 {
  return isVm(vm) && isEmulated(vm, <u64>address) ? 1 : 0;
}

/** A guest's load that traps; the vCPU must be in the guest. */
export function kvmGuestLoad(vcpu: u32, address: f64, size: u32): u32 {
  if (!isGuest(vcpu)) return 0;
  return result(guest.loadMmio(vcpuOf(vcpu), <u64>address, size));
}

export function kvmGuestStore(vcpu: u32, address: f64, size: u32, low: u32, high: u32): i32 {
  if (!isGuest(vcpu)) return EINVAL;
  guest.storeMmio(vcpuOf(vcpu), <u64>address, size, ((<u64>high) << 32) | low);
  return 0;
}

/** MRS in the guest. */
export function kvmGuestReadRegister(vcpu: u32, register: u32): u32 {
  return isGuest(vcpu) ? result(guest.readRegister(vcpuOf(vcpu), register)) : 0;
}

/** MSR in the guest. */
export function kvmGuestWriteRegister(vcpu: u32, register: u32, low: u32, high: u32): i32 {
  if (!isGuest(vcpu)) return EINVAL;
  guest.writeRegister(vcpuOf(vcpu), register, ((<u64>high) << 32) | low);
  return 0;
}

export function kvmGuestWfi(vcpu: u32): i32 {
  if (!isGuest(vcpu)) return EINVAL;
  waitForInterrupt(vcpuOf(vcpu));
  return 0;
}

export function kvmGuestHvc(vcpu: u32): i32 {
  if (!isGuest(vcpu)) return EINVAL;
  guest.hypercall(vcpuOf(vcpu));
  return 0;
}

/** User space's access to a frame of the VGIC, without a vCPU in the guest. */
export function kvmUserRead(vcpu: u32, address: f64, size: u32): u32 {
  return isVcpu(vcpu) ? result(userRead(vcpu, <u64>address, size)) : 0;
}

export function kvmUserWrite(vcpu: u32, address: f64, size: u32, low: u32, high: u32): i32 {
  if (!isVcpu(vcpu)) return EINVAL;
  userWrite(vcpu, <u64>address, size, ((<u64>high) << 32) | low);
  return served(0);
}

/** A resample eventfd of an SPI: user space wants to know when the guest has ended it. */
export function kvmWatchSpi(vm: u32, spi: u32, watched: u32): i32 {
  if (!isVm(vm) || isNull(irqOf(vm, NONE, spi)) || spi < 32) return EINVAL;
  watchSpi(vm, spi, watched != 0);
  return 0;
}

/** How often the end of a watched SPI was told. */
export function kvmTimesAcked(vm: u32, spi: u32): i32 {
  if (!isVm(vm) || isNull(irqOf(vm, NONE, spi)) || spi < 32) return EINVAL;
  return <i32>timesAcked(vm, spi);
}

// --- one vCPU ---

/** KVM_RUN on a PE that has nothing loaded, of a vCPU whose thread is not in KVM_RUN asleep. */
export function kvmRun(vcpu: u32, cpu: u32): i32 {
  if (!isVcpu(vcpu) || cpu >= machine().cpuCount) return EINVAL;
  if (vcpuOf(vcpu).loadedOn != NONE || vcpuOf(vcpu).asleep) return EINVAL;
  return loadedVcpu(cpu) == NONE ? runVcpu(vcpuOf(vcpu), cpu) : EBUSY;
}

/** The vCPU loses its PE, or does not sleep any more. */
export function kvmStop(vcpu: u32): i32 {
  if (!isVcpu(vcpu)) return EINVAL;
  const isStoppable = vcpuOf(vcpu).loadedOn != NONE || vcpuOf(vcpu).inWfi;
  return isStoppable ? stopVcpu(vcpuOf(vcpu)) : EINVAL;
}

/** Lets everything happen that is due; 0 where it does not come to an end. */
export function kvmServe(): i32 {
  return serveAll() ? 1 : 0;
}

// --- one vCPU, step by step ---

export function kvmLoad(vcpu: u32, cpu: u32): i32 {
  if (!isVcpu(vcpu) || cpu >= machine().cpuCount || vcpuOf(vcpu).loadedOn != NONE) return EINVAL;
  if (loadedVcpu(cpu) != NONE) return EBUSY;
  return settled(run.loadVcpu(vcpuOf(vcpu), cpu));
}

export function kvmPut(vcpu: u32): i32 {
  return isLoaded(vcpu) ? settled(run.putVcpu(vcpuOf(vcpu))) : EINVAL;
}

/** 1 in the guest, 0 where a request has to be looked at first. */
export function kvmEnter(vcpu: u32): i32 {
  if (!isLoaded(vcpu) || vcpuOf(vcpu).mode != 0) return EINVAL;
  if (!run.takeRequests(vcpuOf(vcpu))) return 0;
  return run.enterGuest(vcpuOf(vcpu)) ? 1 : 0;
}

export function kvmExit(vcpu: u32): i32 {
  if (!isLoaded(vcpu) || vcpuOf(vcpu).mode == 0) return EINVAL;
  run.exitGuest(vcpuOf(vcpu));
  return 0;
}

/** WFI that traps: the vPE leaves with its doorbell armed. */
export function kvmBeginWfi(vcpu: u32): i32 {
  return isLoaded(vcpu) ? settled(run.beginWfi(vcpuOf(vcpu))) : EINVAL;
}

/** The thread sleeps, and the vCPU gives up its PE. */
export function kvmSleep(vcpu: u32): i32 {
  return isLoaded(vcpu) ? settled(run.fallAsleep(vcpuOf(vcpu))) : EINVAL;
}

export function kvmEndWfi(vcpu: u32): i32 {
  return isLoaded(vcpu) ? settled(run.endWfi(vcpuOf(vcpu))) : EINVAL;
}

/** The vCPU that was woken first and was not taken yet, -1 for none. */
export function kvmTakeWoken(): i32 {
  return <i32>takeWoken();
}

export function kvmRunnable(vcpu: u32): i32 {
  return isVcpu(vcpu) ? (run.isRunnable(vcpuOf(vcpu)) ? 1 : 0) : EINVAL;
}

export function kvmHostInterrupts(cpu: u32): i32 {
  return cpu < machine().cpuCount ? settled(<i32>handleHostInterrupts(cpu)) : EINVAL;
}

// --- soft timers ---

/** When the first soft timer of a sleeping vCPU fires, all ones for never. */
export function kvmNextSoftTimer(): u32 {
  return result(nextSoftTimer());
}

/** Lets the soft timers expire whose time has come. */
export function kvmExpireSoftTimers(): void {
  expireSoftTimers();
}

// --- inspection ---

/** CNT*_CTL of a vCPU's timer, 0 the virtual and 1 the physical one; wherever it is now. */
export function kvmTimerControl(vcpu: u32, timer: u32): i32 {
  return isVcpu(vcpu) && timer < VCPU_TIMERS ? <i32>timerControl(vcpu, timer) : EINVAL;
}

/** CNT*_CVAL. */
export function kvmTimerCompare(vcpu: u32, timer: u32): u32 {
  return isVcpu(vcpu) && timer < VCPU_TIMERS ? result(timerCompare(vcpu, timer)) : 0;
}

/** The level of its line now. */
export function kvmTimerLine(vcpu: u32, timer: u32): i32 {
  return isVcpu(vcpu) && timer < VCPU_TIMERS ? (shouldFire(vcpu, timer) ? 1 : 0) : EINVAL;
}

/** Number of the first interrupt on a vCPU's list, -1 for none. */
export function kvmFirstListed(vcpu: u32): i32 {
  return isVcpu(vcpu) ? <i32>firstInOrder(vcpuOf(vcpu)) : -1;
}

export function kvmNextListed(vcpu: u32, irq: u32): i32 {
  return isVcpu(vcpu) ? <i32>nextInOrder(vcpuOf(vcpu), irqAt(irq)) : -1;
}

export function kvmListedIntid(irq: u32): u32 {
  return irqAt(irq).intid;
}

export function kvmVcpuField(vcpu: u32, field: VcpuField): f64 {
  return isVcpu(vcpu) ? vcpuField(vcpuOf(vcpu), field) : -1;
}

function vcpuField(vcpu: Vcpu, field: VcpuField): f64 {
  switch (field) {
    case VcpuField.MODE:
      return vcpu.mode;
    case VcpuField.REQUESTS:
      return vcpu.requests;
    case VcpuField.LOADED_ON:
      return vcpu.loadedOn == NONE ? -1 : vcpu.loadedOn;
    case VcpuField.ASLEEP:
      return vcpu.asleep ? 1 : 0;
    case VcpuField.USED_LRS:
      return vcpu.usedLrs;
    case VcpuField.LISTED:
      return vcpu.listed;
    case VcpuField.VPE:
      return vcpu.vpe == NONE ? -1 : vcpu.vpe;
    case VcpuField.HCR:
      return vcpu.hcr;
    case VcpuField.VMCR:
      return vcpu.vmcr;
    case VcpuField.EXITS:
      return <f64>vcpu.exits;
    default:
      return -1;
  }
}

export function kvmIrqField(vm: u32, vcpu: u32, intid: u32, field: KvmField): f64 {
  if (!isVm(vm)) return -1;
  const irq = irqOf(vm, vcpu == NONE ? NONE : vmOf(vm).firstVcpu + vcpu, intid);
  return isNull(irq) ? -1 : irqField(vmOf(vm), irq, field);
}

function irqField(vm: VgicVm, irq: VgicIrq, field: KvmField): f64 {
  switch (field) {
    case KvmField.PENDING:
      return irq.isPending ? 1 : 0;
    case KvmField.PENDING_LATCH:
      return irq.pendingLatch ? 1 : 0;
    case KvmField.LINE_LEVEL:
      return irq.lineLevel ? 1 : 0;
    case KvmField.ACTIVE:
      return irq.active ? 1 : 0;
    case KvmField.ENABLED:
      return irq.enabled ? 1 : 0;
    case KvmField.PRIORITY:
      return irq.priority;
    case KvmField.GROUP:
      return irq.group;
    case KvmField.LEVEL:
      return irq.isLevel ? 1 : 0;
    case KvmField.HW:
      return irq.hw ? 1 : 0;
    case KvmField.HWINTID:
      return irq.hwintid;
    case KvmField.LIST:
      return irq.vcpu == NONE ? -1 : irq.vcpu - vm.firstVcpu;
    case KvmField.TARGET:
      return irq.target == NONE ? -1 : irq.target - vm.firstVcpu;
    case KvmField.REFERENCES:
      return irq.references;
    default:
      return -1;
  }
}

function isVm(vm: u32): bool {
  return vm < machine().vmLimit && vmOf(vm).used != 0;
}

function isVcpu(vcpu: u32): bool {
  return vcpu < machine().vcpuLimit && vcpuOf(vcpu).used;
}

function isLoaded(vcpu: u32): bool {
  return isVcpu(vcpu) && vcpuOf(vcpu).loadedOn != NONE;
}

function isGuest(vcpu: u32): bool {
  return isVcpu(vcpu) && guest.isInGuest(vcpuOf(vcpu));
}

function result(value: u64): u32 {
  machine().resultHigh = <u32>(value >> 32);
  return <u32>value;
}

function served(outcome: i32): i32 {
  serveAll();
  return outcome;
}

function settled(outcome: i32): i32 {
  settle();
  return outcome;
}

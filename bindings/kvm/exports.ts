import type { KvmField, VcpuField } from '../../assembly/abi.ts';

/** The engine's exports of the KVM layer. Negative results are errnos. */
export interface KvmExports {
  kvmSetUp(gicv4: number): number;
  kvmCreateVm(vcpus: number, spis: number, ramBase: number, ramPages: number): number;
  kvmInit(vm: number): number;
  kvmDestroyVm(vm: number): number;
  kvmFirstVcpu(vm: number): number;
  kvmGuestMemory(vm: number, address: number, bytes: number): number;
  kvmInject(vm: number, vcpu: number, intid: number, level: number, owner: number): number;
  kvmAssignSpi(vm: number, intid: number, hostIntid: number, cpu: number, isEdge: number): number;
  kvmUnassignSpi(vm: number, intid: number): number;
  kvmIsEmulated(vm: number, address: number): number;
  kvmGuestLoad(vcpu: number, address: number, size: number): number;
  kvmGuestStore(vcpu: number, address: number, size: number, low: number, high: number): number;
  kvmGuestReadRegister(vcpu: number, register: number): number;
  kvmGuestWriteRegister(vcpu: number, register: number, low: number, high: number): number;
  kvmGuestWfi(vcpu: number): number;
  kvmGuestHvc(vcpu: number): number;
  kvmUserRead(vcpu: number, address: number, size: number): number;
  kvmUserWrite(vcpu: number, address: number, size: number, low: number, high: number): number;
  kvmRun(vcpu: number, cpu: number): number;
  kvmStop(vcpu: number): number;
  kvmServe(): number;
  kvmWatchSpi(vm: number, spi: number, watched: number): number;
  kvmTimesAcked(vm: number, spi: number): number;
  kvmTimerControl(vcpu: number, timer: number): number;
  kvmTimerCompare(vcpu: number, timer: number): number;
  kvmTimerLine(vcpu: number, timer: number): number;
  kvmNextSoftTimer(): number;
  kvmExpireSoftTimers(): void;
  kvmFirstListed(vcpu: number): number;
  kvmNextListed(vcpu: number, irq: number): number;
  kvmListedIntid(irq: number): number;
  kvmBeginWfi(vcpu: number): number;
  kvmSleep(vcpu: number): number;
  kvmEndWfi(vcpu: number): number;
  kvmTakeWoken(): number;
  kvmLoad(vcpu: number, cpu: number): number;
  kvmPut(vcpu: number): number;
  kvmEnter(vcpu: number): number;
  kvmExit(vcpu: number): number;
  kvmRunnable(vcpu: number): number;
  kvmHostInterrupts(cpu: number): number;
  kvmVcpuField(vcpu: number, field: VcpuField): number;
  kvmIrqField(vm: number, vcpu: number, intid: number, field: KvmField): number;
}

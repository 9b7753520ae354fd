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
  kvmLoad(vcpu: number, cpu: number): number;
  kvmPut(vcpu: number): number;
  kvmEnter(vcpu: number): number;
  kvmExit(vcpu: number): number;
  kvmRunnable(vcpu: number): number;
  kvmHostInterrupts(cpu: number): number;
  kvmVcpuField(vcpu: number, field: VcpuField): number;
  kvmIrqField(vm: number, vcpu: number, intid: number, field: KvmField): number;
}

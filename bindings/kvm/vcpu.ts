import { VcpuField as Field } from '../../assembly/abi.ts';
import { requireInteger } from '../errors.ts';
import { succeed } from '../irqchip/errors.ts';
import { Vpe } from '../irqchip/vm.ts';
import { drawVcpu } from './draw.ts';
import { Guest } from './guest.ts';
import { decodeListRegister, type ListRegister } from './list_register.ts';
import { RunLoop } from './run_loop.ts';
import { readTimers, type VcpuTimer } from './timer.ts';
import { VirtualIrq } from './virtual_irq.ts';
import type { GuestVm } from './vm.ts';

/** `outside`: the thread does not want to run; `loaded`: on a PE, in the hypervisor. */
export type VcpuState = 'outside' | 'loaded' | 'in-guest' | 'asleep';

const NONE = 0xffff_ffff;

/** A virtual CPU (struct kvm_vcpu). */
export class Vcpu {
  /** Its VM. */
  readonly vm: GuestVm;
  /** Number in its VM. */
  readonly index: number;
  /** Number among all vCPUs. */
  readonly number: number;
  /** What the guest's code on it does. */
  readonly guest: Guest;
  /** The run loop step by step. */
  readonly loop: RunLoop;

  constructor(vm: GuestVm, index: number, number: number) {
    this.vm = vm;
    this.index = index;
    this.number = number;
    this.guest = new Guest(this);
    this.loop = new RunLoop(this);
  }

  /** KVM_RUN on a PE (default: the one of its number): it is in the guest afterwards, unless it is held outside. */
  run(cpu = this.index % this.vm.kvm.chip.machine.cpus): this {
    requireInteger('INVALID_ARGUMENT', 'cpu', cpu, 0, this.vm.kvm.chip.machine.cpus - 1);
    this.vm.init();
    succeed(this.#engine.kvmRun(this.number, cpu), `vCPU ${this.index}.run`, {
      EBUSY: `PE ${cpu} has another vCPU loaded`,
      EINVAL: 'it is loaded already, or asleep',
    });
    return this;
  }

  /** The thread loses its PE: preempted, or back to user space; a signal for one that sleeps in WFI. */
  stop(): void {
    succeed(this.#engine.kvmStop(this.number), `vCPU ${this.index}.stop`, {
      EINVAL: 'it neither is loaded nor sleeps',
    });
  }

  /** Where it is. */
  get state(): VcpuState {
    if (this.#field(Field.ASLEEP) > 0) return 'asleep';
    if (this.#field(Field.MODE) > 0) return 'in-guest';
    return this.cpu === undefined ? 'outside' : 'loaded';
  }

  /** PE that it is loaded on. */
  get cpu(): number | undefined {
    const cpu = this.#field(Field.LOADED_ON);
    return cpu < 0 ? undefined : cpu;
  }

  /** The vPE that stands for it where injection is direct. */
  get vpe(): Vpe | undefined {
    const vpe = this.#field(Field.VPE);
    return vpe < 0 ? undefined : new Vpe(this.vm.kvm.chip, vpe);
  }

  /** Exits from the guest so far. */
  get exits(): number {
    return this.#field(Field.EXITS);
  }

  /** ICH_HCR_EL2 as the last flush decided it: which events bring it out of the guest, what traps. */
  get hcr(): number {
    return this.#field(Field.HCR);
  }

  /** An interrupt is pending that keeps it from sleeping, or wakes it (kvm_arch_vcpu_runnable). */
  get runnable(): boolean {
    return this.#engine.kvmRunnable(this.number) > 0;
  }

  /** An SGI or PPI of this vCPU; SPIs and LPIs are the VM's. */
  irq(intid: number): VirtualIrq {
    requireInteger('INVALID_ARGUMENT', 'intid', intid, 0, 31);
    return new VirtualIrq(this.vm, this.index, intid);
  }

  /** An emulated device of the vCPU drives a PPI. The timers' PPIs are the timers' alone. */
  setPpi(intid: number, level: boolean): void {
    requireInteger('INVALID_ARGUMENT', 'intid', intid, 16, 31);
    succeed(this.#engine.kvmInject(this.vm.index, this.index, intid, level ? 1 : 0, 0), 'setPpi');
  }

  /** The interrupts on its list of pending and active ones, in the list's order. */
  get apList(): VirtualIrq[] {
    const listed: VirtualIrq[] = [];
    for (
      let n = this.#engine.kvmFirstListed(this.number);
      n >= 0;
      n = this.#engine.kvmNextListed(this.number, n)
    ) {
      const intid = this.#engine.kvmListedIntid(n);
      listed.push(new VirtualIrq(this.vm, intid < 32 ? this.index : NONE, intid));
    }
    return listed;
  }

  /** List registers in use: in the hardware while it is in the guest, else those that were folded last. */
  get listRegisters(): ListRegister[] {
    const { machine } = this.vm.kvm.chip;
    const { cpu } = this;
    if (cpu === undefined || this.state !== 'in-guest') return [];
    const values = [...machine.cpu(cpu).listRegisters];
    return values.flatMap((value, n) => (value === 0n ? [] : [decodeListRegister(n, value)]));
  }

  /** Its virtual and its physical timer. */
  get timers(): VcpuTimer[] {
    return readTimers(this.vm.kvm.chip.machine, this.number);
  }

  /** The vCPU's interrupt state as a person would draw it. */
  toString(): string {
    return drawVcpu(this);
  }

  #field(field: Field): number {
    return this.#engine.kvmVcpuField(this.number, field);
  }

  get #engine() {
    return this.vm.kvm.chip.machine.engine;
  }
}

import { KvmField as Field } from '../../assembly/abi.ts';
import type { GuestVm } from './vm.ts';

/** The state of one virtual interrupt (struct vgic_irq), always current. */
export class VirtualIrq {
  readonly intid: number;
  readonly #vm: GuestVm;
  readonly #vcpu: number;

  constructor(vm: GuestVm, vcpu: number, intid: number) {
    this.#vm = vm;
    this.#vcpu = vcpu;
    this.intid = intid;
  }

  get exists(): boolean {
    return this.#field(Field.ENABLED) >= 0;
  }

  /** Edge: the latch; level: the line, or made pending by software. */
  get pending(): boolean {
    return this.#field(Field.PENDING) > 0;
  }

  get pendingLatch(): boolean {
    return this.#field(Field.PENDING_LATCH) > 0;
  }

  get lineLevel(): boolean {
    return this.#field(Field.LINE_LEVEL) > 0;
  }

  /** As last seen by the hypervisor: the guest's acknowledge shows after its next exit. */
  get active(): boolean {
    return this.#field(Field.ACTIVE) > 0;
  }

  get enabled(): boolean {
    return this.#field(Field.ENABLED) > 0;
  }

  get priority(): number {
    return this.#field(Field.PRIORITY);
  }

  get group(): number {
    return this.#field(Field.GROUP);
  }

  get trigger(): 'edge' | 'level' {
    return this.#field(Field.LEVEL) > 0 ? 'level' : 'edge';
  }

  /** Tied to an interrupt of the host: a mapped PPI or SPI, a VLPI, a vSGI. */
  get hw(): boolean {
    return this.#field(Field.HW) > 0;
  }

  /** Physical INTID of a mapped interrupt. */
  get hwIntid(): number {
    return this.#field(Field.HWINTID);
  }

  /** Number of the vCPU on whose list it is; undefined for none. */
  get onListOf(): number | undefined {
    return this.#number(Field.LIST);
  }

  /** Number of the vCPU that it is routed to; undefined for none. */
  get target(): number | undefined {
    return this.#number(Field.TARGET);
  }

  /** LPIs: mapped ITEs, cache entries, and the list. */
  get references(): number {
    return this.#field(Field.REFERENCES);
  }

  #number(field: Field): number | undefined {
    const value = this.#field(field);
    return value < 0 ? undefined : value;
  }

  #field(field: Field): number {
    return this.#vm.kvm.chip.machine.engine.kvmIrqField(this.#vm.index, this.#vcpu, this.intid, field);
  }
}

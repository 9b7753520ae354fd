import { KvmField as Field } from '../../assembly/abi.ts';
import type { GuestVm } from './vm.ts';

/** The state of one virtual interrupt (struct vgic_irq), always current. */
export class VirtualIrq {
  /** Its INTID in the guest. */
  readonly intid: number;
  readonly #vm: GuestVm;
  readonly #vcpu: number;

  constructor(vm: GuestVm, vcpu: number, intid: number) {
    this.#vm = vm;
    this.#vcpu = vcpu;
    this.intid = intid;
  }

  /** The VM has such an interrupt. */
  get exists(): boolean {
    return this.#field(Field.ENABLED) >= 0;
  }

  /** Edge: the latch; level: the line, or made pending by software. */
  get pending(): boolean {
    return this.#field(Field.PENDING) > 0;
  }

  /** An edge was seen, or software made it pending. */
  get pendingLatch(): boolean {
    return this.#field(Field.PENDING_LATCH) > 0;
  }

  /** The line of a level interrupt, as its device drives it. */
  get lineLevel(): boolean {
    return this.#field(Field.LINE_LEVEL) > 0;
  }

  /** As last seen by the hypervisor: the guest's acknowledge shows after its next exit. */
  get active(): boolean {
    return this.#field(Field.ACTIVE) > 0;
  }

  /** GICD_ISENABLER, GICR_ISENABLER0 or the configuration byte. */
  get enabled(): boolean {
    return this.#field(Field.ENABLED) > 0;
  }

  /** 0 (most urgent) to 255. */
  get priority(): number {
    return this.#field(Field.PRIORITY);
  }

  /** 0 or 1. */
  get group(): number {
    return this.#field(Field.GROUP);
  }

  /** How its line is understood. */
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

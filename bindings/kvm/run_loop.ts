import { succeed } from '../irqchip/errors.ts';
import type { Vcpu } from './vcpu.ts';

/**
 * The steps of KVM's run loop (kvm_arch_vcpu_ioctl_run), one by one, for those who want to look in between. Nothing else
 * happens by itself: `Kvm.serve` and everything that calls it would run the loop to its end.
 */
export class RunLoop {
  readonly #vcpu: Vcpu;

  constructor(vcpu: Vcpu) {
    this.#vcpu = vcpu;
  }

  /** kvm_arch_vcpu_load. */
  load(cpu: number): void {
    this.#attempt('load', this.#engine.kvmLoad(this.#vcpu.number, cpu));
  }

  /** kvm_arch_vcpu_put. */
  put(): void {
    this.#attempt('put', this.#engine.kvmPut(this.#vcpu.number));
  }

  /** Requests, flush, world switch. False where a request came in between: the loop starts over. */
  enter(): boolean {
    return this.#attempt('enter', this.#engine.kvmEnter(this.#vcpu.number)) === 1;
  }

  /** World switch, fold, prune, and then the host's interrupts. */
  exit(): void {
    this.#attempt('exit', this.#engine.kvmExit(this.#vcpu.number));
  }

  /** The first half of kvm_vcpu_wfi: the vPE leaves with its doorbell armed. */
  beginWfi(): void {
    this.#attempt('beginWfi', this.#engine.kvmBeginWfi(this.#vcpu.number));
  }

  /** The thread blocks: put, with a soft timer for the first timer that can fire. */
  sleep(): void {
    this.#attempt('sleep', this.#engine.kvmSleep(this.#vcpu.number));
  }

  /** The second half of kvm_vcpu_wfi. */
  endWfi(): void {
    this.#attempt('endWfi', this.#engine.kvmEndWfi(this.#vcpu.number));
  }

  #attempt(step: string, result: number): number {
    return succeed(result, `vCPU ${this.#vcpu.index}.${step}`, {
      EBUSY: 'the PE has another vCPU loaded',
      EINVAL: 'not the step that comes next',
    });
  }

  get #engine() {
    return this.#vcpu.vm.kvm.chip.machine.engine;
  }
}

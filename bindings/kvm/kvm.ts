import { GicError, requireInteger } from '../errors.ts';
import { succeed } from '../irqchip/errors.ts';
import type { IrqChip } from '../irqchip/irqchip.ts';
import { requireLayer } from '../layers.ts';
import { GuestVm, type GuestVmOptions } from './vm.ts';

export interface KvmOptions {
  /** The kernel parameter kvm-arm.vgic_v4_enable: use direct injection where the hardware has it. Default true. */
  readonly directInjection?: boolean;
}

/** KVM's VGIC above the irqchip layer: virtual machines whose vCPUs run on the machine's PEs. */
export class Kvm {
  readonly chip: IrqChip;

  /** Sets the layer up; once for a machine. Throws a `GicError` INVALID_CONFIG for one whose `layers` end below it. */
  constructor(chip: IrqChip, { directInjection = true }: KvmOptions = {}) {
    if (typeof directInjection !== 'boolean') {
      throw new GicError('INVALID_ARGUMENT', 'directInjection', directInjection, 'true or false');
    }
    requireLayer(chip.machine.config, 'kvm', 'Kvm');
    this.chip = chip;
    succeed(chip.machine.engine.kvmSetUp(directInjection ? 1 : 0), 'Kvm', {
      EBUSY: 'the machine has a KVM layer already',
    });
  }

  /** Makes a VM; its VGIC is initialised by `vm.init()`, or with the first vCPU that runs. */
  createVm(options: GuestVmOptions = {}): GuestVm {
    return new GuestVm(this, options);
  }

  /** An MSI, wire or timer moved outside of this layer: lets everything happen that follows from it. */
  serve(): void {
    if (this.chip.machine.engine.kvmServe() === 0) {
      throw new GicError(
        'INVALID_STATE',
        'machine',
        'busy',
        'a machine that comes to rest: an interrupt of the host keeps firing',
      );
    }
  }

  /** Moves the counter of the generic timers to `ticks`, timer by timer, and lets everything happen on the way. */
  advanceCounter(ticks: number | bigint): void {
    requireTicks(ticks);
    const { machine } = this.chip;
    const to = BigInt(ticks);
    for (let next = this.#nextTimer(); next !== undefined && next <= to; next = this.#nextTimer()) {
      // A soft timer of the past fires now.
      if (next > machine.counter) machine.advanceCounter(next);
      machine.engine.kvmExpireSoftTimers();
      this.serve();
    }
    machine.advanceCounter(to);
    this.serve();
  }

  /** When the first soft timer of a sleeping vCPU fires; undefined while there is none. */
  get nextSoftTimer(): bigint | undefined {
    const { machine } = this.chip;
    const next = machine.wide(machine.engine.kvmNextSoftTimer());
    return next === NEVER ? undefined : next;
  }

  /** Lets the soft timers expire whose time has come: their vCPUs are woken. `advanceCounter` does so by itself. */
  expireSoftTimers(): void {
    this.chip.machine.engine.kvmExpireSoftTimers();
  }

  #nextTimer(): bigint | undefined {
    const { machine } = this.chip;
    const soft = this.nextSoftTimer;
    const hard = machine.nextTimerDeadline();
    const isSoftFirst = hard === undefined || (soft !== undefined && soft < hard);
    return isSoftFirst ? soft : hard;
  }
}

const NEVER = 0xffff_ffff_ffff_ffffn;

function requireTicks(ticks: number | bigint): void {
  if (typeof ticks !== 'bigint')
    requireInteger('INVALID_ARGUMENT', 'ticks', ticks, 0, Number.MAX_SAFE_INTEGER);
}

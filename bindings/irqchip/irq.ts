import { IrqChipField as Field } from '../../assembly/abi.ts';
import type { EngineExports } from '../engine.ts';
import type { Machine } from '../machine.ts';
import { type Affinity, writeAffinity } from './affinity.ts';
import { IrqChipError, type Reasons, succeed } from './errors.ts';
import type { IrqchipState, VcpuCommand } from './vcpu_affinity.ts';

/** A Linux interrupt: what all kinds of them have in common. */
export abstract class Irq {
  /** The Linux irq number. */
  readonly number: number;
  protected readonly machine: Machine;

  constructor(machine: Machine, number: number) {
    this.machine = machine;
    this.number = number;
  }

  /** `irq_mask`: the one way to disable a VLPI, and a doorbell. */
  mask(): void {
    this.attempt('mask', this.engine.irqchipMask(this.number, 1));
  }

  /** `irq_unmask`. */
  unmask(): void {
    this.attempt('unmask', this.engine.irqchipMask(this.number, 0));
  }

  /**
   * `irq_set_affinity`. Of several PEs a device interrupt takes the one with the fewest others, a vPE the first, in
   * GICv4.1 preferably one that shares the vPE table of where it is.
   */
  setAffinity(affinity: Affinity): void {
    writeAffinity(this.machine, affinity);
    this.attempt('setAffinity', this.engine.irqchipSetAffinity(this.number), this.affinityReasons);
  }

  /**
   * `irq_set_irqchip_state`: how a guest's INT and CLEAR are implemented. EINVAL for any state but `pending`, and
   * for the doorbells of GICv4.1.
   */
  setIrqchipState(state: IrqchipState, value: boolean): void {
    this.requirePending('setIrqchipState', state);
    this.attempt('setIrqchipState', this.engine.irqchipSetPending(this.number, value ? 1 : 0));
  }

  /**
   * `irq_get_irqchip_state`: EINVAL for any state but `pending`, and for any interrupt but a virtual SGI. What is pending
   * of LPIs and VLPIs is in tables that only the hardware reads.
   */
  getIrqchipState(state: IrqchipState): boolean {
    this.requirePending('getIrqchipState', state);
    const result = this.engine.irqchipIsPending(this.number);
    return (
      this.attempt('getIrqchipState', result, {
        EINVAL: 'only a virtual SGI tells its state; that of an LPI or VLPI is in a pending table',
        ENXIO: 'GICR_VSGIPENDR stayed busy',
      }) !== 0
    );
  }

  /** `setIrqchipState('pending', ...)`. */
  setPending(pending: boolean): void {
    this.setIrqchipState('pending', pending);
  }

  /** `irq_retrigger`: an interrupt that was found pending is sent again. */
  retrigger(): void {
    this.attempt('retrigger', this.engine.irqchipRetrigger(this.number), {
      ENOSYS: 'the chip of the doorbells had no such callback before 2020',
    });
  }

  /** Leaves the interrupt without a mapping (`irq_domain_deactivate_irq`). */
  deactivate(): void {
    this.attempt('deactivate', this.engine.irqchipDeactivate(this.number), {
      EBUSY: 'the interrupt is mapped to a VLPI: unmap it first',
    });
  }

  /**
   * `irq_set_vcpu_affinity`: the one place for what is no interrupt operation by nature. Null unmaps a VLPI. EINVAL for
   * a command that this kind of interrupt does not have. The methods with names of their own do the same.
   */
  abstract setVcpuAffinity(info: VcpuCommand | null): unknown;

  /** Masked as the driver left it. */
  get masked(): boolean {
    return this.field(Field.MASKED) !== 0;
  }

  /** Mapped in the hardware, or ready to be (`irqd_is_activated`). */
  get activated(): boolean {
    return this.field(Field.ACTIVATED) === 1;
  }

  protected get engine(): EngineExports {
    return this.machine.engine;
  }

  protected get affinityReasons(): Reasons {
    return { EINVAL: 'not activated, or no such PE' };
  }

  protected field(field: Field): number {
    return this.engine.irqchipIrqField(this.number, field);
  }

  protected attempt(operation: string, result: number, reasons: Reasons = {}): number {
    return succeed(result, `irq ${this.number}.${operation}`, reasons);
  }

  /** The error of a command of `setVcpuAffinity` that belongs to another kind of interrupt. */
  protected wrongKind(info: { readonly type: string } | null, accepted: string): IrqChipError {
    const given = info === null ? 'unmap' : info.type;
    return new IrqChipError(
      'EINVAL',
      `irq ${this.number}.setVcpuAffinity`,
      `${given}: not one of ${accepted}`,
    );
  }

  private requirePending(operation: string, state: IrqchipState): void {
    if (state === 'pending') return;
    throw new IrqChipError(
      'EINVAL',
      `irq ${this.number}.${operation}`,
      `only 'pending' can be, not '${state}'`,
    );
  }
}

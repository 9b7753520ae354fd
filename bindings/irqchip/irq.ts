import { IrqChipField as Field } from '../../assembly/abi.ts';
import type { EngineExports } from '../engine.ts';
import { type Reasons, succeed } from './errors.ts';

/** A Linux interrupt: what all kinds of them have in common. */
export abstract class Irq {
  /** The Linux irq number. */
  readonly number: number;
  protected readonly engine: EngineExports;

  constructor(engine: EngineExports, number: number) {
    this.engine = engine;
    this.number = number;
  }

  /** `irq_mask`. */
  mask(): void {
    this.attempt('mask', this.engine.irqchipMask(this.number, 1));
  }

  /** `irq_unmask`. */
  unmask(): void {
    this.attempt('unmask', this.engine.irqchipMask(this.number, 0));
  }

  /** `irq_set_irqchip_state(IRQCHIP_STATE_PENDING)`. */
  setPending(pending: boolean): void {
    this.attempt('setPending', this.engine.irqchipSetPending(this.number, pending ? 1 : 0));
  }

  /** `irq_retrigger`: makes the interrupt pending again. */
  retrigger(): void {
    this.setPending(true);
  }

  /** Leaves the interrupt without a mapping (`irq_domain_deactivate_irq`). */
  deactivate(): void {
    this.attempt('deactivate', this.engine.irqchipDeactivate(this.number), {
      EBUSY: 'the interrupt is mapped to a VLPI: unmap it first',
    });
  }

  /** Masked as the driver left it. */
  get masked(): boolean {
    return this.field(Field.MASKED) !== 0;
  }

  protected field(field: Field): number {
    return this.engine.irqchipIrqField(this.number, field);
  }

  protected attempt(operation: string, result: number, reasons: Reasons = {}): number {
    return succeed(result, `irq ${this.number}.${operation}`, reasons);
  }
}

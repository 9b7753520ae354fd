import { IrqChipField as Field } from '../../assembly/abi.ts';
import { requireInteger } from '../errors.ts';
import { succeed } from './errors.ts';
import { Irq } from './irq.ts';
import type { IrqChip } from './irqchip.ts';

/** The doorbell of a vPE: the interrupt that is the vPE's handle. Its affinity is where the vPE is. */
export class DoorbellIrq extends Irq {
  /** The doorbell's LPI. */
  readonly intid: number;

  constructor(chip: IrqChip, number: number, intid: number) {
    super(chip.machine.engine, number);
    this.intid = intid;
  }

  /** Maps the vPE: VMAPP on each GICv4 ITS, unless vPEs are mapped with the VM's first VLPI (ITSList). */
  activate(): void {
    this.attempt('activate', this.engine.irqchipActivate(this.number, 0));
  }

  /** `irq_set_affinity`: moves the vPE (VMOVP), and its doorbell with it. */
  setAffinity(cpu: number): void {
    this.attempt('setAffinity', this.engine.irqchipSetAffinity(this.number, cpu), {
      EINVAL: 'no such PE, or the vPE is not mapped any more',
    });
  }
}

/** GICv4.1: a virtual SGI of a vPE. */
export class VirtualSgiIrq extends Irq {
  readonly intid: number;

  constructor(chip: IrqChip, number: number, intid: number) {
    super(chip.machine.engine, number);
    this.intid = intid;
  }

  activate(): void {
    this.attempt('activate', this.engine.irqchipActivate(this.number, 0));
  }

  /** PROP_UPDATE_VSGI. */
  update({ priority, group }: { priority: number; group: 0 | 1 }): void {
    requireInteger('INVALID_ARGUMENT', 'priority', priority, 0, 0xf0);
    this.attempt('update', this.engine.irqchipUpdateSgi(this.number, priority, group));
  }

  /** `irq_get_irqchip_state(IRQCHIP_STATE_PENDING)`, by GICR_VSGIR. */
  get pending(): boolean {
    return this.attempt('pending', this.engine.irqchipIsPending(this.number)) !== 0;
  }
}

/** Group enables of a vPE that is made resident; GICv4.1 only. */
export interface ScheduleOptions {
  readonly group0?: boolean;
  readonly group1?: boolean;
}

/** A virtual PE: `its_vpe`. */
export class Vpe {
  readonly index: number;
  readonly vpeId: number;
  readonly doorbell: DoorbellIrq;
  readonly #chip: IrqChip;

  constructor(chip: IrqChip, index: number) {
    this.#chip = chip;
    this.index = index;
    this.vpeId = this.#field(Field.VPE_ID);
    this.doorbell = new DoorbellIrq(chip, this.#field(Field.IRQ), this.#field(Field.INTID));
  }

  /** The PE whose redistributor the vPE is mapped to (`col_idx`). */
  get cpu(): number {
    return this.#field(Field.CPU);
  }

  get resident(): boolean {
    return this.#field(Field.RESIDENT) !== 0;
  }

  /** The vPE left with something pending, by the last deschedule; a hint. */
  get pendingLast(): boolean {
    return this.#field(Field.PENDING_LAST) !== 0;
  }

  /** Physical address of the virtual pending table. */
  get pendingTable(): number {
    return this.#field(Field.TABLE);
  }

  /** SCHEDULE_VPE (`its_make_vpe_resident`) on a PE. GICv4.0 masks an unmasked doorbell first, except in 2017. */
  schedule(cpu: number, { group0 = true, group1 = true }: ScheduleOptions = {}): void {
    const groups = (group0 ? 1 : 0) | (group1 ? 2 : 0);
    this.#attempt('schedule', this.#chip.machine.engine.irqchipSchedule(this.index, cpu, groups));
  }

  /**
   * DESCHEDULE_VPE (`its_make_vpe_non_resident`). `doorbell`: GICv4.0 unmasks the doorbell, GICv4.1 requests the default
   * doorbell.
   */
  deschedule({ doorbell = false }: { doorbell?: boolean } = {}): void {
    this.#attempt('deschedule', this.#chip.machine.engine.irqchipDeschedule(this.index, doorbell ? 1 : 0));
  }

  /** COMMIT_VPE: waits until the redistributor has parsed the pending table. */
  commit(): void {
    this.#attempt('commit', this.#chip.machine.engine.irqchipCommit(this.index));
  }

  /** INVALL_VPE. */
  invall(): void {
    this.#attempt('invall', this.#chip.machine.engine.irqchipInvall(this.index));
  }

  /** GICv4.1: makes the sixteen virtual SGI interrupts of this vPE. */
  createSgis(): VirtualSgiIrq[] {
    const result = this.#chip.machine.engine.irqchipCreateSgis(this.index);
    const first = this.#attempt('createSgis', result, { ENOSYS: 'the redistributors are not GICv4.1' });
    return Array.from({ length: 16 }, (_, sgi) => new VirtualSgiIrq(this.#chip, first + sgi, sgi));
  }

  #field(field: Field): number {
    return this.#chip.machine.engine.irqchipVpeField(this.index, field);
  }

  #attempt(operation: string, result: number, reasons = {}): number {
    return succeed(result, `vPE ${this.index}.${operation}`, reasons);
  }
}

/** A virtual machine: `its_vm`, with a domain in which each interrupt is a vPE's doorbell. */
export class Vm {
  readonly index: number;
  readonly vpes: readonly Vpe[];
  /** Physical address of the virtual property table that all vPEs share. */
  readonly propertyTable: number;
  readonly #chip: IrqChip;

  /** `its_alloc_vcpu_irqs`: all or nothing. */
  constructor(chip: IrqChip, vpes: number) {
    const { engine } = chip.machine;
    this.#chip = chip;
    this.index = succeed(engine.irqchipCreateVm(vpes), 'createVm', {
      ENOSYS: 'no GICv4 ITS, or redistributors without VLPIs',
    });
    const first = engine.irqchipFirstVpe(this.index);
    this.vpes = Array.from({ length: vpes }, (_, n) => new Vpe(chip, first + n));
    this.propertyTable = engine.irqchipVmTable(this.index);
  }

  /** Activates all doorbells. */
  activate(): void {
    for (const { doorbell } of this.vpes) doorbell.activate();
  }

  /** `its_free_vcpu_irqs`. All doorbells must be deactivated and all VLPIs unmapped. */
  free(): void {
    succeed(this.#chip.machine.engine.irqchipDestroyVm(this.index), `VM ${this.index}.free`, {
      EBUSY: 'a doorbell is activated, a VLPI mapped or a vPE resident',
    });
  }
}

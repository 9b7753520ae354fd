import { IrqChipField as Field } from '../../assembly/abi.ts';
import { requireInteger } from '../errors.ts';
import { type Reasons, succeed } from './errors.ts';
import { Irq } from './irq.ts';
import type { IrqChip } from './irqchip.ts';
import type { VcpuCommand } from './vcpu_affinity.ts';

/** The doorbell of a vPE: the interrupt that is the vPE's handle. Its affinity is where the vPE is. */
export class DoorbellIrq extends Irq {
  /** The doorbell's LPI. */
  readonly intid: number;
  readonly #vpe: Vpe;

  constructor(chip: IrqChip, vpe: Vpe, number: number, intid: number) {
    super(chip.machine, number);
    this.#vpe = vpe;
    this.intid = intid;
  }

  /** Maps the vPE: VMAPP on each GICv4 ITS, unless vPEs are mapped with the VM's first VLPI (ITSList). */
  activate(): void {
    this.attempt('activate', this.engine.irqchipActivate(this.number));
  }

  /** Residency and INVALL of the vPE. EINVAL for any other command. */
  override setVcpuAffinity(info: VcpuCommand | null): void {
    switch (info?.type) {
      case 'SCHEDULE_VPE':
        return this.#vpe.schedule(info.cpu, info);
      case 'DESCHEDULE_VPE':
        return this.#vpe.deschedule(info);
      case 'COMMIT_VPE':
        return this.#vpe.commit();
      case 'INVALL_VPE':
        return this.#vpe.invall();
      case undefined:
      case 'MAP_VLPI':
      case 'GET_VLPI':
      case 'PROP_UPDATE_VLPI':
      case 'PROP_UPDATE_AND_INV_VLPI':
      case 'PROP_UPDATE_VSGI':
        throw this.wrongKind(info ?? null, 'SCHEDULE_VPE, DESCHEDULE_VPE, COMMIT_VPE, INVALL_VPE');
    }
  }

  protected override get affinityReasons(): Reasons {
    return { EINVAL: 'no such PE, or the vPE is not mapped any more' };
  }
}

/** Priority, a multiple of 16 from 0 (most urgent) to 240, and group of a virtual SGI. */
export interface VsgiProperties {
  /** A multiple of 16, 0 to 240. */
  readonly priority: number;
  /** 0 or 1. */
  readonly group: 0 | 1;
}

/** GICv4.1: a virtual SGI of a vPE. Any affinity is accepted, and without effect. */
export class VirtualSgiIrq extends Irq {
  /** 0 to 15. */
  readonly intid: number;

  constructor(chip: IrqChip, number: number, intid: number) {
    super(chip.machine, number);
    this.intid = intid;
  }

  /** VSGI with what is configured, and VSYNC. */
  activate(): void {
    this.attempt('activate', this.engine.irqchipActivate(this.number));
  }

  /** PROP_UPDATE_VSGI. EINVAL for any other command. */
  override setVcpuAffinity(info: VcpuCommand | null): void {
    if (info?.type !== 'PROP_UPDATE_VSGI') throw this.wrongKind(info, 'PROP_UPDATE_VSGI');
    this.update(info);
  }

  /** PROP_UPDATE_VSGI (`its_prop_update_vsgi`). */
  update({ priority, group }: VsgiProperties): void {
    requireInteger('INVALID_ARGUMENT', 'priority', priority, 0, 0xf0);
    this.attempt('update', this.engine.irqchipUpdateSgi(this.number, priority, group));
  }

  /** `getIrqchipState('pending')`, by GICR_VSGIR. */
  get pending(): boolean {
    return this.getIrqchipState('pending');
  }
}

/** Group enables of a vPE that is made resident; GICv4.1 only. */
export interface ScheduleOptions {
  /** Group 0 of the guest is enabled; default true. */
  readonly group0?: boolean;
  /** Group 1 of the guest is enabled; default true. */
  readonly group1?: boolean;
}

/** A virtual PE: `its_vpe`. */
export class Vpe {
  /** Number among all vPEs of the driver. */
  readonly index: number;
  /** The vPEID at the ITSs. */
  readonly vpeId: number;
  /** Its doorbell, by which it is moved. */
  readonly doorbell: DoorbellIrq;
  readonly #chip: IrqChip;

  constructor(chip: IrqChip, index: number) {
    this.#chip = chip;
    this.index = index;
    this.vpeId = this.#field(Field.VPE_ID);
    this.doorbell = new DoorbellIrq(chip, this, this.#field(Field.IRQ), this.#field(Field.INTID));
  }

  /** The PE whose redistributor the vPE is mapped to (`col_idx`). */
  get cpu(): number {
    return this.#field(Field.CPU);
  }

  /** GICR_VPENDBASER.Valid is set for it. */
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

  /** COMMIT_VPE (`its_commit_vpe`): waits until the redistributor has parsed the pending table. */
  commit(): void {
    this.#attempt('commit', this.#chip.machine.engine.irqchipCommit(this.index), {
      EINVAL: 'not resident, or a driver of 2017, which has no COMMIT_VPE',
    });
  }

  /** INVALL_VPE (`its_invall_vpe`). */
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

  #attempt(operation: string, result: number, reasons: Reasons = {}): number {
    return succeed(result, `vPE ${this.index}.${operation}`, reasons);
  }
}

/** A virtual machine: `its_vm`, with a domain in which each interrupt is a vPE's doorbell. */
export class Vm {
  /** Number among all VMs of the driver. */
  readonly index: number;
  /** One for each vCPU, in their order. */
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

  /** Activates all doorbells, or none. */
  activate(): void {
    const done: DoorbellIrq[] = [];
    try {
      for (const { doorbell } of this.vpes) {
        if (doorbell.activated) continue;
        doorbell.activate();
        done.push(doorbell);
      }
    } catch (error) {
      for (const doorbell of done) {
        try {
          doorbell.deactivate();
        } catch {
          // The ITS that failed may not take the unmapping either; the first error is the one to tell.
        }
      }
      throw error;
    }
  }

  /** Deactivates all doorbells that are activated. */
  deactivate(): void {
    for (const { doorbell } of this.vpes) if (doorbell.activated) doorbell.deactivate();
  }

  /** `its_free_vcpu_irqs`. All doorbells must be deactivated and all VLPIs unmapped. */
  free(): void {
    succeed(this.#chip.machine.engine.irqchipDestroyVm(this.index), `VM ${this.index}.free`, {
      EBUSY: 'a doorbell is activated, a VLPI mapped or a vPE resident',
    });
  }
}

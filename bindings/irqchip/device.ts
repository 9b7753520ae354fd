import { IrqChipField as Field } from '../../assembly/abi.ts';
import { requireInteger } from '../errors.ts';
import { type Affinity, allCpus, writeAffinity } from './affinity.ts';
import { IrqChipError, type Reasons, succeed } from './errors.ts';
import { Irq } from './irq.ts';
import type { IrqChip } from './irqchip.ts';
import type { VcpuCommand } from './vcpu_affinity.ts';
import type { Vpe } from './vm.ts';

/** Configuration byte of a VLPI: `LPI_PROP_*`. */
export interface LpiProperties {
  /** A multiple of 4, 0 (most urgent) to 252. */
  readonly priority: number;
  /** LPI_PROP_ENABLED. */
  readonly enabled: boolean;
}

/** `its_vlpi_map`: which VLPI of which vPE an event stands for. */
export interface VlpiMap {
  /** The vPE that takes it. */
  readonly vpe: Vpe;
  /** INTID in the guest, an LPI: 8192 at least. */
  readonly vIntid: number;
  /** Priority and enable bit, for the property table of the VM. */
  readonly properties: LpiProperties;
  /** The event rings the vPE's doorbell when the vPE is not resident. */
  readonly doorbell: boolean;
}

function propertyByte({ priority, enabled }: LpiProperties): number {
  requireInteger('INVALID_ARGUMENT', 'properties.priority', priority, 0, 252);
  return (priority & 0xfc) | 2 | (enabled ? 1 : 0);
}

/** An interrupt of a device: an LPI, which can be switched to a VLPI and back. */
export class DeviceIrq extends Irq {
  /** The EventID at the ITS, from 0. */
  readonly eventId: number;
  readonly #chip: IrqChip;

  constructor(chip: IrqChip, number: number, eventId: number) {
    super(chip.machine, number);
    this.#chip = chip;
    this.eventId = eventId;
  }

  /** The LPI that the event is mapped to while it is no VLPI. */
  get intid(): number {
    return this.field(Field.INTID);
  }

  /** The PE of the event's collection. */
  get cpu(): number {
    return this.field(Field.CPU);
  }

  /**
   * `its_irq_domain_activate`: MAPTI and SYNC. Of several PEs, by default all, the one with the fewest device interrupts;
   * in 2017 the first.
   */
  activate(affinity: Affinity = allCpus(this.machine)): void {
    writeAffinity(this.machine, affinity);
    this.attempt('activate', this.engine.irqchipActivate(this.number), {
      EINVAL: 'activated already, or no such PE',
    });
  }

  protected override get affinityReasons(): Reasons {
    return { EINVAL: 'not activated, no such PE, or a VLPI, which follows its vPE' };
  }

  /** GET_VLPI: the map. EINVAL for an interrupt that is not mapped to a VLPI. */
  override setVcpuAffinity(info: { readonly type: 'GET_VLPI' }): VlpiMap;
  /** Any other command, which returns nothing; null unmaps. EINVAL for the commands of doorbells and virtual SGIs. */
  override setVcpuAffinity(info: VcpuCommand | null): VlpiMap | undefined;
  override setVcpuAffinity(info: VcpuCommand | null): VlpiMap | undefined {
    switch (info?.type) {
      case undefined:
        return void this.unmapVlpi();
      case 'MAP_VLPI':
        return void this.mapVlpi(info);
      case 'GET_VLPI':
        return this.getVlpi() ?? this.#notMapped('getVlpi');
      case 'PROP_UPDATE_VLPI':
      case 'PROP_UPDATE_AND_INV_VLPI':
        return void this.updateVlpi(info, info.type === 'PROP_UPDATE_AND_INV_VLPI');
      case 'SCHEDULE_VPE':
      case 'DESCHEDULE_VPE':
      case 'COMMIT_VPE':
      case 'INVALL_VPE':
      case 'PROP_UPDATE_VSGI':
        throw this.wrongKind(info, 'MAP_VLPI, GET_VLPI, PROP_UPDATE_VLPI, PROP_UPDATE_AND_INV_VLPI, null');
    }
  }

  /**
   * MAP_VLPI (`its_map_vlpi`): the LPI goes, the VLPI comes; "you cannot have both". A second call changes vPE and
   * doorbell.
   */
  mapVlpi({ vpe, vIntid, properties, doorbell }: VlpiMap): void {
    const byte = propertyByte(properties);
    const result = this.engine.irqchipMapVlpi(this.number, vpe.index, vIntid, byte, doorbell ? 1 : 0);
    this.attempt('mapVlpi', result, {
      EINVAL:
        'no GICv4 ITS, interrupt or doorbell not activated, a vINTID that is no LPI, or the device belongs to another VM',
    });
  }

  /** Null info (`its_unmap_vlpi`): the VLPI goes, the LPI comes back, enabled at priority 0xa0. */
  unmapVlpi(): void {
    this.attempt('unmapVlpi', this.engine.irqchipUnmapVlpi(this.number), { EINVAL: 'not mapped to a VLPI' });
  }

  /**
   * PROP_UPDATE_VLPI, or with `invalidate` PROP_UPDATE_AND_INV_VLPI (`its_prop_update_vlpi`). The doorbell follows the
   * enable bit.
   */
  updateVlpi(properties: LpiProperties, invalidate = true): void {
    const result = this.engine.irqchipUpdateVlpi(this.number, propertyByte(properties), invalidate ? 1 : 0);
    this.attempt('updateVlpi', result, { EINVAL: 'not mapped to a VLPI' });
  }

  /** GET_VLPI (`its_get_vlpi`): a copy of the map, undefined while the interrupt is an LPI. */
  getVlpi(): VlpiMap | undefined {
    if (this.field(Field.FORWARDED) !== 1) return undefined;
    const byte = this.field(Field.PROPERTIES);
    return {
      vpe: this.#chip.vpe(this.field(Field.VPE)),
      vIntid: this.field(Field.VINTID),
      properties: { priority: byte & 0xfc, enabled: (byte & 1) !== 0 },
      doorbell: this.field(Field.DOORBELL_ENABLED) !== 0,
    };
  }

  #notMapped(operation: string): never {
    throw new IrqChipError('EINVAL', `irq ${this.number}.${operation}`, 'not mapped to a VLPI');
  }
}

/** A device that signals by MSI: `its_device`. */
export class Device {
  /** Number of the ITS, from 0. */
  readonly its: number;
  /** The DeviceID. */
  readonly deviceId: number;
  /** One for each EventID, from 0 on; where LPIs are short there are fewer than events (`its_lpi_alloc`). */
  readonly irqs: readonly DeviceIrq[];
  readonly #chip: IrqChip;
  readonly #number: number;

  constructor(chip: IrqChip, its: number, deviceId: number, events: number) {
    const { engine } = chip.machine;
    const result = engine.irqchipCreateDevice(its, deviceId, events);
    this.#number = succeed(result, `createDevice ${deviceId}`, {
      EINVAL:
        'a DeviceID beyond the ITS, the DeviceID of the proxy device, or an ITS whose ITS_Number another one has',
      EBUSY: 'the ITS has a device of that DeviceID',
    });
    this.#chip = chip;
    this.its = its;
    this.deviceId = deviceId;
    const first = engine.irqchipFirstIrq(this.#number);
    const count = Math.min(events, engine.irqchipIrqCount(this.#number));
    this.irqs = Array.from({ length: count }, (_, event) => new DeviceIrq(chip, first + event, event));
  }

  /** MAPD with V=0, and everything is given back. All interrupts must be deactivated. */
  free(): void {
    succeed(this.#chip.machine.engine.irqchipDestroyDevice(this.#number), `device ${this.deviceId}.free`, {
      EBUSY: 'interrupts of the device are still activated',
    });
  }
}

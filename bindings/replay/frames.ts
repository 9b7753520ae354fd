import { type MachineConfig, redistributorStride } from '../config.ts';
import type { GicHardware } from '../hardware.ts';
import type { AccessSize, RegisterBlock, Value } from './events.ts';

/** Register offsets that a replay itself has to do with. */
export const GICR_CTLR = 0x0000;
export const GICR_WAKER = 0x0014;
export const GICR_PROPBASER = 0x0070;
export const GICR_ISPENDR0 = 0x1_0200;
export const GITS_CTLR = 0x0000;
export const GITS_CBASER = 0x0080;
export const GITS_CWRITER = 0x0088;
export const GITS_CREADR = 0x0090;
export const GITS_BASER0 = 0x0100;

/** What of a machine's configuration a replay depends on. */
export type ReplayedMachine = Pick<
  MachineConfig,
  | 'addressMap'
  | 'architecture'
  | 'cpus'
  | 'itsCount'
  | 'ram'
  | 'deviceIdBits'
  | 'collectionIdBits'
  | 'maintenancePpi'
>;

/** Access to the registers of a model by block and offset. */
export class Frames {
  readonly #stride: number;

  constructor(
    readonly hardware: GicHardware,
    readonly machine: ReplayedMachine,
  ) {
    this.#stride = redistributorStride(machine);
  }

  /** @param cpu whose redistributor, for GICR; ignored otherwise */
  address(block: RegisterBlock, cpu: number, offset: number): number {
    const { gicd, gicr, gits } = this.machine.addressMap;
    if (block === 'GICR') return gicr + cpu * this.#stride + offset;
    return (block === 'GICD' ? gicd : gits) + offset;
  }

  read(block: RegisterBlock, cpu: number, offset: number, size: AccessSize): Value {
    return this.hardware.read(this.address(block, cpu, offset), size);
  }

  readWord(block: RegisterBlock, cpu: number, offset: number): number {
    return this.hardware.read(this.address(block, cpu, offset), 4);
  }

  readDoubleword(block: RegisterBlock, cpu: number, offset: number): bigint {
    return this.hardware.read(this.address(block, cpu, offset), 8);
  }

  write(block: RegisterBlock, cpu: number, offset: number, size: AccessSize, value: Value): void {
    this.hardware.write(this.address(block, cpu, offset), size, value);
  }
}

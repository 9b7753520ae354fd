import { requireInteger } from '../errors.ts';
import type { Machine } from '../machine.ts';
import { RegisterUnit } from './registers.ts';

const TABLE_ADDRESS = 0x000f_ffff_ffff_0000n;

/** The redistributor of one PE. */
export class RedistributorUnit extends RegisterUnit {
  constructor(machine: Machine, cpu: number) {
    super(machine, cpu, 'GICR_');
  }

  /** Drives the input wire of a PPI of this PE. */
  setPpi(intid: number, level: boolean): void {
    this.machine.setPpi(this.unit, intid, level);
  }

  /**
   * The architected pending table of this PE's LPIs where GICR_PENDBASER has it in RAM: a view without a copy, always
   * current. Bit n % 8 of byte n / 8 stands for INTID n; empty where GICR_PROPBASER.IDbits leaves no LPIs. Throws a
   * `GicError` when the table is not inside RAM.
   */
  get pendingTable(): Uint8Array {
    const address = Number(BigInt(this.read('GICR_PENDBASER')) & TABLE_ADDRESS);
    const idBits = Number(BigInt(this.read('GICR_PROPBASER')) & 31n) + 1;
    const bits = Math.min(idBits, this.machine.config.intidBits);
    return bits < 14 ? new Uint8Array() : this.machine.ram(address, 2 ** bits / 8);
  }

  /** Whether an LPI is pending at this redistributor, from the pending table. */
  isPending(intid: number): boolean {
    requireInteger('INVALID_ARGUMENT', 'intid', intid, 0, 2 ** this.machine.config.intidBits - 1);
    const byte = this.pendingTable[intid >> 3];
    return byte !== undefined && ((byte >> (intid & 7)) & 1) !== 0;
  }
}

import { GicError } from '../errors.ts';
import type { Machine } from '../machine.ts';
import { registerAddress, registerWidth } from '../registers/index.ts';

/** A part of a machine whose memory-mapped registers are reached by name, through the bus. */
export class RegisterUnit {
  protected readonly machine: Machine;
  protected readonly unit: number;

  constructor(machine: Machine, unit: number) {
    this.machine = machine;
    this.unit = unit;
  }

  /** Reads a register by its architectural name: a number for 32-bit registers, a bigint for 64-bit ones. */
  read(name: string): number | bigint {
    return this.machine.read(this.#address(name), registerWidth(this.machine.config, name) === 64 ? 8 : 4);
  }

  /** Writes a register by its architectural name. */
  write(name: string, value: number | bigint): void {
    this.machine.write(this.#address(name), registerWidth(this.machine.config, name) === 64 ? 8 : 4, value);
  }

  #address(name: string): number {
    const address = registerAddress(this.machine.config, name, this.unit);
    if (address === undefined) {
      throw new GicError(
        'UNKNOWN_NAME',
        'name',
        name,
        'a memory-mapped register of this machine, such as GITS_CTLR',
      );
    }
    return address;
  }
}

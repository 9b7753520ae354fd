import { GicError } from '../errors.ts';
import type { Machine } from '../machine.ts';
import { registerAddress, registerWidth } from '../registers/index.ts';

/** A part of a machine whose memory-mapped registers are reached by name, through the bus. */
export class RegisterUnit {
  protected readonly machine: Machine;
  protected readonly unit: number;
  /** What the names of its registers begin with. */
  readonly #prefix: 'GICR_' | 'GITS_';

  constructor(machine: Machine, unit: number, prefix: 'GICR_' | 'GITS_') {
    this.machine = machine;
    this.unit = unit;
    this.#prefix = prefix;
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
    const address = name.startsWith(this.#prefix)
      ? registerAddress(this.machine.config, name, this.unit)
      : undefined;
    if (address === undefined) {
      const expected = `a memory-mapped register of this unit, such as ${this.#prefix}CTLR`;
      throw new GicError('UNKNOWN_NAME', 'name', name, expected);
    }
    return address;
  }
}

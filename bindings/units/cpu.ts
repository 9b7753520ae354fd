import { requireInteger } from '../errors.ts';
import type { HighestPending, VirtualOutputs } from '../hardware.ts';
import type { Machine } from '../machine.ts';

/** Names by group. Names put together at each call would cost more than the access. */
const IAR = ['ICC_IAR0_EL1', 'ICC_IAR1_EL1'] as const;
const EOIR = ['ICC_EOIR0_EL1', 'ICC_EOIR1_EL1'] as const;

/** One PE: its CPU interfaces by system register name, and what they present. */
export class CpuUnit {
  /**
   * ICH_LR0_EL2 onwards: a view without a copy, always current. Write list registers with `write`, so that the virtual
   * interface notices.
   */
  readonly listRegisters: BigUint64Array;

  readonly #machine: Machine;
  readonly #cpu: number;

  constructor(machine: Machine, cpu: number, listRegisters: BigUint64Array) {
    this.#machine = machine;
    this.#cpu = cpu;
    this.listRegisters = listRegisters;
  }

  /** Reads a system register such as `ICC_IAR1_EL1`, from EL2 or, routed by HCR_EL2, from EL1. */
  read(name: string, el: 1 | 2 = 2): bigint {
    return this.#machine.readSystemRegister(this.#cpu, name, el);
  }

  /** Writes a system register, from EL2 or, routed by HCR_EL2, from EL1. */
  write(name: string, value: number | bigint, el: 1 | 2 = 2): void {
    this.#machine.writeSystemRegister(this.#cpu, name, value, el);
  }

  /** Reads ICC_IAR0_EL1 or ICC_IAR1_EL1: the INTID, 1023 for none. */
  acknowledge(group: 0 | 1 = 1): number {
    requireInteger('INVALID_ARGUMENT', 'group', group, 0, 1);
    return Number(this.read(IAR[group]));
  }

  /** Writes ICC_EOIR0_EL1 or ICC_EOIR1_EL1. */
  endOfInterrupt(intid: number, group: 0 | 1 = 1): void {
    requireInteger('INVALID_ARGUMENT', 'group', group, 0, 1);
    this.write(EOIR[group], intid);
  }

  /** Writes ICC_DIR_EL1. */
  deactivate(intid: number): void {
    this.write('ICC_DIR_EL1', intid);
  }

  /** Whether the IRQ input is asserted. */
  get irq(): boolean {
    return this.#machine.irq(this.#cpu);
  }

  /** Whether the FIQ input is asserted. */
  get fiq(): boolean {
    return this.#machine.fiq(this.#cpu);
  }

  /** The best pending interrupt; undefined when nothing is pending. */
  get highestPending(): HighestPending | undefined {
    return this.#machine.highestPending(this.#cpu);
  }

  /** What the virtual CPU interface presents to the guest on this PE. */
  get virtual(): VirtualOutputs {
    return this.#machine.virtualOutputs(this.#cpu);
  }
}

import { SimThread as Field, type SimExit, SimGuestParameter, SimManual } from '../../assembly/abi.ts';
import { GicError, requireInteger } from '../errors.ts';
import { succeed } from '../irqchip/errors.ts';
import type { Vcpu } from '../kvm/vcpu.ts';
import type { Machine } from '../machine.ts';
import { encodeOperation, type GuestProgram, type Operation, programParameters } from './program.ts';
import {
  type FlowStatistics,
  readFlow,
  readTimes,
  SGI_FLOW,
  TIMER_FLOW,
  type TimeByUse,
} from './statistics.ts';
import { type ExitReason, exitNames } from './trace.ts';

/** What a vCPU does, and where. */
export interface SimVcpuOptions {
  /** What its guest does; `manual` for one that is told step by step. Default: waits for interrupts by WFI. */
  readonly guest?: GuestProgram | 'manual';
  /** PE that its thread is bound to; default none: the scheduler places it. */
  readonly cpu?: number;
}

/** Where a thread is: on a PE, waiting for one, or waiting for something to happen. */
export type ThreadState = 'running' | 'runnable' | 'asleep';

/** What happened to a vCPU so far. */
export interface VcpuStatistics {
  /** Exits by reason, of which there was at least one. */
  readonly exits: Readonly<Record<ExitReason, number>>;
  /** What the PEs did for it. */
  readonly time: TimeByUse;
  /** ns that the thread waited for a PE. */
  readonly waited: number;
  /** ns that the thread slept. */
  readonly slept: number;
  /** Times that its thread moved to another PE. */
  readonly migrations: number;
  /** Times that another thread took its PE. */
  readonly preemptions: number;
  /** Times that its thread was woken. */
  readonly wakeups: number;
  /** Times that KVM polled instead of putting it to sleep. */
  readonly polls: number;
  /** Polls in which an interrupt came before the window ended. */
  readonly pollsSuccessful: number;
  /** Operations of its program that were done. */
  readonly operations: number;
  /** Acknowledges that gave 1023. */
  readonly spurious: number;
  /** Interrupts of its virtual timer. */
  readonly timer: FlowStatistics;
  /** SGIs to this vCPU. */
  readonly sgis: FlowStatistics;
}

const NONE = 0xffff_ffff;
const MOST_NS = 2 ** 48;
const states: readonly (ThreadState | undefined)[] = [undefined, 'running', 'runnable', 'asleep'];
const ALL_SGIS = Array.from({ length: 16 }, (_, sgi) => sgi);

/** A vCPU with its thread and its guest in simulated time. */
export class SimVcpu {
  /** The vCPU. */
  readonly vcpu: Vcpu;
  /** Number among all vCPUs, as events have it. */
  readonly number: number;
  readonly #machine: Machine;

  constructor(machine: Machine, vcpu: Vcpu, { guest = {}, cpu }: SimVcpuOptions) {
    const { engine } = machine;
    if (cpu !== undefined) requireInteger('INVALID_ARGUMENT', 'cpu', cpu, 0, machine.cpus - 1);
    const parameters: [SimGuestParameter, number][] =
      guest === 'manual' ? [[SimGuestParameter.MANUAL, 1]] : programParameters(guest, vcpu.vm.vcpus.length);
    this.vcpu = vcpu;
    this.number = vcpu.number;
    this.#machine = machine;
    for (const [parameter, value] of parameters) engine.simSetGuest(this.number, parameter, value);
    succeed(engine.simStart(this.number, cpu ?? NONE), 'addVcpu', { EBUSY: 'the vCPU runs already' });
  }

  /** Where its thread is. */
  get state(): ThreadState {
    return states[this.#field(Field.STATE)] as ThreadState;
  }

  /** PE that its thread runs on, waits for, or ran on last. */
  get cpu(): number {
    return this.#field(Field.CPU);
  }

  /** The virtual interrupt line of the PE, while the vCPU is on it. */
  get virq(): boolean {
    return this.#field(Field.VIRQ) !== 0;
  }

  /** What happened to it so far. */
  get statistics(): VcpuStatistics {
    const exits = Object.entries(exitNames).map(([reason, name]) => [name, this.exits(Number(reason))]);
    return {
      exits: Object.fromEntries(exits),
      time: readTimes((use) => this.#field(Field.TIME + use)),
      waited: this.#field(Field.WAITED),
      slept: this.#field(Field.SLEPT),
      migrations: this.#field(Field.MIGRATIONS),
      preemptions: this.#field(Field.PREEMPTIONS),
      wakeups: this.#field(Field.WAKEUPS),
      polls: this.#field(Field.POLLS),
      pollsSuccessful: this.#field(Field.POLLS_SUCCESSFUL),
      operations: this.#field(Field.OPERATIONS),
      spurious: this.#field(Field.SPURIOUS),
      timer: readFlow(this.#machine, TIMER_FLOW, this.number),
      sgis: readFlow(this.#machine, SGI_FLOW, this.number, ALL_SGIS),
    };
  }

  /**
   * Exits for one reason, by the engine's number: `statistics.exits` has all of them by name.
   *
   * @internal
   */
  exits(reason: SimExit): number {
    return this.#field(Field.EXITS + reason);
  }

  // --- a guest by hand ---

  /** It is in the guest and has nothing to do: the next command is accepted. */
  get awaitsCommand(): boolean {
    return this.#field(Field.AWAITS) !== 0;
  }

  /** ICC_IAR1_EL1: the INTID, 1023 for none. */
  ack(): number {
    return this.#command('ack', SimManual.ACKNOWLEDGE, 0);
  }

  /** ICC_EOIR1_EL1. */
  eoi(intid: number): void {
    requireInteger('INVALID_ARGUMENT', 'intid', intid, 0, 0xff_ffff);
    this.#command('eoi', SimManual.END_OF_INTERRUPT, intid);
  }

  /** ICC_DIR_EL1. */
  deactivate(intid: number): void {
    requireInteger('INVALID_ARGUMENT', 'intid', intid, 0, 0xff_ffff);
    this.#command('deactivate', SimManual.DEACTIVATE, intid);
  }

  /** WFI; `timeout` in ns makes it a WFIT. */
  wfi(timeout?: number): void {
    if (timeout === undefined) this.#command('wfi', SimManual.WFI, 0);
    else {
      requireInteger('INVALID_ARGUMENT', 'timeout', timeout, 0, MOST_NS);
      this.#command('wfi', SimManual.WFIT, timeout);
    }
  }

  /** Computes for so many ns. */
  work(ns: number): void {
    requireInteger('INVALID_ARGUMENT', 'ns', ns, 0, MOST_NS);
    this.#command('work', SimManual.WORK, ns);
  }

  /** Something that traps. */
  operate(operation: Operation): void {
    const [what, operand] = encodeOperation(operation, this.vcpu.vm.vcpus.length);
    this.#command(operation.kind, what, operand);
  }

  #command(name: string, what: number, operand: number): number {
    if (!this.awaitsCommand) {
      throw new GicError(
        'INVALID_STATE',
        name,
        `vCPU ${this.number} ${this.state}`,
        'a guest by hand that is in the guest and has nothing to do: run the simulation until it awaits a command',
      );
    }
    return succeed(this.#machine.engine.simCommand(this.number, what, operand), name);
  }

  #field(field: number): number {
    return this.#machine.engine.simThread(this.number, field);
  }
}

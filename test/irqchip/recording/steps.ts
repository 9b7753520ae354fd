import type { ItsCommand } from '../../../bindings/commands/command.ts';
import type { DriverAction } from '../../../bindings/index.ts';

/** An ITS command with the SYNC or VSYNC that was posted behind it. */
export interface CommandStep {
  readonly kind: 'command';
  readonly command: ItsCommand;
  readonly sync: ItsCommand | undefined;
}

/** A write to a register; `cpu` is undefined for an ITS. */
export interface RegisterStep {
  readonly kind: 'register';
  readonly cpu: number | undefined;
  readonly register: string;
  readonly value: bigint;
}

/** A configuration byte got this value. */
export interface ByteStep {
  readonly kind: 'byte';
  readonly table: 'physical' | 'virtual';
  readonly intid: number;
  readonly value: number;
}

/** Not the driver's doing but a reason for it: a PE acknowledged a physical LPI. */
export interface InterruptStep {
  readonly kind: 'interrupt';
  readonly intid: number;
}

/** One thing that a driver does to the hardware. */
export type DriverStep = CommandStep | RegisterStep | ByteStep;
export type Step = DriverStep | InterruptStep;

/** GITS_* registers by offset. */
export const itsRegisters: ReadonlyMap<number, string> = new Map([
  [0x00, 'GITS_CTLR'],
  [0x80, 'GITS_CBASER'],
  [0x88, 'GITS_CWRITER'],
  ...Array.from({ length: 8 }, (_, n) => [0x100 + 8 * n, `GITS_BASER${n}`] as const),
]);

/** Steps in the order of the actions. A command waits for the next one, which may be its SYNC or VSYNC. */
export class StepList {
  readonly steps: Step[] = [];
  #last: { command: ItsCommand; at: number } | undefined;

  command(command: ItsCommand): void {
    const isSync = command.command === 'SYNC' || command.command === 'VSYNC';
    if (isSync && this.#last) {
      this.steps[this.#last.at] = { kind: 'command', command: this.#last.command, sync: command };
      this.#last = undefined;
      return;
    }
    this.#last = isSync ? undefined : { command, at: this.steps.length };
    this.steps.push({ kind: 'command', command, sync: undefined });
  }

  add(step: Exclude<Step, CommandStep>): void {
    this.steps.push(step);
  }
}

/** How many ITS commands a step is. */
export function commandsOf(step: Step): number {
  if (step.kind !== 'command') return 0;
  return step.sync ? 2 : 1;
}

/** The words of a step: command and sync, register, or table of the configuration byte. */
export function wordsOf(step: DriverStep): string {
  switch (step.kind) {
    case 'command':
      return [step.command, step.sync]
        .map((command) => command?.command ?? '')
        .join(' ')
        .trimEnd();
    case 'register':
      return step.register.replace(/^G..._/, '');
    case 'byte':
      return step.table === 'physical' ? 'CFG' : 'VCFG';
  }
}

/** The library's log as steps. Polls are reads, which change nothing. */
export function stepsOfLog(log: readonly DriverAction[]): DriverStep[] {
  const list = new StepList();
  for (const action of log) {
    switch (action.kind) {
      case 'command':
        list.command(action.command);
        break;
      case 'rd-write':
        list.add({ kind: 'register', cpu: action.cpu, register: action.register, value: action.value });
        break;
      case 'its-write': {
        const register = itsRegisters.get(action.offset) ?? `GITS_0x${action.offset.toString(16)}`;
        list.add({ kind: 'register', cpu: undefined, register, value: action.value });
        break;
      }
      case 'config':
        list.add({ kind: 'byte', table: 'physical', intid: action.intid, value: action.value });
        break;
      case 'virtual-config':
        list.add({ kind: 'byte', table: 'virtual', intid: action.vIntid, value: action.value });
        break;
    }
  }
  return list.steps.filter(isDriverStep);
}

export function isDriverStep(step: Step): step is DriverStep {
  return step.kind !== 'interrupt';
}

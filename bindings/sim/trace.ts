import { type Cost, SimEvent, SimExit, SimOperation, SimRecord } from '../../assembly/abi.ts';
import type { Machine } from '../machine.ts';
import { msiOutcomes } from '../outcomes.ts';
import { costNumbers } from './costs.ts';

const NONE = 0xffff_ffff;

/** What happens: steps of KVM's run loop, of WFI, of the scheduler, of devices and of guests. */
export type SimEventName =
  | 'run'
  | 'load'
  | 'check'
  | 'requests'
  | 'flush'
  | 'final-check'
  | 'entry'
  | 'guest'
  | 'exit'
  | 'sync'
  | 'host-interrupts'
  | 'handle-exit'
  | 'preempt'
  | 'user'
  | 'wfi-begin'
  | 'halt-poll'
  | 'sleep'
  | 'woken'
  | 'wake-check'
  | 'wfi-end'
  | 'wfi-return'
  | 'schedule'
  | 'idle'
  | 'signal'
  | 'slice'
  | 'soft-timer'
  | 'hard-timer'
  | 'device'
  | 'vector'
  | 'acknowledge'
  | 'end-of-interrupt'
  | 'deactivate'
  | 'wait'
  | 'operation'
  | 'boot'
  | 'runnable'
  | 'failed';

/** Names by the engine's numbers. */
export const eventNames = {
  [SimEvent.RUN]: 'run',
  [SimEvent.LOAD]: 'load',
  [SimEvent.CHECK]: 'check',
  [SimEvent.REQUESTS]: 'requests',
  [SimEvent.FLUSH]: 'flush',
  [SimEvent.FINAL_CHECK]: 'final-check',
  [SimEvent.ENTRY]: 'entry',
  [SimEvent.GUEST]: 'guest',
  [SimEvent.EXIT]: 'exit',
  [SimEvent.SYNC]: 'sync',
  [SimEvent.HOST_INTERRUPTS]: 'host-interrupts',
  [SimEvent.HANDLE_EXIT]: 'handle-exit',
  [SimEvent.PREEMPT]: 'preempt',
  [SimEvent.USER]: 'user',
  [SimEvent.WFI_BEGIN]: 'wfi-begin',
  [SimEvent.HALT_POLL]: 'halt-poll',
  [SimEvent.SLEEP]: 'sleep',
  [SimEvent.WOKEN]: 'woken',
  [SimEvent.WAKE_CHECK]: 'wake-check',
  [SimEvent.WFI_END]: 'wfi-end',
  [SimEvent.WFI_RETURN]: 'wfi-return',
  [SimEvent.SCHEDULE]: 'schedule',
  [SimEvent.IDLE]: 'idle',
  [SimEvent.SIGNAL]: 'signal',
  [SimEvent.SLICE]: 'slice',
  [SimEvent.SOFT_TIMER]: 'soft-timer',
  [SimEvent.HARD_TIMER]: 'hard-timer',
  [SimEvent.DEVICE]: 'device',
  [SimEvent.VECTOR]: 'vector',
  [SimEvent.ACKNOWLEDGE]: 'acknowledge',
  [SimEvent.END_OF_INTERRUPT]: 'end-of-interrupt',
  [SimEvent.DEACTIVATE]: 'deactivate',
  [SimEvent.WAIT]: 'wait',
  [SimEvent.OPERATION]: 'operation',
  [SimEvent.BOOT]: 'boot',
  [SimEvent.RUNNABLE]: 'runnable',
  [SimEvent.FAILED]: 'failed',
} as const satisfies Readonly<Record<number, SimEventName>>;

/** Why a vCPU leaves the guest. */
export type ExitReason =
  /** An interrupt of the host. */
  | 'irq'
  /** WFI, where it traps. */
  | 'wfi'
  /** HVC. */
  | 'hypercall'
  /** ICC_SGI1R_EL1. */
  | 'sgi'
  /** An access that KVM emulates. */
  | 'mmio'
  /** An access that user space emulates. */
  | 'user'
  /** ICV_DIR_EL1. */
  | 'dir';

/** Names by the engine's numbers. */
export const exitNames = {
  [SimExit.IRQ]: 'irq',
  [SimExit.WFI]: 'wfi',
  [SimExit.HYPERCALL]: 'hypercall',
  [SimExit.SGI]: 'sgi',
  [SimExit.MMIO]: 'mmio',
  [SimExit.USER]: 'user',
  [SimExit.DIR]: 'dir',
} as const satisfies Readonly<Record<number, ExitReason>>;

const operationNames: ReadonlyMap<number, string> = new Map([
  [SimOperation.HYPERCALL, 'hypercall'],
  [SimOperation.SGI, 'sgi'],
  [SimOperation.MMIO, 'mmio'],
  [SimOperation.USER, 'user'],
  [SimOperation.STORE, 'store'],
]);

const costNames = new Map(Object.entries(costNumbers).map(([name, cost]) => [cost as Cost, name]));

/** Something that happened in a simulation. */
export interface SimulationEvent {
  /** ns since the beginning. */
  readonly time: number;
  /** What happened. */
  readonly event: SimEventName;
  /** Step of the run loop, `R1` to `R14`, or of a WFI, `B1` to `B8`. */
  readonly step: string | undefined;
  /** How long it takes, where that is known when it begins. */
  readonly duration: number;
  /** The PE, from 0. */
  readonly cpu: number | undefined;
  /** Number of the vCPU among all. */
  readonly vcpu: number | undefined;
  /** What else there is to say, by name. */
  readonly details: Readonly<Record<string, number | string | boolean>>;
}

type Details = SimulationEvent['details'];
type Describe = (a: number, b: number) => Details;

const exitDetails: Describe = (a) => ({ reason: exitNames[a as keyof typeof exitNames] });
const interruptDetails: Describe = (a) => ({ intid: a });
const waits = ['nothing to wait for', 'traps', 'in the PE'];

const describe: Partial<Record<SimEvent, Describe>> = {
  [SimEvent.LOAD]: (a) => ({ trapsWfi: a !== 0 }),
  [SimEvent.CHECK]: (a) => ({ yields: a !== 0 }),
  [SimEvent.REQUESTS]: (a, b) => ({ requests: a, staysOutside: b !== 0 }),
  [SimEvent.FLUSH]: (a, b) => ({ listed: a, listRegisters: b }),
  [SimEvent.FINAL_CHECK]: (a, b) => ({ requests: a, yields: b !== 0 }),
  [SimEvent.EXIT]: exitDetails,
  [SimEvent.HANDLE_EXIT]: exitDetails,
  [SimEvent.SYNC]: (a) => ({ listed: a }),
  [SimEvent.HOST_INTERRUPTS]: (a) => ({ taken: a }),
  [SimEvent.SIGNAL]: (a) => ({ taken: a }),
  [SimEvent.HALT_POLL]: (a, b) => ({ window: a, runnable: b !== 0 }),
  [SimEvent.SLEEP]: (_, b) => ({ sleeps: b === 0 }),
  [SimEvent.WAKE_CHECK]: (_, b) => ({ runnable: b !== 0 }),
  [SimEvent.SCHEDULE]: (a) => ({ cost: costNames.get(a) ?? '' }),
  [SimEvent.RUNNABLE]: (a) => ({ on: a }),
  [SimEvent.DEVICE]: (a, b) => ({ device: a, outcome: msiOutcomes[b] ?? '' }),
  [SimEvent.ACKNOWLEDGE]: (a, b) => ({ intid: a, latency: b }),
  [SimEvent.END_OF_INTERRUPT]: interruptDetails,
  [SimEvent.DEACTIVATE]: interruptDetails,
  [SimEvent.WAIT]: (a) => ({ wfi: waits[a] ?? '' }),
  [SimEvent.OPERATION]: (a, b) => ({ operation: operationNames.get(a) ?? '', operand: b }),
  [SimEvent.FAILED]: (a) => ({ errno: -(a | 0) }),
};

function stepOf(kind: number): string | undefined {
  if (kind >= SimEvent.RUN && kind <= SimEvent.USER) return `R${kind}`;
  return kind >= SimEvent.WFI_BEGIN && kind <= SimEvent.WFI_RETURN ? `B${kind - 20}` : undefined;
}

const known = (n: number): number | undefined => (n === NONE ? undefined : n);

/** Reads the ring of records in a machine's memory. */
export class TraceReader {
  readonly #machine: Machine;
  #taken = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Records since the last call, oldest first; the oldest are lost where there are more than the ring holds. */
  take(): SimulationEvent[] {
    const { engine, memory } = this.#machine;
    const count = engine.simRecords() >>> 0;
    // The count has 32 bits and wraps.
    const fresh = Math.min((count - this.#taken) >>> 0, SimRecord.CAPACITY);
    this.#taken = count;
    const view = new DataView(memory.buffer);
    return Array.from({ length: fresh }, (_, i) =>
      decodeRecord(view, engine.simRecordAt(count - fresh + i) >>> 0),
    );
  }

  /** Forgets what was not taken. */
  skip(): void {
    this.#taken = this.#machine.engine.simRecords() >>> 0;
  }
}

function decodeRecord(view: DataView, at: number): SimulationEvent {
  const word = (offset: number): number => view.getUint32(at + offset, true);
  const wide = (offset: number): number => Number(view.getBigUint64(at + offset, true));
  const kind = word(SimRecord.KIND);
  return {
    time: wide(SimRecord.TIME),
    event: eventNames[kind as keyof typeof eventNames],
    step: stepOf(kind),
    duration: wide(SimRecord.DURATION),
    cpu: known(word(SimRecord.CPU)),
    vcpu: known(word(SimRecord.VCPU)),
    details: describe[kind as SimEvent]?.(word(SimRecord.A), word(SimRecord.B)) ?? {},
  };
}

/** An event as a line for people. */
export function eventText({ time, event, step, duration, cpu, vcpu, details }: SimulationEvent): string {
  const where = [cpu === undefined ? '' : `PE ${cpu}`, vcpu === undefined ? '' : `vCPU ${vcpu}`];
  const what = Object.entries(details).map(([name, value]) => `${name} ${value}`);
  const took = duration ? [`${duration} ns`] : [];
  return [`${time}`, step ?? '', event, ...where, ...what, ...took].filter((part) => part !== '').join('  ');
}

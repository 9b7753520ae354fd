/// <reference lib="esnext.disposable" preserve="true" />
import { Counter, Field } from '../assembly/abi.ts';
import type { MachineConfig } from './config.ts';
import { type CounterValues, readCounters } from './counters.ts';
import { type Diagnostic, DiagnosticReader } from './diagnostics.ts';
import type { EngineExports, StructureSizes } from './engine.ts';
import { GicError, requireInteger } from './errors.ts';
import { directSources, EventReader, type MachineEvent } from './events.ts';
import type { HighestPending, VirtualOutputs } from './hardware.ts';
import { DIAGNOSTIC_CAPACITY, type Layout } from './layout.ts';

/** What a machine is and where it keeps what, for views of its memory. Can be posted to other threads. */
export interface MachineShape {
  readonly config: MachineConfig;
  readonly layout: Layout;
  /** Bytes of the engine's records. */
  readonly records: Readonly<
    Record<'cpuInterface' | 'virtualInterface' | 'event' | 'diagnostic' | 'lane', number>
  >;
  /** Byte offsets, in those records or in memory. */
  readonly offsets: Readonly<Record<keyof typeof viewedFields, number>>;
}

const viewedFields = {
  highestPending: Field.HIGHEST_PENDING,
  outputs: Field.OUTPUTS,
  winner: Field.VIRTUAL_WINNER,
  bestVlpi: Field.BEST_VLPI,
  virtualOutputs: Field.VIRTUAL_OUTPUTS,
  listRegisters: Field.LIST_REGISTERS,
  eventCount: Field.EVENT_COUNT,
  diagnosticCount: Field.DIAGNOSTIC_COUNT,
  laneLimit: Field.LANE_LIMIT,
  arrived: Field.ARRIVED,
  ownerSleeps: Field.OWNER_SLEEPS,
  lanes: Field.LANES,
  laneCounters: Field.LANE_COUNTERS,
  laneBatch: Field.LANE_BATCH,
} as const;

/** Puts a machine's shape together. */
export function shapeOf(
  engine: EngineExports,
  config: MachineConfig,
  layout: Layout,
  sizes: StructureSizes,
): MachineShape {
  const { cpuInterface, virtualInterface, event, diagnostic, lane } = sizes;
  const offsets = Object.entries(viewedFields).map(([name, field]) => [name, engine.fieldOffset(field)]);
  return {
    config,
    layout,
    records: { cpuInterface, virtualInterface, event, diagnostic, lane },
    offsets: Object.fromEntries(offsets) as Record<keyof typeof viewedFields, number>,
  };
}

/**
 * A machine seen from outside: it reads the machine's memory, calls nothing and changes nothing. Views of a machine of
 * the build `shared` can be made in any thread, of its `shape` and its `memory`, and show what it does while it runs.
 */
export class MachineView {
  readonly shape: MachineShape;
  readonly config: MachineConfig;
  /** How many PEs the machine has. */
  readonly cpus: number;
  /** The linear memory of the machine: state, then simulated RAM. */
  readonly memory: WebAssembly.Memory;

  #words: Uint32Array;
  readonly #cpuInterfaces: number;
  readonly #cpuInterfaceWords: number;
  readonly #highestPending: number;
  readonly #outputs: number;
  readonly #virtualInterfaces: number;
  readonly #virtualInterfaceWords: number;
  readonly #winner: number;
  readonly #bestVlpi: number;
  readonly #virtualOutputs: number;
  #diagnostics: DiagnosticReader;
  #events: EventReader;

  /** `ownThread`: this thread drives the machine, so that nothing changes while it is looked at. */
  constructor(shape: MachineShape, memory: WebAssembly.Memory, ownThread = false) {
    const { config, layout, records, offsets } = shape;
    this.shape = shape;
    this.config = config;
    this.cpus = config.cpus;
    this.memory = memory;
    this.#words = new Uint32Array(memory.buffer);
    this.#cpuInterfaces = layout.cpuInterfaces >> 2;
    this.#cpuInterfaceWords = records.cpuInterface >> 2;
    this.#highestPending = offsets.highestPending >> 2;
    this.#outputs = offsets.outputs >> 2;
    this.#virtualInterfaces = layout.virtualInterfaces >> 2;
    this.#virtualInterfaceWords = records.virtualInterface >> 2;
    this.#winner = offsets.winner >> 2;
    this.#bestVlpi = offsets.bestVlpi >> 2;
    this.#virtualOutputs = offsets.virtualOutputs >> 2;
    this.#events = new EventReader(this.#words, {
      count: offsets.eventCount >> 2,
      records: layout.events >> 2,
      recordWords: records.event >> 2,
      capacity: config.eventCapacity,
      concurrent: !ownThread,
    });
    this.#diagnostics = new DiagnosticReader(this.#words, {
      count: offsets.diagnosticCount >> 2,
      records: layout.diagnostics >> 2,
      recordWords: records.diagnostic >> 2,
      capacity: DIAGNOSTIC_CAPACITY,
      concurrent: !ownThread,
    });
  }

  /** A view of RAM contents: no copy, always current. */
  ram(address: number, length: number): Uint8Array {
    const { base, size } = this.config.ram;
    requireInteger('INVALID_ARGUMENT', 'length', length, 0, size);
    requireInteger('INVALID_ARGUMENT', 'address', address, base, base + size - length);
    return new Uint8Array(this.memory.buffer, this.shape.layout.ramAt + (address - base), length);
  }

  /** A copy of RAM contents. */
  readMemory(address: number, length: number): Uint8Array {
    return this.ram(address, length).slice();
  }

  /** The best pending interrupt of a PE; undefined when nothing is pending. */
  highestPending(cpu: number): HighestPending | undefined {
    const packed = this.highestPendingWord(cpu);
    if (packed === NOTHING_PENDING) return undefined;
    return { intid: packed & 0x7f_ffff, priority: packed >>> 24, group: ((packed >>> 23) & 1) as 0 | 1 };
  }

  /** `highestPending` without an object: priority << 24 | group << 23 | INTID, or 0xffffffff for none. */
  highestPendingWord(cpu: number): number {
    return this.#words[this.#cpuWord(cpu) + this.#highestPending] as number;
  }

  /** Whether a PE's IRQ input is asserted. */
  irq(cpu: number): boolean {
    return ((this.#words[this.#cpuWord(cpu) + this.#outputs] as number) & 1) !== 0;
  }

  /** Whether a PE's FIQ input is asserted. */
  fiq(cpu: number): boolean {
    return ((this.#words[this.#cpuWord(cpu) + this.#outputs] as number) & 2) !== 0;
  }

  /** What a PE's virtual CPU interface presents to its guest. */
  virtualOutputs(cpu: number): VirtualOutputs {
    this.requireCpu(cpu);
    const at = this.#virtualInterfaces + cpu * this.#virtualInterfaceWords;
    const winner = this.#words[at + this.#winner] as number;
    const vlpi = this.#words[at + this.#bestVlpi] as number;
    const outputs = this.#words[at + this.#virtualOutputs] as number;
    return {
      winner: directSources.get(winner) ?? (winner === NOTHING_PENDING ? undefined : winner),
      bestVlpi: vlpi === NOTHING_PENDING ? undefined : { vIntid: vlpi & 0x3f_ffff, priority: vlpi >>> 22 },
      virq: (outputs & 1) !== 0,
      vfiq: (outputs & 2) !== 0,
      maintenance: (outputs & 4) !== 0,
    };
  }

  /** ICH_LR0_EL2 onwards of a PE: a view without a copy, always current. */
  listRegisters(cpu: number): BigUint64Array {
    this.requireCpu(cpu);
    const { layout, records, offsets } = this.shape;
    const at = layout.virtualInterfaces + cpu * records.virtualInterface + offsets.listRegisters;
    return new BigUint64Array(this.memory.buffer, at, this.config.listRegisters);
  }

  /** The counters of the thread that owns the machine, in place, 64 bits each, indexed by `Counter`. */
  get counterWords(): BigUint64Array {
    return new BigUint64Array(this.memory.buffer, this.shape.layout.counters, Counter.COUNT);
  }

  /** Everything that was counted since the machine was made, by all threads. */
  counters(): CounterValues {
    const { layout, records, offsets } = this.shape;
    const lanes = this.#words[(layout.threads + offsets.laneLimit) >> 2] as number;
    const first = layout.threads + offsets.lanes + offsets.laneCounters;
    const places = Array.from({ length: lanes }, (_, lane) => first + lane * records.lane);
    return readCounters(this.memory.buffer, [layout.counters, ...places]);
  }

  /** Forgets the events and diagnostics that were there before: the machine has another past now. */
  protected skipRecords(): void {
    this.#events.skip();
    this.#diagnostics.skip();
  }

  /** What happened since the last call on this object, oldest first, while events were recorded. */
  takeEvents(): MachineEvent[] {
    return this.#events.take();
  }

  /** What was diagnosed since the last call on this object, oldest first. */
  takeDiagnostics(): Diagnostic[] {
    return this.#diagnostics.take();
  }

  /**
   * Lets go of the machine's memory, which is freed when no array that the view handed out is left. Every later use
   * throws a `GicError` DISPOSED; another `dispose` does nothing.
   */
  dispose(): void {
    Object.assign(this, { shape: disposed(), memory: disposed() });
    this.#words = disposed();
    this.#events = disposed();
    this.#diagnostics = disposed();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  protected requireCpu(cpu: number): void {
    if (!Number.isInteger(cpu) || cpu < 0 || cpu >= this.cpus) {
      throw new GicError('INVALID_ARGUMENT', 'cpu', cpu, `a PE of this machine, 0 to ${this.cpus - 1}`);
    }
  }

  #cpuWord(cpu: number): number {
    this.requireCpu(cpu);
    return this.#cpuInterfaces + cpu * this.#cpuInterfaceWords;
  }
}

const NOTHING_PENDING = 0xffff_ffff;

/** Stands in for a part of a disposed machine, so that live ones need no check: any use of it throws. */
export function disposed<Part extends object>(): Part {
  const refuse = (): never => {
    throw new GicError('DISPOSED', 'machine', 'disposed', 'a machine that has not been disposed');
  };
  return new Proxy<Part>({} as Part, { get: refuse, set: refuse, has: refuse });
}

import { decodeDoublewords } from '../commands/codec.ts';
import { GicError } from '../errors.ts';
import type { GicHardware } from '../hardware.ts';
import { eventText, hex, registerAt } from './event_text.ts';
import { type CaptureEvent, cpuOf, type Value } from './events.ts';
import { type ExclusionId, entersGicv4, partOfGicv4 } from './exclusions.ts';
import { Frames, type ReplayedMachine } from './frames.ts';
import { Inputs } from './inputs.ts';
import { modelState } from './model_state.ts';
import { playInOrder, type Stage } from './order.ts';
import { Outputs } from './outputs.ts';
import { differenceFromQemu } from './qemu_commands.ts';
import { type CheckKind, type FoundMismatch, type Mismatch, Tally } from './report.ts';
import { SgiComparison } from './sgi_comparison.ts';
import { type EntryComparison, inspectorOf, TableComparison } from './table_inspector.ts';
import { UnrecordedMemory } from './unrecorded_memory.ts';

export interface ReplayerOptions {
  /** Name of the recording, for errors. Default `recording`. */
  readonly file?: string;
  /** How many mismatches are kept in full. Default 20. */
  readonly limit?: number;
  /** The recording lacks memory contents: supply what is needed. Default false. */
  readonly memoryUnknown?: boolean;
}

type EventOf<Kind extends CaptureEvent['kind']> = Extract<CaptureEvent, { kind: Kind }>;

const RECENT_EVENTS = 256;
const CONTEXT_EVENTS = 12;

/** Plays recorded events on a model and compares what it does with what was recorded. */
export class Replayer {
  readonly tally = new Tally();
  /** The first mismatches. */
  readonly mismatches: Mismatch[] = [];
  readonly #machine: ReplayedMachine;
  readonly #file: string;
  readonly #limit: number;
  readonly #frames: Frames;
  readonly #stage: HardwareStage;
  readonly #lacksGicv4: boolean;
  readonly #recent: CaptureEvent[] = [];
  #seen = 0;
  #stopped: { line: number; reason: ExclusionId } | undefined;

  constructor(hardware: GicHardware, machine: ReplayedMachine, options: ReplayerOptions = {}) {
    this.#machine = machine;
    this.#lacksGicv4 = hardware.virtualOutputs === undefined;
    this.#file = options.file ?? 'recording';
    this.#limit = options.limit ?? 20;
    const frames = new Frames(hardware, machine);
    this.#frames = frames;
    const memory = options.memoryUnknown ? new UnrecordedMemory(frames, this.tally) : undefined;
    this.#stage = new HardwareStage(frames, this.tally, memory, (found) => this.report(found));
  }

  /** Where playing ended because the rest needs hardware that the model lacks. */
  get stopped(): { readonly line: number; readonly reason: ExclusionId } | undefined {
    return this.#stopped;
  }

  /**
   * Plays one event. Throws a `GicError` INVALID_INPUT that names the line for an event that the machine cannot have:
   * of a PE, an INTID or an address that it does not have.
   */
  feed(event: CaptureEvent): void {
    if (this.#stopped) return;
    this.#recent[this.#seen++ % RECENT_EVENTS] = event;
    this.tally.see(event);
    if (this.#lacksGicv4 && entersGicv4(event)) {
      this.#stopped = { line: event.line, reason: 'virtual-machine' };
      this.tally.skip('virtual-machine');
      return;
    }
    const excluded = this.#exclusionOf(event);
    if (excluded) {
      this.tally.skip(excluded);
      return;
    }
    try {
      if ('cpu' in event && event.cpu >= this.#machine.cpus) {
        throw new GicError('INVALID_INPUT', 'cpu', event.cpu, `a PE of a machine with ${this.#machine.cpus}`);
      }
      playInOrder(event, this.#stage);
    } catch (error) {
      if (!(error instanceof GicError)) throw error;
      const expected = `an event of the machine that is replayed on (${error.message})`;
      throw new GicError('INVALID_INPUT', `${this.#file}:${event.line}`, eventText(event), expected);
    }
  }

  #exclusionOf(event: CaptureEvent): ExclusionId | undefined {
    if (this.#lacksGicv4) return partOfGicv4(event);
    const { maintenancePpi } = this.#machine;
    return event.kind === 'ppi-line' && event.intid === maintenancePpi ? 'maintenance-line' : undefined;
  }

  /** Compares what the last events did. To be called once, after the last event. */
  finish(): void {
    this.#stage.closeAction();
    this.#stage.compare(true);
  }

  /** Counts a mismatch, and keeps it with what led to it and the model's state if it is one of the first. */
  report(found: FoundMismatch): void {
    this.tally.mismatches++;
    if (this.mismatches.length >= this.#limit) return;
    const { cpu } = found;
    this.mismatches.push({ ...found, context: this.#context(cpu), state: modelState(this.#frames, cpu) });
  }

  #context(cpu: number | undefined): string[] {
    const lines: string[] = [];
    for (let back = 1; back <= Math.min(this.#seen, RECENT_EVENTS) && lines.length < CONTEXT_EVENTS; back++) {
      const event = this.#recent[(this.#seen - back) % RECENT_EVENTS];
      if (event === undefined) break;
      const owner = cpuOf(event);
      if (cpu === undefined || owner === undefined || owner === cpu) lines.unshift(eventText(event));
    }
    return lines;
  }
}

/** The model, with what is recorded of the hardware that it stands for. */
class HardwareStage implements Stage {
  readonly #frames: Frames;
  readonly #tally: Tally;
  readonly #inputs: Inputs;
  readonly #outputs: Outputs;
  readonly #sgis: SgiComparison;
  readonly #tables: TableComparison | undefined;
  readonly #report: (found: FoundMismatch) => void;
  #tableWrites: EventOf<'table-write'>[] = [];
  /** Commands are in the queue that only a register write will run. */
  #commandsWait = false;
  /** Line of the action whose results are awaited. */
  #action = 0;

  constructor(
    frames: Frames,
    tally: Tally,
    memory: UnrecordedMemory | undefined,
    report: (found: FoundMismatch) => void,
  ) {
    this.#frames = frames;
    this.#tally = tally;
    this.#report = report;
    this.#inputs = new Inputs(frames, tally, memory);
    this.#outputs = new Outputs(frames, tally, memory, report);
    this.#sgis = new SgiComparison(frames, tally, report);
    const inspector = inspectorOf(frames.hardware);
    this.#tables = inspector && new TableComparison(inspector);
  }

  get commandsRun(): boolean {
    return this.#inputs.commandsRun;
  }

  record(event: CaptureEvent): void {
    switch (event.kind) {
      case 'pending':
      case 'wires':
      case 'virtual-pending':
      case 'virtual-wires':
      case 'maintenance':
        this.#outputs.record(event);
        break;
      case 'sgi-arrival':
        this.#sgis.record(event);
        break;
      case 'table-write':
        if (this.#tables) this.#tableWrites.push(event);
        else this.#tally.skip('no-inspector');
        break;
    }
  }

  apply(event: CaptureEvent): void {
    switch (event.kind) {
      case 'register-read':
        this.#registerRead(event, event.value);
        return;
      case 'refused-read':
        this.#registerRead(event, 0);
        return;
      case 'system-read':
      case 'acknowledge':
        this.#action = event.line;
        this.#systemRead(event);
        return;
      case 'message':
      case 'pending':
      case 'wires':
      case 'virtual-pending':
      case 'virtual-wires':
      case 'maintenance':
      case 'sgi-arrival':
      case 'table-write':
        return;
    }
    this.#action = event.line;
    if (event.kind === 'sgi-request') this.#sgis.begin(event);
    if (event.kind === 'command') {
      this.#checkDecoding(event);
      this.#commandsWait = !this.commandsRun;
    }
    this.#inputs.play(event);
    if (this.#commandsWait && event.kind === 'register-write') this.#commandsWait = !this.commandsRun;
  }

  closeAction(): void {
    this.#outputs.produce(this.#action);
    this.#sgis.end();
    if (this.#tableWrites.length > 0 && !this.#commandsWait) this.#checkTables();
  }

  compare(atEnd = false): void {
    this.#outputs.compare(atEnd);
  }

  #registerRead(
    { line, block, cpu, offset, size }: EventOf<'register-read' | 'refused-read'>,
    value: Value,
  ): void {
    const got = this.#frames.read(block, cpu, offset, size);
    this.#tally.check(block);
    if (typeof got === 'number' ? got === value : got === BigInt(value)) return;
    this.#mismatch(line, block, block === 'GICR' ? cpu : undefined, registerAt(block, offset), value, got);
  }

  #systemRead(event: EventOf<'system-read' | 'acknowledge'>): void {
    const { line, cpu, register, value } = event;
    if (register.endsWith('_EL3')) {
      this.#tally.skip('el3-register');
      return;
    }
    const check = checkOf(event);
    const got = this.#frames.hardware.readSystemRegister(cpu, register);
    this.#tally.check(check);
    if (got !== BigInt(value)) this.#mismatch(line, check, cpu, register, value, got);
  }

  #mismatch(
    line: number,
    kind: CheckKind,
    cpu: number | undefined,
    register: string,
    value: Value,
    got: Value,
  ): void {
    const place = cpu === undefined ? {} : { cpu };
    this.#report({ line, kind, ...place, register, expected: hex(value), got: hex(got) });
  }

  /** Compares our decoding of a command's bytes with QEMU's. */
  #checkDecoding({ line, name, raw, fields }: EventOf<'command'>): void {
    if (raw === undefined) return;
    this.#tally.check('command');
    const difference = differenceFromQemu(decodeDoublewords(raw), name, fields);
    if (difference === undefined) return;
    const { operand, qemu, decoded } = difference;
    this.#report({ line, kind: 'command', register: `${name}.${operand}`, expected: qemu, got: decoded });
  }

  /** Of several writes of one entry, the last one counts. */
  #checkTables(): void {
    const compared = new Map<string, EntryComparison & { line: number }>();
    for (const write of this.#tableWrites) {
      const comparison = this.#tables?.compare(write);
      if (comparison) compared.set(comparison.entry, { ...comparison, line: write.line });
    }
    this.#tableWrites = [];
    for (const { entry, expected, got, line } of compared.values()) {
      this.#tally.check('table');
      if (expected !== got) this.#report({ line, kind: 'table', register: entry, expected, got });
    }
  }
}

function checkOf(event: EventOf<'system-read' | 'acknowledge'>): CheckKind {
  if (event.kind === 'system-read') return event.interface;
  return event.interface === 'ICV' ? 'virtual-acknowledge' : 'acknowledge';
}

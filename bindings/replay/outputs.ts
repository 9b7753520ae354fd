import type { GicHardware, VirtualOutputs } from '../hardware.ts';
import { type Difference, OutputComparison } from './comparison.ts';
import { pendingText, virtualPendingText, wiresText } from './event_text.ts';
import type { CaptureEvent } from './events.ts';
import type { Frames } from './frames.ts';
import type { FoundMismatch, Tally } from './report.ts';
import type { UnrecordedMemory } from './unrecorded_memory.ts';

/** Quicker ways to the outputs of a model, which a model may have; `Machine` does. */
export interface OutputAccess {
  /** `highestPending` as priority << 24 | group << 23 | INTID, 0xffffffff for none. */
  highestPendingWord(cpu: number): number;
  /** The PEs whose `highestPending`, `irq` or `fiq` may have changed since the last call. */
  takeChangedCpus(): Iterable<number>;
}

type EventOf<Kind extends CaptureEvent['kind']> = Extract<CaptureEvent, { kind: Kind }>;
type Result = EventOf<'pending' | 'wires' | 'virtual-pending' | 'virtual-wires' | 'maintenance'>;

/** The outputs to a PE, in the order of their streams. */
const kinds = ['pending', 'wires', 'virtual-pending', 'virtual-wires', 'maintenance'] as const;
type OutputKind = (typeof kinds)[number];

/** Recorded for `winner` when a direct injection wins. */
const DIRECT = 16;

const NOTHING_PENDING = 0xffff_ffff;
const IDLE_PRIORITY = 255;
const FIRST_LPI = 8192;
/** LPIs whose assumed configuration one result may contradict. */
const CORRECTIONS = 64;

/** The outputs to each PE: the highest priority pending interrupt, IRQ with FIQ, and the same for its guest. */
export class Outputs {
  readonly #hardware: GicHardware;
  readonly #access: OutputAccess | undefined;
  readonly #cpus: readonly number[];
  readonly #comparison: OutputComparison;
  readonly #tally: Tally;
  readonly #memory: UnrecordedMemory | undefined;
  readonly #report: (found: FoundMismatch) => void;
  /** LPIs that the results at hand show. */
  readonly #shownLpis: number[] = [];

  constructor(
    frames: Frames,
    tally: Tally,
    memory: UnrecordedMemory | undefined,
    report: (found: FoundMismatch) => void,
  ) {
    this.#hardware = frames.hardware;
    this.#access = hasOutputAccess(frames.hardware) ? frames.hardware : undefined;
    this.#cpus = Array.from({ length: frames.machine.cpus }, (_, cpu) => cpu);
    this.#comparison = new OutputComparison(this.#cpus.flatMap(() => [NOTHING_PENDING, 0, 0, 0, 0]));
    this.#tally = tally;
    this.#memory = memory;
    this.#report = report;
  }

  /** Takes a recorded result down. */
  record(event: Result): void {
    const word = resultWord(event);
    if (event.kind === 'pending') {
      if (word === NOTHING_PENDING) this.#tally.skip('idle-result');
      else if (this.#memory && event.intid >= FIRST_LPI) this.#shownLpis.push(event.intid);
    }
    const stream = kinds.length * event.cpu + kinds.indexOf(event.kind);
    if (this.#comparison.record(stream, word, event.line)) this.#tally.check(event.kind);
  }

  /** Takes down what has changed at the model since the last call, by the action of a line. */
  produce(line: number): void {
    for (const cpu of this.#access?.takeChangedCpus() ?? this.#cpus) {
      const stream = kinds.length * cpu;
      this.#comparison.produce(stream, this.#pendingNow(cpu), line);
      this.#comparison.produce(stream + 1, this.#wiresNow(cpu), line);
      if (!this.#hardware.virtualOutputs) continue;
      const outputs = this.#hardware.virtualOutputs(cpu);
      this.#comparison.produce(stream + 2, virtualPendingNow(outputs), line);
      this.#comparison.produce(stream + 3, wiresWord(outputs.vfiq, outputs.virq), line);
      this.#comparison.produce(stream + 4, Number(outputs.maintenance), line);
    }
  }

  /**
   * Demands that recorded and produced results since the last call are the same.
   * @param atEnd the recording ends here
   */
  compare(atEnd = false): void {
    if (!this.#comparison.hasChanges) return;
    const differences: Difference[] = [];
    this.#comparison.compare(
      (difference) => differences.push(difference),
      (stream, count) => this.#tally.check(kindOf(stream), count),
    );
    if (differences.length > 0) this.#explain(differences, atEnd);
    if (this.#memory) {
      for (const lpi of this.#shownLpis) this.#memory.confirm(lpi);
      this.#shownLpis.length = 0;
    }
  }

  #explain(differences: readonly Difference[], atEnd: boolean): void {
    let corrected = false;
    for (const difference of differences) {
      if (kindOf(difference.stream) === 'pending') corrected = this.#correct(difference) || corrected;
    }
    for (const difference of differences) {
      if (corrected && this.#now(difference.stream) === difference.lastRecorded) {
        this.#tally.skip('lpi-configuration');
      } else if (atEnd && difference.at === difference.produced.length) {
        this.#tally.skip('cut-short', difference.recorded.length - difference.at);
      } else this.#report(this.#mismatch(difference));
    }
  }

  /** Corrects the assumed configuration of LPIs until the model shows what was recorded; whether it then does. */
  #correct({ stream, lastRecorded }: Difference): boolean {
    if (!this.#memory) return false;
    for (let tries = 0; tries < CORRECTIONS; tries++) {
      const now = this.#now(stream);
      if (now === lastRecorded) return tries > 0;
      const wanted = intidOf(lastRecorded);
      const shown = intidOf(now);
      const ok =
        (wanted >= FIRST_LPI && this.#memory.correct(wanted, lastRecorded >>> 24)) ||
        (shown >= FIRST_LPI && shown !== wanted && this.#memory.correct(shown, 'disabled'));
      if (!ok) return false;
      for (const cpu of this.#cpus) {
        this.#comparison.accept(kinds.length * cpu, this.#pendingNow(cpu));
        this.#comparison.accept(kinds.length * cpu + 1, this.#wiresNow(cpu));
      }
    }
    return false;
  }

  #mismatch({ stream, recorded, produced, at, line }: Difference): FoundMismatch {
    const kind = kindOf(stream);
    const text = (word: number | undefined): string => {
      if (word === undefined) return `no further change (${this.#text(stream, this.#now(stream))})`;
      return this.#text(stream, word);
    };
    const expected = recorded[at] === undefined ? 'no change' : this.#text(stream, recorded[at]);
    return { line, kind, cpu: cpuOf(stream), expected, got: text(produced[at]) };
  }

  #text(stream: number, word: number): string {
    const kind = kindOf(stream);
    if (kind === 'maintenance') return word === 0 ? 'low' : 'high';
    if (kind === 'virtual-pending') return virtualPendingText(virtualPendingOf(word));
    if (kind !== 'pending') return wiresText({ fiq: (word & 2) !== 0, irq: (word & 1) !== 0 });
    const group = ((word >>> 23) & 1) as 0 | 1;
    return pendingText({ intid: intidOf(word), priority: word >>> 24, group });
  }

  #now(stream: number): number {
    const cpu = cpuOf(stream);
    const kind = kindOf(stream);
    if (kind === 'pending') return this.#pendingNow(cpu);
    if (kind === 'wires') return this.#wiresNow(cpu);
    const outputs = this.#hardware.virtualOutputs?.(cpu);
    if (!outputs) return 0;
    if (kind === 'virtual-pending') return virtualPendingNow(outputs);
    return kind === 'maintenance' ? Number(outputs.maintenance) : wiresWord(outputs.vfiq, outputs.virq);
  }

  #pendingNow(cpu: number): number {
    if (this.#access) return this.#access.highestPendingWord(cpu);
    const pending = this.#hardware.highestPending(cpu);
    return pending ? pendingWord(pending) : NOTHING_PENDING;
  }

  #wiresNow(cpu: number): number {
    return wiresWord(this.#hardware.fiq(cpu), this.#hardware.irq(cpu));
  }
}

function kindOf(stream: number): OutputKind {
  return kinds[stream % kinds.length] as OutputKind;
}

function cpuOf(stream: number): number {
  return Math.floor(stream / kinds.length);
}

/** A recorded result as the number that stands for it. */
function resultWord(event: Result): number {
  switch (event.kind) {
    case 'pending':
      return pendingWord(event);
    case 'virtual-pending':
      return virtualPendingWord(event.winner, event.priority === IDLE_PRIORITY ? undefined : event);
    case 'maintenance':
      return Number(event.level);
    default:
      return wiresWord(event.fiq, event.irq);
  }
}

function virtualPendingNow({ winner, bestVlpi }: VirtualOutputs): number {
  const number = typeof winner === 'number' ? winner : winner === undefined ? -1 : DIRECT;
  return virtualPendingWord(number, bestVlpi && { vlpi: bestVlpi.vIntid, priority: bestVlpi.priority });
}

/** Winner + 1 in the lowest five bits, above them the best VLPI and its priority, or zero for none. */
function virtualPendingWord(
  winner: number,
  best?: { readonly vlpi: number; readonly priority: number },
): number {
  return winner + 1 + (best ? (best.vlpi + best.priority * 2 ** 22) * 32 : 0);
}

function virtualPendingOf(word: number): { winner: number; vlpi: number; priority: number } {
  const best = Math.floor(word / 32);
  const vlpi = best % 2 ** 22;
  return { winner: (word % 32) - 1, vlpi, priority: vlpi === 0 ? IDLE_PRIORITY : Math.floor(best / 2 ** 22) };
}

function pendingWord({ intid, priority, group }: { intid: number; priority: number; group: 0 | 1 }): number {
  return priority === IDLE_PRIORITY ? NOTHING_PENDING : ((priority << 24) | (group << 23) | intid) >>> 0;
}

/** -1 for none. */
function intidOf(word: number): number {
  return word === NOTHING_PENDING ? -1 : word & 0x7f_ffff;
}

function wiresWord(fiq: boolean, irq: boolean): number {
  return (fiq ? 2 : 0) | (irq ? 1 : 0);
}

function hasOutputAccess(hardware: GicHardware): hardware is GicHardware & OutputAccess {
  return 'highestPendingWord' in hardware && 'takeChangedCpus' in hardware;
}

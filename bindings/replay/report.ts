import type { CaptureEvent } from './events.ts';
import type { ExclusionId } from './exclusions.ts';

/** What is compared. */
export type CheckKind =
  | 'GICD'
  | 'GICR'
  | 'GITS'
  | 'ICC'
  | 'ICH'
  | 'ICV'
  | 'acknowledge'
  | 'pending'
  | 'wires'
  | 'virtual-acknowledge'
  | 'virtual-pending'
  | 'virtual-wires'
  | 'maintenance'
  | 'sgi'
  | 'command'
  | 'table'
  | 'final-memory';

/** What each comparison is about, for people. */
export const checkNames: Readonly<Record<CheckKind, string>> = {
  GICD: 'GICD register reads',
  GICR: 'GICR register reads',
  GITS: 'GITS register reads',
  ICC: 'ICC system register reads',
  ICH: 'ICH system register reads',
  ICV: 'ICV system register reads',
  acknowledge: 'acknowledged INTIDs',
  pending: 'highest pending changes',
  wires: 'IRQ and FIQ changes',
  'virtual-acknowledge': 'INTIDs acknowledged by guests',
  'virtual-pending': 'virtual highest pending changes',
  'virtual-wires': 'vIRQ and vFIQ changes',
  maintenance: 'maintenance interrupt changes',
  sgi: 'SGI arrivals',
  command: 'ITS commands decoded',
  table: 'ITS table entries',
  'final-memory': 'tables in final memory',
};

/** A recorded value that the model did not reproduce. */
export interface FoundMismatch {
  /** Line of the recorded value, or of the action that should have had no such result. */
  readonly line: number;
  /** What was compared. */
  readonly kind: CheckKind;
  /** The PE, where it is one's. */
  readonly cpu?: number;
  /** The register or the table entry. */
  readonly register?: string;
  /** What was recorded. */
  readonly expected: string;
  /** What the model gave. */
  readonly got: string;
}

/** A mismatch that is kept, with what helps to explain it. */
export interface Mismatch extends FoundMismatch {
  /** The latest events of that PE, of the distributor and the ITS, oldest first. */
  readonly context: readonly string[];
  /**
   * The model's state when the difference was found, of that PE or else of the ITS: after a read that differs has had
   * its effect, and for outputs, which are compared a little later, after what came until then.
   */
  readonly state: readonly string[];
}

/** Acknowledged interrupts by kind. */
export interface InterruptCounts {
  /** INTIDs 0 to 15. */
  sgi: number;
  /** INTIDs 16 to 31. */
  ppi: number;
  /** INTIDs 32 to 1019. */
  spi: number;
  /** INTIDs from 8192 on. */
  lpi: number;
  /** 1023. */
  spurious: number;
}

/** Direct injection, as the model counted it. */
export interface VirtualCounts {
  /** VLPIs that went directly to a resident vPE. */
  readonly direct: number;
  /** VLPIs that waited for their vPE. */
  readonly waiting: number;
  /** Doorbells that rang. */
  readonly doorbells: number;
  /** Acknowledged by guests out of a list register. */
  readonly fromListRegisters: number;
  /** VLPIs acknowledged by guests directly. */
  readonly directlyAcknowledged: number;
  /** Times that a vPE was made resident. */
  readonly scheduledIn: number;
}

/** What a replay found. */
export interface ReplayReport {
  /** Name of the recording. */
  readonly file: string;
  /** Events read, results included. */
  readonly events: number;
  /** Recorded values compared. */
  readonly checked: number;
  /** Of these, the ones that the model did not reproduce. */
  readonly mismatches: number;
  /** How often each entry of `exclusions` was used. */
  readonly skipped: Readonly<Partial<Record<ExclusionId, number>>>;
  /** How long it took. */
  readonly seconds: number;
  /** `events` by `seconds`. */
  readonly eventsPerSecond: number;
  /** The machine that the recording was played on. */
  readonly machine: string;
  /** ITS commands by name. */
  readonly commands: Readonly<Record<string, number>>;
  /** MSIs of devices. */
  readonly msis: number;
  /** Acknowledged interrupts. */
  readonly interrupts: Readonly<InterruptCounts>;
  /** What the model counted of direct injection; undefined where none happened. */
  readonly virtual?: VirtualCounts;
  /** `checked` by what was compared. */
  readonly checkedByKind: Readonly<Partial<Record<CheckKind, number>>>;
  /** The first ones in full: `limit` of `ReplayOptions`. */
  readonly firstMismatches: readonly Mismatch[];
  /** Where the replay ended before the recording did, and why. */
  readonly stopped?: {
    /** Line of the recording. */
    readonly line: number;
    /** Why. */
    readonly reason: ExclusionId;
  };
}

/** Counts what a replay sees and does. */
export class Tally {
  events = 0;
  mismatches = 0;
  msis = 0;
  readonly commands: Record<string, number> = {};
  readonly interrupts: InterruptCounts = { sgi: 0, ppi: 0, spi: 0, lpi: 0, spurious: 0 };
  readonly checkedByKind: Partial<Record<CheckKind, number>> = {};
  readonly skipped: Partial<Record<ExclusionId, number>> = {};

  check(kind: CheckKind, count = 1): void {
    this.checkedByKind[kind] = (this.checkedByKind[kind] ?? 0) + count;
  }

  skip(reason: ExclusionId, count = 1): void {
    this.skipped[reason] = (this.skipped[reason] ?? 0) + count;
  }

  get checked(): number {
    return Object.values(this.checkedByKind).reduce((sum, count) => sum + count, 0);
  }

  /** Counts an input or a result that was read. */
  see(event: CaptureEvent): void {
    this.events++;
    if (event.kind === 'msi') this.msis++;
    else if (event.kind === 'command') this.commands[event.name] = (this.commands[event.name] ?? 0) + 1;
    else if (event.kind === 'acknowledge' && event.interface === 'ICC') {
      this.interrupts[interruptClass(Number(event.value))]++;
    }
  }
}

function interruptClass(intid: number): keyof InterruptCounts {
  if (intid < 16) return 'sgi';
  if (intid < 32 || (intid >= 1056 && intid < 1120)) return 'ppi';
  if (intid >= 8192) return 'lpi';
  return intid >= 1020 && intid < 1024 ? 'spurious' : 'spi';
}

import { Diagnostic, Event as Kind } from '../assembly/abi.ts';
import { type CommandName, commandOfNumber } from './commands/definitions.ts';
import type { DiagnosticCode } from './diagnostics.ts';
import { type MsiOutcome, msiOutcomes } from './outcomes.ts';
import { type Ring, RingReader } from './ring.ts';

/** An event at an ITS: its kind, the number of the ITS, and what else there is to say. */
export type EventAtIts<Kind extends string, Fields> = {
  /** What happened. */
  readonly kind: Kind;
  /** The ITS, from 0. */
  readonly its: number;
} & Readonly<Fields>;

/** An event at a PE: its kind, the number of the PE, and what else there is to say. */
export type EventAtCpu<Kind extends string, Fields> = {
  /** What happened. */
  readonly kind: Kind;
  /** The PE, from 0. */
  readonly cpu: number;
} & Readonly<Fields>;

/** What is said of a physical interrupt. */
export interface EventInterrupt {
  /** Its INTID. */
  readonly intid: number;
}

/** What is said of a virtual interrupt. */
export interface VirtualEventInterrupt {
  /** Its INTID in the guest. */
  readonly vIntid: number;
}

/** To which group an interrupt belongs. */
export interface EventGroup {
  /** 0 or 1. */
  readonly group: number;
}

/** A vPE that an event is about. */
export interface EventVpe {
  /** Its vPEID. */
  readonly vpeId: number;
}

/** Who presented a virtual interrupt: the number of a list register, or a direct injection. */
export type VirtualSource = number | 'vlpi' | 'vsgi';

/** One thing that happened in a machine, in the order in which it happened. `sequence` counts from 0. */
export type MachineEvent = {
  /** Counts from 0; a gap shows events that were lost because the ring was full. */
  readonly sequence: number;
} & (
  | EventAtIts<
      'msi',
      {
        /** The DeviceID that came with the write. */
        deviceId: number;
        /** What was written to GITS_TRANSLATER. */
        eventId: number;
      }
    >
  | EventAtIts<
      'msi-outcome',
      {
        /** What became of the `msi` before. */
        outcome: MsiOutcome;
      }
    >
  | EventAtIts<
      'command',
      {
        /** UNKNOWN for a number without a command. */
        command: CommandName | 'UNKNOWN';
        /** Where it is in the queue, in bytes. */
        offset: number;
      }
    >
  | EventAtIts<
      'command-failed',
      {
        /** The code of `commandErrors`. */
        error: number;
      }
    >
  | EventAtCpu<'lpi-pending', EventInterrupt>
  | EventAtCpu<'vlpi-direct', VirtualEventInterrupt>
  | EventAtCpu<'vlpi-waiting', VirtualEventInterrupt & EventVpe>
  | EventAtCpu<'doorbell', EventInterrupt>
  | EventAtCpu<'acknowledged', EventInterrupt & EventGroup>
  | EventAtCpu<'priority-dropped', EventInterrupt>
  | EventAtCpu<'deactivated', EventInterrupt>
  | EventAtCpu<
      'virtual-acknowledged',
      VirtualEventInterrupt & {
        /** Who presented it. */
        source: VirtualSource;
      }
    >
  | EventAtCpu<'virtual-priority-dropped', VirtualEventInterrupt>
  | EventAtCpu<
      'virtual-deactivated',
      VirtualEventInterrupt & {
        /** The list register that had it. */
        listRegister: number;
      }
    >
  | EventAtCpu<'scheduled-in', unknown>
  | EventAtCpu<
      'scheduled-out',
      {
        /** GICR_VPENDBASER.PendingLast. */
        pendingLast: boolean;
      }
    >
  | EventAtCpu<'sgi-sent', EventInterrupt & EventGroup>
  | ({
      /** A virtual SGI of a vPE became pending. */
      readonly kind: 'vsgi-pending';
    } & EventVpe &
      VirtualEventInterrupt)
  | {
      /** `takeDiagnostics` has it in full. */
      readonly kind: 'diagnostic';
      /** The PE or ITS. */
      readonly unit: number;
      /** What kind. */
      readonly code: DiagnosticCode;
    }
);

type Unnumbered = MachineEvent extends infer E ? (E extends unknown ? Omit<E, 'sequence'> : never) : never;

/** How the operands of a record become an event. */
const decoders: Partial<Record<Kind, (unit: number, a: number, b: number) => Unnumbered>> = {
  [Kind.MSI]: (its, deviceId, eventId) => ({ kind: 'msi', its, deviceId, eventId }),
  [Kind.MSI_OUTCOME]: (its, a) => ({ kind: 'msi-outcome', its, outcome: msiOutcomes[a] as MsiOutcome }),
  [Kind.COMMAND]: (its, a, offset) => ({
    kind: 'command',
    its,
    command: commandOfNumber.get(a) ?? 'UNKNOWN',
    offset,
  }),
  [Kind.COMMAND_FAILED]: (its, error) => ({ kind: 'command-failed', its, error }),
  [Kind.LPI_PENDING]: (cpu, intid) => ({ kind: 'lpi-pending', cpu, intid }),
  [Kind.VLPI_DIRECT]: (cpu, vIntid) => ({ kind: 'vlpi-direct', cpu, vIntid }),
  [Kind.VLPI_WAITING]: (cpu, vIntid, vpeId) => ({ kind: 'vlpi-waiting', cpu, vIntid, vpeId }),
  [Kind.DOORBELL]: (cpu, intid) => ({ kind: 'doorbell', cpu, intid }),
  [Kind.ACKNOWLEDGED]: (cpu, intid, group) => ({ kind: 'acknowledged', cpu, intid, group }),
  [Kind.PRIORITY_DROPPED]: (cpu, intid) => ({ kind: 'priority-dropped', cpu, intid }),
  [Kind.DEACTIVATED]: (cpu, intid) => ({ kind: 'deactivated', cpu, intid }),
  [Kind.VIRTUAL_ACKNOWLEDGED]: (cpu, vIntid, source) => ({
    kind: 'virtual-acknowledged',
    cpu,
    vIntid,
    source: directSources.get(source) ?? source,
  }),
  [Kind.VIRTUAL_PRIORITY_DROPPED]: (cpu, vIntid) => ({ kind: 'virtual-priority-dropped', cpu, vIntid }),
  [Kind.VIRTUAL_DEACTIVATED]: (cpu, vIntid, listRegister) => ({
    kind: 'virtual-deactivated',
    cpu,
    vIntid,
    listRegister,
  }),
  [Kind.SCHEDULED_IN]: (cpu) => ({ kind: 'scheduled-in', cpu }),
  [Kind.SCHEDULED_OUT]: (cpu, a) => ({ kind: 'scheduled-out', cpu, pendingLast: a !== 0 }),
  [Kind.SGI_SENT]: (cpu, intid, group) => ({ kind: 'sgi-sent', cpu, intid, group }),
  [Kind.VSGI_PENDING]: (vpeId, vIntid) => ({ kind: 'vsgi-pending', vpeId, vIntid }),
  [Kind.DIAGNOSTIC]: (unit, a) => ({ kind: 'diagnostic', unit, code: Diagnostic[a] as DiagnosticCode }),
};

/** Winners that are not list registers, by the engine's numbers. */
export const directSources: ReadonlyMap<number, 'vlpi' | 'vsgi'> = new Map([
  [16, 'vlpi'],
  [17, 'vsgi'],
]);

/** Reads the machine's ring of events. */
export class EventReader {
  readonly #ring: RingReader;

  constructor(words: Uint32Array, ring: Ring) {
    this.#ring = new RingReader(words, ring);
  }

  /** Forgets what was there before: the machine has another past now. */
  skip(): void {
    this.#ring.skip();
  }

  /** The events since the last call. Of more than the ring holds only the newest are left; `sequence` shows the gap. */
  take(): MachineEvent[] {
    return this.#ring.take().map(({ sequence, words }) => {
      const [kind = 0, unit = 0, a = 0, b = 0] = words;
      const decode = decoders[kind as Kind];
      if (!decode) throw new Error(`event record ${sequence} has the unknown kind ${kind}`);
      return { sequence, ...decode(unit, a, b) } as MachineEvent;
    });
  }
}

import { Diagnostic, Event as Kind } from '../assembly/abi.ts';
import { type CommandName, commandOfNumber } from './commands/definitions.ts';
import type { DiagnosticCode } from './diagnostics.ts';
import { type MsiOutcome, msiOutcomes } from './outcomes.ts';
import { type Ring, RingReader } from './ring.ts';

type AtIts<Name extends string, Fields> = { readonly kind: Name; readonly its: number } & Readonly<Fields>;
type AtCpu<Name extends string, Fields> = { readonly kind: Name; readonly cpu: number } & Readonly<Fields>;

/** Who presented a virtual interrupt: the number of a list register, or a direct injection. */
export type VirtualSource = number | 'vlpi' | 'vsgi';

/** One thing that happened in a machine, in the order in which it happened. */
export type MachineEvent = { readonly sequence: number } & (
  | AtIts<'msi', { deviceId: number; eventId: number }>
  | AtIts<'msi-outcome', { outcome: MsiOutcome }>
  | AtIts<'command', { command: CommandName | 'UNKNOWN'; offset: number }>
  | AtIts<'command-failed', { error: number }>
  | AtCpu<'lpi-pending', { intid: number }>
  | AtCpu<'vlpi-direct', { vIntid: number }>
  | AtCpu<'vlpi-waiting', { vIntid: number; vpeId: number }>
  | AtCpu<'doorbell', { intid: number }>
  | AtCpu<'acknowledged', { intid: number; group: number }>
  | AtCpu<'priority-dropped', { intid: number }>
  | AtCpu<'deactivated', { intid: number }>
  | AtCpu<'virtual-acknowledged', { vIntid: number; source: VirtualSource }>
  | AtCpu<'virtual-priority-dropped', { vIntid: number }>
  | AtCpu<'virtual-deactivated', { vIntid: number; listRegister: number }>
  | AtCpu<'scheduled-in', unknown>
  | AtCpu<'scheduled-out', { pendingLast: boolean }>
  | AtCpu<'sgi-sent', { intid: number; group: number }>
  | { readonly kind: 'vsgi-pending'; readonly vpeId: number; readonly vIntid: number }
  | { readonly kind: 'diagnostic'; readonly unit: number; readonly code: DiagnosticCode }
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

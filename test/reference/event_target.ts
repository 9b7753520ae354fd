import type { MsiOutcome } from '../../bindings/outcomes.ts';
import type { Mapping, VirtualMapping } from './its_tables.ts';
import { Failure, Reason, type Translation } from './its_translation.ts';
import type { LpiUnit } from './lpi.ts';
import { TableFault } from './table.ts';
import type { VlpiDelivery } from './vlpi_delivery.ts';
import type { Vpe, Vpes } from './vpe.ts';

/** The LPI or VLPI that an event is mapped to, where it is now: INT, CLEAR, DISCARD and INV work on either. */
export interface EventTarget {
  setPending(): MsiOutcome;
  readonly kind: 'lpi' | 'vlpi';
  /** Whether it was pending. */
  clearPending(): boolean;
  invalidate(): void;
}

/** GICv4: the vPEs, and what reaches them. */
export interface VirtualSide {
  readonly vpes: Vpes;
  readonly delivery: VlpiDelivery;
}

/** What finds the targets of one ITS's events. */
export interface TargetFinder {
  readonly its: number;
  readonly translation: Translation;
  /** The LPIs of each PE's redistributor. */
  readonly lpis: readonly LpiUnit[];
  readonly virtual: VirtualSide | undefined;
}

const outcomes: Partial<Record<Reason, MsiOutcome>> = {
  [Reason.DEVICE_OUT_OF_RANGE]: 'device-out-of-range',
  [Reason.DEVICE_UNMAPPED]: 'device-unmapped',
  [Reason.EVENT_OUT_OF_RANGE]: 'event-out-of-range',
  [Reason.INTERRUPT_UNMAPPED]: 'event-unmapped',
  [Reason.COLLECTION_UNMAPPED]: 'collection-unmapped',
  [Reason.VPE_UNMAPPED]: 'vpe-unmapped',
};

/** What a lookup that failed makes of an event. */
export function outcomeOf(problem: unknown): MsiOutcome {
  if (problem instanceof TableFault) return 'table-fault';
  if (problem instanceof Failure) return outcomes[problem.reason]!;
  throw problem;
}

/** Section 5.11. Throws a `Failure` where the collection or the vPE is not mapped. */
export function targetOf(finder: TargetFinder, mapping: Mapping): EventTarget {
  if (mapping.kind === 'virtual') return vlpiTarget(finder, mapping);
  const cpu = finder.translation.collections.read(mapping.icid);
  if (cpu === undefined) throw new Failure(Reason.COLLECTION_UNMAPPED);
  const lpis = finder.lpis[cpu]!;
  const { intid } = mapping;
  return {
    kind: 'lpi',
    setPending: () => lpis.setPending(intid),
    clearPending: () => lpis.clearPending(intid),
    invalidate: () => lpis.invalidate(intid),
  };
}

function vlpiTarget({ its, virtual }: TargetFinder, mapping: VirtualMapping): EventTarget {
  const { vpes, delivery } = virtual!;
  const vpe: Vpe | undefined = vpes.find(its, mapping.vpeId);
  if (!vpe) throw new Failure(Reason.VPE_UNMAPPED);
  const { vIntid, doorbell } = mapping;
  return {
    kind: 'vlpi',
    setPending: () => delivery.setPending(vpe, vIntid, doorbell),
    clearPending: () => delivery.clearPending(vpe, vIntid),
    invalidate: () => delivery.invalidate(vpe, vIntid),
  };
}

import { Outcome } from '../assembly/abi.ts';

/** What became of an MSI. Everything but `pending` and `coalesced` means that it was dropped, and why. */
export type MsiOutcome =
  | 'pending'
  | 'coalesced'
  | 'its-disabled'
  | 'device-out-of-range'
  | 'device-unmapped'
  | 'event-out-of-range'
  | 'event-unmapped'
  | 'collection-unmapped'
  | 'lpis-disabled'
  | 'intid-out-of-range'
  | 'table-fault'
  | 'no-device-id'
  | 'vpe-unmapped';

/** Outcomes by the engine's numbers. */
export const msiOutcomes = Array.from({ length: Outcome.COUNT }, (_, n) =>
  (Outcome[n] ?? '').toLowerCase().replaceAll('_', '-'),
) as MsiOutcome[];

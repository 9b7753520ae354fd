import { expect } from 'vitest';
import type { CounterValues } from '../../bindings/index.ts';

/** What the counters promise: of all that became pending, each was acknowledged, was cleared, or is pending still. */
export function expectConserved(counters: CounterValues, still: { lpis: number; vlpis?: number }): void {
  const { msi, int, setlpir, vlpis, doorbells, acknowledged, virtualAcknowledged, cleared } = counters;
  const madeVlpis = vlpis.direct + vlpis.waiting;
  const madeLpis = msi.pending + int.pending - madeVlpis + setlpir.pending + doorbells.rung;
  expect({ lpis: madeLpis, vlpis: madeVlpis }).toEqual({
    lpis: acknowledged.lpi + cleared.lpi + still.lpis,
    vlpis: virtualAcknowledged.vlpi + cleared.vlpi + (still.vlpis ?? 0),
  });
}

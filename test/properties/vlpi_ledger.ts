import { expect } from 'vitest';
import type { CounterValues } from '../../bindings/index.ts';

/** What has to be counted, and that every VLPI that is made pending ends once. */
export class VlpiLedger {
  readonly msi = { pending: 0, coalesced: 0, dropped: 0 };
  readonly int = { pending: 0, coalesced: 0, dropped: 0 };
  readonly vlpis = { direct: 0, waiting: 0 };
  readonly doorbells = { rung: 0, coalesced: 0, dropped: 0 };
  readonly residency = { scheduledIn: 0, scheduledOut: 0 };
  acknowledged = 0;
  spurious = 0;
  readonly #made = new Map<string, number>();
  readonly #ended = new Map<string, number>();

  /** A VLPI became pending. */
  made(vpeId: number, vIntid: number): void {
    count(this.#made, vpeId, vIntid);
  }

  /** Its pending state ended: acknowledged, cleared, or moved to another vPE. */
  ended(vpeId: number, vIntid: number): void {
    count(this.#ended, vpeId, vIntid);
  }

  /** To be asked when nothing is pending any more. */
  checkEnds(): void {
    expect(Object.fromEntries(this.#ended)).toEqual(Object.fromEntries(this.#made));
  }

  checkCounters(counters: CounterValues): void {
    for (const source of ['msi', 'int'] as const) {
      const { total, pending, coalesced, dropped } = counters[source];
      const drops = Object.values(dropped).reduce((sum, n) => sum + n, 0);
      expect({ pending, coalesced, dropped: drops }).toEqual(this[source]);
      expect(pending + coalesced + drops).toBe(total);
    }
    expect(counters.vlpis).toEqual(this.vlpis);
    expect(counters.doorbells).toEqual(this.doorbells);
    expect(counters.residency).toEqual(this.residency);
    const { vlpi, listRegister, spurious } = counters.virtualAcknowledged;
    expect({ vlpi, listRegister, spurious }).toEqual({
      vlpi: this.acknowledged,
      listRegister: 0,
      spurious: this.spurious,
    });
  }
}

function count(map: Map<string, number>, vpeId: number, vIntid: number): void {
  const key = `vPE ${vpeId} VLPI ${vIntid}`;
  map.set(key, (map.get(key) ?? 0) + 1);
}

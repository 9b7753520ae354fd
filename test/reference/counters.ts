import type { CounterValues, LpiRequestCounts } from '../../bindings/counters.ts';
import type { MsiOutcome } from '../../bindings/outcomes.ts';

/** What became of requests to make an LPI pending. */
class Requests {
  #pending = 0;
  #coalesced = 0;
  readonly #dropped = new Map<MsiOutcome, number>();

  add(outcome: MsiOutcome): void {
    if (outcome === 'pending') this.#pending++;
    else if (outcome === 'coalesced') this.#coalesced++;
    else this.#dropped.set(outcome, (this.#dropped.get(outcome) ?? 0) + 1);
  }

  get values(): LpiRequestCounts {
    const dropped = [...this.#dropped.values()].reduce((sum, count) => sum + count, 0);
    return {
      total: this.#pending + this.#coalesced + dropped,
      pending: this.#pending,
      coalesced: this.#coalesced,
      dropped: Object.fromEntries(this.#dropped),
    };
  }
}

/** Events counted since the model was made; the members are those of `CounterValues`. */
export class Counters {
  readonly msi = new Requests();
  readonly int = new Requests();
  readonly setlpir = new Requests();
  commands = 0;
  commandErrors = 0;
  readonly acknowledged = { sgi: 0, ppi: 0, spi: 0, lpi: 0 };
  spurious = 0;
  priorityDrops = 0;
  deactivations = 0;
  readonly sgis = { sent: 0, coalesced: 0 };
  systemErrors = 0;
  readonly vlpis = { direct: 0, waiting: 0 };
  readonly doorbells = { rung: 0, coalesced: 0, dropped: 0 };
  readonly residency = { scheduledIn: 0, scheduledOut: 0 };
  readonly virtualAcknowledged = { listRegister: 0, vlpi: 0, vsgi: 0, spurious: 0 };
  readonly vsgis = { sent: 0, coalesced: 0, dropped: 0 };
  readonly cleared = { lpi: 0, vlpi: 0 };
  maintenance = 0;

  get values(): CounterValues {
    const { msi, int, setlpir, ...rest } = this;
    return { ...rest, msi: msi.values, int: int.values, setlpir: setlpir.values };
  }
}

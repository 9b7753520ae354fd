import { Counter, Outcome } from '../assembly/abi.ts';

/** Events counted since a machine was made. Requests for an LPI add up: pending + coalesced + dropped. */
export interface CounterValues {
  /** MSIs at GITS_TRANSLATER, by what became of them. */
  readonly msi: LpiRequestCounts;
  /** INT commands that reached an event. */
  readonly int: LpiRequestCounts;
  /** Writes of GICR_SETLPIR. */
  readonly setlpir: LpiRequestCounts;
  readonly commands: number;
  readonly commandErrors: number;
  readonly acknowledged: {
    readonly sgi: number;
    readonly ppi: number;
    readonly spi: number;
    readonly lpi: number;
  };
  /** Reads of ICC_IAR0_EL1 and ICC_IAR1_EL1 that returned 1023. */
  readonly spurious: number;
  readonly priorityDrops: number;
  readonly deactivations: number;
  readonly sgis: { readonly sent: number; readonly coalesced: number };
  /** SEIs raised for command errors. */
  readonly systemErrors: number;
  /** VLPIs made pending: for a resident vPE, and for one that was not. */
  readonly vlpis: { readonly direct: number; readonly waiting: number };
  readonly doorbells: { readonly rung: number; readonly coalesced: number; readonly dropped: number };
  /** Times that a vPE was made resident, and descheduled. */
  readonly residency: { readonly scheduledIn: number; readonly scheduledOut: number };
  /** Acknowledged by guests, from a list register and directly. */
  readonly virtualAcknowledged: {
    readonly listRegister: number;
    readonly vlpi: number;
    readonly vsgi: number;
    readonly spurious: number;
  };
  /** Writes of GITS_SGIR. */
  readonly vsgis: { readonly sent: number; readonly coalesced: number; readonly dropped: number };
  /** Pending LPIs and VLPIs that CLEAR, DISCARD and GICR_CLRLPIR took away. */
  readonly cleared: { readonly lpi: number; readonly vlpi: number };
  /** Rising edges of maintenance interrupts. */
  readonly maintenance: number;
}

/** What became of requests to make an LPI pending. */
export interface LpiRequestCounts {
  readonly total: number;
  readonly pending: number;
  /** The LPI was pending already. */
  readonly coalesced: number;
  /** By reason; only reasons that occurred. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** The counters of all threads together: each has its own, at one of `places`. */
export function readCounters(buffer: ArrayBufferLike, places: readonly number[]): CounterValues {
  const threads = places.map((at) => countersAt(buffer, at));
  const value = (counter: number): number => threads.reduce((sum, count) => sum + count(counter), 0);
  return {
    msi: requests(value, Counter.MSI),
    int: requests(value, Counter.INT),
    setlpir: requests(value, Counter.SETLPIR),
    commands: value(Counter.COMMANDS),
    commandErrors: value(Counter.COMMAND_ERRORS),
    acknowledged: {
      sgi: value(Counter.ACKNOWLEDGED_SGI),
      ppi: value(Counter.ACKNOWLEDGED_PPI),
      spi: value(Counter.ACKNOWLEDGED_SPI),
      lpi: value(Counter.ACKNOWLEDGED_LPI),
    },
    spurious: value(Counter.SPURIOUS),
    priorityDrops: value(Counter.PRIORITY_DROPS),
    deactivations: value(Counter.DEACTIVATIONS),
    sgis: { sent: value(Counter.SGIS_SENT), coalesced: value(Counter.SGIS_COALESCED) },
    systemErrors: value(Counter.SYSTEM_ERRORS),
    vlpis: { direct: value(Counter.VLPIS_DIRECT), waiting: value(Counter.VLPIS_WAITING) },
    doorbells: {
      rung: value(Counter.DOORBELLS),
      coalesced: value(Counter.DOORBELLS_COALESCED),
      dropped: value(Counter.DOORBELLS_DROPPED),
    },
    residency: { scheduledIn: value(Counter.SCHEDULED_IN), scheduledOut: value(Counter.SCHEDULED_OUT) },
    virtualAcknowledged: {
      listRegister: value(Counter.VIRTUAL_ACKNOWLEDGED_LR),
      vlpi: value(Counter.VIRTUAL_ACKNOWLEDGED_VLPI),
      vsgi: value(Counter.VIRTUAL_ACKNOWLEDGED_VSGI),
      spurious: value(Counter.VIRTUAL_SPURIOUS),
    },
    vsgis: {
      sent: value(Counter.VSGIS_SENT),
      coalesced: value(Counter.VSGIS_COALESCED),
      dropped: value(Counter.VSGIS_DROPPED),
    },
    cleared: { lpi: value(Counter.LPIS_CLEARED), vlpi: value(Counter.VLPIS_CLEARED) },
    maintenance: value(Counter.MAINTENANCE),
  };
}

/** What one thread counted of MSIs. */
export function readMsiCounts(buffer: ArrayBufferLike, at: number): LpiRequestCounts {
  return requests(countersAt(buffer, at), Counter.MSI);
}

function countersAt(buffer: ArrayBufferLike, at: number): (counter: number) => number {
  const words = new Uint32Array(buffer, at, Counter.COUNT * 2);
  return (counter) => (words[2 * counter] as number) + (words[2 * counter + 1] as number) * 2 ** 32;
}

function requests(value: (counter: number) => number, first: Counter): LpiRequestCounts {
  const dropped: Record<string, number> = {};
  let total = 0;
  for (let outcome = 0; outcome < Outcome.COUNT; outcome++) {
    const count = value(first + outcome);
    total += count;
    if (outcome > Outcome.COALESCED && count > 0) {
      dropped[(Outcome[outcome] as string).toLowerCase().replaceAll('_', '-')] = count;
    }
  }
  return {
    total,
    pending: value(first + Outcome.PENDING),
    coalesced: value(first + Outcome.COALESCED),
    dropped,
  };
}

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

export function readCounters(buffer: ArrayBufferLike, at: number): CounterValues {
  const words = new Uint32Array(buffer, at, Counter.COUNT * 2);
  const value = (counter: number): number =>
    (words[2 * counter] as number) + (words[2 * counter + 1] as number) * 2 ** 32;
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
  };
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

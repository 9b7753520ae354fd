import { Counter, Outcome } from '../assembly/abi.ts';

/** Events counted since a machine was made. Requests for an LPI add up: pending + coalesced + dropped. */
export interface CounterValues {
  /** MSIs at GITS_TRANSLATER, by what became of them. */
  readonly msi: LpiRequestCounts;
  /** INT commands that reached an event. */
  readonly int: LpiRequestCounts;
  /** Writes of GICR_SETLPIR. */
  readonly setlpir: LpiRequestCounts;
  /** ITS commands executed. */
  readonly commands: number;
  /** ITS commands that failed. */
  readonly commandErrors: number;
  /** Reads of ICC_IAR0_EL1 and ICC_IAR1_EL1 that returned an interrupt, by its kind. */
  readonly acknowledged: {
    /** INTIDs 0 to 15. */
    readonly sgi: number;
    /** INTIDs 16 to 31, and Extended PPIs. */
    readonly ppi: number;
    /** INTIDs 32 to 1019, and Extended SPIs. */
    readonly spi: number;
    /** INTIDs from 8192 on. */
    readonly lpi: number;
  };
  /** Reads of ICC_IAR0_EL1 and ICC_IAR1_EL1 that returned 1023. */
  readonly spurious: number;
  /** Running priorities dropped, by ICC_EOIR0_EL1 and ICC_EOIR1_EL1. */
  readonly priorityDrops: number;
  /** Interrupts deactivated, with their priority drop or by ICC_DIR_EL1. */
  readonly deactivations: number;
  /** SGIs by ICC_SGI0R_EL1, ICC_SGI1R_EL1 and ICC_ASGI1R_EL1, counted for each target. */
  readonly sgis: {
    /** Became pending. */
    readonly sent: number;
    /** Were pending already. */
    readonly coalesced: number;
  };
  /** SEIs raised for command errors. */
  readonly systemErrors: number;
  /** VLPIs made pending by MSIs and INT commands; one that VMOVI moves to another vPE is not counted again. */
  readonly vlpis: {
    /** For a resident vPE. */
    readonly direct: number;
    /** For one that was not. */
    readonly waiting: number;
  };
  /** LPIs that tell of a VLPI for a vPE that is not resident. */
  readonly doorbells: {
    /** Became pending. */
    readonly rung: number;
    /** Were pending already. */
    readonly coalesced: number;
    /** Could not be made pending. */
    readonly dropped: number;
  };
  /** Times that a vPE was made resident, and descheduled. */
  readonly residency: {
    /** GICR_VPENDBASER.Valid was set. */
    readonly scheduledIn: number;
    /** GICR_VPENDBASER.Valid was cleared. */
    readonly scheduledOut: number;
  };
  /** Reads of ICV_IAR0_EL1 and ICV_IAR1_EL1 by guests. */
  readonly virtualAcknowledged: {
    /** From a list register. */
    readonly listRegister: number;
    /** VLPIs, directly. */
    readonly vlpi: number;
    /** Virtual SGIs, directly. */
    readonly vsgi: number;
    /** Acknowledges that gave 1023. */
    readonly spurious: number;
  };
  /** Writes of GITS_SGIR. */
  readonly vsgis: {
    /** The virtual SGI became pending. */
    readonly sent: number;
    /** It was pending already. */
    readonly coalesced: number;
    /** The vPE has no mapping. */
    readonly dropped: number;
  };
  /**
   * Interrupts that stopped being pending without being acknowledged, so that all that became pending adds up: it has been
   * acknowledged, is counted here, or is still pending in a pending table. Not counted is what software does to pending
   * tables by itself: what it writes there, and what it says not to be there (GICR_PENDBASER.PTZ, PTZ of VMAPP).
   */
  readonly cleared: {
    /**
     * LPIs that CLEAR, DISCARD, GICR_CLRLPIR or, by the policy `maptiClearsPending`, MAPTI and MAPI took away; those that
     * MOVI and MOVALL found pending at their new place too, where two become one; and those that the policies
     * `moviTargetDisabled` and `movallTargetDisabled` drop. LPIs that became pending are `doorbells.rung`, and of
     * `msi.pending`, `int.pending` and `setlpir.pending` together what is not in `vlpis`.
     */
    readonly lpi: number;
    /**
     * VLPIs that CLEAR or DISCARD took away, and those that VMOVI found pending for the new vPE too, or beyond the INTIDs of
     * its GICR_VPROPBASER. VLPIs that became pending are `vlpis.direct` and `vlpis.waiting`.
     */
    readonly vlpi: number;
  };
  /** Rising edges of maintenance interrupts. */
  readonly maintenance: number;
}

/** What became of requests to make an LPI pending. */
export interface LpiRequestCounts {
  /** All requests. */
  readonly total: number;
  /** The LPI became pending. */
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

import type { CaptureEvent } from './events.ts';

/** Something that a replay does not compare, or supplies by itself, and why. */
export interface Exclusion {
  /** The registers, events or results concerned. */
  readonly what: string;
  /** Why. */
  readonly reason: string;
}

/** The names of `exclusions`. */
export type ExclusionId =
  | 'cpu-interface-reset'
  | 'idle-result'
  | 'cut-short'
  | 'final-events'
  | 'private-format'
  | 'queue-dump'
  | 'no-inspector'
  | 'sgi-register'
  | 'el3-register'
  | 'virtual-interface'
  | 'virtual-result'
  | 'vlpi-frame'
  | 'vpe-table'
  | 'virtual-machine'
  | 'maintenance-line'
  | 'plugin-line'
  | 'other-device'
  | 'unknown-gic-event'
  | 'table-look-up'
  | 'unchanged-result'
  | 'command-not-told'
  | 'command-bytes'
  | 'untold-operands'
  | 'level-1-entry'
  | 'property-table'
  | 'lpi-configuration';

/**
 * Everything that a replay masks, excludes, skips or supplies. A report counts how often each entry was used, so
 * that nothing goes unsaid.
 */
export const exclusions: Readonly<Record<ExclusionId, Exclusion>> = {
  'cpu-interface-reset': {
    what: 'ICC_* of a PE when GICR_WAKER.ProcessorSleep=0 is written',
    reason:
      'supplied: a PE that is plugged in again comes with its CPU interface reset, which no event tells',
  },
  'idle-result': {
    what: 'INTID and group of a highest priority pending interrupt of priority 255',
    reason: 'masked: nothing is pending, and QEMU shows what it showed before',
  },
  'cut-short': {
    what: 'results at the very end of a recording',
    reason: 'the recording ends before the register write or acknowledge that they precede',
  },
  'final-events': {
    what: 'events behind the last long pause, for the comparison with memory dumps',
    reason: 'the dumps were made when the machine had been stopped; devices still signalled after that',
  },
  'private-format': {
    what: 'contents of device and collection tables and ITTs in memory dumps and ranges',
    reason: 'their format is private to a GIC; accesses by command and inspection are compared instead',
  },
  'queue-dump': {
    what: 'the command queue in memory dumps',
    reason: 'a replay puts the commands there itself',
  },
  'no-inspector': {
    what: 'ITS table entries',
    reason: 'the model offers no look at its tables',
  },
  'sgi-register': {
    what: 'ICC_SGI0R_EL1, ICC_ASGI1R_EL1',
    reason: 'not recorded which register requested an SGI: taken as ICC_SGI1R_EL1',
  },
  'el3-register': {
    what: 'ICC_CTLR_EL3, ICC_IGRPEN1_EL3',
    reason: 'the machine has one Security state and no EL3 (GICD_CTLR.DS=1)',
  },

  'virtual-interface': {
    what: 'ICH_*_EL2, ICV_*_EL1',
    reason: 'the model has no virtual CPU interface',
  },
  'virtual-result': {
    what: 'virtual pending, virtual wire and maintenance interrupt results',
    reason: 'the model has no virtual CPU interface',
  },
  'vlpi-frame': {
    what: 'GICR_VPROPBASER, GICR_VPENDBASER',
    reason: 'the model has no VLPI frame',
  },
  'vpe-table': {
    what: 'vPE table entries, entries of vLPIs, virtual property and pending tables',
    reason: 'the model has no vPEs',
  },
  'virtual-machine': {
    what: 'everything from the first V command, ICV access, or ICH_HCR_EL2.En=1 on',
    reason: 'the model has no GICv4: doorbells and hardware list registers change physical interrupts',
  },

  'maintenance-line': {
    what: 'the PPI of the maintenance interrupt',
    reason: 'no input: the model drives it by itself, which the maintenance results show',
  },

  'plugin-line': {
    what: 'PLUG lines of a raw log',
    reason: 'not written by QEMU itself; a log without them replays the same',
  },
  'other-device': {
    what: 'trace events of other devices in a raw log',
    reason: 'no part of the GIC',
  },
  'unknown-gic-event': {
    what: 'GIC trace events that this version does not know',
    reason: 'of another version of QEMU',
  },
  'table-look-up': {
    what: 'gicv3_its_cte_read, dte_read, ite_read, vte_read in a raw log',
    reason: 'how the ITS looked something up, with no effect',
  },
  'unchanged-result': {
    what: 'result lines of a raw log that repeat the last value',
    reason: 'QEMU prints them at each evaluation; the changes are compared',
  },
  'command-not-told': {
    what: 'gicv3_its_process_command without a line that tells the command',
    reason: 'this version of QEMU does not trace operands, so the command cannot be replayed',
  },
  'command-bytes': {
    what: 'bytes of ITS commands in a raw log',
    reason: 'not recorded: commands are encoded from their operands, the rest of their bits zero',
  },
  'untold-operands': {
    what: 'operands of SYNC, INVALL and VSYNC in a raw log',
    reason: 'not recorded: taken as zero, which the recorded hardware does not check',
  },
  'level-1-entry': {
    what: 'level 1 entries of two-level ITS tables in a raw log',
    reason: 'supplied: stores to memory are not recorded; each points to a page of its own',
  },
  'property-table': {
    what: 'LPI configuration bytes in a raw log',
    reason: 'supplied: stores to memory are not recorded; each LPI is taken as enabled with priority 0xa0',
  },
  'lpi-configuration': {
    what: 'results that contradict the configuration that was taken for an LPI of a raw log',
    reason: 'not compared: the configuration byte was corrected by what the result tells',
  },
};

/** All names, in a fixed order. */
export const exclusionIds = Object.keys(exclusions) as ExclusionId[];

const FIRST_VLPI_FRAME_OFFSET = 0x2_0000;

/** What of an event belongs to GICv4: a model without it neither plays nor compares such an event. */
export function partOfGicv4(event: CaptureEvent): ExclusionId | undefined {
  switch (event.kind) {
    case 'system-read':
    case 'system-write':
    case 'acknowledge':
      return event.interface === 'ICC' ? undefined : 'virtual-interface';
    case 'virtual-pending':
    case 'virtual-wires':
    case 'maintenance':
      return 'virtual-result';
    case 'register-read':
    case 'register-write':
    case 'refused-read':
    case 'refused-write':
      return event.block === 'GICR' && event.offset >= FIRST_VLPI_FRAME_OFFSET ? 'vlpi-frame' : undefined;
    case 'table-write':
      return event.table === 'vpe' || isVlpiEntry(event) ? 'vpe-table' : undefined;
    default:
      return undefined;
  }
}

/** QEMU shows type 0 for vLPIs, and for entries that it invalidates. */
function isVlpiEntry({ table, fields }: Extract<CaptureEvent, { kind: 'table-write' }>): boolean {
  return table === 'interrupt' && fields.valid === 1 && fields.inttype === 0;
}

/** Whether physical interrupts depend, from this event on, on pieces of GICv4 that a model without it lacks. */
export function entersGicv4(event: CaptureEvent): boolean {
  switch (event.kind) {
    case 'command':
      return /^(V|INVDB)/.test(event.name);
    case 'acknowledge':
      return event.interface === 'ICV';
    case 'system-write':
      if (event.interface === 'ICC') return false;
      return (
        event.interface === 'ICV' || (event.register === 'ICH_HCR_EL2' && (BigInt(event.value) & 1n) === 1n)
      );
    default:
      return false;
  }
}

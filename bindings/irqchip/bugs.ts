import { IrqChipBug as Bit } from '../../assembly/abi.ts';
import { GicError } from '../errors.ts';

/** A bug that Linux's driver once had, and that the option `bugs` brings back. */
export interface HistoricalBug {
  /** Row of the list in test/README.md. */
  readonly row: string;
  /** Year and, where it is known, commit of the fix in Linux. */
  readonly fixed: string;
  /** What the driver does wrong, and what comes of it. */
  readonly effect: string;
  /** @internal */
  readonly bit: Bit;
}

/** Names of the bugs that `bugs` of `IrqChipOptions` can bring back. */
export type HistoricalBugName =
  | 'vmovp-itslist-all'
  | 'vlpi-inv-synced-on-collection'
  | 'no-doorbell-retrigger'
  | 'vsync-after-last-unmap'
  | 'vmovp-on-dying-vpe'
  | 'vmovp-skipped-in-shared-table'
  | 'lazy-map-resets-affinity'
  | 'no-affinity-for-unmapped'
  | 'vpe-leak-on-error'
  | 'vm-freed-twice'
  | 'put-while-parsing'
  | 'poll-at-schedule'
  | 'idbits-zero-until-schedule'
  | 'stale-vpe-kept'
  | 'vpt-freed-of-unfilled-vpe';

/** The bugs that can be brought back, with the commit that fixed each. */
export const historicalBugs: Readonly<Record<HistoricalBugName, HistoricalBug>> = {
  'vmovp-itslist-all': {
    row: '8.1',
    fixed: '2019, 8424312516e5',
    effect:
      'VMOVP goes to all numbered ITSs, also to those that do not map the vPE: they refuse it, and the others wait for them for ever',
    bit: Bit.VMOVP_ITSLIST_ALL,
  },
  'vlpi-inv-synced-on-collection': {
    row: '8.2',
    fixed: '2019',
    effect:
      'INV, INT and CLEAR on a VLPI are followed by SYNC on the collection that the event had as an LPI: the vPE is not waited for',
    bit: Bit.VLPI_INV_SYNCED_ON_COLLECTION,
  },
  'no-doorbell-retrigger': {
    row: '8.5',
    fixed: '2020',
    effect: 'a doorbell that is found pending cannot be sent again by the chip of the vPEs: ENOSYS',
    bit: Bit.NO_DOORBELL_RETRIGGER,
  },
  'vsync-after-last-unmap': {
    row: '8.7',
    fixed: '2024, 80e9963fb3b5',
    effect: 'GICv4.1: VMAPP with V=0 is followed by a VSYNC that names a vPE that is not mapped any more',
    bit: Bit.VSYNC_AFTER_LAST_UNMAP,
  },
  'vmovp-on-dying-vpe': {
    row: '8.8',
    fixed: '2024, 1442ee001198 (CVE-2024-50192)',
    effect: 'the affinity of a deactivated doorbell sends VMOVP for a vPE that is not mapped any more',
    bit: Bit.VMOVP_ON_DYING_VPE,
  },
  'vmovp-skipped-in-shared-table': {
    row: '8.9',
    fixed: '2024, af9acbfc2c4b',
    effect:
      'GICv4.1: a vPE that moves between PEs with one vPE table gets no VMOVP: its doorbell rings where it was',
    bit: Bit.VMOVP_SKIPPED_IN_SHARED_TABLE,
  },
  'lazy-map-resets-affinity': {
    row: '8.11',
    fixed: '2024, 7d2c2048a864',
    effect:
      'the first VLPI of a VM on an ITS of an ITSList maps the vPEs to the first PE: VLPIs pass by the one that is resident elsewhere',
    bit: Bit.LAZY_MAP_RESETS_AFFINITY,
  },
  'no-affinity-for-unmapped': {
    row: '8.13',
    fixed: '2024',
    effect:
      'the affinity of a vPE that is not mapped yet is refused, so that a VM without VLPIs cannot be run',
    bit: Bit.NO_AFFINITY_FOR_UNMAPPED,
  },
  'vpe-leak-on-error': {
    row: '8.14',
    fixed: '2021, 280bef512933',
    effect:
      'a VM whose allocation fails part way keeps the vPEID and the pending table of its last complete vPE',
    bit: Bit.VPE_LEAK_ON_ERROR,
  },
  'vm-freed-twice': {
    row: '8.15',
    fixed: '2024, c26591afd33a (CVE-2024-35847)',
    effect: 'a VM whose allocation fails frees its doorbells twice: LPIs are handed out to two owners',
    bit: Bit.VM_FREED_TWICE,
  },
  'put-while-parsing': {
    row: '8.16',
    fixed: '2022',
    effect: 'DESCHEDULE_VPE clears Valid while the redistributor still parses the pending table',
    bit: Bit.PUT_WHILE_PARSING,
  },
  'poll-at-schedule': {
    row: '8.17',
    fixed: '2020, 57e3cebd022f',
    effect: 'SCHEDULE_VPE waits for the pending table to be parsed, with interrupts off',
    bit: Bit.POLL_AT_SCHEDULE,
  },
  'idbits-zero-until-schedule': {
    row: '8.51',
    fixed: '2019/20',
    effect:
      'GICv4.0: GICR_VPROPBASER.IDbits is 0 until a vPE is scheduled: hardware may drop earlier VLPIs as out of range',
    bit: Bit.IDBITS_ZERO_UNTIL_SCHEDULE,
  },
  'stale-vpe-kept': {
    row: '8.52',
    fixed: '2019/20',
    effect: 'a vPE that an earlier kernel left resident stays so, and its pending table is written to',
    bit: Bit.STALE_VPE_KEPT,
  },
  'vpt-freed-of-unfilled-vpe': {
    row: '8.55',
    fixed: 'between 2017 and 2021',
    effect: 'a vPE without room in the vPE tables: its new pending table is not freed',
    bit: Bit.VPT_FREED_OF_UNFILLED_VPE,
  },
};

const names = Object.keys(historicalBugs) as HistoricalBugName[];

/** The engine's set of bugs; a `GicError` names one that does not exist. */
export function bugSet(chosen: readonly HistoricalBugName[]): number {
  if (!Array.isArray(chosen)) throw new GicError('INVALID_ARGUMENT', 'bugs', chosen, 'a list of names');
  return (chosen as readonly HistoricalBugName[]).reduce((set, name, n) => {
    if (!names.includes(name))
      throw new GicError('UNKNOWN_NAME', `bugs[${n}]`, name, `one of ${names.join(', ')}`);
    return set | historicalBugs[name].bit;
  }, 0);
}

/** The names in an engine's set of bugs. */
export function bugNames(set: number): HistoricalBugName[] {
  return names.filter((name) => (set & historicalBugs[name].bit) !== 0);
}

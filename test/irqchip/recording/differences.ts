// Besides what stands here, some things are not compared, because one side does not tell them: when GITS_CWRITER is
// written after boot, what is read and polled, the entries of level 1 tables that Linux makes in RAM for pages of level 2.
import type { OperationName } from './operations.ts';
import type { DriverStep } from './steps.ts';

/** Where Linux does something else than our layer, and why that stays so. */
export interface Difference {
  readonly operation: OperationName;
  readonly what: string;
  readonly why: string;
  /** How many steps of the recording it explains. */
  readonly count: number;
  readonly covers: (step: DriverStep) => boolean;
}

const VALID = 1n << 63n;

export const differences: readonly Difference[] = [
  {
    operation: 'boot',
    what: 'Linux writes GITS_BASER<n> with Valid=0: 0 to all, a page size to those in use, Indirect to devices and vPEs',
    why:
      'Since 5.17 it resets what an earlier kernel left, and it does not know which page sizes the ITS supports ' +
      '(its_probe_baser_psz). Our machines start clean and support 64 KiB; Indirect is tried too, but not logged.',
    count: 13,
    covers: (step) =>
      step.kind === 'register' && step.register.startsWith('GITS_BASER') && (step.value & VALID) === 0n,
  },
];

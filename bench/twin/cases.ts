import type { BenchCase } from '../../bindings/bench/case.ts';
import { benchCases } from '../../bindings/bench/cases/index.ts';

/** The cases that the twin can do. */
const names = [
  'INT, 1,024 LPIs',
  'INT + CLEAR, 1,024 LPIs',
  'INV, 57,344 LPIs pending',
  'MSI, 1,024 LPIs',
  'MSI -> ICC_IAR1 -> ICC_EOIR1, 1 LPI pending',
  'MSI -> ICC_IAR1 -> ICC_EOIR1, 57,344 LPIs pending',
  'INT, 1,024 VLPIs of a resident vPE',
  'INT + CLEAR, 1,024 VLPIs of a resident vPE',
  'MSI, 1,024 VLPIs of a resident vPE',
  'MSI -> ICV_IAR1 -> ICV_EOIR1, resident vPE',
  'MSI -> doorbell -> ICC_IAR1 -> ICC_EOIR1, vPE not resident',
  'vPE schedule-in, 57,344 VLPIs pending',
];

export const twinCases: readonly BenchCase[] = names.map((name) => {
  const found = benchCases.find((benchCase) => benchCase.name === name);
  if (!found) throw new RangeError(`no case ${name}`);
  return found;
});

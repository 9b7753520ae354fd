import type { BenchCase } from '../../bindings/bench/case.ts';
import { benchCases } from '../../bindings/bench/cases/index.ts';

/** The hot paths: commands, MSIs, deliveries, residency. */
const hotPaths = /^(INT|MSI|MAPTI|MOVI|MOVALL|INV,|INVALL|SPI|SGI|vPE schedule|VMOVP)/;
/** Their rounds are longer than a list of accesses may be, or do not come back to where they begin. */
const notPlayed = /^INT(?: \+ CLEAR)?, 57,344 /;

export const nativeCases: readonly BenchCase[] = benchCases.filter(
  ({ name, engineOnly }) => !engineOnly && hotPaths.test(name) && !notPlayed.test(name),
);

import type { Side } from './side.ts';

const VALID = 1n << 63n;

/** The part of a PE's affinity that CommonLPIAff or SVPET has in common: sections 3.3 and 5.5. */
export function commonAffinity(affinity: number, levels: number): number {
  return levels === 0 ? 0 : Math.floor(affinity / 2 ** (32 - 8 * levels));
}

/** The table of the group of PEs that a PE belongs to. */
export function groupTable({ config, vpeTables }: Side, cpu: number): number {
  const groups = config.affinities.map((affinity) => commonAffinity(affinity, config.commonLpiAffinity));
  return vpeTables[groups.indexOf(groups[cpu]!)]!;
}

/** The table that GITS_BASER2 describes: that of a group of PEs where GITS_TYPER.SVPET says so, else its own. */
export function itsVpeTable(side: Side, its: number): number {
  const { affinities, architecture, sharedVpeTable, itsAffinity } = side.config;
  if (architecture === 'GICv4.1' && sharedVpeTable > 0) {
    const group = commonAffinity(itsAffinity, sharedVpeTable);
    const cpu = affinities.findIndex((affinity) => commonAffinity(affinity, sharedVpeTable) === group);
    if (cpu >= 0) return groupTable(side, cpu);
  }
  return side.tables(its, 'vpes').flat;
}

/** GICR_VPROPBASER of GICv4.1 for a flat table of one 64 KiB page. */
export function vpropbaser41(table: number): bigint {
  return VALID | (2n << 53n) | BigInt(table);
}

/** A flat vPE table for an ITS, which is off meanwhile. */
export function setVpeTable(side: Side, its: number): void {
  side.model.write(side.gits(0, its), 4, 0);
  side.model.write(side.gits(0x0110, its), 8, VALID | (2n << 8n) | BigInt(itsVpeTable(side, its)));
  side.model.write(side.gits(0, its), 4, 1);
}

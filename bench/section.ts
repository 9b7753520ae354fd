import { parseArgs } from 'node:util';
import { printJson, printLine } from '../bindings/cli/output.ts';

/** One measured thing. */
export interface Row {
  readonly name: string;
  /** What the engine reaches, in `unit`. */
  readonly value: number;
  readonly unit: string;
  /** What else was measured for it, by the heading of a column that names the unit. */
  readonly beside?: Readonly<Record<string, number>>;
  /** What the target is about, where it is not about `value`. */
  readonly ratio?: number;
  /** What `ratio`, else `value`, is to reach; a number alone is the least. */
  readonly target?: number | Target;
  /** Which of the section's goals the row belongs to; by default the first. */
  readonly goal?: string;
}

export interface Target {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** What a section's command prints with `--json`. */
export interface Section {
  readonly section: string;
  readonly rows: readonly Row[];
  /** How to read the numbers. */
  readonly note?: string;
  /** Why there are no rows, or not all of them. */
  readonly problem?: string;
}

export interface SectionOptions {
  /** Only the cases whose names contain this text, in lower case. */
  readonly filter: string;
  /** Milliseconds to measure each case for. */
  readonly time: number;
}

/** Runs a section's command: measures, and prints a table or, with `--json`, one document. */
export async function runSection(
  time: number,
  measure: (options: SectionOptions) => Section | Promise<Section>,
): Promise<void> {
  const { values } = parseArgs({
    options: {
      filter: { type: 'string', default: '' },
      time: { type: 'string', default: String(time) },
      json: { type: 'boolean', default: false },
    },
  });
  const wanted = Number(values.time);
  if (!(wanted >= 1 && wanted <= 60_000)) {
    process.stderr.write(`--time: ${values.time} is not allowed; expected milliseconds, 1 to 60000\n`);
    process.exitCode = 2;
    return;
  }
  const section = await measure({ filter: values.filter.toLowerCase(), time: wanted });
  if (values.json) printJson(section);
  else for (const line of sectionText(section)) printLine(line);
}

/** Whether a row reaches its target; undefined without one. */
export function isMet({ value, ratio = value, target }: Row): boolean | undefined {
  if (target === undefined) return undefined;
  const { atLeast = -Infinity, atMost = Infinity } =
    typeof target === 'number' ? { atLeast: target } : target;
  return ratio >= atLeast && ratio <= atMost;
}

/** A target as a reader has it. */
export function targetText(target: Row['target']): string {
  if (target === undefined) return '';
  if (typeof target === 'number') return `at least ${grouped(target)}`;
  const { atLeast, atMost } = target;
  return atLeast === undefined ? `at most ${grouped(atMost as number)}` : `at least ${grouped(atLeast)}`;
}

/** A table's cells, the heading first. */
export function tableOf(rows: readonly Row[]): string[][] {
  const besides = [...new Set(rows.flatMap(({ beside = {} }) => Object.keys(beside)))];
  const hasRatio = rows.some(({ ratio }) => ratio !== undefined);
  const hasTarget = rows.some(({ target }) => target !== undefined);
  const heading = [
    'case',
    'engine',
    ...besides,
    ...(hasRatio ? ['ratio'] : []),
    ...(hasTarget ? ['target'] : []),
  ];
  const lines = rows.map((row) => [
    row.name,
    `${grouped(row.value)} ${row.unit}`,
    ...besides.map((column) => (row.beside?.[column] === undefined ? '' : grouped(row.beside[column]))),
    ...(hasRatio ? [row.ratio === undefined ? '' : grouped(row.ratio)] : []),
    ...(hasTarget ? [verdictOf(row)] : []),
  ]);
  return [heading, ...lines];
}

function verdictOf(row: Row): string {
  const met = isMet(row);
  return met === undefined ? '' : `${targetText(row.target)}: ${met ? 'met' : 'missed'}`;
}

/** A number with as many digits as are of use. */
export function grouped(value: number): string {
  const digits = Number.isInteger(value) || Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 100 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

function sectionText({ rows, note, problem }: Section): string[] {
  const table = rows.length > 0 ? tableOf(rows) : [];
  const widths = table[0]?.map((_, n) => Math.max(...table.map((cells) => cells[n]?.length ?? 0))) ?? [];
  const lines = table.map((cells) =>
    cells
      .map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, ...[problem, note].flatMap((text) => (text ? ['', text] : []))];
}

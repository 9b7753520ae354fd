import { grouped, isMet, type Row, type Section, tableOf, targetText } from '../section.ts';
import type { Host } from './host.ts';
import { type Goal, type SectionDefinition, sectionDefinitions } from './sections.ts';

/** What is kept of one run of a section. */
export interface StoredSection {
  readonly host: Host;
  /** When it ended, in ISO 8601. */
  readonly date: string;
  /** How long it took. */
  readonly seconds: number;
  readonly result: Section;
}

export type StoredResults = Readonly<Record<string, StoredSection>>;

/** The results page, of what is stored for each section. */
export function resultsPage(stored: StoredResults, definitions = sectionDefinitions): string {
  const present = definitions.filter(({ name }) => stored[name] !== undefined);
  const first = present[0] && stored[present[0].name];
  const lines = [
    '# Speed',
    '',
    'Written by `npm run bench:results`, not by hand: each table by the command above it, the summary by what the tables',
    'say. Ratios are of one run on one machine. [README.md](README.md) says how each number is measured.',
    '',
    ...(first ? hostLines(first) : []),
    '## Goals',
    '',
    ...table([
      ['goal', 'target', 'measured', 'verdict'],
      ...definitions.flatMap((definition) =>
        definition.goals.map((goal) => goalLine(goal, definition, stored[definition.name])),
      ),
    ]),
    '',
    ...definitions.flatMap((definition) => sectionLines(definition, stored[definition.name], first)),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function hostLines({ host, date }: StoredSection): string[] {
  const { cpu, cores, memoryGiB, os } = host.machine;
  return [
    ...table([
      ['machine', `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}`],
      ...Object.entries(host.versions),
      ['gicv4', host.commit],
      ['date', date.slice(0, 10)],
    ]),
    '',
  ];
}

/** Rows of a goal: those that name it, or none where it is the section's first. */
function rowsOf(goal: Goal, { goals }: SectionDefinition, rows: readonly Row[]): Row[] {
  return rows.filter((row) => row.target !== undefined && (row.goal ?? goals[0]?.name) === goal.name);
}

function goalLine(goal: Goal, definition: SectionDefinition, stored: StoredSection | undefined): string[] {
  const rows = stored ? rowsOf(goal, definition, stored.result.rows) : [];
  if (rows.length === 0) return [goal.text, '', '', 'not measured'];
  const measured = rows.map(({ ratio, value }) => ratio ?? value);
  const [low, high] = [Math.min(...measured), Math.max(...measured)];
  const unit = rows[0]?.ratio === undefined ? '' : ' times';
  const range = low === high ? grouped(low) : `${grouped(low)} to ${grouped(high)}`;
  const missed = rows.filter((row) => !isMet(row)).length;
  const verdict = missed === 0 ? 'met' : `**missed** by ${missed} of ${rows.length}`;
  return [goal.text, `${targetText(rows[0]?.target)}${unit}`, `${range}${unit}`, verdict];
}

function sectionLines(
  { title, command }: SectionDefinition,
  stored: StoredSection | undefined,
  first: StoredSection | undefined,
): string[] {
  const heading = [`## ${title}`, '', `\`${command}\``, ''];
  if (!stored) return [...heading, 'Not measured.', ''];
  const { result } = stored;
  return [
    ...heading,
    ...(first ? provenance(stored, first) : []),
    ...(result.problem ? [result.problem, ''] : []),
    ...(result.rows.length > 0 ? [...table(tableOf(result.rows)), ''] : []),
    ...(result.note ? [result.note, ''] : []),
  ];
}

/** Where a section is not from the same run as the first one. */
function provenance({ host, date }: StoredSection, first: StoredSection): string[] {
  const differences = [
    date.slice(0, 10) === first.date.slice(0, 10) ? '' : `on ${date.slice(0, 10)}`,
    host.commit === first.host.commit ? '' : `of gicv4 ${host.commit}`,
    JSON.stringify([host.machine, host.versions]) ===
    JSON.stringify([first.host.machine, first.host.versions])
      ? ''
      : `on ${host.machine.cpu}, ${host.machine.os}, ${Object.entries(host.versions).flat().join(' ')}`,
  ].filter((text) => text !== '');
  return differences.length > 0 ? [`Measured ${differences.join(', ')}.`, ''] : [];
}

/** A table in Markdown: the first line is the heading, the first column text. */
function table(lines: readonly (readonly string[])[]): string[] {
  const cells = lines.map((line) => line.map((text) => text.replaceAll('|', '\\|')));
  const columns = cells[0] ?? [];
  const widths = columns.map((_, n) => Math.max(3, ...cells.map((line) => line[n]?.length ?? 0)));
  const rule = widths.map((width, n) => (n === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const [heading = [], ...rest] = cells.map((line) =>
    line.map((text, n) => (n === 0 ? text.padEnd(widths[n] ?? 0) : text.padStart(widths[n] ?? 0))),
  );
  return [heading, rule, ...rest].map((line) => `| ${line.join(' | ')} |`);
}

import { type ExclusionId, exclusionIds, exclusions } from './exclusions.ts';
import { type CheckKind, checkNames, type Mismatch, type ReplayReport } from './report.ts';

const interruptNames = { sgi: 'SGI', ppi: 'PPI', spi: 'SPI', lpi: 'LPI', spurious: 'spurious' } as const;

/** What a replay found, as a table for people. */
export function reportLines(report: ReplayReport): string[] {
  const { seconds, eventsPerSecond, stopped } = report;
  return [
    report.file,
    row('machine', report.machine),
    row('events', `${count(report.events)} in ${seconds.toFixed(2)} s, ${count(eventsPerSecond)} a second`),
    ...(stopped ? [row('stopped', `at line ${stopped.line}: ${exclusions[stopped.reason].reason}`)] : []),
    row('ITS commands', counted(report.commands)),
    row('MSIs', count(report.msis)),
    row(
      'interrupts',
      counted(
        Object.fromEntries(
          Object.entries(report.interrupts).map(([kind, n]) => [
            interruptNames[kind as keyof typeof interruptNames],
            n,
          ]),
        ),
      ),
    ),
    ...virtualLines(report),
    row('compared', `${count(report.checked)} values, ${count(report.mismatches)} mismatches`),
    ...checkLines(report),
    ...exclusionLines(report),
    ...mismatchLines(report),
  ];
}

/** What came of direct injection, where there was any. */
function virtualLines({ virtual }: ReplayReport): string[] {
  if (!virtual) return [];
  const { direct, waiting, doorbells, fromListRegisters, directlyAcknowledged, scheduledIn } = virtual;
  return [
    row('VLPIs', `${count(direct)} directly to a resident vPE, ${count(waiting)} waited for one`),
    row('doorbells', `${count(doorbells)} rung; vPEs scheduled in ${count(scheduledIn)} times`),
    row(
      'guests took',
      `${count(fromListRegisters)} from list registers, ${count(directlyAcknowledged)} VLPIs directly`,
    ),
  ];
}

function checkLines({ checkedByKind }: ReplayReport): string[] {
  const kinds = Object.keys(checkNames) as CheckKind[];
  return kinds.flatMap((kind) => {
    const checked = checkedByKind[kind];
    return checked ? [`    ${count(checked).padStart(9)}  ${checkNames[kind]}`] : [];
  });
}

/** The entries of `exclusions` that the replay used, with how often. */
function exclusionLines({ skipped }: ReplayReport): string[] {
  const used = exclusionIds.filter((id) => skipped[id]);
  if (used.length === 0) return [];
  const line = (id: ExclusionId): string =>
    `    ${count(skipped[id] ?? 0).padStart(9)}  ${exclusions[id].what}: ${exclusions[id].reason}`;
  return [row('not compared, or supplied', ''), ...used.map(line)];
}

function mismatchLines({ firstMismatches, mismatches }: ReplayReport): string[] {
  if (mismatches === 0) return [];
  const hidden = mismatches - firstMismatches.length;
  return [
    row('mismatches', ''),
    ...firstMismatches.flatMap(mismatchText),
    ...(hidden > 0 ? [`    and ${count(hidden)} more`] : []),
  ];
}

function mismatchText({ line, kind, cpu, register, expected, got, context, state }: Mismatch): string[] {
  const place = [cpu === undefined ? '' : `CPU ${cpu}`, register ?? checkNames[kind]]
    .filter(Boolean)
    .join(' ');
  return [
    `    line ${line}: ${place}: recorded ${expected}, got ${got}`,
    ...context.map((event) => `        ${event}`),
    ...state.map((text) => `        model: ${text}`),
  ];
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(13)} ${text}`.trimEnd();
}

function counted(counts: Readonly<Record<string, number>>): string {
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
  const parts = Object.entries(counts)
    .filter(([, n]) => n > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([name, n]) => `${name} ${count(n)}`);
  return parts.length === 0 ? '0' : `${count(total)}: ${parts.join(', ')}`;
}

function count(n: number): string {
  return n.toLocaleString('en-US');
}

import { describe, expect, it } from 'vitest';
import type { Host } from '../../bench/page/host.ts';
import { resultsPage, type StoredSection } from '../../bench/page/page.ts';
import { namedSections, type SectionDefinition } from '../../bench/page/sections.ts';
import { isMet, type Row, type Section } from '../../bench/section.ts';

const host: Host = {
  machine: { cpu: 'A processor', cores: 4, memoryGiB: 16, os: 'Linux 6, x64' },
  versions: { 'Node.js': 'v20.0.0', gcc: 'not installed' },
  commit: 'abc',
};

const definitions: readonly SectionDefinition[] = [
  {
    name: 'rival',
    title: 'Beside a rival',
    command: 'npm run bench:rival',
    module: 'rival.js',
    goals: [
      { name: 'fast', text: 'faster than the rival' },
      { name: 'far', text: 'much faster than the rival' },
    ],
  },
  {
    name: 'size',
    title: 'Sizes',
    command: 'npm run bench:size',
    module: 'size.js',
    goals: [{ name: 'size', text: 'small' }],
  },
];

const rows: readonly Row[] = [
  { name: 'one', value: 10, unit: 'ns/op', beside: { 'rival ns/op': 40 }, ratio: 4, target: 3 },
  { name: 'two', value: 20, unit: 'ns/op', beside: { 'rival ns/op': 50 }, ratio: 2.5, target: 3 },
  { name: 'three | four', value: 1234.5, unit: 'ns/op' },
  { name: 'five', value: 2, unit: 'ns/op', ratio: 1000, target: 500, goal: 'far' },
];

function stored(result: Section, over: Partial<StoredSection> = {}): StoredSection {
  return { host, date: '2026-01-02T03:04:05.000Z', seconds: 7, result, ...over };
}

const rival = stored({ section: 'rival', rows, note: 'How to read it.' });

/** The cells of the line that begins with a text. */
function line(page: string, beginning: string): string[] {
  const found = page.split('\n').find((text) => text.startsWith(`| ${beginning}`));
  return (found ?? '').split(/(?<!\\)\|/).map((cell) => cell.trim());
}

describe('the results page', () => {
  const page = resultsPage({ rival }, definitions);

  it('tells machine, versions, commit and date', () => {
    expect(line(page, 'machine')[2]).toBe('A processor, 4 cores, 16 GiB, Linux 6, x64');
    expect(line(page, 'Node.js')[2]).toBe('v20.0.0');
    expect(line(page, 'gcc')[2]).toBe('not installed');
    expect(line(page, 'gicv4')[2]).toBe('abc');
    expect(line(page, 'date')[2]).toBe('2026-01-02');
  });

  it('sums each goal up by the rows that name it, those without a target left out', () => {
    expect(line(page, 'faster').slice(2, 5)).toEqual([
      'at least 3 times',
      '2.50 to 4 times',
      '**missed** by 1 of 2',
    ]);
    expect(line(page, 'much faster').slice(2, 5)).toEqual(['at least 500 times', '1,000 times', 'met']);
  });

  it('says which goal nothing was measured for', () => {
    expect(line(page, 'small')[4]).toBe('not measured');
    expect(page).toContain('## Sizes\n\n`npm run bench:size`\n\nNot measured.');
  });

  it('has for each section its command, rows with verdicts, and its note', () => {
    expect(page).toContain('## Beside a rival\n\n`npm run bench:rival`\n\n| case');
    expect(line(page, 'case').slice(1, 6)).toEqual(['case', 'engine', 'rival ns/op', 'ratio', 'target']);
    expect(line(page, 'one').slice(1, 6)).toEqual(['one', '10 ns/op', '40', '4', 'at least 3: met']);
    expect(line(page, 'two').slice(1, 6)).toEqual(['two', '20 ns/op', '50', '2.50', 'at least 3: missed']);
    expect(line(page, 'three').slice(1, 6)).toEqual(['three \\| four', '1,235 ns/op', '', '', '']);
    expect(page).toContain('How to read it.\n');
  });

  it('is a table in Markdown with equally long lines', () => {
    const tables = page.split('\n\n').filter((block) => block.startsWith('|'));
    for (const block of tables) {
      expect(
        new Set(
          block
            .trimEnd()
            .split('\n')
            .map(({ length }) => length),
        ).size,
      ).toBe(1);
    }
    expect(tables).toHaveLength(3);
  });

  it('tells what a section says that lacks a tool', () => {
    const lacking = stored({ section: 'size', rows: [], problem: 'No ruler here.' });
    expect(resultsPage({ size: lacking }, definitions)).toContain('No ruler here.');
  });

  it('tells where a section is of another day, commit or host', () => {
    const other: Host = { ...host, commit: 'def', machine: { ...host.machine, cpu: 'Another one' } };
    const size = stored({ section: 'size', rows: [] }, { host: other, date: '2026-02-03T00:00:00.000Z' });
    expect(resultsPage({ rival, size }, definitions)).toContain(
      'Measured on 2026-02-03, of gicv4 def, on Another one, Linux 6, x64, Node.js v20.0.0 gcc not installed.',
    );
    expect(page).not.toContain('Measured on');
  });

  it('is the same however often it is made of the same numbers', () => {
    expect(resultsPage(JSON.parse(JSON.stringify({ rival })), definitions)).toBe(page);
  });
});

describe('a target', () => {
  const row = { name: 'x', value: 5, unit: 'us' };
  it.each<[string, Partial<Row>, boolean | undefined]>([
    ['none', {}, undefined],
    ['the value at most, met', { target: { atMost: 5 } }, true],
    ['the value at most, missed', { target: { atMost: 4.9 } }, false],
    ['the value at least, missed', { target: { atLeast: 5.1 } }, false],
    ['the ratio, where there is one', { ratio: 3, target: { atLeast: 5 } }, false],
    ['a number alone is the least', { ratio: 3, target: 3 }, true],
    ['a ratio that is no number is a miss', { ratio: Number.NaN, target: 3 }, false],
  ])('%s', (_, rest, met) => {
    expect(isMet({ ...row, ...rest })).toBe(met);
  });
});

describe('--only', () => {
  it('names sections, which come in the order of the page', () => {
    expect(namedSections('sizes,qemu').map(({ name }) => name)).toEqual(['qemu', 'sizes']);
  });

  it('refuses a name that there is not', () => {
    expect(() => namedSections('qemu,nothing')).toThrow(
      /--only: nothing is not allowed; expected some of qemu/,
    );
  });
});

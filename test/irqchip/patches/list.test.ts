import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

/** A row of the list: a patch, what of it is not checked, and the file that checks the rest. */
interface Row {
  readonly number: string;
  readonly title: string;
  readonly reason: string;
  readonly file: string | undefined;
}

const rows: Row[] = [
  ...read('test/irqchip/patches/README.md').matchAll(/^\| (\d\d) +\| (.*?) +\| (.*?) +\| (.*?) +\|$/gm),
]
  .map((match) => match.slice(1) as [string, string, string, string])
  .map(([number, title, reason, file]) => ({ number, title, reason, file: /`(.*)`/.exec(file)?.[1] }));

/** The titles of a test file's suites. */
const suites = (path: string) =>
  [...read(path).matchAll(/^describe\((['"])(.*)\1, \(\) => \{$/gm)].map((match) => match[2]);

describe('the list of the 59 patches', () => {
  it('has each of them, in order', () => {
    expect(rows.map((row) => Number(row.number))).toEqual(Array.from({ length: 59 }, (_, n) => n + 1));
  });

  it.each(rows)(
    '$number: $title: a suite of that name, or a reason why there is none',
    ({ number, title, reason, file }) => {
      if (file) expect(suites(file)).toContain(`${number}: ${title}`);
      else expect(reason).toMatch(/\w{3}/);
    },
  );

  it('has all suites that there are', () => {
    const listed = new Set(rows.map((row) => `${row.number}: ${row.title}`));
    const files = new Set(rows.flatMap((row) => row.file ?? []));
    const numbered = [...files].flatMap(suites).filter((title) => /^\d\d: /.test(title ?? ''));
    for (const title of numbered) expect(listed).toContain(title);
  });
});

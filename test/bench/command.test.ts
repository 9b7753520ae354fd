import { describe, expect, it } from 'vitest';
import { run } from '../cli/run.ts';

describe('gicv4 bench', () => {
  it('prints one JSON document with a result for each selected case', async () => {
    const { code, out, err } = await run('bench', '--json', '--time', '1', '--filter', 'gicd_isenabler1');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const document = JSON.parse(out);
    expect(document.node).toBe(process.version);
    expect(document.cases.map(({ name }: { name: string }) => name)).toEqual([
      'read GICD_ISENABLER1',
      'write GICD_ISENABLER1 and GICD_ICENABLER1 in turn',
    ]);
    for (const result of document.cases) {
      expect(result).toEqual({
        name: expect.any(String),
        ops: expect.any(Number),
        nsPerOp: expect.any(Number),
        opsPerSecond: expect.any(Number),
        marginPercent: expect.any(Number),
      });
    }
  });

  it('prints a table for people', async () => {
    const { code, out } = await run('bench', '--time', '1', '--filter', 'read GITS_CREADR');
    expect(code).toBe(0);
    const [host, header, row, ...rest] = out.split('\n');
    expect(host).toContain(process.version);
    expect(header).toMatch(/^case +ns\/op +ops\/s +margin$/);
    expect(row).toMatch(/^read GITS_CREADR +[\d,]+(\.\d)? +[\d,]+ +±\d+\.\d %$/);
    expect(rest).toEqual(['']);
  });

  it.each<[string, string[], RegExp]>([
    ['a filter that fits no case', ['--filter', 'nothing like it'], /no case has "nothing like it"/],
    ['a time that is none', ['--time', '0'], /--time.*1 to 60000/],
  ])('%s is bad usage', async (_, args, message) => {
    const { code, out, err } = await run('bench', ...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });
});

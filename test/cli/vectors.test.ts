import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from './run.ts';

const directory = mkdtempSync(join(tmpdir(), 'gicv4-'));
afterAll(() => rmSync(directory, { recursive: true }));

const ram = '0x40000000';

function vector(name: string, steps: object[]): string {
  const path = join(directory, name);
  const text = JSON.stringify({ name, machine: { cpus: 1, ram_base: ram, ram_size: '0x10000' }, steps });
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return path;
}

const write = { op: 'writel', addr: ram, val: '0x1234' };
const good = vector('good.json.gz', [write, { op: 'readl', addr: ram, expect: '0x1234' }]);
const bad = vector('bad.json', [
  write,
  { op: 'readl', addr: ram, expect: '0x1235', what: 'RAM', mask: '0xf', quirk: 'Q-TEST' },
  { op: 'readb', addr: ram, expect: '0x34' },
]);
const failure = {
  step: 1,
  op: 'readl',
  what: 'RAM',
  quirk: 'Q-TEST',
  address: ram,
  expected: '0x1235',
  got: '0x1234',
  mask: '0xf',
};

describe('gicv4 vectors', () => {
  it('succeeds when all comparisons hold', async () => {
    expect(await run('vectors', good)).toEqual({
      code: 0,
      out: `ok   ${good}: 1 passed, 0 failed\n1 vectors: 1 passed, 0 failed\n`,
      err: '',
    });
  });

  it('tells of the failures of every file of a directory, and fails', async () => {
    const { code, out, err } = await run('vectors', '--json', directory);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(JSON.parse(out)).toEqual({
      files: [
        { file: bad, passed: 1, failed: 1, skipped: {}, failures: [failure] },
        { file: good, passed: 1, failed: 0, skipped: {}, failures: [] },
      ],
      passed: 2,
      failed: 1,
      skipped: {},
    });
  });

  it('says where a comparison failed', async () => {
    const { code, out } = await run('vectors', bad, good);
    expect(code).toBe(1);
    expect(out).toBe(
      [
        `FAIL ${bad}: 1 passed, 1 failed`,
        `       step 1: readl ${ram} (RAM) [Q-TEST]: expected 0x1235, got 0x1234, mask 0xf`,
        `ok   ${good}: 1 passed, 0 failed`,
        '2 vectors: 2 passed, 1 failed',
        '',
      ].join('\n'),
    );
  });

  it('does not compare what is to be skipped', async () => {
    const { code, out } = await run(
      'vectors',
      '--skip-quirk',
      'Q-OTHER',
      '--skip-quirk',
      'Q-TEST',
      bad,
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ passed: 1, failed: 0, skipped: { 'Q-TEST': 1 } });
  });

  it('says which step of which file is malformed', async () => {
    const path = join(directory, 'malformed');
    writeFileSync(path, JSON.stringify({ name: 'm', machine: {}, steps: [{ op: 'readl', addr: ram }] }));
    const { code, out, err } = await run('vectors', '--json', path);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^gicv4: .*malformed: step 0: expect: undefined is not allowed; expected [^\n]+\n$/);
  });
});

import { describe, expect, it } from 'vitest';
import { replayFile } from '../../bindings/replay/replay.ts';
import type { ReplayReport } from '../../bindings/replay/report.ts';
import { temporaryFile } from './temporary_file.ts';

const gits = (op: 'r' | 'w', off: string, val: string): object => ({ dev: 'its', op, off, size: 8, val });
const BASER1 = gits('w', '0x108', '0x8407000044210200');
const CBASER = gits('w', '0x80', '0x8000000044220000');
const ENABLE = { dev: 'its', op: 'w', off: '0x0', size: 4, val: '0x1' };

const mapc = (
  qoff: string,
  icid: number,
  f: object = { ICID: `0x${icid}`, RDbase: '0x0', V: '1' },
): object => ({
  dev: 'cmd',
  name: 'MAPC',
  qoff,
  raw: ['0x9', '0x0', `0x800000000000000${icid}`, '0x0'],
  f,
});
const cte = (icid: number, pe = 0): object => ({
  dev: 'tbl',
  op: 'w',
  tbl: 'cte',
  f: { ICID: `0x${icid}`, valid: '1', RDBase: `0x${pe}` },
});

async function replay(...lines: object[]): Promise<ReplayReport> {
  const text = lines.map((line, index) => JSON.stringify({ t: index, ...line })).join('\n');
  return replayFile(temporaryFile('commands.jsonl', text));
}

describe('recorded ITS commands', () => {
  it('run at their lines, which their table entries follow', async () => {
    const report = await replay(
      BASER1,
      CBASER,
      ENABLE,
      mapc('0x0', 3),
      cte(3),
      mapc('0x20', 4),
      cte(4),
      gits('w', '0x88', '0x40'),
      gits('r', '0x90', '0x40'),
    );
    expect(report.firstMismatches).toEqual([]);
    expect(report.checkedByKind).toMatchObject({ command: 2, table: 2, GITS: 1 });
    expect(report.commands).toEqual({ MAPC: 2 });
  });

  it('wait in the queue of a disabled ITS for the write that enables it', async () => {
    const report = await replay(
      BASER1,
      CBASER,
      gits('w', '0x88', '0x40'),
      gits('r', '0x90', '0x0'),
      mapc('0x0', 3),
      cte(3),
      mapc('0x20', 4),
      cte(4),
      ENABLE,
      gits('r', '0x90', '0x40'),
    );
    expect(report.firstMismatches).toEqual([]);
    expect(report.checkedByKind).toMatchObject({ command: 2, table: 2, GITS: 2 });
  });

  it('wrap at the end of the queue', async () => {
    const report = await replay(
      BASER1,
      CBASER,
      gits('w', '0x90', '0xfe0'),
      gits('w', '0x88', '0xfe0'),
      ENABLE,
      mapc('0xfe0', 3),
      cte(3),
      gits('w', '0x88', '0x0'),
      gits('r', '0x90', '0x0'),
    );
    expect(report.firstMismatches).toEqual([]);
  });

  it('are reported where a table entry is not as recorded', async () => {
    const report = await replay(BASER1, CBASER, ENABLE, mapc('0x0', 3), cte(3, 1), gits('w', '0x88', '0x20'));
    expect(report.firstMismatches).toMatchObject([
      { line: 5, kind: 'table', register: 'ICID 3', expected: 'PE 1', got: 'PE 0' },
    ]);
  });

  it('are reported where QEMU decodes the bytes differently', async () => {
    const f = { ICID: '0x2', RDbase: '0x0', V: '1' };
    const report = await replay(BASER1, CBASER, ENABLE, mapc('0x0', 3, f), gits('w', '0x88', '0x20'));
    expect(report.firstMismatches).toMatchObject([
      { line: 4, kind: 'command', register: 'MAPC.ICID', expected: '2', got: '3' },
    ]);
  });
});

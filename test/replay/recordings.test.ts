import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { GicError } from '../../bindings/errors.ts';
import { exclusions } from '../../bindings/replay/exclusions.ts';
import { type ReplayOptions, replayFile } from '../../bindings/replay/replay.ts';
import type { ReplayReport } from '../../bindings/replay/report.ts';
import { temporaryFile } from './temporary_file.ts';

const fixtures = fileURLToPath(new URL('../fixtures/captures/', import.meta.url));

function replay(name: string, options: ReplayOptions = {}): Promise<ReplayReport> {
  return replayFile(join(fixtures, name), options);
}

const kvmUnitTests = [
  'kut-active',
  'kut-ipi',
  'kut-its-introspection',
  'kut-its-migration',
  'kut-its-pending-migration',
  'kut-its-trigger',
];

describe('recordings', () => {
  it.each(kvmUnitTests)('%s replays without a mismatch', async (name) => {
    const report = await replay(`${name}.jsonl.gz`);
    expect(report.firstMismatches).toEqual([]);
    expect(report.checked).toBeGreaterThan(10);
  });

  it('the boot of Linux 6.1 replays without a mismatch, to the last table in memory', async () => {
    const report = await replay('linux-6.1-boot.jsonl.gz', {
      finalDirectory: join(fixtures, 'linux-6.1-boot-final'),
    });
    expect(report.firstMismatches).toEqual([]);
    expect(report).toMatchObject({
      events: 213_962,
      msis: 3960,
      interrupts: { sgi: 4323, ppi: 17_105, spi: 1651, lpi: 3959, spurious: 2 },
      checkedByKind: {
        GICD: 141,
        GICR: 114,
        GITS: 1143,
        ICC: 25,
        acknowledge: 27_040,
        pending: 52_520,
        wires: 54_098,
        'virtual-pending': 4,
        'virtual-wires': 4,
        sgi: 4323,
        command: 548,
        table: 221,
        'final-memory': 5,
      },
    });
    // All that was not compared as recorded has an entry in the table of exclusions.
    expect(report.skipped).toEqual({
      'cpu-interface-reset': 5,
      'idle-result': 23_353,
      'sgi-register': 4208,
      'final-events': 6,
      'private-format': 10,
      'queue-dump': 1,
    });
    for (const id of Object.keys(report.skipped)) expect(exclusions).toHaveProperty(id);
  });

  it('the beginning of a boot on a GICv4 replays without a mismatch', async () => {
    const report = await replay('linux-6.1-gicv4-host-excerpt.jsonl.gz');
    expect(report.firstMismatches).toEqual([]);
    expect(report.machine).toMatch(/^GICv4\.0, 4 PEs/);
    expect(report.checkedByKind).toMatchObject({ ICH: 1, 'virtual-pending': 4, maintenance: 4 });
  });

  it('KVM with direct injection replays without a mismatch', async () => {
    const report = await replay('linux-6.1-kvm-direct-injection-excerpt.jsonl.gz');
    expect(report.firstMismatches).toEqual([]);
    expect(report.commands).toMatchObject({
      VMAPP: 2,
      VMAPTI: 7,
      VMOVP: 39,
      VMOVI: 18,
      VINVALL: 4,
      VSYNC: 77,
    });
    expect(report.virtual).toEqual({
      direct: 618,
      waiting: 25,
      doorbells: 25,
      fromListRegisters: 11_861,
      directlyAcknowledged: 643,
      scheduledIn: 8804,
    });
    expect(report.checkedByKind).toMatchObject({
      'virtual-acknowledge': 12_504,
      'virtual-pending': expect.any(Number),
      'virtual-wires': expect.any(Number),
      maintenance: expect.any(Number),
    });
    expect(report.skipped).not.toHaveProperty('virtual-machine');
  });

  it('a raw QEMU log replays without a mismatch', async () => {
    const report = await replay('qemu-trace-excerpt.log.gz');
    expect(report.firstMismatches).toEqual([]);
    expect(report.events).toBeGreaterThan(50_000);
    expect(report.msis).toBe(24);
  });

  it('pending tables in final memory are compared byte by byte', async () => {
    const directory = join(fixtures, 'kut-its-pending-migration-final');
    const name = 'kut-its-pending-migration.jsonl.gz';
    expect((await replay(name, { finalDirectory: directory })).checkedByKind['final-memory']).toBe(5);
    const early = await replay(name, { finalDirectory: directory, finalAt: 3000 });
    expect(early.firstMismatches).toMatchObject([{ kind: 'final-memory', register: /^pend-\d\.bin at 0x/ }]);
  });

  it('a model with another rule is found out at the line where it matters first', async () => {
    const tie = await replay('linux-6.1-boot.jsonl.gz', {
      machine: { policy: { tieBreak: 'highest-intid' } },
    });
    expect(tie.mismatches).toBeGreaterThan(1000);
    expect(tie.firstMismatches[0]).toMatchObject({ line: 1004, kind: 'pending', cpu: 0 });
    const asleep = await replay('kut-its-trigger.jsonl.gz', {
      machine: { policy: { sleepHoldsInterrupts: true } },
    });
    expect(asleep.firstMismatches[0]).toMatchObject({ line: 395, kind: 'pending', cpu: 3 });
  });

  it('a changed value in a recording is found at its line', async () => {
    const lines = gunzipSync(readFileSync(join(fixtures, 'kut-ipi.jsonl.gz')))
      .toString()
      .split('\n');
    const index = lines.findIndex((line) => line.includes('"reg":"ICC_IAR1"'));
    lines[index] = (lines[index] ?? '').replace(/"val":"0x[0-9a-f]+"/, '"val":"0x5"');
    const report = await replayFile(temporaryFile('changed.jsonl', lines.join('\n')));
    expect(report.firstMismatches).toMatchObject([{ line: index + 1, kind: 'acknowledge', expected: '0x5' }]);
  });
});

describe('replayFile', () => {
  it('reads a plain file and a file without a last newline like a gzip file', async () => {
    const text = gunzipSync(readFileSync(join(fixtures, 'kut-ipi.jsonl.gz'))).toString();
    const { events, checked } = await replay('kut-ipi.jsonl.gz');
    expect(await replayFile(temporaryFile('a.jsonl', text))).toMatchObject({
      events,
      checked,
      mismatches: 0,
    });
    expect(await replayFile(temporaryFile('b.txt', gzipSync(text.trimEnd())))).toMatchObject({
      events,
      checked,
    });
  });

  it('tells progress in bytes of the file', async () => {
    const seen: number[][] = [];
    await replay('linux-6.1-gicv4-host-excerpt.jsonl.gz', {
      onProgress: (done, total) => seen.push([done, total]),
    });
    const [done, total] = seen.at(-1) ?? [];
    expect(done).toBe(total);
  });

  it.each([
    ['empty.jsonl', ''],
    ['array.jsonl', '[]\n'],
    ['notes.log', 'no trace\nof a GIC\n'],
    ['message.jsonl', '{"t":0,"dev":"qemulog","msg":"started"}\n'],
  ])('refuses %s, which has no event of a GIC', async (name, contents) => {
    const file = temporaryFile(name, contents);
    await expect(replayFile(file)).rejects.toMatchObject({ code: 'INVALID_INPUT', field: file });
  });

  it('refuses a broken gzip file', async () => {
    const whole = readFileSync(join(fixtures, 'kut-ipi.jsonl.gz'));
    const file = temporaryFile('broken.jsonl.gz', whole.subarray(0, 1000));
    await expect(replayFile(file)).rejects.toMatchObject({ code: 'INVALID_INPUT', field: file });
  });

  it('refuses a malformed line, naming it', async () => {
    const file = temporaryFile('bad.jsonl', '{"t":0,"dev":"wire","cpu":0,"fiq":0,"irq":0}\n{"t":1}\n');
    await expect(replayFile(file)).rejects.toMatchObject({ code: 'INVALID_INPUT', field: `${file}:2` });
  });

  it('refuses an address outside the RAM window, naming the line', async () => {
    const store = '{"t":0,"dev":"mem","op":"w","cpu":0,"tbl":"prop","pa":"0x1000","size":1,"val":"0x1"}\n';
    const range = '{"t":0,"dev":"range","tbl":"prop","pa":"0x1000","len":"0x10","snap":"10*00"}\n';
    const file = temporaryFile('outside.jsonl', store + range);
    await expect(replayFile(file, { machine: { ramBase: 0x4000_0000 } })).rejects.toThrow(GicError);
    await expect(replayFile(file, { machine: { ramBase: 0x4000_0000 } })).rejects.toMatchObject({
      field: `${file}:2`,
    });
  });

  it('refuses a directory of dumps whose meta.json lists none', async () => {
    const meta = temporaryFile('meta.json', '{}');
    writeFileSync(join(dirname(meta), 'prop.bin'), '');
    const options = { finalDirectory: dirname(meta) };
    await expect(replay('kut-ipi.jsonl.gz', options)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      field: meta,
    });
  });
});

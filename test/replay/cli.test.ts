import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCli } from '../../bindings/cli/program.ts';
import { temporaryFile } from './temporary_file.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/captures/${name}`, import.meta.url));

let output = '';
let errors = '';

beforeEach(() => {
  output = errors = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    errors += text;
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

describe('gicv4 replay', () => {
  it('prints one JSON document with counts, mismatches and what was skipped', async () => {
    expect(
      await runCli(['replay', '--json', fixture('kut-ipi.jsonl.gz'), fixture('kut-active.jsonl.gz')]),
    ).toBe(0);
    const { files, exclusions } = JSON.parse(output);
    expect(files).toHaveLength(2);
    expect(files[0]).toMatchObject({
      file: fixture('kut-ipi.jsonl.gz'),
      events: 392,
      mismatches: 0,
      commands: {},
      msis: 0,
      firstMismatches: [],
    });
    expect(files[0].checked).toBeGreaterThan(50);
    expect(files[0].skipped['idle-result']).toBeGreaterThan(0);
    for (const id of Object.keys(files[0].skipped)) expect(exclusions[id].reason).toBeTruthy();
    expect(files[0].seconds).toBeGreaterThan(0);
  });

  it('prints counts and the reasons for what was not compared', async () => {
    expect(await runCli(['replay', fixture('kut-its-trigger.jsonl.gz')])).toBe(0);
    expect(output).toMatch(/ITS commands +17: INT 6/);
    expect(output).toMatch(/interrupts +4: LPI 4/);
    expect(output).toMatch(/compared +105 values, 0 mismatches/);
    expect(output).toMatch(/8 {2}INTID and group of .*: masked/);
  });

  it('exits with 1 and shows where a recording and the model part', async () => {
    const args = ['--policy', 'sleepHoldsInterrupts=true', '--limit', '1'];
    expect(await runCli(['replay', ...args, fixture('kut-its-trigger.jsonl.gz')])).toBe(1);
    expect(output).toMatch(
      /line 395: CPU 3 .*: recorded INTID 8195, priority 0xa0, Group 1, got no further change/,
    );
    expect(output).toContain('394: ITS command INT');
    expect(output).toMatch(/model: ICC_PMR_EL1 0x[0-9a-f]+, ICC_RPR_EL1 0xff/);
    expect(output).toMatch(/and \d+ more/);
  });

  it('has the state of the model in the JSON document', async () => {
    const args = ['--policy', 'sleepHoldsInterrupts=true', '--json'];
    expect(await runCli(['replay', ...args, fixture('kut-its-trigger.jsonl.gz')])).toBe(1);
    expect(JSON.parse(output).files[0].firstMismatches[0].state).toContain(
      'highest pending: nothing pending; FIQ 0 IRQ 0',
    );
  });

  it('prints one line a file with --quiet', async () => {
    await runCli(['replay', '--quiet', fixture('kut-ipi.jsonl.gz')]);
    expect(output).toMatch(/^[^\n]*kut-ipi\.jsonl\.gz: 392 events, \d+ compared, 0 mismatches\n$/);
  });

  it('replays the bundled recording', async () => {
    expect(await runCli(['replay', '--bundled', '--quiet'])).toBe(0);
    expect(output).toContain('linux-6.1-boot.jsonl.gz: 213962 events');
  });

  it('takes the machine from the options', async () => {
    const args = ['--cpus', '8', '--architecture', 'GICv4.0', '--ram-size', '512M', '--json'];
    await runCli(['replay', ...args, fixture('kut-ipi.jsonl.gz')]);
    expect(JSON.parse(output).files[0].machine).toBe(
      'GICv4.0, 8 PEs, an ITS, 512 MiB RAM window at 0x40000000',
    );
  });

  it.each([
    [['replay'], /missing argument/],
    [['replay', '--limit', '0', 'x'], /limit/],
    [['replay', '--policy', 'nonsense', 'x'], /name=value/],
    [['replay', '--policy', 'tieBreak=middle', 'x'], /tieBreak/],
    [['replay', '--ram-size', 'much', 'x'], /ram-size/],
    [['replay', '/nonexistent.jsonl'], /nonexistent\.jsonl/],
  ])('exits with 2 and one line on stderr for %j', async (args, message) => {
    expect(await runCli(args)).toBe(2);
    expect(errors).toMatch(message);
    expect(errors.trimEnd()).not.toContain('\n');
    expect(output).toBe('');
  });

  it('exits with 2 for a malformed line, naming it', async () => {
    const file = temporaryFile('bad.jsonl', '{"t":0}\n');
    expect(await runCli(['replay', file])).toBe(2);
    expect(errors).toContain(`${file}:1`);
  });
});

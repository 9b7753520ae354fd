import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Campaign, createFuzzer } from '../../bindings/fuzz/index.ts';
import { plant, plantedBugs } from '../../scripts/planted-bugs.mjs';
import { run } from '../cli/run.ts';

let folder: string;
let planted: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gicv4-fuzz-'));
  planted = await plant('lost-when-moved');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** Bytes: the MSI and the MOVI, with a command between where the event has to be mapped to that LPI first. */
const SMALL = [1 + 2 * 8, 1 + 3 * 8];

/** How long a campaign looks depends on its seed; a few short ones find more than a long one. */
async function firstThatFinds(): Promise<Campaign & { seed: number }> {
  for (let seed = 1; seed <= 20; seed++) {
    const campaign = new Campaign(await createFuzzer(planted), { seed });
    while (campaign.crashes.length === 0 && campaign.executions < 150_000) campaign.run(256);
    if (campaign.crashes.length > 0) return Object.assign(campaign, { seed });
  }
  throw new Error('20 campaigns found nothing');
}

describe('a defect that was planted: MOVI loses a pending LPI', () => {
  it('is found and cut down to the MSI and a command or two', async () => {
    const campaign = await firstThatFinds();
    expect(campaign.crashes[0]).toMatchObject({ kind: 'ledger', message: expect.stringMatching(/pending/) });
    expect(SMALL).toContain(campaign.crashes[0]?.input.length);
  });

  it('the command line writes the input and performs it again', async () => {
    const { seed } = await firstThatFinds();
    const options = ['--module', planted, '--seed', String(seed), '--time', '8', '--crashes', folder];
    const found = await run('fuzz', ...options, '--json');
    expect(found.code).toBe(1);
    const { crashes, executions, edges } = JSON.parse(found.out);
    expect([executions, edges].every((count) => count > 1000)).toBe(true);
    const file: string = crashes[0].file;
    expect(SMALL).toContain(readFileSync(file).length);
    const again = await run('fuzz', '--module', planted, '--replay', file);
    expect(again).toMatchObject({
      code: 1,
      out: expect.stringMatching(/ITS command[\s\S]*ledger at operation [12]\b/),
    });
    const without = await run('fuzz', '--replay', file);
    expect(without).toMatchObject({ code: 0, out: expect.stringContaining('nothing failed') });
  });
});

describe('a defect that was planted: a store to where nothing of the machine is', () => {
  it('is found, and the machine is what it was afterwards', { timeout: 240_000 }, async () => {
    const fuzzer = await createFuzzer(await plant('stray-write'));
    const campaign = new Campaign(fuzzer, { seed: 1 });
    while (campaign.crashes.length === 0 && campaign.executions < 2_000_000) campaign.run(256);
    expect(campaign.crashes[0]).toMatchObject({ kind: 'stray' });
    for (const target of fuzzer.targets) target.checkRestored();
  });
});

describe('the planted defects', () => {
  it('are of at least five kinds', () => {
    const kinds = new Set(Object.values(plantedBugs).map(({ found }) => found[0]));
    expect(kinds.size).toBeGreaterThanOrEqual(5);
  });

  it('can be planted in the sources as they are', () => {
    for (const { patches } of Object.values(plantedBugs)) {
      for (const { file, find } of patches) {
        const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
        expect(source.split(find), `${file}: ${find}`).toHaveLength(2);
      }
    }
  });
});

describe('gicv4 fuzz', () => {
  it.each([
    [['--time', '0'], /--time/],
    [['--replay', 'no-such-file'], /no-such-file/],
    [['--module', 'package.json', '--time', '1'], /WebAssembly module/],
    [['--module', 'build/gic.single.wasm', '--time', '1'], /the fuzz build/],
  ])('%j is refused on one line', async (args, message) => {
    const { code, err } = await run('fuzz', ...args);
    expect(code).toBe(2);
    expect(err.trim().split('\n')).toEqual([expect.stringMatching(message)]);
  });
});

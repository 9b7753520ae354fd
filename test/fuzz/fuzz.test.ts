import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { boot, fuzzMachineOptions } from '../../bindings/fuzz/boot.ts';
import type { FuzzExports } from '../../bindings/fuzz/exports.ts';
import { Campaign, createFuzzer, type FuzzTarget, fuzzArchitectures } from '../../bindings/fuzz/index.ts';
import { Random } from '../../bindings/fuzz/random.ts';
import { loadEngine, Machine } from '../../bindings/index.ts';

const fuzzer = await createFuzzer();

function randomInput(random: Random): Uint8Array {
  return Uint8Array.from({ length: 1 + 8 * random.below(40) + random.below(8) }, () => random.next() >>> 24);
}

describe('the fuzz build', () => {
  it.each(fuzzArchitectures)('boots a %s to the state of the other builds', async (architecture) => {
    const target = fuzzer.targets[fuzzArchitectures.indexOf(architecture)] as FuzzTarget;
    const machine = new Machine(await loadEngine(), fuzzMachineOptions(architecture));
    boot(machine);
    expect(machine.takeDiagnostics(), 'an orderly driver').toEqual([]);
    target.checkRestored();
    expect(target.machine.digest()).toBe(machine.digest());
  });

  it('goes back to where it was after each input, whatever it did', () => {
    const random = new Random(1);
    for (let n = 0; n < 2000; n++) {
      const input = randomInput(random);
      fuzzer.fuzzOne(input);
      if (n % 100 === 0) fuzzer.targetOf(input).checkRestored();
    }
    for (const target of fuzzer.targets) target.checkRestored();
  });

  it('takes any bytes, none and too many included', () => {
    for (const length of [0, 1, 8, 9, 10, 100_000])
      expect(() => fuzzer.fuzzOne(new Uint8Array(length))).not.toThrow();
  });

  it('tells what is new once', async () => {
    const { fuzzOne } = await createFuzzer();
    const input = randomInput(new Random(7));
    expect(fuzzOne(input)).toBe(2);
    expect(fuzzOne(input)).toBe(0);
  });

  it('puts 20 dirty pages back in 10 microseconds', () => {
    const target = fuzzer.targets[0] as FuzzTarget;
    const engine = target.machine.engine as FuzzExports;
    const { base } = target.machine.config.ram;
    const before = target.machine.digest();
    const times = Array.from({ length: 400 }, () => {
      for (let at = 0; at < 20 * 4096; at += 256) engine.write(base + 0x18_0000 + at, 4, 1, 0);
      const start = performance.now();
      engine.fuzzRestore();
      return performance.now() - start;
    });
    expect(Math.min(...times) * 1000).toBeLessThan(10);
    expect(target.machine.digest()).toBe(before);
  });
});

describe('a campaign', () => {
  it('finds its way into the engine, and nothing that fails', async () => {
    const campaign = new Campaign(await createFuzzer(), { seed: 3 });
    campaign.run(20_000);
    campaign.checkRestored();
    expect(campaign.crashes).toEqual([]);
    expect(campaign.executions).toBe(20_000);
    expect(campaign.corpus.length).toBeGreaterThan(300);
    const { seen, edges } = campaign.fuzzer.coverage();
    expect(seen / edges).toBeGreaterThan(0.5);
  });

  it('does the same for the same seed, and goes on with a corpus', async () => {
    const campaign = async (seed: number, corpus: Uint8Array[] = []): Promise<Campaign> => {
      const made = new Campaign(await createFuzzer(), { seed, corpus });
      made.run(3000);
      return made;
    };
    const [one, two, other] = [await campaign(1), await campaign(1), await campaign(2)];
    expect(two.corpus).toEqual(one.corpus);
    expect(other.corpus).not.toEqual(one.corpus);
    const further = await campaign(2, one.corpus);
    expect(further.fuzzer.coverage().seen).toBeGreaterThanOrEqual(one.fuzzer.coverage().seen);
  });
});

describe('the kinds of operations', () => {
  it('have as many names as the build has kinds', () => {
    const source = readFileSync(new URL('../../assembly/fuzz/operations.ts', import.meta.url), 'utf8');
    const names = readFileSync(new URL('../../bindings/fuzz/input_text.ts', import.meta.url), 'utf8');
    const count = Number(/const KINDS: u32 = (\d+)/.exec(source)?.[1]);
    const list = /const kinds = \[([\s\S]*?)\] as const/.exec(names)?.[1] ?? '';
    expect(list.match(/^ {2}'/gm)).toHaveLength(count);
  });
});

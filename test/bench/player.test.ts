import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeCases } from '../../bench/native/cases.ts';
import { CallRecorder } from '../../bench/player/recorded_engine.ts';
import { PlacedRecording, prepareRound, recordCase } from '../../bench/player/recording.ts';
import { large, scaleCases, small } from '../../bench/scale/cases.ts';
import { twinCases } from '../../bench/twin/cases.ts';
import { TwinGic } from '../../bench/twin/twin_gic.ts';
import type { BenchCase } from '../../bindings/bench/case.ts';
import { checkCase } from '../../bindings/bench/measure.ts';
import type { Engine } from '../../bindings/engine.ts';
import { Machine } from '../../bindings/machine.ts';
import { buildEngine } from '../../scripts/engine-builder.mjs';

/** With it each case comes back to where it began. */
const BATCH = 1024;
/** One for each kind of access, with and without something that comes before each time. */
const played = [
  'INT, 1,024 LPIs',
  'MAPTI',
  'MSI -> ICC_IAR1 -> ICC_EOIR1, 1 LPI pending',
  'SPI line high -> ICC_IAR1 -> ICC_EOIR1 -> line low',
  'SGI to another PE -> ICC_IAR1 -> ICC_EOIR1',
  'MSI -> doorbell -> ICC_IAR1 -> ICC_EOIR1, vPE not resident',
  'vPE schedule-in, 100 VLPIs pending',
  'vPE schedule-out, 100 VLPIs pending',
];
let folder: string;
let engine: Engine;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gicv4-bench-'));
  const outFile = join(folder, 'gic.bench.wasm');
  await buildEngine('bench', { outFile });
  engine = { build: 'single', module: new WebAssembly.Module(readFileSync(outFile)) };
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true }));

const named = (cases: readonly BenchCase[]) => cases.map((benchCase) => [benchCase.name, benchCase] as const);

describe('a round that is played does what the case does by calls', () => {
  it.each(named(nativeCases.filter(({ name }) => played.includes(name))))('%s', (_, benchCase) => {
    const { recording, machine } = recordCase(benchCase, engine, BATCH);
    const { work, gic } = prepareRound(benchCase, (options) => new Machine(engine, options), BATCH);
    expect(recording.run.length).toBeGreaterThan(0);
    const placed = new PlacedRecording(recording, machine);
    work.reset?.();
    work.run();
    placed.reset();
    const first = placed.run();
    work.reset?.();
    work.run();
    placed.reset();
    expect(placed.run()).toBe(first);
    // The one that is played is a round ahead: it was recorded on.
    work.reset?.();
    work.run();
    expect(machine.digest()).toBe(gic.digest());
  });
});

it('all cases that are played are there', () => {
  const names = nativeCases.map(({ name }) => name);
  expect(played.filter((name) => !names.includes(name))).toEqual([]);
});

describe('the twin gives the same results for the same accesses', () => {
  it.each(named(twinCases))('%s', (_, benchCase) => {
    const { recording, machine } = recordCase(benchCase, engine, BATCH);
    const placed = new PlacedRecording(recording, machine);
    const { twin } = prepareRound(benchCase, (options) => new TwinGic(options), BATCH).gic;
    for (let round = 0; round < 3; round++) {
      expect(twin.play(recording.reset)).toBe(placed.reset());
      expect(twin.play(recording.run)).toBe(placed.run());
    }
  });
});

describe('random traffic on machines of either size does what its name says', () => {
  const cases = scaleCases.flatMap(({ of }) => [of(small), of(large)]);
  it.each(named(cases))('%s', (_, benchCase) => {
    const make = (options: ConstructorParameters<typeof Machine>[1]) => new Machine(engine, options);
    expect(() => checkCase(benchCase, make, { batch: BATCH })).not.toThrow();
  });
});

describe('a call recorder', () => {
  it('notes calls while it records, and passes all on', () => {
    const machine = new Machine(engine, {});
    const recorder = new CallRecorder(machine.engine);
    recorder.engine.sendMsi(0, 1, 2);
    const list = recorder.record(() => recorder.engine.write(0x8000_0000, 8, 5, 6));
    expect([...list]).toEqual([2, 0x8000_0000, 8, 5, 6]);
    expect(machine.read(0x8000_0000, 8)).toBe(0x6_0000_0005n);
  });

  it('refuses what cannot be played', () => {
    const recorder = new CallRecorder(new Machine(engine, {}).engine);
    expect(() => recorder.record(() => recorder.engine.resetCpuInterface(0))).toThrow(/cannot be played/);
    expect(() => recorder.record(() => recorder.engine.read(2 ** 40, 4))).toThrow(/above 4 GiB/);
  });
});

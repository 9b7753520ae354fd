/**
 * The engine in V8 beside native code of the same source: wasm2c's translation, built by gcc. Both play the same lists of
 * accesses from the same memory, and must leave the same state behind.
 *
 *     npm run bench:native -- [--filter TEXT] [--time MS] [--json]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchCase } from '../bindings/bench/case.ts';
import { fullEffort } from '../bindings/bench/measure.ts';
import { createProgress } from '../bindings/cli/progress.ts';
import type { Engine } from '../bindings/engine.ts';
import { interleaved } from './interleaved.ts';
import { buildDriver, missingTools } from './native/build.ts';
import { nativeCases } from './native/cases.ts';
import { writeImage } from './native/image.ts';
import { loadBenchEngine } from './player/engines.ts';
import { PlacedRecording, recordCase } from './player/recording.ts';
import { geometricMean, type Row, runSection, type SectionOptions } from './section.ts';

const NATIVE = 'native ns/op';
const SHIPPED = 'as shipped, with SIMD ns/op';
const ROUNDS_COMPARED = 3;
const ROUNDS_TIMED = 5;
const TARGET = { atMost: 1.3 };

const NOTE =
  'Native code is wasm2c of the engine built without SIMD, gcc -O3 -march=native; memory is guarded by pages, as in V8, ' +
  'and its address is a constant. A ratio says how much longer V8 takes for the same module. The engine that is shipped ' +
  'has SIMD, which this wasm2c cannot translate: its time stands beside, and is not compared. The best of five rounds in ' +
  'turn counts.';

await runSection(250, (options) => {
  const problem = missingTools();
  if (problem !== undefined) return { section: 'native', rows: [], problem };
  const folder = mkdtempSync(join(tmpdir(), 'gicv4-native-'));
  try {
    return { section: 'native', note: NOTE, rows: measureAll(folder, options) };
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function measureAll(folder: string, { filter, time }: SectionOptions): Row[] {
  const driver = buildDriver();
  const engines = { plain: loadBenchEngine('bench-plain'), shipped: loadBenchEngine('bench') };
  const selected = nativeCases.filter(({ name }) => name.toLowerCase().includes(filter));
  const progress = createProgress('bench', selected.length);
  const rows: Row[] = [];
  for (const benchCase of selected) {
    rows.push(compare(benchCase, driver, engines, join(folder, 'image'), time));
    progress.update(rows.length);
  }
  progress.stop();
  return rows.length === 0 ? rows : [...rows, meanOf(rows)];
}

function compare(
  benchCase: BenchCase,
  driver: string,
  engines: Readonly<Record<'plain' | 'shipped', Engine>>,
  image: string,
  time: number,
): Row {
  const { recording, machine } = recordCase(benchCase, engines.plain, fullEffort.batch);
  const other = recordCase(benchCase, engines.shipped, fullEffort.batch);
  const plain = new PlacedRecording(recording, machine);
  const shipped = new PlacedRecording(other.recording, other.machine);
  writeImage(image, recording, machine);
  let sum = 0;
  for (let n = 0; n < ROUNDS_COMPARED; n++) {
    plain.reset();
    sum = plain.run();
  }
  const told = tell(driver, image, 'verify', ROUNDS_COMPARED);
  const expected = `${sum} ${Number.parseInt(machine.digest().slice(8), 16)}`;
  if (told !== expected)
    throw new Error(`${benchCase.name}: native code gives ${told} instead of ${expected}`);
  const { ops } = recording;
  const work = (placed: PlacedRecording) => ({
    ops,
    reset: () => void placed.reset(),
    run: () => void placed.run(),
  });
  const best = interleaved(
    {
      plain: work(plain),
      shipped: work(shipped),
      native: () => Number(tell(driver, image, 'time', time / ROUNDS_TIMED)) / ops,
    },
    time,
  );
  return {
    name: benchCase.name,
    value: best.plain,
    unit: 'ns/op',
    beside: { [NATIVE]: best.native, [SHIPPED]: best.shipped },
    ratio: best.plain / best.native,
  };
}

function tell(driver: string, image: string, what: 'verify' | 'time', amount: number): string {
  const { status, stdout, stderr } = spawnSync(driver, [image, what, String(amount)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the native driver failed: ${stderr}`);
  return stdout.trim();
}

function meanOf(rows: readonly Row[]): Row {
  const column = (of: (row: Row) => number) => geometricMean(rows.map(of));
  const beside = (name: string) => column((row) => row.beside?.[name] as number);
  return {
    name: `geometric mean of ${rows.length}`,
    value: column(({ value }) => value),
    unit: 'ns/op',
    beside: { [NATIVE]: beside(NATIVE), [SHIPPED]: beside(SHIPPED) },
    ratio: column(({ ratio }) => ratio as number),
    target: TARGET,
  };
}

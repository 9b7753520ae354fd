/**
 * The engine beside the same algorithm in plain TypeScript: the same list of accesses played inside WebAssembly and inside
 * JavaScript.
 *
 *     npm run bench:twin -- [--filter TEXT] [--time MS] [--json]
 */
import { fullEffort } from '../bindings/bench/measure.ts';
import { createProgress } from '../bindings/cli/progress.ts';
import { interleaved } from './interleaved.ts';
import { loadBenchEngine } from './player/engines.ts';
import { PlacedRecording, prepareRound, recordCase } from './player/recording.ts';
import { geometricMean, type Row, runSection } from './section.ts';
import { twinCases } from './twin/cases.ts';
import { TwinGic } from './twin/twin_gic.ts';

const NOTE =
  'The twin (bench/twin) has the same tables in RAM, pending bits, configuration cache and priority planes, in typed ' +
  'arrays, looks for no more again than the engine does, and passes the checks of the same cases. Neither side is called ' +
  'from outside while it is timed.';

const engine = loadBenchEngine('bench');

await runSection(400, ({ filter, time }) => {
  const selected = twinCases.filter(({ name }) => name.toLowerCase().includes(filter));
  const progress = createProgress('bench', selected.length);
  const rows: Row[] = [];
  for (const benchCase of selected) {
    const { recording, machine } = recordCase(benchCase, engine, fullEffort.batch);
    const played = new PlacedRecording(recording, machine);
    const { twin } = prepareRound(benchCase, (options) => new TwinGic(options), fullEffort.batch).gic;
    const { ops, run, reset } = recording;
    const ours = { ops, reset: () => played.reset(), run: () => void played.run() };
    const theirs = { ops, reset: () => void twin.play(reset), run: () => void twin.play(run) };
    requireAlike(benchCase.name, [played.reset(), played.run()], [twin.play(reset), twin.play(run)]);
    const best = interleaved({ ours, theirs }, time);
    rows.push({
      name: benchCase.name,
      value: best.ours,
      unit: 'ns/op',
      beside: { 'TypeScript ns/op': best.theirs },
      ratio: best.theirs / best.ours,
      target: 3,
    });
    progress.update(rows.length);
  }
  progress.stop();
  const mean = geometricMean(rows.map(({ ratio }) => ratio as number));
  return { section: 'twin', note: `${NOTE} Geometric mean of the ratios: ${mean.toFixed(2)}.`, rows };
});

function requireAlike(name: string, ours: readonly number[], theirs: readonly number[]): void {
  if (ours.some((sum, n) => sum !== theirs[n])) throw new Error(`${name}: the twin does something else`);
}

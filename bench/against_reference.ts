/**
 * The engine beside the reference model in plain TypeScript, case by case, in one run on one host.
 *
 *     npm run bench:reference -- [--filter TEXT] [--time MS] [--json]
 */
import { benchCases } from '../bindings/bench/cases/index.ts';
import { type Effort, fullEffort, measureCase } from '../bindings/bench/measure.ts';
import { createProgress } from '../bindings/cli/progress.ts';
import { loadEngine } from '../bindings/engine_loading.ts';
import { Machine } from '../bindings/machine.ts';
import { ReferenceGic } from '../test/reference/gic.ts';
import { type Row, runSection, type SectionOptions } from './section.ts';

const NOTE =
  'The reference model is written for clarity, not for speed: it keeps no index of what is pending and looks for the ' +
  'best interrupt whenever it is asked for. A ratio tells what the design and WebAssembly gain together, not what ' +
  'WebAssembly gains over JavaScript.';

await runSection(fullEffort.time, async (options) => {
  return { section: 'reference', note: NOTE, rows: await compareAll(options) };
});

async function compareAll({ filter, time }: SectionOptions): Promise<Row[]> {
  const engine = await loadEngine('single');
  const selected = benchCases.filter(
    // The reference model has no virtual LPIs.
    ({ name, needs, engineOnly }) => needs === 'GICv3' && !engineOnly && name.toLowerCase().includes(filter),
  );
  // A single operation can take the reference model milliseconds.
  const referenceEffort: Effort = { time, runs: 3, batch: 16 };
  const progress = createProgress('bench', selected.length);
  const rows: Row[] = [];
  for (const benchCase of selected) {
    const ours = measureCase(benchCase, (options) => new Machine(engine, options), { ...fullEffort, time });
    const reference = measureCase(benchCase, (options) => new ReferenceGic(options), referenceEffort);
    rows.push({
      name: benchCase.name,
      value: ours.nsPerOp,
      unit: 'ns/op',
      beside: { 'reference model ns/op': reference.nsPerOp },
      ratio: reference.nsPerOp / ours.nsPerOp,
    });
    progress.update(rows.length);
  }
  progress.stop();
  return rows;
}

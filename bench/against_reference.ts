/**
 * The engine beside the reference model in plain TypeScript, case by case, in one run on one host.
 *
 *     npm run bench:reference -- [--filter TEXT] [--time MS] [--json]
 */
import { parseArgs } from 'node:util';
import { benchCases } from '../bindings/bench/cases/index.ts';
import { type Effort, fullEffort, measureCase } from '../bindings/bench/measure.ts';
import { printJson, printLine } from '../bindings/cli/output.ts';
import { createProgress } from '../bindings/cli/progress.ts';
import { loadEngine } from '../bindings/engine_loading.ts';
import { Machine } from '../bindings/machine.ts';
import { ReferenceGic } from '../test/reference/gic.ts';

interface Comparison {
  readonly name: string;
  readonly engineNsPerOp: number;
  readonly referenceNsPerOp: number;
  /** How many times as fast the engine is. */
  readonly ratio: number;
}

const NOTE =
  'The reference model is written for clarity, not for speed: it keeps no index of what is pending and looks for the ' +
  'best interrupt whenever it is asked for. A ratio tells what the design and WebAssembly gain together, not what ' +
  'WebAssembly gains over JavaScript.';

const { values } = parseArgs({
  options: {
    filter: { type: 'string', default: '' },
    time: { type: 'string', default: String(fullEffort.time) },
    json: { type: 'boolean', default: false },
  },
});

const comparisons = await compareAll(values.filter.toLowerCase(), Number(values.time));
if (values.json) printJson({ node: process.version, note: NOTE, cases: comparisons });
else printTable(comparisons);

async function compareAll(filter: string, time: number): Promise<Comparison[]> {
  const engine = await loadEngine('single');
  const selected = benchCases.filter(
    // The reference model has no virtual LPIs.
    ({ name, needs, engineOnly }) => needs === 'GICv3' && !engineOnly && name.toLowerCase().includes(filter),
  );
  // A single operation can take the reference model milliseconds.
  const referenceEffort: Effort = { time, runs: 3, batch: 16 };
  const progress = createProgress('bench', selected.length);
  const results: Comparison[] = [];
  for (const benchCase of selected) {
    const { name } = benchCase;
    const ours = measureCase(benchCase, (options) => new Machine(engine, options), { ...fullEffort, time });
    const reference = measureCase(benchCase, (options) => new ReferenceGic(options), referenceEffort);
    results.push({
      name,
      engineNsPerOp: ours.nsPerOp,
      referenceNsPerOp: reference.nsPerOp,
      ratio: reference.nsPerOp / ours.nsPerOp,
    });
    progress.update(results.length);
  }
  progress.stop();
  return results;
}

function printTable(rows: readonly Comparison[]): void {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const columns = ['engine ns/op', 'reference ns/op', 'engine vs reference model'];
  printLine([`Node ${process.version}`.padEnd(width), ...columns].join('  '));
  for (const { name, engineNsPerOp, referenceNsPerOp, ratio } of rows) {
    const cells = [engineNsPerOp, referenceNsPerOp].map((ns, n) =>
      rounded(ns).padStart(columns[n]?.length ?? 0),
    );
    printLine([name.padEnd(width), ...cells, `${rounded(ratio)} times`.padStart(25)].join('  '));
  }
  printLine('');
  printLine(NOTE);
}

function rounded(value: number): string {
  const digits = value < 100 ? 1 : 0;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

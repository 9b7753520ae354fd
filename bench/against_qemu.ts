/**
 * The engine beside QEMU's GIC, on the same work in one run on one host.
 *
 *     npm run bench:qemu -- [--filter TEXT] [--time MS] [--json]
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { BenchCase } from '../bindings/bench/case.ts';
import { benchCases } from '../bindings/bench/cases/index.ts';
import { fullEffort, measureCase } from '../bindings/bench/measure.ts';
import { printJson, printLine } from '../bindings/cli/output.ts';
import { createProgress } from '../bindings/cli/progress.ts';
import type { Engine } from '../bindings/engine.ts';
import { loadEngine } from '../bindings/engine_loading.ts';
import { Machine } from '../bindings/machine.ts';
import { findQemu } from '../test/qemu/installed.ts';
import { measureOnQemu } from './qemu/measure_qemu.ts';

interface Comparison {
  readonly name: string;
  readonly engineNsPerOp: number;
  readonly qemuNsPerOp: number;
  /** Part of a run on QEMU that is not in `qemuNsPerOp`. */
  readonly socketNsPerOp: number;
  /** How many times as fast the engine is. */
  readonly ratio: number;
  /** How many times as fast it is meant to be at least. */
  readonly target?: number;
}

/** Cases whose timed part is commands and registers, which qtest can do at once, and what they are to reach. */
const selection: readonly (readonly [name: RegExp, target?: number])[] = [
  [/^INT, .* LPIs$/, 3],
  [/^INT \+ CLEAR, .* LPIs$/, 500],
  [/^INV, 57,344 /, 100],
  [/^MOVALL, /, 100],
  [/^(MAPTI|MAPD|MAPC|MOVI|INV,|INVALL|VMOVP|vPE schedule-)/],
];

/** So few that 57,344 LPIs are not all pending before the last run: QEMU takes half a minute to clear them. */
const qemuEffort = { runs: 5, runsMax: 50, batch: fullEffort.batch };

const NOTE =
  "QEMU's time is the CPU time of its thread that does the work (on Linux; else the time that goes by), without what as " +
  'many accesses to RAM cost by the same socket. Commands stand in its queue before the clock starts, and its PEs stand ' +
  'still meanwhile. All reads of a case and what is pending after it are compared with the engine. A ratio with ~ is ' +
  'rough: the socket cost more than the work.';

const { values } = parseArgs({
  options: {
    filter: { type: 'string', default: '' },
    time: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
  },
});

const found = findQemu();
if ('problem' in found) {
  process.stderr.write(`Nothing to compare with. ${found.problem}\n`);
} else {
  const comparisons = await compareAll(values.filter.toLowerCase(), Number(values.time));
  const host = { node: process.version, qemu: found.version, cpu: cpus()[0]?.model ?? 'unknown' };
  if (values.json) printJson({ ...host, note: NOTE, cases: comparisons });
  else printTable(`Node ${host.node}, QEMU ${host.qemu}`, comparisons);
}

async function compareAll(filter: string, time: number): Promise<Comparison[]> {
  const engine = await loadEngine('single');
  const selected = benchCases.filter(
    ({ name }) => selection.some(([pattern]) => pattern.test(name)) && name.toLowerCase().includes(filter),
  );
  const progress = createProgress('bench', selected.length);
  const results: Comparison[] = [];
  for (const benchCase of selected) {
    results.push(await compareCase(benchCase, engine, time));
    progress.update(results.length);
  }
  progress.stop();
  return [...results, ...residencyChange(results)];
}

/** A vPE scheduled in and out: the sum of two rows, where both were measured. */
function residencyChange(rows: readonly Comparison[]): Comparison[] {
  const parts = rows.filter(({ name }) => /^vPE schedule-(in|out), 57,344 /.test(name));
  if (parts.length < 2) return [];
  const sum = (of: (row: Comparison) => number) => parts.reduce((total, row) => total + of(row), 0);
  const engineNsPerOp = sum((row) => row.engineNsPerOp);
  const qemuNsPerOp = sum((row) => row.qemuNsPerOp);
  return [
    {
      name: 'vPE schedule-in and schedule-out, 57,344 VLPIs pending',
      engineNsPerOp,
      qemuNsPerOp,
      socketNsPerOp: sum((row) => row.socketNsPerOp),
      ratio: qemuNsPerOp / engineNsPerOp,
      target: 100,
    },
  ];
}

async function compareCase(benchCase: BenchCase, engine: Engine, time: number): Promise<Comparison> {
  const { name } = benchCase;
  const ours = measureCase(benchCase, (options) => new Machine(engine, options));
  const theirs = await measureOnQemu(benchCase, engine, { ...qemuEffort, time });
  const target = selection.find(([pattern]) => pattern.test(name))?.[1];
  return {
    name,
    engineNsPerOp: ours.nsPerOp,
    qemuNsPerOp: theirs.nsPerOp,
    socketNsPerOp: theirs.socketNsPerOp,
    ratio: theirs.nsPerOp / ours.nsPerOp,
    ...(target !== undefined && { target }),
  };
}

function printTable(host: string, rows: readonly Comparison[]): void {
  const width = Math.max(host.length, ...rows.map(({ name }) => name.length));
  const columns = ['engine ns/op', '    QEMU ns/op', 'socket ns/op', '     ratio', 'target'];
  printLine([host.padEnd(width), ...columns].join('  '));
  for (const { name, engineNsPerOp, qemuNsPerOp, socketNsPerOp, ratio, target } of rows) {
    const rough = socketNsPerOp > qemuNsPerOp ? '~' : '';
    const texts = [
      rounded(engineNsPerOp),
      rounded(qemuNsPerOp),
      rounded(socketNsPerOp),
      qemuNsPerOp > 0 ? `${rough}${rounded(ratio)}` : 'unknown',
    ];
    const cells = texts.map((text, n) => text.padStart(columns[n]?.length ?? 0));
    const verdict = target === undefined ? '' : `${target}${ratio < target ? ', missed' : ''}`;
    printLine([name.padEnd(width), ...cells, verdict].join('  ').trimEnd());
  }
  printLine('');
  printLine(NOTE);
}

function rounded(value: number): string {
  const digits = value < 100 ? 1 : 0;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

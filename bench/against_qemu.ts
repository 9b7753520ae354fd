/**
 * The engine beside QEMU's GIC, on the same work in one run on one host.
 *
 *     npm run bench:qemu -- [--filter TEXT] [--time MS] [--json]
 */
import type { BenchCase } from '../bindings/bench/case.ts';
import { benchCases } from '../bindings/bench/cases/index.ts';
import { fullEffort, measureCase } from '../bindings/bench/measure.ts';
import { createProgress } from '../bindings/cli/progress.ts';
import type { Engine } from '../bindings/engine.ts';
import { loadEngine } from '../bindings/engine_loading.ts';
import { Machine } from '../bindings/machine.ts';
import { findQemu } from '../test/qemu/installed.ts';
import { measureOnQemu } from './qemu/measure_qemu.ts';
import { type Row, runSection, type SectionOptions } from './section.ts';

/** Cases whose timed part is commands and registers, which qtest can do at once, and what they are to reach. */
const selection: readonly Selection[] = [
  { cases: /^INT, .* LPIs$/, target: 3, goal: 'commands' },
  { cases: /^INT \+ CLEAR, .* LPIs$/, target: 500, goal: 'taken away' },
  { cases: /^(INV, 57,344|MOVALL,) /, target: 100, goal: 'all pending' },
  { cases: /^(MAPTI|MAPD|MAPC|MOVI|INV,|INVALL|VMOVP|vPE schedule-)/ },
];

interface Selection {
  readonly cases: RegExp;
  readonly target?: number;
  readonly goal?: string;
}

const QEMU = 'QEMU ns/op';
/** Part of a run on QEMU that is not in the column before. */
const SOCKET = 'socket ns/op';

/** So few that 57,344 LPIs are not all pending before the last run: QEMU takes half a minute to clear them. */
const qemuEffort = { runs: 15, runsMax: 50, batch: fullEffort.batch };
/** Of so many measurements of the engine, before and after QEMU's, the best one counts. */
const ROUNDS = 4;

const NOTE =
  "QEMU's time is the CPU time of its thread that does the work (on Linux; else the time that goes by), without what as " +
  'many accesses to RAM cost by the same socket. Commands stand in its queue before the clock starts, and its PEs stand ' +
  'still meanwhile. All reads of a case and what is pending after it are compared with the engine. Where the ' +
  'socket costs more than the work the ratio is rough.';

await runSection(1000, async (options) => {
  const found = findQemu();
  if ('problem' in found) return { section: 'qemu', rows: [], problem: found.problem };
  return { section: 'qemu', note: NOTE, rows: await compareAll(options) };
});

async function compareAll({ filter, time }: SectionOptions): Promise<Row[]> {
  const engine = await loadEngine('single');
  const selected = benchCases.filter(
    ({ name }) => selection.some(({ cases }) => cases.test(name)) && name.toLowerCase().includes(filter),
  );
  const progress = createProgress('bench', selected.length);
  const rows: Row[] = [];
  for (const benchCase of selected) {
    rows.push(await compareCase(benchCase, engine, time));
    progress.update(rows.length);
  }
  progress.stop();
  return [...rows, ...residencyChange(rows)];
}

/** A vPE scheduled in and out: the sum of two rows, where both were measured. */
function residencyChange(rows: readonly Row[]): Row[] {
  const parts = rows.filter(({ name }) => /^vPE schedule-(in|out), 57,344 /.test(name));
  if (parts.length < 2) return [];
  const sum = (of: (row: Row) => number) => parts.reduce((total, row) => total + of(row), 0);
  const name = 'vPE schedule-in and schedule-out, 57,344 VLPIs pending';
  const [ours, theirs, socket] = [
    sum(({ value }) => value),
    sum(({ beside }) => beside?.[QEMU] ?? 0),
    sum(({ beside }) => beside?.[SOCKET] ?? 0),
  ];
  return [{ ...comparison(name, ours, theirs, socket), target: 100, goal: 'all pending' }];
}

async function compareCase(benchCase: BenchCase, engine: Engine, time: number): Promise<Row> {
  const { name } = benchCase;
  const measure = () => measureCase(benchCase, (options) => new Machine(engine, options)).nsPerOp;
  const before = Array.from({ length: ROUNDS / 2 }, measure);
  const theirs = await measureOnQemu(benchCase, engine, { ...qemuEffort, time });
  const ours = Math.min(...before, ...Array.from({ length: ROUNDS / 2 }, measure));
  const { target, goal } = selection.find(({ cases }) => cases.test(name)) ?? {};
  return {
    ...comparison(name, ours, theirs.nsPerOp, theirs.socketNsPerOp),
    ...(target !== undefined && { target }),
    ...(goal !== undefined && { goal }),
  };
}

function comparison(name: string, value: number, qemu: number, socket: number): Row {
  return { name, value, unit: 'ns/op', beside: { [QEMU]: qemu, [SOCKET]: socket }, ratio: qemu / value };
}

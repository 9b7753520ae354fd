/**
 * Going back to a state that was kept: in the fuzz build what was written, in the others a snapshot.
 *
 *     npm run bench:restore -- [--time MS] [--json]
 */
import { readFileSync } from 'node:fs';
import { expectEqual } from '../bindings/bench/check.ts';
import { loadEngine } from '../bindings/engine_loading.ts';
import type { FuzzExports } from '../bindings/fuzz/exports.ts';
import { FuzzTarget } from '../bindings/fuzz/target.ts';
import { Machine } from '../bindings/machine.ts';
import { interleaved } from './interleaved.ts';
import { root } from './player/engines.ts';
import { type Row, runSection } from './section.ts';

const PAGES = 20;
const PAGE = 4096;
/** So close that no granule is left out. */
const STEP = 128;
/** Beyond what the machine of the fuzz build has set up in its RAM. */
const FREE_RAM = 0x18_0000;
const NOTE =
  'A page is 4 KiB. The fuzz build keeps account of pieces of a page, granules: it puts back those that were written. ' +
  '`Machine.restore` copies all that the snapshot holds.';

await runSection(500, async ({ time }) => {
  return { section: 'restore', note: NOTE, rows: [...fuzzRows(time), await snapshotRow(time)] };
});

function fuzzRows(time: number): Row[] {
  const module = new WebAssembly.Module(readFileSync(`${root}/build/gic.fuzz.wasm`));
  const target = new FuzzTarget({ build: 'single', module }, 'GICv4.1');
  const engine = target.machine.engine as FuzzExports;
  const base = target.machine.config.ram.base + FREE_RAM;
  const row = (name: string, step: number, rest: Partial<Row>): Row => {
    let put = 0;
    const work = {
      ops: 1,
      reset() {
        for (let at = 0; at < PAGES * PAGE; at += step) engine.write(base + at, 8, at + 1, 0);
      },
      run() {
        put = engine.fuzzRestore();
      },
    };
    // What the build has noted before does not count.
    engine.fuzzRestore();
    work.reset();
    work.run();
    expectEqual('every page is put back', put >= PAGES, true);
    target.checkRestored();
    const best = interleaved({ restore: work }, time);
    return { name, value: best.restore / 1000, unit: 'us', beside: { granules: put }, ...rest };
  };
  const goal = { target: { atMost: 10 } };
  return [
    row(`fuzz build, ${PAGES} pages with a store each`, PAGE, goal),
    row(`fuzz build, ${PAGES} pages written from end to end`, STEP, goal),
  ];
}

async function snapshotRow(time: number): Promise<Row> {
  const machine = new Machine(await loadEngine('single'), { ram: { base: 0x8000_0000, size: 2 ** 20 } });
  const snapshot = machine.snapshot();
  const { base } = machine.config.ram;
  const best = interleaved(
    {
      restore: {
        ops: 1,
        reset() {
          for (let n = 0; n < PAGES; n++) machine.write(base + n * PAGE, 8, n + 1);
        },
        run: () => machine.restore(snapshot),
      },
    },
    time,
  );
  return {
    name: `Machine.restore of a machine with 1 MiB of RAM, ${PAGES} pages written`,
    value: best.restore / 1000,
    unit: 'us',
  };
}

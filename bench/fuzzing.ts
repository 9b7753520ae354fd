/**
 * Fuzz executions a second, on one core: inputs of 32 operations, with coverage, oracles, and the way back to the state
 * before each.
 *
 *     npm run bench:fuzzing -- [--time MS] [--json]
 */
import { readFileSync } from 'node:fs';
import { Campaign } from '../bindings/fuzz/campaign.ts';
import { fuzzArchitectures } from '../bindings/fuzz/fuzzer.ts';
import { createFuzzer } from '../bindings/fuzz/load.ts';
import { MAX_OPERATIONS, Mutator } from '../bindings/fuzz/mutation.ts';
import { Random } from '../bindings/fuzz/random.ts';
import { interleaved } from './interleaved.ts';
import { root } from './player/engines.ts';
import { type Row, runSection } from './section.ts';

/** So many that the host's branch predictors do not come to know them. */
const INPUTS = 8192;
/** Inputs of a campaign that are timed together. */
const TRIED = 1024;
const TARGET = { target: { atLeast: 300_000 } };
const NOTE =
  `Random inputs of ${MAX_OPERATIONS} operations on all three machines, each machine's in a row, as a campaign has them. ` +
  "The campaign's row has what else it does in it: mutations, the corpus, and a second and third execution of what led " +
  'somewhere new; its inputs have up to 32.';

await runSection(2000, async ({ time }) => {
  const module = new WebAssembly.Module(readFileSync(`${root}/build/gic.fuzz.wasm`));
  const fuzzer = await createFuzzer(module);
  const mutator = new Mutator(new Random(1));
  const inputs = Array.from({ length: INPUTS }, () => {
    mutator.fresh();
    return mutator.bytes.slice(0, mutator.length);
  });
  const perSecond = (name: string, ns: number, rest: Partial<Row> = {}): Row => {
    return { name, value: 1e9 / ns, unit: 'executions/s', beside: { 'us/execution': ns / 1000 }, ...rest };
  };
  const executions = (own: readonly Uint8Array[]) => ({
    ops: own.length,
    run() {
      for (const input of own) fuzzer.fuzzOne(input);
    },
  });
  const byMachine = fuzzer.targets.map((target) =>
    inputs.filter((input) => fuzzer.targetOf(input) === target),
  );
  const all = interleaved({ inputs: executions(byMachine.flat()) }, time).inputs;
  const mixed = interleaved({ inputs: executions(inputs) }, time).inputs;
  const each = byMachine.map((own, n) =>
    perSecond(`random inputs, ${fuzzArchitectures[n]}`, interleaved({ own: executions(own) }, time / 3).own),
  );
  const campaign = new Campaign(fuzzer, { seed: 1 });
  const tried = interleaved({ campaign: { ops: TRIED, run: () => campaign.run(TRIED) } }, time).campaign;
  return {
    section: 'fuzzing',
    note: NOTE,
    rows: [
      perSecond('random inputs', all, TARGET),
      perSecond('random inputs, another machine each time', mixed),
      ...each,
      perSecond('a campaign of gicv4 fuzz', tried, TARGET),
    ],
  };
});

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

const INPUTS = 1024;
const TARGET = { target: { atLeast: 300_000 } };
const NOTE =
  `Random inputs of ${MAX_OPERATIONS} operations, all three machines in turn. The campaign's row has what else it does in ` +
  'it: mutations, the corpus, and a second and third execution of what led somewhere new; its inputs have up to 32.';

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
  const all = interleaved({ inputs: executions(inputs) }, time).inputs;
  const each = fuzzArchitectures.map((architecture, n) => {
    const own = inputs.filter((input) => fuzzer.targetOf(input) === fuzzer.targets[n]);
    return perSecond(`random inputs, ${architecture}`, interleaved({ own: executions(own) }, time / 3).own);
  });
  const campaign = new Campaign(fuzzer, { seed: 1 });
  const tried = interleaved({ campaign: { ops: INPUTS, run: () => campaign.run(INPUTS) } }, time).campaign;
  return {
    section: 'fuzzing',
    note: NOTE,
    rows: [
      perSecond('random inputs', all, TARGET),
      ...each,
      perSecond('a campaign of gicv4 fuzz', tried, TARGET),
    ],
  };
});

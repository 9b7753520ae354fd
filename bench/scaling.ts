/**
 * The cost of an event on a large machine beside that on a small one: 256 CPUs and 4,096 vPEs, 4 CPUs and 8 vPEs.
 *
 *     npm run bench:scaling -- [--filter TEXT] [--time MS] [--json]
 */
import { checkCase, fullEffort } from '../bindings/bench/measure.ts';
import { Machine } from '../bindings/machine.ts';
import { interleaved } from './interleaved.ts';
import { loadBenchEngine } from './player/engines.ts';
import { PlacedRecording, recordCase } from './player/recording.ts';
import { large, type Size, scaleCases, small } from './scale/cases.ts';
import { runSection } from './section.ts';

const NOTE =
  'The same random traffic over 4,096 events on both machines, played inside WebAssembly. The larger one needs more of ' +
  'the caches: a part of the ratio is memory.';

const engine = loadBenchEngine('bench');

await runSection(500, ({ filter, time }) => {
  const selected = scaleCases.filter(({ name }) => name.toLowerCase().includes(filter));
  const rows = selected.map(({ name, of }) => {
    const contender = (size: Size) => {
      checkCase(of(size), (options) => new Machine(engine, options), fullEffort);
      const { recording, machine } = recordCase(of(size), engine, fullEffort.batch);
      const played = new PlacedRecording(recording, machine);
      return { ops: recording.ops, reset: () => void played.reset(), run: () => void played.run() };
    };
    const best = interleaved({ small: contender(small), large: contender(large) }, time);
    return {
      name,
      value: best.large,
      unit: 'ns/op',
      beside: { '4 CPUs, 8 vPEs ns/op': best.small },
      ratio: best.large / best.small,
      target: { atMost: 2 },
    };
  });
  return { section: 'scaling', note: NOTE, rows };
});

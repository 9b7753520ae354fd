/**
 * Simulated events a second, on one core.
 *
 *     npm run bench:simulation -- [--filter TEXT] [--time MS] [--json]
 */
import { simulationCases } from '../bindings/bench/cases/simulation.ts';
import { checkCase } from '../bindings/bench/measure.ts';
import { loadEngine } from '../bindings/engine_loading.ts';
import { Machine } from '../bindings/machine.ts';
import { interleaved } from './interleaved.ts';
import { runSection } from './section.ts';

const BATCH = 16_384;
const NOTE =
  'An event is a step of the simulation with all that hangs on it: a device that sends, a timer that fires, an exit and ' +
  'the entry after it, a guest that acknowledges, works and ends its interrupt.';

const engine = await loadEngine('single');

await runSection(1000, ({ filter, time }) => {
  const selected = simulationCases.filter(({ name }) => name.toLowerCase().includes(filter));
  const make = (options: ConstructorParameters<typeof Machine>[1]) => new Machine(engine, options);
  const rows = selected.map((simulation) => {
    checkCase(simulation, make, { batch: BATCH });
    const { event } = interleaved({ event: simulation.prepare(make, BATCH) }, time);
    return {
      name: simulation.name,
      value: 1e9 / event,
      unit: 'events/s',
      beside: { 'ns/event': event },
      target: { atLeast: 5e6 },
    };
  });
  return { section: 'simulation', note: NOTE, rows };
});

import fc from 'fast-check';
import { describe, it } from 'vitest';
import { type Engine, loadEngine, type MachineOptions, resolveConfig } from '../../bindings/index.ts';
import { failWith } from './differential/agreement.ts';
import { anyPolicies, anyVirtualConfiguration, RAM } from './differential/configurations.ts';
import { Dice } from './differential/dice.ts';
import { play, type Step } from './differential/pair.ts';
import { Scenario } from './differential/scenario.ts';

/** Random steps of a sequence, beside its set-up. */
const LENGTH = 300;
/** Of the generator; for a hunt elsewhere, GICV4_SEED. */
const SEED = Number(process.env.GICV4_SEED ?? 1);
/** How many times as many sequences: for long campaigns, GICV4_CAMPAIGN. */
const CAMPAIGN = Number(process.env.GICV4_CAMPAIGN ?? 1);

/** A seed for the machine, and one for each step: leaving a step out leaves the others as they are. */
const seeds = fc.record({
  machine: fc.noShrink(fc.integer()),
  steps: fc.array(fc.noShrink(fc.integer()), { minLength: LENGTH, maxLength: LENGTH }),
});
type Seeds = typeof seeds extends fc.Arbitrary<infer Value> ? Value : never;

type Draw = (dice: Dice) => MachineOptions;

/** The machine and the sequence that seeds stand for. */
function sequence(draw: Draw, { machine, steps }: Seeds): { options: MachineOptions; steps: Step[] } {
  const dice = new Dice(machine);
  const options = draw(dice);
  const scenario = new Scenario(dice, resolveConfig(options), { virtual: true });
  const begin = scenario.begin();
  const middle = steps.map((seed) => {
    dice.restart(seed);
    return scenario.next();
  });
  return { options, steps: [...begin, ...middle, ...scenario.end()] };
}

async function agree(engine: Engine, draw: Draw, runs: number): Promise<void> {
  const property = fc.property(seeds, (given) => {
    const { options, steps } = sequence(draw, given);
    return play(engine, options, steps) === undefined;
  });
  const { failed, counterexample, numRuns } = fc.check(property, {
    seed: SEED,
    numRuns: runs * CAMPAIGN,
    // A shorter array would only be cut at one end: `failWith` leaves out steps anywhere.
    endOnFailure: true,
  });
  if (!failed || !counterexample) return;
  const { options, steps } = sequence(draw, counterexample[0]);
  await failWith(engine, options, steps, play(engine, options, steps)!, `seed ${SEED}, sequence ${numRuns}`);
}

const common: MachineOptions = { ram: RAM, cpus: 3, spis: 64, itsCount: 2 };
const groups: MachineOptions = {
  ...common,
  cpus: 4,
  affinities: [0x000, 0x001, 0x100, 0x101],
  commonLpiAffinity: 3,
  sharedVpeTable: 3,
};

/** What differs between the sequences of a test: drawn anew for each of them. */
const machines: [string, number, Draw][] = [
  ['list registers on a GICv3', 3, () => ({ ...common, itsCount: 1 })],
  ['GICv4.0', 5, () => ({ ...common, architecture: 'GICv4.0' })],
  [
    'GICv4.0 and any policies',
    5,
    (dice) => ({ ...common, architecture: 'GICv4.0', policy: anyPolicies(dice) }),
  ],
  ['any GICv4.0', 6, (dice) => ({ ...anyVirtualConfiguration(dice), architecture: 'GICv4.0' })],
  ['GICv4.0 and VMOVP on every ITS', 4, () => ({ ...common, architecture: 'GICv4.0', vmovpOnAnyIts: false })],
  ['GICv4.1', 6, () => ({ ...common, architecture: 'GICv4.1' })],
  ['GICv4.1 with two groups', 4, () => ({ ...groups, architecture: 'GICv4.1' })],
  ['any GICv4.1', 7, (dice) => ({ ...anyVirtualConfiguration(dice), architecture: 'GICv4.1' })],
];

describe('the engine does what the plain reference model does with virtual interrupts', () => {
  it.each(machines)('with %s, %i random sequences', async (_, runs, draw) => {
    await agree(await loadEngine(), draw, runs);
  });
});

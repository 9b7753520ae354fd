import { expect } from 'vitest';
import { type Engine, loadEngine, type MachineOptions } from '../../../bindings/index.ts';
import { minimise } from './minimise.ts';
import { type Difference, play, type Step } from './pair.ts';
import { runnableTest } from './recording.ts';
import type { Model } from './side.ts';

const MINIMISING_MILLISECONDS = 10_000;

/** A step with literal arguments, as `runnableTest` prints it: the results of its calls are compared. */
export type LiteralStep = readonly [text: string, run: (gic: Model) => readonly unknown[]];

/** Performs steps on the engine and on the reference model from reset; fails at the first difference. */
export async function expectAgreement(options: MachineOptions, steps: readonly LiteralStep[]): Promise<void> {
  const difference = play(
    await loadEngine(),
    options,
    steps.map(([text, run]) => ({ text, run: ({ model }) => run(model) })),
  );
  if (difference) expect.fail(`after step ${difference.steps} the models differ in ${difference.text}`);
}

/** Fails with the least sequence found that shows the difference, as a list and as a test that can be run. */
export async function failWith(
  engine: Engine,
  options: MachineOptions,
  steps: readonly Step[],
  difference: Difference,
  seed: string,
): Promise<never> {
  const least = await minimise(
    steps.slice(0, difference.steps),
    (fewer) => play(engine, options, fewer) !== undefined,
    MINIMISING_MILLISECONDS,
  );
  const { text } = play(engine, options, least) ?? difference;
  const lines = least.map((step, n) => `  ${n + 1}. ${step.text}`);
  expect.fail(
    [
      `the models differ in ${text}`,
      `(${seed}, ${JSON.stringify(options)})`,
      'after',
      ...lines,
      '',
      'As a test in test/properties:',
      '',
      runnableTest(engine, options, least),
    ].join('\n'),
  );
}

// Random traffic on QEMU's GIC and on the engine with the preset `qemu-virt`: every register that is read, every
// acknowledged INTID, the pending tables, the queues' progress and the interrupt outputs are compared.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandBytes } from '../../bindings/commands/codec.ts';
import type { Engine } from '../../bindings/engine.ts';
import { loadEngine } from '../../bindings/engine_loading.ts';
import { Machine } from '../../bindings/machine.ts';
import { minimise } from '../properties/differential/minimise.ts';
import { type Comparison, compare, type Difference } from './compare.ts';
import { findQemu } from './installed.ts';
import { type Arch, Program } from './program.ts';
import { Qemu } from './qemu.ts';
import { quirks } from './quirks.ts';
import { type LiveStep, type MemoryRange, Recorder } from './recorder.ts';
import { stepText } from './step_text.ts';
import * as themes from './themes/index.ts';

/** Where the seeds begin, and how many programs each theme has; for a hunt, GICV4_SEED and GICV4_PROGRAMS. */
const FIRST_SEED = Number(process.env.GICV4_SEED ?? 1);
const PROGRAMS = Number(process.env.GICV4_PROGRAMS ?? 10);
const MINIMISING_MILLISECONDS = 30_000;

const found = findQemu();
if ('problem' in found) console.warn(`Tests on QEMU are skipped. ${found.problem}`);
else {
  console.info(`QEMU ${found.version}, seeds from ${FIRST_SEED}. Not compared, because QEMU differs:`);
  for (const { name, reason } of quirks) console.info(`  ${name}: ${reason}`);
}

describe.runIf('version' in found).each([
  ['GICv3', 3],
  ['GICv4.0', 4],
] as const)('QEMU with %s and the engine do the same', (arch, gicVersion) => {
  let qemu: Qemu;
  let engine: Engine;
  beforeAll(async () => {
    engine = await loadEngine();
    qemu = await Qemu.start({ gicVersion });
  });
  afterAll(() => qemu?.[Symbol.dispose]());

  it.each(Object.entries(themes))('%s', async (_, theme) => {
    let compared = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + PROGRAMS; seed++) {
      const recorder = new Recorder(qemu);
      const program = new Program(recorder, arch, seed);
      await theme(program);
      const steps = await recorder.finish();
      const result = onEngine(engine, arch, steps);
      if (result.difference) await report(program, seed, steps.slice(0, result.difference.step + 1));
      compared += result.compared;
    }
    expect(compared).toBeGreaterThan(100 * PROGRAMS);
  });

  /** Fails with the shortest sequence found in which the engine and QEMU differ. */
  async function report({ memory }: Program, seed: number, steps: readonly LiveStep[]): Promise<never> {
    const again = async (fewer: readonly LiveStep[]): Promise<Difference | undefined> =>
      onEngine(engine, arch, await onQemu(qemu, memory, fewer)).difference;
    const least = await minimise(
      steps.flatMap(singleCommands),
      async (fewer) => (await again(fewer)) !== undefined,
      MINIMISING_MILLISECONDS,
    );
    const difference = await again(least);
    const lines = least.map((step, n) => `  ${n + 1}. ${stepText(step)}`);
    expect.fail(
      `seed ${seed}, ${arch}. After\n${lines.join('\n')}\nthe two differ in\n  ${difference?.text}`,
    );
  }
});

/** Commands that are written one by one: where one is left out, the queue holds zeros, which do nothing. */
function singleCommands(step: LiveStep): LiveStep[] {
  if (step.op !== 'write' || !step.commands) return [step];
  const { address, bytes, commands } = step;
  if (commands.length * commandBytes !== bytes.length) return [step];
  return commands.map((command, n) => {
    const at = n * commandBytes;
    return {
      op: 'write',
      address: address + at,
      bytes: bytes.slice(at, at + commandBytes),
      commands: [command],
    };
  });
}

function onEngine(engine: Engine, architecture: Arch, steps: readonly LiveStep[]): Comparison {
  return compare(steps, new Machine(engine, { preset: 'qemu-virt', architecture }));
}

/** The steps again, with the results that they have now. */
async function onQemu(qemu: Qemu, memory: MemoryRange, steps: readonly LiveStep[]): Promise<LiveStep[]> {
  const recorder = new Recorder(qemu);
  recorder.touches(memory);
  recorder.repeat(steps);
  return recorder.finish();
}

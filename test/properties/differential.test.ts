import { describe, expect, it } from 'vitest';
import {
  type Engine,
  type GicHardware,
  implementedRegisters,
  loadEngine,
  Machine,
  type MachineConfig,
  type MachineOptions,
  registerAddress,
  registerName,
  resolveConfig,
} from '../../bindings/index.ts';
import { ReferenceGic } from '../reference/gic.ts';
import { anyConfiguration, anyPolicies, RAM } from './differential/configurations.ts';
import { Dice } from './differential/dice.ts';
import { GicTraffic } from './differential/gic_traffic.ts';
import { ItsTraffic } from './differential/its_traffic.ts';
import { minimise } from './differential/minimise.ts';
import { play, type Step } from './differential/pair.ts';
import type { Kinds } from './differential/register_steps.ts';
import type { Side } from './differential/side.ts';

/** Steps that a sequence has after its set-up. */
const LENGTH = 400;
const MINIMISING_MILLISECONDS = 15_000;
/** Where the seeds begin; for a hunt elsewhere, GICV4_SEED. */
const FIRST_SEED = Number(process.env.GICV4_SEED ?? 1);

/** A random sequence: most find the machine set up, some find it as it is after reset. */
function sequence(dice: Dice, config: MachineConfig): Step[] {
  const gic = new GicTraffic(dice, config);
  const its = config.itsCount > 0 ? new ItsTraffic(dice, config) : undefined;
  const usual = weighted([...gic.usual(), ...(its?.usual() ?? [])]);
  const disruptive = weighted([...gic.disruptive(), ...(its?.disruptive() ?? [])]);
  const fromReset = dice.chance(20);
  const disruptions = dice.pick([50, 20, 3]);
  return [
    ...(fromReset ? [] : [gic.setUp(), ...(its?.setUp() ?? [])]),
    ...Array.from({ length: LENGTH }, () => dice.pick(dice.chance(disruptions) ? disruptive : usual)()),
    ...(its?.probe() ?? []),
    { text: 'read all registers', run: allRegisters },
    { text: 'read all pending tables', run: (side) => side.observeTables() },
  ];
}

function weighted(kinds: Kinds): (() => Step)[] {
  return kinds.flatMap(([weight, draw]) => Array<() => Step>(weight).fill(draw));
}

/** Every register that can be read without side effects. */
function allRegisters({ model, config }: Side): string[] {
  const lines: string[] = [];
  for (const definition of implementedRegisters(config)) {
    const { name, access, width, count = 1 } = definition;
    if (access === 'WO') continue;
    const units = name.startsWith('GICR') ? config.cpus : name.startsWith('GITS') ? config.itsCount : 1;
    const bytes = (width / 8) as 4 | 8;
    for (let unit = 0; unit < units; unit++) {
      const first = registerAddress(config, registerName(definition), unit) as number;
      for (let n = 0; n < count; n++) {
        lines.push(`${name} ${n} of unit ${unit}: 0x${model.read(first + n * bytes, bytes).toString(16)}`);
      }
    }
  }
  return lines;
}

/** Plays a sequence on both models; a failure tells the shortest sequence found that shows the difference. */
async function compare(engine: Engine, options: MachineOptions, seed: number): Promise<void> {
  const steps = sequence(new Dice(seed), resolveConfig(options));
  const difference = play(engine, options, steps);
  if (!difference) return;
  const least = await minimise(
    steps.slice(0, difference.steps),
    (fewer) => play(engine, options, fewer) !== undefined,
    MINIMISING_MILLISECONDS,
  );
  const { text } = play(engine, options, least) ?? difference;
  const lines = least.map((step, n) => `  ${n + 1}. ${step.text}`);
  expect.fail(
    `seed ${seed}, ${JSON.stringify(options)}\nAfter\n${lines.join('\n')}\nthe models differ in ${text}`,
  );
}

/** What differs between the sequences of a test: drawn anew for each of them. */
const machines: [string, number, (dice: Dice) => MachineOptions][] = [
  ['the preset architecture', 15, () => ({ ram: RAM, cpus: 3, spis: 64 })],
  ['the preset qemu-virt', 15, () => ({ preset: 'qemu-virt', cpus: 3, ram: { ...RAM, base: 0x4000_0000 } })],
  ['any policies', 40, (dice) => ({ ram: RAM, cpus: 3, spis: 64, itsCount: 2, policy: anyPolicies(dice) })],
  ['any configuration', 45, anyConfiguration],
  ['physical interrupts of a GICv4.0', 8, (dice) => ({ ...anyConfiguration(dice), architecture: 'GICv4.0' })],
  ['no ITS', 10, (dice) => ({ ...anyConfiguration(dice), itsCount: 0 })],
  [
    'no LPIs',
    20,
    (dice) => ({
      ...anyConfiguration(dice),
      itsCount: 0,
      intidBits: 10,
      extendedSpis: 0,
      extendedPpis: 0,
    }),
  ],
];

describe('the engine does what the plain reference model does', () => {
  it.each(machines)('with %s, %i random sequences', async (_, sequences, draw) => {
    const engine = await loadEngine();
    for (let n = 0; n < sequences; n++) {
      const seed = FIRST_SEED + n;
      await compare(engine, draw(new Dice(-seed)), seed);
    }
  });
});

const FRAME = 0x1_0000;

/** Base addresses of all frames of a machine with one PE. */
function frames({ addressMap, itsCount, architecture }: MachineConfig): number[] {
  const ofPe = architecture === 'GICv3' ? 2 : 4;
  return [
    addressMap.gicd,
    ...Array.from({ length: ofPe }, (_, n) => addressMap.gicr + n * FRAME),
    ...Array.from({ length: 2 * itsCount }, (_, n) => addressMap.gits + n * FRAME),
  ];
}

const full: MachineOptions = {
  ram: RAM,
  cpus: 1,
  spis: 96,
  extendedSpis: 32,
  extendedPpis: 64,
  policy: { tableWriteWhileEnabled: 'accept' },
};
const sweeps: [string, MachineOptions][] = [
  ['everything', full],
  ['the preset qemu-virt', { preset: 'qemu-virt', cpus: 1, ram: { ...RAM, base: 0x4000_0000 } }],
  ['no LPIs', { ram: RAM, cpus: 1, itsCount: 0, intidBits: 10, spis: 32 }],
];

describe('every location of every frame', () => {
  it.each(sweeps)('of a machine with %s', async (_, options) => {
    const machine = new Machine(await loadEngine(), options);
    const reference = new ReferenceGic(options);
    const read = (gic: GicHardware): string[] =>
      frames(machine.config).flatMap((frame) =>
        Array.from({ length: FRAME / 4 }, (_, n) => frame + 4 * n)
          .map((address) => ({ address, value: gic.read(address, 4) }))
          .filter(({ value }) => value !== 0)
          .map(({ address, value }) => `0x${address.toString(16)}: 0x${value.toString(16)}`),
      );
    const write = (gic: GicHardware, value: number): void => {
      for (const frame of frames(machine.config)) {
        for (let at = 0; at < FRAME; at += 4) gic.write(frame + at, 4, value);
      }
    };
    expect(read(machine), 'after reset').toEqual(read(reference));
    for (const value of [0xffff_ffff, 0x1234_5678, 0]) {
      for (const gic of [machine, reference]) write(gic, value);
      expect(read(machine), `after writes of 0x${value.toString(16)}`).toEqual(read(reference));
    }
  });
});

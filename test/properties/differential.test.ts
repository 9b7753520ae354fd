import { describe, expect, it } from 'vitest';
import {
  type Engine,
  type GicHardware,
  loadEngine,
  Machine,
  type MachineConfig,
  type MachineOptions,
  resolveConfig,
} from '../../bindings/index.ts';
import { ReferenceGic } from '../reference/gic.ts';
import { failWith } from './differential/agreement.ts';
import { anyConfiguration, anyPolicies, RAM } from './differential/configurations.ts';
import { Dice } from './differential/dice.ts';
import { play } from './differential/pair.ts';
import { Scenario } from './differential/scenario.ts';

/** Steps that a sequence has after its set-up. */
const LENGTH = 400;
/** Where the seeds begin; for a hunt elsewhere, GICV4_SEED. */
const FIRST_SEED = Number(process.env.GICV4_SEED ?? 1);
/** How many times as many sequences: for long campaigns, GICV4_CAMPAIGN. */
const CAMPAIGN = Number(process.env.GICV4_CAMPAIGN ?? 1);

/** Plays a random sequence on both models. */
async function compare(engine: Engine, options: MachineOptions, seed: number): Promise<void> {
  const dice = new Dice(seed);
  const scenario = new Scenario(dice, resolveConfig(options), { virtual: false });
  const steps = [
    ...scenario.begin(),
    ...Array.from({ length: LENGTH }, () => scenario.next()),
    ...scenario.end(),
  ];
  const difference = play(engine, options, steps);
  if (difference) await failWith(engine, options, steps, difference, `seed ${seed}`);
}

/** What differs between the sequences of a test: drawn anew for each of them. */
const machines: [string, number, (dice: Dice) => MachineOptions][] = [
  ['the preset architecture', 8, () => ({ ram: RAM, cpus: 3, spis: 64 })],
  ['the preset qemu-virt', 8, () => ({ preset: 'qemu-virt', cpus: 3, ram: { ...RAM, base: 0x4000_0000 } })],
  ['any policies', 20, (dice) => ({ ram: RAM, cpus: 3, spis: 64, itsCount: 2, policy: anyPolicies(dice) })],
  ['any configuration', 20, anyConfiguration],
  ['no ITS', 5, (dice) => ({ ...anyConfiguration(dice), itsCount: 0 })],
  [
    'no LPIs',
    10,
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
    for (let n = 0; n < sequences * CAMPAIGN; n++) {
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

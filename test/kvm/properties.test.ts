import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KernelEra, loadEngine, Machine, type MachineOptions } from '../../bindings/index.ts';
import { ERAS, Lab } from './system.ts';
import { type Action, action, World } from './world.ts';

const engine = await loadEngine();

function play(kvm: KernelEra, options: MachineOptions, actions: readonly Action[]): World {
  const machine = new Machine(engine, {
    cpus: 3,
    ram: { base: 0x4000_0000, size: 32 * 2 ** 20 },
    ...options,
  });
  const world = new World(new Lab(machine, { kvm, vcpus: 3 }));
  for (const each of actions) {
    world.perform(each);
    world.check();
  }
  world.finish();
  return world;
}

const actions = fc.array(action, { minLength: 20, maxLength: 150, size: 'max' });
/** Not one: with UIE a single list register is always an underflow, for KVM itself as well. */
const lists = fc.constantFrom(2, 4, 16);

describe.each(ERAS)('three vCPUs on three PEs under random traffic, kernel %s', (kvm) => {
  it('I5, I6, I7 (F1, F2), I8 hold after each action; no edge is lost', () => {
    fc.assert(
      fc.property(actions, lists, (given, listRegisters) => void play(kvm, { listRegisters }, given)),
      { numRuns: 15 },
    );
  });
});

describe('three vCPUs with vPEs, GICv4.1', () => {
  it('I2, I5, I6, I7, I8, I12 hold after each action; no edge is lost', () => {
    fc.assert(
      fc.property(actions, lists, (given, listRegisters) => {
        const world = play('5.6', { listRegisters, architecture: 'GICv4.1' }, given);
        world.tearDown();
      }),
      { numRuns: 15 },
    );
  });
});

it('random traffic is worth something', () => {
  const totals = { taken: 0, coalesced: 0, slept: 0, moved: 0 };
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const given = fc.sample(actions, { seed, numRuns: 5 });
    for (const each of given) {
      const { counts } = play('6.19', { listRegisters: 2 }, each);
      for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += counts[name];
    }
  }
  expect(totals.taken).toBeGreaterThan(100);
  expect(totals.coalesced).toBeGreaterThan(10);
  expect(totals.slept).toBeGreaterThan(10);
  expect(totals.moved).toBeGreaterThan(10);
});

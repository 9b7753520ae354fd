import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadEngine } from '../../bindings/index.ts';
import { LegalWorld } from './legal.ts';
import { type Operation, operations, randomOperation } from './operation.ts';
import { Random } from './random.ts';

function play(world: LegalWorld, sequence: Iterable<Operation>): void {
  for (const operation of sequence) {
    world.perform(operation);
    world.check();
  }
  world.checkConservation();
  world.drain();
  world.check();
  world.checkConservation();
}

describe('legal traffic: 8 PEs, 2 ITSs', () => {
  it('no LPI is lost or delivered twice, outputs and indexes are right after each operation', async () => {
    const engine = await loadEngine();
    fc.assert(
      fc.property(operations(150), (sequence) => play(new LegalWorld(engine), sequence)),
      { numRuns: 15 },
    );
  });

  it.each([1, 2, 3])('the same for a long sequence, seed %i', async (seed) => {
    const world = new LegalWorld(await loadEngine());
    const random = new Random(seed);
    play(
      world,
      Array.from({ length: 3000 }, () => randomOperation(random)),
    );
    const { msi, acknowledged, commands, commandErrors } = world.machine.counters();
    expect(msi.coalesced, 'the sequence was worth something').toBeGreaterThan(50);
    expect(acknowledged.lpi).toBeGreaterThan(100);
    expect(commands).toBeGreaterThan(1000);
    expect(commandErrors, 'only INT of what is not mapped').toBeLessThan(commands / 10);
  });
});

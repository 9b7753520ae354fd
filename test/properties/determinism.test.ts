import { describe, expect, it } from 'vitest';
import {
  type Engine,
  type EngineBuild,
  loadEngine,
  Machine,
  type MachineOptions,
} from '../../bindings/index.ts';
import { ITS_RAM } from '../its/fixture.ts';
import { machineDigest } from './digest.ts';
import { Attacker } from './hostile.ts';
import { LegalWorld } from './legal.ts';
import { randomOperation } from './operation.ts';
import { Random } from './random.ts';
import { recover } from './recovery.ts';

const OPERATIONS = 10_000;
const builds: readonly EngineBuild[] = ['single', 'single', 'shared'];

function hostileDigest(engine: Engine, options: MachineOptions, seed: number): string {
  const machine = new Machine(engine, options);
  recover(machine);
  const attacker = new Attacker(machine);
  const random = new Random(seed);
  for (let n = 0; n < OPERATIONS; n++) attacker.perform(randomOperation(random));
  return machineDigest(machine);
}

function legalDigest(engine: Engine, seed: number): string {
  const world = new LegalWorld(engine);
  const random = new Random(seed);
  for (let n = 0; n < 2000; n++) world.perform(randomOperation(random));
  return machineDigest(world.machine);
}

async function digests(digest: (engine: Engine) => string): Promise<Set<string>> {
  return new Set((await Promise.all(builds.map(loadEngine))).map(digest));
}

describe('the same seed gives the same machine, twice and in both builds', () => {
  it.each(['GICv3', 'GICv4.0', 'GICv4.1'] as const)('hostile operations on a %s', async (architecture) => {
    const options: MachineOptions = { ram: ITS_RAM, architecture, cpus: 3, itsCount: 2, spis: 64 };
    const first = await digests((engine) => hostileDigest(engine, options, 1));
    const second = await digests((engine) => hostileDigest(engine, options, 2));
    expect([first.size, second.size]).toEqual([1, 1]);
    expect(first, 'another seed gives another machine').not.toEqual(second);
  });

  it('legal traffic', async () => {
    const first = await digests((engine) => legalDigest(engine, 1));
    expect(first.size).toBe(1);
    expect(await digests((engine) => legalDigest(engine, 2))).not.toEqual(first);
  });
});

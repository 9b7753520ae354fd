// Order of events, determinism, and stepping.
import { describe, expect, it } from 'vitest';
import type { EngineBuild, KernelEra } from '../../bindings/index.ts';
import { type SystemOptions, start } from './system.ts';

/** Guests and devices of all kinds, on less PEs than vCPUs. */
async function mixture(seed: number, options: SystemOptions = {}) {
  const { vm, sim } = await start({
    vcpus: 4,
    machine: { architecture: 'GICv4.1' },
    direct: true,
    ...options,
    simulation: { seed, slice: 300_000, ...options.simulation },
  });
  vm.vcpus.forEach((vcpu, n) => {
    const operation = { kind: 'sgi', target: (n + 1) % 4, sgi: n } as const;
    sim.addVcpu(vcpu, {
      guest: { idle: n === 0 ? 'busy' : 'wfi', timer: 90_000 + 1_000 * n, work: 3_000, operation },
    });
  });
  const period = 25_000;
  sim.addDevice(vm, { signal: { kind: 'edge', intid: 40, vcpu: 1 }, arrival: { kind: 'poisson', period } });
  sim.addDevice(vm, { signal: { kind: 'level', intid: 41, vcpu: 2 }, arrival: { kind: 'periodic', period } });
  sim.addDevice(vm, {
    signal: { kind: 'edge', intid: 42, vcpu: 3 },
    arrival: { kind: 'bursts', period: 100_000, burst: 5, gap: 2_000 },
  });
  return { vm, sim };
}

describe('a run', () => {
  const digestOf = async (seed: number, build: EngineBuild, era: KernelEra = '5.6') => {
    const { sim } = await mixture(seed, { build, era });
    sim.run({ for: 5_000_000 });
    return sim.digest;
  };

  it.each(['2017', '5.6', '6.19'] as const)(
    'is the same for the same seed, on both builds (%s)',
    async (era) => {
      const once = await digestOf(7, 'single', era);
      expect(await digestOf(7, 'single', era)).toBe(once);
      expect(await digestOf(7, 'shared', era)).toBe(once);
      expect(await digestOf(8, 'single', era)).not.toBe(once);
    },
  );

  it('is the same whether it is stepped or run, in whatever portions', async () => {
    const { sim: whole } = await mixture(3);
    whole.run({ until: 2_000_000 });
    const { sim: stepped } = await mixture(3);
    const events = whole.events;
    for (let n = 0; n < events; n++) stepped.step();
    expect([stepped.events, stepped.digest]).toEqual([events, whole.digest]);
    const { sim: portions } = await mixture(3);
    while (portions.now < 2_000_000) portions.run({ for: Math.min(33_333, 2_000_000 - portions.now) });
    expect(portions.digest).toBe(whole.digest);
  });

  it('does not go back in time', async () => {
    const { sim } = await mixture(5);
    sim.run({ for: 2_000_000 });
    const times = sim.takeTrace().map(({ time }) => time);
    expect(times.length).toBeGreaterThan(5_000);
    expect(times.every((time, n) => n === 0 || time >= (times[n - 1] as number))).toBe(true);
  });

  it('ends exactly when it is told to', async () => {
    const { sim } = await mixture(5);
    sim.run({ until: 123_457 });
    expect(sim.now).toBe(123_457);
    sim.run({ for: 1 });
    expect(sim.now).toBe(123_458);
    expect(sim.machine.counter).toBe(123_458n);
  });
});

it('a step tells what happened at one moment', async () => {
  const { sim } = await mixture(1);
  const [first, ...rest] = sim.step();
  expect(first).toMatchObject({ time: 0, event: 'schedule', cpu: 0, vcpu: 0, duration: 970 });
  expect(rest).toEqual([]);
});

it('a simulation without anything to happen ends', async () => {
  const { sim } = await start();
  expect(sim.run()).toBe(0);
  expect(sim.step()).toEqual([]);
});

it('the counter follows simulated time at its own frequency', async () => {
  const { sim } = await start({ machine: { timerFrequency: 62_500_000 } });
  sim.run({ until: 1_000_000_007 });
  expect(sim.machine.counter).toBe(62_500_000n);
});

it('a program that never lets time pass is refused, not followed for ever', async () => {
  const { vm, sim } = await start({ simulation: { costs: 'free' } });
  const [vcpu] = vm.vcpus;
  if (vcpu) sim.addVcpu(vcpu, { guest: { idle: 'busy', operation: { kind: 'hypercall' } } });
  expect(() => sim.run({ for: 1_000 })).toThrow(/guests that let time pass/);
});

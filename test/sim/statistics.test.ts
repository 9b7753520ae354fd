// Flows that add up, arrivals, histograms, devices of each kind, prices.
import { describe, expect, it } from 'vitest';
import { type Arrival, costTables, type Signal } from '../../bindings/index.ts';
import { costNumbers } from '../../bindings/sim/costs.ts';
import { bucketEnd } from '../../bindings/sim/statistics.ts';
import { isBalanced, start, vcpuOf } from './system.ts';

async function withDevice(signal: Signal, arrival: Arrival, handler = 500, limit = 0) {
  const { vm, sim } = await start();
  const vcpu = sim.addVcpu(vcpuOf(vm, 0), { guest: { idle: 'busy', handler } });
  const device = sim.addDevice(vm, { signal, arrival, limit });
  return { sim, vcpu, device };
}

const edge = { kind: 'edge', intid: 40 } as const;

describe('arrivals', () => {
  it('periodic ones come at their period, the first at the start', async () => {
    const { sim, device } = await withDevice(edge, { kind: 'periodic', period: 10_000 });
    sim.run({ until: 1_000_000 });
    expect(device.statistics.injected).toBe(100);
  });

  it('Poisson ones have the mean and the spread of an exponential distribution', async () => {
    const { sim } = await withDevice(edge, { kind: 'poisson', period: 20_000 });
    sim.run({ for: 200_000_000 });
    const times = sim.takeTrace().filter(({ event }) => event === 'device');
    const gaps = times.slice(1).map(({ time }, n) => time - (times[n]?.time as number));
    expect(gaps.length).toBeGreaterThan(3_000);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(mean / 20_000).toBeCloseTo(1, 1);
    expect(Math.sqrt(variance) / 20_000).toBeCloseTo(1, 1);
    // An exponential distribution has a share of 1/e beyond its mean.
    expect(gaps.filter((gap) => gap > 20_000).length / gaps.length).toBeCloseTo(Math.exp(-1), 1);
  });

  it('bursts have their size and their distances', async () => {
    const { sim } = await withDevice(edge, { kind: 'bursts', period: 100_000, burst: 3, gap: 7_000 });
    sim.run({ for: 400_000 });
    const times = sim.takeTrace().filter(({ event }) => event === 'device');
    expect(times.map(({ time }) => time - (times[0]?.time as number)).slice(0, 7)).toEqual([
      0, 7_000, 14_000, 114_000, 121_000, 128_000, 228_000,
    ]);
  });
});

describe('every interrupt is accounted for', () => {
  it.each<[string, Signal]>([
    ['edges', edge],
    ['a line that the guest has user space lower', { kind: 'level', intid: 41 }],
  ])('%s that come faster than they are handled', async (_, signal) => {
    const { sim, device } = await withDevice(signal, { kind: 'poisson', period: 3_000 }, 10_000, 5_000);
    for (let pause = 0; pause < 100; pause++) {
      sim.run({ for: 100_000 });
      expect(isBalanced(device.statistics)).toBe(true);
    }
    sim.run({ for: 30_000_000 });
    const { statistics } = device;
    expect(statistics).toMatchObject({ injected: 5_000, pending: 0, dropped: 0 });
    expect(statistics.coalesced).toBeGreaterThan(2_000);
    expect(isBalanced(statistics)).toBe(true);
  });

  it('an MSI that no table knows is dropped, with the reason', async () => {
    const signal = { kind: 'msi', deviceId: 0x99, eventId: 0, intid: 8192 } as const;
    const { sim, device } = await withDevice(signal, { kind: 'periodic', period: 1_000 }, 500, 10);
    sim.run({ for: 100_000 });
    expect(device.statistics).toMatchObject({
      injected: 10,
      dropped: 10,
      reasons: { 'device-unmapped': 10 },
    });
  });

  it('exits by user space of a line are as many as its interrupts', async () => {
    const { sim, vcpu, device } = await withDevice(
      { kind: 'level', intid: 41 },
      { kind: 'periodic', period: 50_000 },
    );
    sim.run({ for: 10_000_000 });
    expect(device.statistics.delivered).toBe(200);
    expect(vcpu.statistics.exits.user).toBe(200);
    expect(device.statistics.repeated).toBe(0);
  });
});

describe('a histogram', () => {
  it('has buckets no wider than 1/16 of their values', () => {
    for (let bucket = 16; bucket < 600; bucket++) {
      const width = bucketEnd(bucket) - bucketEnd(bucket - 1);
      expect(width / bucketEnd(bucket)).toBeLessThanOrEqual(1 / 16);
    }
  });

  it('gives percentiles in their order, mean and maximum exact', async () => {
    const { sim, device } = await withDevice(edge, { kind: 'poisson', period: 5_000 }, 4_000);
    sim.run({ for: 20_000_000 });
    const acknowledged = sim.takeTrace().filter(({ event }) => event === 'acknowledge');
    const latencies = acknowledged.map(({ details }) => details.latency as number).sort((a, b) => a - b);
    const { latency } = device.statistics;
    expect(latency.count).toBe(latencies.length);
    expect(latency.max).toBe(latencies.at(-1));
    expect(latency.mean).toBeCloseTo(latencies.reduce((sum, ns) => sum + ns, 0) / latencies.length, 6);
    for (const [share, value] of [
      [0.5, latency.p50],
      [0.9, latency.p90],
      [0.99, latency.p99],
    ] as const) {
      const exact = latencies[Math.ceil(latencies.length * share) - 1] as number;
      expect(value).toBeGreaterThanOrEqual(exact);
      expect(value).toBeLessThanOrEqual(exact * (1 + 1 / 16));
    }
  });
});

describe('prices', () => {
  it('each says whether it was measured, and where it is from', () => {
    for (const table of Object.values(costTables)) {
      expect(Object.keys(table).sort()).toEqual(Object.keys(costNumbers).sort());
      for (const { ns, source } of Object.values(table)) {
        expect(Number.isInteger(ns)).toBe(true);
        expect(source).not.toBe('');
      }
    }
  });

  it('exit and entry are the hypercall that was measured; load, put and switch a VM switch', () => {
    const { modern, '2015': old } = costTables;
    expect(modern.exit.ns + modern.entry.ns).toBe(306);
    expect(old.exit.ns + old.entry.ns).toBe(2710);
    expect(modern.load.ns + modern.put.ns + modern.threadSwitch.ns).toBe(1500);
    expect(old.load.ns + old.put.ns + old.threadSwitch.ns).toBe(4330);
  });

  it('of operations can be changed one by one', async () => {
    const { vm, sim } = await start({ simulation: { costs: { table: '2015', exit: 7, entry: 3 } } });
    const guest = { idle: 'busy', operation: { kind: 'hypercall' }, times: 3 } as const;
    sim.addVcpu(vcpuOf(vm, 0), { guest });
    sim.run({ for: 1_000_000 });
    const times = sim.takeTrace().filter(({ event }) => event === 'operation');
    expect(times.map(({ time }) => time - (times[0]?.time as number))).toEqual([0, 10, 20]);
  });
});

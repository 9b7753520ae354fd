// Threads of vCPUs on PEs: time slices, preemption, migration, and how vPEs follow.
import { describe, expect, it } from 'vitest';
import { isBalanced, start, vcpuOf } from './system.ts';

const busy = { idle: 'busy' } as const;

describe('threads that compute', () => {
  it('share a PE fairly, in slices', async () => {
    const { vm, sim } = await start({ vcpus: 3, simulation: { slice: 1_000_000 } });
    for (const vcpu of vm.vcpus) sim.addVcpu(vcpu, { cpu: 0, guest: busy });
    sim.run({ for: 300_000_000 });
    for (const { statistics } of sim.vcpus) {
      expect(statistics.time.guest).toBeGreaterThan(98_000_000);
      expect(statistics.time.guest).toBeLessThan(101_000_000);
      expect(statistics.preemptions).toBeGreaterThan(95);
    }
    expect(sim.cpuTime(1).idle).toBe(300_000_000);
  });

  it('spread over the PEs that there are, and do not move without need', async () => {
    const { vm, sim } = await start({ vcpus: 2 });
    for (const vcpu of vm.vcpus) sim.addVcpu(vcpu, { guest: busy });
    sim.run({ for: 100_000_000 });
    expect(sim.vcpus.map(({ cpu }) => cpu).sort()).toEqual([0, 1]);
    expect(sim.vcpus.map(({ statistics }) => statistics.preemptions)).toEqual([0, 0]);
  });

  it('are taken over by a PE that becomes idle', async () => {
    const { vm, sim } = await start({ vcpus: 3, simulation: { slice: 1_000_000 } });
    sim.addVcpu(vcpuOf(vm, 0), { cpu: 0, guest: busy });
    sim.addVcpu(vcpuOf(vm, 1), { cpu: 1, guest: { idle: 'wfi' } });
    const free = sim.addVcpu(vcpuOf(vm, 2), { guest: busy });
    sim.run({ for: 50_000_000 });
    expect(free.cpu).toBe(1);
    expect(free.statistics.time.guest).toBeGreaterThan(45_000_000);
  });
});

it('the time of each PE adds up', async () => {
  const { vm, sim } = await start({ vcpus: 4, simulation: { slice: 200_000 } });
  vm.vcpus.forEach((vcpu, n) => {
    sim.addVcpu(vcpu, { guest: { idle: n % 2 ? 'busy' : 'wfi', timer: 300_000 + n * 7_000 } });
  });
  sim.addDevice(vm, { signal: { kind: 'edge', intid: 40 }, arrival: { kind: 'poisson', period: 30_000 } });
  sim.run({ until: 20_000_000 });
  for (const cpu of [0, 1]) {
    const used = Object.values(sim.cpuTime(cpu)).reduce((sum, time) => sum + time, 0);
    // A handler that has begun is accounted for as a whole.
    expect(Math.abs(used - 20_000_000)).toBeLessThan(1_000);
  }
});

it('a woken thread that is far behind the running one takes the PE at once, by an exit', async () => {
  const { vm, sim } = await start({
    vcpus: 2,
    simulation: { slice: 10_000_000, wakeupGranularity: 100_000 },
  });
  const hog = sim.addVcpu(vcpuOf(vm, 0), { cpu: 0, guest: busy });
  const sleeper = sim.addVcpu(vcpuOf(vm, 1), { cpu: 0, guest: { timer: 2_000_000, idle: 'wfi' } });
  sim.run({ for: 101_000_000 });
  const { timer } = sleeper.statistics;
  expect(timer.delivered).toBeGreaterThan(40);
  expect(timer.latency.p50).toBeLessThan(20_000);
  expect(hog.statistics.preemptions).toBeGreaterThan(40);
  expect(hog.statistics.exits.irq).toBeGreaterThanOrEqual(hog.statistics.preemptions);
});

describe('a vPE', () => {
  it('moves with its vCPU, by VMOVP, and only then', async () => {
    const { vm, sim } = await start({
      machine: { architecture: 'GICv4.1' },
      direct: true,
      vcpus: 3,
      simulation: { slice: 500_000, trapWfi: 'always' },
    });
    for (const vcpu of vm.vcpus)
      sim.addVcpu(vcpu, { guest: { idle: 'wfi', timer: 700_000, handler: 400_000 } });
    sim.run({ for: 60_000_000 });
    const migrations = sim.vcpus.reduce((sum, { statistics }) => sum + statistics.migrations, 0);
    expect(migrations).toBeGreaterThan(5);
    expect(sim.operations.vmovp).toBeGreaterThan(0);
    expect(sim.operations.vmovp).toBeLessThanOrEqual(migrations + 3);
    for (const { vpe, cpu } of vm.vcpus) if (vpe && cpu !== undefined) expect(vpe.cpu).toBe(cpu);
    expect(sim.takeTrace().filter(({ event }) => event === 'failed')).toEqual([]);
    for (const { statistics } of sim.vcpus) expect(isBalanced(statistics.timer)).toBe(true);
  });
});

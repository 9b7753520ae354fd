// The run loop's steps in their order (7.2), blocking and waking (7.4), and the kick (7.5), as the trace has them.
import { describe, expect, it } from 'vitest';
import type { SimulationEvent } from '../../bindings/index.ts';
import { namesOf, start, stepsOf, vcpuOf } from './system.ts';

const ENTER = 'R3 R4 R5 R6 R7 R8';
const LEAVE = 'R9 R10 R11 R12';

const find = (events: readonly SimulationEvent[], name: string) => {
  const found = events.find(({ event }) => event === name);
  if (!found) throw new Error(`no event ${name}`);
  return found;
};

describe('a vCPU', () => {
  it('enters with R1 to R8, and a hypercall takes it through R9 to R12 and back', async () => {
    const { vm, sim } = await start();
    sim.addVcpu(vcpuOf(vm, 0), { guest: { idle: 'busy', operation: { kind: 'hypercall' }, times: 2 } });
    sim.run({ for: 1_000_000 });
    expect(stepsOf(sim.takeTrace(), 0).join(' ')).toBe(`R1 R2 ${ENTER} ${LEAVE} ${ENTER} ${LEAVE} ${ENTER}`);
  });

  it('returns to user space by R14 and calls KVM_RUN anew', async () => {
    const { vm, sim } = await start();
    sim.addVcpu(vcpuOf(vm, 0), { guest: { idle: 'busy', operation: { kind: 'user' }, times: 1 } });
    sim.run({ for: 1_000_000 });
    expect(stepsOf(sim.takeTrace(), 0).join(' ')).toBe(`R1 R2 ${ENTER} ${LEAVE} R14 R1 R2 ${ENTER}`);
  });

  it("takes the host's interrupts in R11, after the sync: the timer of a guest that computes (4.4)", async () => {
    const { vm, sim } = await start();
    sim.addVcpu(vcpuOf(vm, 0), { guest: { idle: 'busy', timer: 1_000_000 } });
    sim.run({ for: 1_050_000 });
    const trace = sim.takeTrace();
    const deadline = trace.findIndex(({ event }) => event === 'hard-timer');
    const after = trace.slice(deadline);
    expect(stepsOf(after, 0).join(' ')).toBe(`${LEAVE} ${ENTER}`);
    expect(find(after, 'exit').details).toEqual({ reason: 'irq' });
    expect(find(after, 'host-interrupts').details).toEqual({ taken: 1 });
    expect(find(after, 'flush').details).toEqual({ listed: 1, listRegisters: 1 });
    expect(find(after, 'acknowledge').details).toMatchObject({ intid: 27 });
  });

  it('that idles sleeps, and its soft timer brings it back (4.3)', async () => {
    const { vm, sim } = await start();
    sim.addVcpu(vcpuOf(vm, 0), { guest: { timer: 1_000_000 } });
    sim.run({ for: 1_100_000 });
    const trace = sim.takeTrace();
    expect(stepsOf(trace, 0).join(' ')).toBe(
      `R1 R2 ${ENTER} ${LEAVE} B1 B4 R2 B5 B6 B7 B8 ${ENTER} ${LEAVE} B1 B4`,
    );
    const woken = trace.slice(trace.findIndex(({ event }) => event === 'soft-timer'));
    expect(woken.map(({ event }) => event).slice(0, 4)).toEqual([
      'soft-timer',
      'signal',
      'runnable',
      'schedule',
    ]);
    // The host never runs a handler for PPI 27: the PPI is active before the timer is on again.
    expect(sim.operations.hostIrq).toBe(1);
  });

  it('that does not own the PE any more at R6 starts over at R3', async () => {
    const { vm, sim } = await start({ vcpus: 2, simulation: { slice: 100_000, wakeupGranularity: 0 } });
    sim.addVcpu(vcpuOf(vm, 0), { cpu: 0, guest: { idle: 'busy', operation: { kind: 'hypercall' } } });
    sim.addVcpu(vcpuOf(vm, 1), { cpu: 0, guest: { idle: 'busy', operation: { kind: 'hypercall' } } });
    sim.run({ for: 50_000_000 });
    const checks = sim.takeTrace().filter(({ event }) => event === 'final-check');
    expect(checks.length).toBeGreaterThan(1000);
    expect(sim.vcpus.map(({ statistics }) => statistics.preemptions > 100)).toEqual([true, true]);
  });
});

describe('an interrupt that comes', () => {
  const edge = (intid: number, start: number) =>
    ({
      signal: { kind: 'edge', intid },
      arrival: { kind: 'periodic', period: 1 },
      start,
      limit: 1,
    }) as const;

  /** A guest that computes, with an edge that is injected just after a certain step of the vCPU has begun. */
  async function injectedAt(step: string, time: number) {
    const guest = { idle: 'busy', operation: { kind: 'hypercall' }, work: 5000, times: 1 } as const;
    const costs = { entry: 1000, exit: 1000, redistributorRead: 0 };
    const dry = await start({ simulation: { costs } });
    dry.sim.addVcpu(vcpuOf(dry.vm, 0), { guest });
    dry.sim.run({ for: 100_000 });
    const moment = dry.sim.takeTrace().filter((event) => event.step === step)[time] as SimulationEvent;
    const { vm, sim } = await start({ simulation: { costs } });
    sim.addVcpu(vcpuOf(vm, 0), { guest });
    sim.run({ until: 100 });
    // The injection itself takes 100 ns on its way.
    const device = sim.addDevice(vm, edge(40, moment.time - 100 + 1));
    sim.run({ for: 100_000 });
    const trace = sim.takeTrace();
    const fired = trace.findIndex(({ event }) => event === 'device');
    return { steps: stepsOf(trace.slice(fired), 0).join(' '), device, sim };
  }

  it('in the guest forces it out by an IPI (7.5)', async () => {
    const { steps, device, sim } = await injectedAt('R8', 1);
    expect(steps).toBe(`${LEAVE} ${ENTER}`);
    expect(sim.operations.ipi).toBe(1);
    expect(device.statistics).toMatchObject({ delivered: 1 });
  });

  it('during the world switch in makes the guest leave as soon as the IPI is there', async () => {
    const { steps, device, sim } = await injectedAt('R7', 1);
    expect(steps).toBe(`R8 ${LEAVE} ${ENTER}`);
    expect(sim.operations.ipi).toBe(1);
    expect(device.statistics).toMatchObject({ delivered: 1 });
  });

  it('outside the guest needs no IPI: the vCPU sees the request', async () => {
    const { steps, device, sim } = await injectedAt('R9', 0);
    expect(steps).not.toContain(`R8 ${LEAVE}`);
    expect(sim.operations.ipi).toBe(0);
    expect(device.statistics).toMatchObject({ delivered: 1 });
  });

  it('between the flush and the final check makes that fail', async () => {
    // Parsing a pending table is what makes the flush last.
    const { vm, sim } = await start({
      machine: { architecture: 'GICv4.1' },
      direct: true,
      simulation: { costs: { parseEmpty: 5_000 }, directSgis: false },
    });
    sim.addVcpu(vcpuOf(vm, 0), { cpu: 0, guest: { idle: 'busy' } });
    for (let steps = 0; steps < 100 && namesOf(sim.step(), 0).at(-1) !== 'flush'; steps++);
    const device = sim.addDevice(vm, edge(40, sim.now + 1));
    sim.run({ for: 50_000 });
    const trace = sim.takeTrace();
    const checks = trace.filter(({ event }) => event === 'final-check');
    expect(checks.map(({ details }) => details)).toEqual([
      { requests: 1, yields: false },
      { requests: 0, yields: false },
    ]);
    expect(stepsOf(trace, 0).join(' ')).toBe(`R6 ${ENTER}`);
    expect(device.statistics).toMatchObject({ delivered: 1 });
  });

  it('for a vCPU that sleeps wakes it on its PE, which is idle', async () => {
    const { vm, sim } = await start();
    const vcpu = sim.addVcpu(vcpuOf(vm, 0), { cpu: 1 });
    const device = sim.addDevice(vm, edge(40, 100_000));
    sim.run({ for: 1_000_000 });
    const trace = sim.takeTrace();
    const fired = trace.slice(trace.findIndex(({ event }) => event === 'device'));
    expect(find(fired, 'schedule').details).toEqual({ cost: 'wakeupRemote' });
    expect(vcpu.statistics.wakeups).toBe(1);
    expect(device.statistics).toMatchObject({ delivered: 1, pending: 0 });
  });
});

describe('halt polling', () => {
  const guest = { idle: 'wfi' } as const;
  const periodic = (period: number) =>
    ({ signal: { kind: 'edge', intid: 40 }, arrival: { kind: 'periodic', period } }) as const;

  it('grows with short halts until interrupts come within the window', async () => {
    const { vm, sim } = await start();
    const vcpu = sim.addVcpu(vcpuOf(vm, 0), { guest });
    sim.addDevice(vm, periodic(50_000));
    sim.run({ for: 10_000_000 });
    const { polls, pollsSuccessful, wakeups, time } = vcpu.statistics;
    const windows = sim.takeTrace().filter(({ event }) => event === 'halt-poll');
    expect(windows.slice(0, 4).map(({ details }) => details.window)).toEqual([
      10_000, 20_000, 40_000, 80_000,
    ]);
    expect(polls).toBeGreaterThan(190);
    expect(pollsSuccessful).toBeGreaterThan(polls - 5);
    expect(wakeups).toBeLessThan(6);
    expect(time.poll).toBeGreaterThan(7_000_000);
  });

  it('shrinks to nothing with long halts', async () => {
    const { vm, sim } = await start();
    const vcpu = sim.addVcpu(vcpuOf(vm, 0), { guest });
    sim.addDevice(vm, { ...periodic(50_000), limit: 20 });
    sim.addDevice(vm, { ...periodic(2_000_000), signal: { kind: 'edge', intid: 41 }, start: 2_000_000 });
    sim.run({ for: 50_000_000 });
    sim.takeTrace();
    const { polls } = vcpu.statistics;
    sim.run({ for: 20_000_000 });
    expect(vcpu.statistics.polls).toBe(polls);
  });

  it('can be switched off', async () => {
    const { vm, sim } = await start({ simulation: { haltPoll: { max: 0 } } });
    const vcpu = sim.addVcpu(vcpuOf(vm, 0), { guest });
    sim.addDevice(vm, periodic(50_000));
    sim.run({ for: 10_000_000 });
    expect(vcpu.statistics).toMatchObject({ polls: 0, time: { poll: 0 } });
    expect(vcpu.statistics.wakeups).toBeGreaterThan(190);
  });
});

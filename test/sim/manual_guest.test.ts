// A guest that is told what to do, one command at a time.
import { describe, expect, it } from 'vitest';
import { namesOf, start, stepsOf, vcpuOf } from './system.ts';

async function waiting() {
  const system = await start();
  const vcpu = system.sim.addVcpu(vcpuOf(system.vm, 0), { guest: 'manual' });
  system.sim.run();
  system.sim.takeTrace();
  return { ...system, vcpu };
}

describe('a guest by hand', () => {
  it('boots and awaits a command; no time passes without one', async () => {
    const { sim, vcpu } = await waiting();
    expect(vcpu.awaitsCommand).toBe(true);
    expect(sim.step()).toEqual([]);
  });

  it('acknowledges and ends an interrupt when it is told to', async () => {
    const { vm, sim, vcpu } = await waiting();
    sim.addDevice(vm, {
      signal: { kind: 'edge', intid: 40 },
      arrival: { kind: 'periodic', period: 1_000 },
      start: 10_000,
      limit: 1,
    });
    sim.run();
    expect(vcpu.virq).toBe(true);
    expect(vcpu.awaitsCommand).toBe(true);
    const before = sim.now;
    expect(vcpu.ack()).toBe(40);
    expect(vcpu.virq).toBe(false);
    expect(vcpu.awaitsCommand).toBe(false);
    sim.run();
    expect(sim.now - before).toBe(14);
    vcpu.work(1_000);
    sim.run();
    expect(sim.now - before).toBe(1_014);
    vcpu.eoi(40);
    sim.run();
    expect(vcpu.ack()).toBe(1023);
    sim.run();
    expect(sim.devices[0]?.statistics).toMatchObject({ injected: 1, delivered: 1, pending: 0 });
    expect(vcpu.statistics.spurious).toBe(1);
  });

  it('waits: WFI sleeps until an interrupt comes, and is followed by the next command', async () => {
    const { vm, sim, vcpu } = await waiting();
    vcpu.wfi();
    sim.run();
    expect(vcpu.state).toBe('asleep');
    expect(stepsOf(sim.takeTrace(), 0).join(' ')).toBe('R9 R10 R11 R12 B1 B4');
    sim.addDevice(vm, {
      signal: { kind: 'edge', intid: 40 },
      arrival: { kind: 'periodic', period: 1_000 },
      start: 50_000,
      limit: 1,
    });
    sim.run();
    expect(vcpu.awaitsCommand).toBe(true);
    expect(namesOf(sim.takeTrace(), 0)).not.toContain('vector');
    expect(vcpu.ack()).toBe(40);
  });

  it('waits with a deadline: WFIT ends by the soft timer (7.4)', async () => {
    const { sim, vcpu } = await waiting();
    const before = sim.now;
    vcpu.wfi(1_000_000);
    sim.run();
    expect(vcpu.awaitsCommand).toBe(true);
    expect(sim.now - before).toBeGreaterThan(1_000_000);
    expect(sim.now - before).toBeLessThan(1_010_000);
    const steps = stepsOf(sim.takeTrace(), 0).join(' ');
    expect(steps).toBe('R9 R10 R11 R12 B1 B4 R2 B5 B6 B7 B8 R3 R4 R5 R6 R7 R8');
  });

  it('does operations that trap', async () => {
    const { sim, vcpu } = await waiting();
    const before = sim.now;
    vcpu.operate({ kind: 'hypercall' });
    sim.run();
    expect(sim.now - before).toBe(306);
    vcpu.operate({ kind: 'sgi', target: 0, sgi: 5 });
    sim.run();
    expect(vcpu.ack()).toBe(5);
    expect(vcpu.statistics.exits).toMatchObject({ hypercall: 1, sgi: 1 });
  });

  it('splits the end of an interrupt where it has set EOImode', async () => {
    const { vm, sim } = await start({ era: '6.19' });
    const vcpu = sim.addVcpu(vcpuOf(vm, 0), { guest: { idle: 'busy', timer: 100_000, splitEoi: true } });
    sim.run({ for: 1_050_000 });
    const names = namesOf(sim.takeTrace(), 0).filter((name) => /acknowledge|end-of|deactivate/.test(name));
    expect(names.slice(0, 3)).toEqual(['acknowledge', 'end-of-interrupt', 'deactivate']);
    expect(vcpu.statistics.timer).toMatchObject({ injected: 10, delivered: 10 });
  });
});

describe('misuse is refused, and changes nothing', () => {
  it('a command to a guest that does not await one', async () => {
    const { vm, sim } = await start();
    const program = sim.addVcpu(vcpuOf(vm, 0));
    sim.run({ for: 100_000 });
    const { digest } = sim;
    expect(() => program.ack()).toThrow(/awaits a command/);
    expect(sim.digest).toBe(digest);
  });

  it.each([
    ['an unknown price', { costs: { exits: 3 } as object }, /costs: "exits"/],
    ['a price out of range', { costs: { exit: -1 } }, /costs.exit: -1/],
    ['a table that does not exist', { costs: 'best' as 'modern' }, /costs.table: "best"/],
    ['a slice of nothing', { slice: 0 }, /slice: 0/],
    ['a policy that does not exist', { trapWfi: 'maybe' as 'auto' }, /trapWfi: "maybe"/],
    ['a seed that is no integer', { seed: 0.5 }, /seed: 0.5/],
  ])('%s', async (_, simulation, message) => {
    await expect(start({ simulation })).rejects.toThrow(message);
  });

  it('operands of guests and devices', async () => {
    const { vm, sim } = await start();
    const vcpu = vcpuOf(vm, 0);
    const arrival = { kind: 'periodic', period: 100 } as const;
    expect(() => sim.addVcpu(vcpu, { cpu: 2 })).toThrow(/cpu: 2/);
    expect(() => sim.addVcpu(vcpu, { guest: { operation: { kind: 'sgi', target: 1 } } })).toThrow(
      /operation.target: 1/,
    );
    expect(() => sim.addVcpu(vcpu, { guest: { timer: -1 } })).toThrow(/timer: -1/);
    expect(() => sim.addDevice(vm, { signal: { kind: 'edge', intid: 31 }, arrival })).toThrow(/intid: 31/);
    expect(() =>
      sim.addDevice(vm, { signal: { kind: 'edge', intid: 32 }, arrival: { ...arrival, period: 0 } }),
    ).toThrow(/arrival.period: 0/);
    expect(sim.run()).toBe(0);
    sim.addVcpu(vcpu);
    expect(() => sim.addVcpu(vcpu)).toThrow(/EBUSY/);
    expect(() => sim.run({ until: -1 })).toThrow(/until: -1/);
  });
});

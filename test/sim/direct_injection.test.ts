// GICv4 in simulated time: VLPIs of an assigned device to vCPUs that run, wait and sleep.
import { describe, expect, it } from 'vitest';
import type { GuestProgram } from '../../bindings/index.ts';
import { isBalanced, namesOf, start, stepsOf, vcpuOf } from './system.ts';

const DEVICE_ID = 0x20;
const INTID = 8200;

/** A vCPU on PE 0 whose guest does `guest`, and a device whose one interrupt is a VLPI of it. */
async function assigned(guest: GuestProgram, trapWfi: 'auto' | 'always' = 'auto') {
  const system = await start({ machine: { architecture: 'GICv4.1' }, direct: true, simulation: { trapWfi } });
  const { kvm, vm, sim } = system;
  vm.init();
  const device = kvm.chip.createDevice({ deviceId: DEVICE_ID, events: 1 });
  const irq = device.irqs[0];
  const { vpe } = vcpuOf(vm, 0);
  if (!irq || !vpe) throw new Error('no direct injection');
  irq.activate(0);
  irq.mapVlpi({ vpe, vIntid: INTID, properties: { priority: 0xa0, enabled: true }, doorbell: true });
  const vcpu = sim.addVcpu(vcpuOf(vm, 0), { cpu: 0, guest });
  sim.run({ for: 100_000 });
  sim.takeTrace();
  const fire = (times: number, period: number) =>
    sim.addDevice(vm, {
      signal: { kind: 'msi', deviceId: DEVICE_ID, eventId: 0, intid: INTID },
      arrival: { kind: 'periodic', period },
      start: sim.now,
      limit: times,
    });
  return { ...system, vcpu, fire };
}

const exitsOf = (exits: Readonly<Record<string, number>>) =>
  Object.values(exits).reduce((sum, times) => sum + times, 0);

describe('a VLPI', () => {
  it('reaches a running guest without an exit, in about 0.3 us', async () => {
    const { sim, vcpu, fire } = await assigned({ idle: 'busy' });
    const before = exitsOf(vcpu.statistics.exits);
    const device = fire(100, 10_000);
    sim.run({ for: 2_000_000 });
    expect(device.statistics).toMatchObject({ injected: 100, delivered: 100 });
    expect(device.statistics.latency.max).toBe(300 + 14);
    expect(exitsOf(vcpu.statistics.exits)).toBe(before);
  });

  it('wakes a guest that waits in the PE, alone on it: WFI does not trap (7.6)', async () => {
    const { sim, vcpu, fire } = await assigned({ idle: 'wfi' });
    const device = fire(100, 10_000);
    sim.run({ for: 2_000_000 });
    expect(device.statistics).toMatchObject({ injected: 100, delivered: 100 });
    expect(device.statistics.latency.max).toBe(300 + 14);
    expect(exitsOf(vcpu.statistics.exits)).toBe(0);
    expect(vcpu.statistics.time.guestWait).toBeGreaterThan(1_000_000);
  });

  it('wakes a sleeping vCPU by its doorbell, its handler and a wake-up (7.4)', async () => {
    const { sim, vcpu, fire } = await assigned({ idle: 'wfi' }, 'always');
    expect(vcpu.state).toBe('asleep');
    const device = fire(1, 10_000);
    sim.run({ for: 1_000_000 });
    const trace = sim.takeTrace();
    expect(trace.map(({ event }) => event).slice(0, 3)).toEqual(['device', 'signal', 'runnable']);
    expect(stepsOf(trace, 0).join(' ')).toBe('R2 B5 B6 B7 B8 R3 R4 R5 R6 R7 R8 R9 R10 R11 R12 B1 B3 B4');
    expect(namesOf(trace, 0)).toContain('acknowledge');
    expect(device.statistics).toMatchObject({ injected: 1, delivered: 1 });
    // Doorbell, handler, wake-up, load, entry.
    expect(device.statistics.latency.max).toBeGreaterThan(4_000);
    expect(device.statistics.latency.max).toBeLessThan(5_000);
  });

  it('is merged with one that is pending, and each is accounted for', async () => {
    const { sim, fire } = await assigned({ idle: 'busy', handler: 10_000 });
    const device = fire(1000, 1_500);
    sim.run({ for: 5_000_000 });
    const { statistics } = device;
    expect(statistics.injected).toBe(1000);
    expect(statistics.coalesced).toBeGreaterThan(500);
    expect(isBalanced(statistics)).toBe(true);
  });
});

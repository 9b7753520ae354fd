// No lost wake-up (I8), and every interrupt is accounted for, over random machines, guests, devices and schedules.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceOptions, GuestVm, Simulation, SimulationOptions } from '../../bindings/index.ts';
import { isBalanced, start } from './system.ts';

const DEVICE_ID = 0x30;
const FIRST_VINTID = 8200;
const FIRST_SPI = 40;
const END_OF_FIRING = 2_000_000;

const time = (max: number) => fc.integer({ min: 1, max });

/** No more than the PEs can do: what never gets to run is no lost wake-up. */
const guest = fc.record({
  idle: fc.constantFrom('wfi', 'wfi', 'busy'),
  handler: time(8_000),
  splitEoi: fc.boolean(),
  timer: fc.oneof(fc.constant(0), fc.integer({ min: 300_000, max: 900_000 })),
  work: fc.integer({ min: 0, max: 5_000 }),
  sgiTo: fc.option(fc.nat(3), { nil: undefined }),
  pinned: fc.option(fc.nat(2), { nil: undefined }),
});

const arrival = fc.oneof(
  fc.record({ kind: fc.constant('periodic'), period: fc.integer({ min: 500, max: 100_000 }) }),
  fc.record({ kind: fc.constant('poisson'), period: fc.integer({ min: 500, max: 100_000 }) }),
  fc.record({
    kind: fc.constant('bursts'),
    period: fc.integer({ min: 10_000, max: 100_000 }),
    burst: fc.integer({ min: 1, max: 6 }),
    gap: fc.integer({ min: 0, max: 3_000 }),
  }),
);

const device = fc.record({
  arrival,
  kind: fc.constantFrom('edge', 'level', 'msi'),
  vcpu: fc.nat(3),
  start: fc.nat(END_OF_FIRING / 2),
  limit: time(60),
});

/** The kernel of 2017 does not know GICv4.1. */
const systems = [
  { architecture: 'GICv3', era: '2017' },
  { architecture: 'GICv3', era: '5.6' },
  { architecture: 'GICv3', era: '6.19' },
  { architecture: 'GICv4.1', era: '5.6' },
  { architecture: 'GICv4.1', era: '6.19' },
] as const;

const scenario = fc.record({
  system: fc.constantFrom(...systems),
  cpus: fc.integer({ min: 1, max: 3 }),
  guests: fc.array(guest, { minLength: 1, maxLength: 4 }),
  devices: fc.array(device, { minLength: 1, maxLength: 6 }),
  slice: fc.integer({ min: 100_000, max: 1_000_000 }),
  wakeupGranularity: fc.nat(500_000),
  haltPoll: fc.constantFrom(0, 20_000, 500_000),
  trapWfi: fc.constantFrom('auto', 'always', 'never'),
  directSgis: fc.boolean(),
  costs: fc.constantFrom('modern', '2015'),
  seed: fc.nat(),
} as const);

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

async function build(plan: Scenario) {
  const { architecture, era } = plan.system;
  const direct = architecture === 'GICv4.1';
  const { kvm, vm, sim } = await start({
    machine: { architecture, cpus: plan.cpus, listRegisters: 2 },
    era,
    direct,
    vcpus: plan.guests.length,
    simulation: simulationOptions(plan),
  });
  vm.init();
  const assigned = kvm.chip.createDevice({ deviceId: DEVICE_ID, events: plan.devices.length });
  plan.guests.forEach(({ sgiTo, pinned, ...program }, n) => {
    const target = (sgiTo ?? 0) % plan.guests.length;
    const operation = { kind: 'sgi', target, sgi: 3 } as const;
    const guest =
      sgiTo === undefined ? program : { ...program, operation, times: 10, work: program.work + 500 };
    const cpu = pinned === undefined ? {} : { cpu: pinned % plan.cpus };
    sim.addVcpu(vm.vcpus[n] as (typeof vm.vcpus)[number], { guest, ...cpu });
  });
  plan.devices.forEach(({ kind, vcpu, ...when }, n) => {
    const target = vcpu % plan.guests.length;
    if (kind === 'msi' && direct) {
      const irq = assigned.irqs[n];
      const vpe = vm.vcpus[target]?.vpe;
      if (!irq || !vpe) throw new Error('no vPE');
      irq.activate(0);
      irq.mapVlpi({
        vpe,
        vIntid: FIRST_VINTID + n,
        properties: { priority: 0xa0, enabled: true },
        doorbell: true,
      });
    }
    addDevice(sim, vm, n, { kind: kind === 'msi' && !direct ? 'edge' : kind, target, when });
  });
  return { vm, sim };
}

function simulationOptions(plan: Scenario): SimulationOptions {
  const { slice, wakeupGranularity, haltPoll, trapWfi, directSgis, costs, seed } = plan;
  return { slice, wakeupGranularity, haltPoll: { max: haltPoll }, trapWfi, directSgis, costs, seed };
}

interface Firing {
  readonly kind: 'edge' | 'level' | 'msi';
  readonly target: number;
  readonly when: Omit<DeviceOptions, 'signal'> | object;
}

function addDevice(sim: Simulation, vm: GuestVm, n: number, { kind, target, when }: Firing): void {
  const signal =
    kind === 'msi'
      ? ({ kind, deviceId: DEVICE_ID, eventId: n, intid: FIRST_VINTID + n } as const)
      : ({ kind, intid: FIRST_SPI + n, vcpu: target } as const);
  sim.addDevice(vm, { ...(when as Omit<DeviceOptions, 'signal'>), signal });
}

/** Sleeping vCPUs that something pending should have woken. */
function lostWakeups(sim: Simulation): number[] {
  return sim.vcpus
    .filter(({ state, number }) => state === 'asleep' && sim.machine.engine.kvmRunnable(number) !== 0)
    .map(({ number }) => number);
}

describe('over random schedules', () => {
  it('no vCPU sleeps that has something to do, and all interrupts arrive', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (plan) => {
        const { sim } = await build(plan);
        for (let pause = 0; pause < 100; pause++) {
          sim.run({ until: (pause + 1) * 20_011 });
          expect(lostWakeups(sim)).toEqual([]);
        }
        // Until all devices have fired, and long enough for the last interrupts to be taken.
        sim.run({ for: 120_000_000 });
        expect(lostWakeups(sim)).toEqual([]);
        for (const { statistics } of sim.devices) {
          expect(isBalanced(statistics)).toBe(true);
          expect(statistics).toMatchObject({ pending: 0, dropped: 0 });
          expect(statistics.latency.count).toBe(statistics.delivered);
        }
        for (const { statistics } of sim.vcpus) {
          expect(isBalanced(statistics.sgis)).toBe(true);
          expect(statistics.sgis.pending).toBe(0);
        }
        expect(sim.takeTrace().filter(({ event }) => event === 'failed')).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

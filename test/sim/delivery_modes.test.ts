// A guest that does I/O under software injection, GICv4.0 and GICv4.1: four vCPUs on two PEs, each with a queue of an
// assigned device and one of an emulated device, whose interrupts its ITS driver has mapped.
import { beforeAll, describe, expect, it } from 'vitest';
import { AssignedInterrupt, type DeviceStatistics, Irqfd, routeGsi } from '../../bindings/index.ts';
import { ASSIGNED, bootIts, EMULATED, EMULATED_DEVICE, GUEST_DEVICE } from './guest_its.ts';
import { isBalanced, start } from './system.ts';

const HOST_DEVICE = 0x10;
const VCPUS = 4;
const FIRINGS = 400;

type Mode = 'GICv3' | 'GICv4.0' | 'GICv4.1';

async function run(architecture: Mode) {
  const { kvm, vm, sim } = await start({
    machine: { architecture },
    direct: architecture !== 'GICv3',
    vcpus: VCPUS,
    ramBytes: 0x10_0000,
    simulation: { slice: 500_000, seed: 42 },
  });
  vm.init();
  vm.write(vm.distributor, 2);
  const its = bootIts(vm);
  const host = kvm.chip.createDevice({ deviceId: HOST_DEVICE, events: VCPUS });
  const arrival = { kind: 'poisson', period: 200_000 } as const;
  const assigned = vm.vcpus.map((vcpu, n) => {
    const irq = host.irqs[n];
    if (!irq) throw new RangeError(`no event ${n}`);
    const message = { address: its.translater, data: n, deviceId: GUEST_DEVICE };
    new AssignedInterrupt(vm, { gsi: n, irq, message }).enable(n % 2);
    sim.addVcpu(vcpu, { guest: { idle: 'busy', handler: 2_000 } });
    const signal = { kind: 'msi', deviceId: HOST_DEVICE, eventId: n, intid: ASSIGNED + n } as const;
    return sim.addDevice(vm, { signal, arrival, start: 100_000, limit: FIRINGS });
  });
  const emulated = vm.vcpus.map((_, n) => {
    routeGsi(vm, 100 + n, { address: its.translater, data: n, deviceId: EMULATED_DEVICE });
    const signal = { kind: 'irqfd', irqfd: new Irqfd(vm, 100 + n), intid: EMULATED + n } as const;
    return sim.addDevice(vm, { signal, arrival, start: 100_000, limit: FIRINGS });
  });
  sim.run({ until: 120_000_000 });
  const exits = sim.vcpus.flatMap(({ statistics }) => Object.values(statistics.exits));
  return {
    sim,
    assigned: assigned.map(({ statistics }) => statistics),
    emulated: emulated.map(({ statistics }) => statistics),
    exits: exits.reduce((sum, times) => sum + times, 0),
    failures: sim.takeTrace().filter(({ event }) => event === 'failed'),
  };
}

const results = new Map<Mode, Awaited<ReturnType<typeof run>>>();
const result = (mode: Mode) => results.get(mode) as Awaited<ReturnType<typeof run>>;
const meanOf = (flows: readonly DeviceStatistics[]) =>
  flows.reduce((sum, { latency }) => sum + latency.mean, 0) / flows.length;

describe('a guest that does I/O', () => {
  beforeAll(async () => {
    for (const mode of ['GICv3', 'GICv4.0', 'GICv4.1'] as const) results.set(mode, await run(mode));
  });

  it.each(['GICv3', 'GICv4.0', 'GICv4.1'] as const)('%s: every interrupt is accounted for', (mode) => {
    const { assigned, emulated, failures } = result(mode);
    expect(failures).toEqual([]);
    for (const flow of [...assigned, ...emulated]) {
      expect(flow).toMatchObject({ injected: FIRINGS, dropped: 0, pending: 0, repeated: 0 });
      expect(isBalanced(flow)).toBe(true);
      expect(flow.delivered).toBeGreaterThan(FIRINGS / 5);
    }
  });

  it('has fewer exits with direct injection: none for the assigned device', () => {
    for (const mode of results.keys()) {
      const { exits, assigned, sim } = result(mode);
      console.log(
        `${mode}: ${exits} exits, ${meanOf(assigned).toFixed(0)} ns on average, ${sim.operations.vmovp} moves`,
      );
    }
    expect(result('GICv4.0').exits).toBeLessThan(0.8 * result('GICv3').exits);
    expect(result('GICv4.1').exits).toBeLessThan(0.8 * result('GICv3').exits);
  });
});

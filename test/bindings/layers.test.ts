// The memory that a machine takes: the layers that it has, and what they have room for.
import { describe, expect, it } from 'vitest';
import {
  createMachine,
  createMachineSync,
  type EngineBuild,
  IrqChip,
  Kvm,
  type Limits,
  loadEngineSync,
  loadMachine,
  type Machine,
  type MachineOptions,
  memoryPages,
  Simulation,
  saveMachine,
} from '../../bindings/index.ts';
import { bootIts, EMULATED_DEVICE } from '../sim/guest_its.ts';

const builds = ['single', 'shared'] as const;
const RAM = { base: 0x4000_0000, size: 0x40_0000 };
const SMALL: MachineOptions = { cpus: 2, ram: RAM };
const LEAST = { vms: 1, vcpus: 1, guestLpis: 0, devices: 1 };
const MOST = { vms: 64, vcpus: 4096, guestLpis: 131_072, devices: 1024 };

const kvmOn = (machine: Machine): Kvm => new Kvm(new IrqChip(machine));
const megabytes = (options: MachineOptions): number =>
  (memoryPages(loadEngineSync('single'), { ...SMALL, ...options }) * 65_536 - RAM.size) / 1e6;

/** A memory of exactly the pages that a machine needs. */
function memoryFor(build: EngineBuild, options: MachineOptions): WebAssembly.Memory {
  const initial = memoryPages(loadEngineSync(build), options);
  return new WebAssembly.Memory(
    build === 'shared' ? { initial, maximum: initial, shared: true } : { initial, maximum: initial },
  );
}

describe('memory', () => {
  it('of a GIC with nothing above it is some megabytes, of a whole machine tens of them', () => {
    expect(megabytes({ layers: 'irqchip' })).toBeLessThan(7);
    expect(megabytes({ layers: 'kvm' })).toBeLessThan(36);
    expect(megabytes({})).toBeLessThan(45);
    expect(megabytes({ limits: LEAST })).toBeLessThan(17);
    expect(megabytes({ limits: MOST })).toBeGreaterThan(100);
  });

  it('grows with each limit, and with none where the layer is left out', () => {
    for (const [name, most] of Object.entries(MOST)) {
      const limits = { ...LEAST, [name]: most };
      expect(megabytes({ limits }), name).toBeGreaterThan(megabytes({ limits: LEAST }));
      expect(megabytes({ layers: 'irqchip', limits }), name).toBe(megabytes({ layers: 'irqchip' }));
    }
  });
});

describe('a configuration', () => {
  it.each([
    ['layers', { layers: 'hypervisor' as 'kvm' }],
    ['limits.vms', { limits: { vms: 0 } }],
    ['limits.vms', { limits: { vms: 65 } }],
    ['limits.vcpus', { limits: { vcpus: 4097 } }],
    ['limits.guestLpis', { limits: { guestLpis: -1 } }],
    ['limits.devices', { limits: { devices: 1.5 } }],
    ['limits.threads', { limits: { threads: 1 } as object }],
  ])('with %s out of range is refused: %j', (field, options) => {
    const refused = expect.objectContaining({ code: 'INVALID_CONFIG', field });
    expect(() => createMachineSync({ ...SMALL, ...options })).toThrow(refused);
  });
});

describe.each(builds)('a machine without a layer, %s', (build) => {
  it('tells which option gives it', async () => {
    const bare = await createMachine({ ...SMALL, layers: 'irqchip' }, build);
    expect(() => kvmOn(bare)).toThrow(
      'layers: "irqchip" is not allowed; expected "kvm" or "simulation" for a Kvm',
    );
    const refused = {
      code: 'INVALID_CONFIG',
      field: 'layers',
      value: 'kvm',
      expected: '"simulation" for a Simulation',
    };
    const kvm = kvmOn(await createMachine({ ...SMALL, layers: 'kvm' }, build));
    expect(() => new Simulation(kvm)).toThrow(expect.objectContaining(refused));
    expect(kvm.createVm().init().vcpus).toHaveLength(1);
  });

  it('leaves its memory alone, whatever is called', async () => {
    const machine = await createMachine({ ...SMALL, layers: 'irqchip' }, build);
    new IrqChip(machine);
    const before = machine.digest();
    const { engine } = machine;
    const errors = [
      engine.kvmSetUp(1),
      engine.kvmCreateVm(1, 32, RAM.base, 16),
      engine.kvmInit(0),
      engine.simSetUp(1),
      engine.simStart(0, 0),
      engine.simAddDevice(),
      engine.simSetGuest(0, 0, 1),
      engine.simFlow(0, 0, 0, 0),
      engine.simPeTime(0, 0),
      engine.simThread(0, 0),
      engine.simThreadOn(0),
    ];
    expect(errors.every((result) => result < 0)).toBe(true);
    expect([engine.simRun(1e9, 1000), engine.simHistogramAt(0, 0)]).toEqual([0, 0]);
    expect(machine.digest()).toBe(before);
  });
});

describe.each(builds)('what is beyond a limit, %s', (build) => {
  const limited = async (limits: Partial<Limits>): Promise<Kvm> =>
    kvmOn(await createMachine({ ...SMALL, limits }, build));

  it('is refused with the name of the limit: VMs', async () => {
    const kvm = await limited({ vms: 2 });
    const ram = { size: 0x1_0000 };
    const [first] = [kvm.createVm({ ram }), kvm.createVm({ ram })];
    expect(() => kvm.createVm({ ram })).toThrow(/limits\.vms is 2/);
    first?.destroy();
    expect(kvm.createVm({ ram }).index).toBe(0);
  });

  it('vCPUs', async () => {
    const kvm = await limited({ vcpus: 5 });
    expect(() => kvm.createVm({ vcpus: 6 })).toThrow(/at most 5, the machine's limits\.vcpus/);
    const ram = { size: 0x1_0000 };
    kvm.createVm({ vcpus: 3, ram });
    expect(() => kvm.createVm({ vcpus: 3, ram })).toThrow(/limits\.vcpus 5/);
    expect(kvm.createVm({ vcpus: 2, ram }).vcpus).toHaveLength(2);
  });

  it('LPIs of guests', async () => {
    const kvm = await limited({ guestLpis: 5 });
    const vm = kvm.createVm({ vcpus: 2 }).init();
    const its = bootIts(vm);
    for (const n of [2, 3]) {
      its.command({ command: 'MAPTI', deviceId: EMULATED_DEVICE, eventId: n, pIntid: 8400 + n, icid: 0 });
    }
    // Two devices with an event for each vCPU were mapped before: one more fits.
    expect([vm.lpi(8402)?.exists, vm.lpi(8403)]).toEqual([true, undefined]);
    expect(its.outcomes()).toMatchObject({ NO_MEMORY: 1 });
    its.command({ command: 'DISCARD', deviceId: EMULATED_DEVICE, eventId: 2 });
    its.command({ command: 'MAPTI', deviceId: EMULATED_DEVICE, eventId: 3, pIntid: 8403, icid: 0 });
    expect(vm.lpi(8403)?.exists).toBe(true);
  });

  it('devices', async () => {
    const kvm = await limited({ devices: 2 });
    const vm = kvm.createVm();
    const sim = new Simulation(kvm);
    const arrival = { kind: 'periodic', period: 1000 } as const;
    for (const intid of [40, 41]) sim.addDevice(vm, { signal: { kind: 'edge', intid }, arrival });
    expect(() => sim.addDevice(vm, { signal: { kind: 'edge', intid: 42 }, arrival })).toThrow(
      /room for 2 devices, its limits\.devices/,
    );
  });
});

describe.each(builds)('room that is used up to its end, %s', (build) => {
  /** As many VMs, vCPUs and devices as the machine has room for, in a memory of just the pages that it needs. */
  function busy(limits: typeof MOST): { machine: Machine; sim: Simulation } {
    const options: MachineOptions = { ...SMALL, limits };
    const machine = createMachineSync(options, { memory: memoryFor(build, options) });
    const kvm = kvmOn(machine);
    const sim = new Simulation(kvm, { slice: 100_000 });
    for (let n = 0; n < 3; n++) {
      const vm = kvm.createVm({ vcpus: 2, ram: { size: 0x1_0000 } });
      vm.vcpus.forEach((vcpu, i) => {
        const operation = { kind: 'sgi', target: 1 - i } as const;
        sim.addVcpu(vcpu, { guest: { timer: 40_000 + 100 * n, work: 5_000, operation } });
      });
      const arrival = { kind: 'poisson', period: 30_000 } as const;
      sim.addDevice(vm, { signal: { kind: 'edge', intid: 95, vcpu: 1 }, arrival });
    }
    return { machine, sim };
  }

  const seen = ({ machine, sim }: ReturnType<typeof busy>): unknown => [
    sim.digest,
    sim.vcpus.map(({ statistics }) => statistics),
    sim.devices.map(({ statistics }) => statistics),
    [0, 1].map((cpu) => sim.cpuTime(cpu)),
    machine.counters(),
  ];

  it('does not touch what stands beside it: all is as with more room', () => {
    const exact = busy({ vms: 3, vcpus: 6, guestLpis: 0, devices: 3 });
    const ample = busy(MOST);
    for (const { sim } of [exact, ample]) sim.run({ for: 5_000_000 });
    expect(exact.sim.events).toBeGreaterThan(3_000);
    expect(seen(exact)).toEqual(seen(ample));
  });

  it('goes into snapshots and files, which machines with other room refuse', async () => {
    const limits = { vms: 3, vcpus: 6, guestLpis: 0, devices: 3 };
    const { machine, sim } = busy(limits);
    sim.run({ for: 1_000_000 });
    const snapshot = machine.snapshot();
    const saved = await saveMachine(machine);
    sim.run({ for: 1_000_000 });
    const later = machine.digest();
    const others: [string, MachineOptions][] = [
      ['limits', { limits: { ...limits, vcpus: 7 } }],
      ['limits', {}],
      ['layers', { limits, layers: 'kvm' }],
    ];
    for (const [field, options] of others) {
      const other = createMachineSync({ ...SMALL, ...options }, build);
      const refused = expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        field: `snapshot.config.${field}`,
      });
      expect(() => other.restore(snapshot)).toThrow(refused);
    }
    for (const again of [createMachineSync({ ...SMALL, limits }, build), await loadMachine(saved, build)]) {
      again.restore(snapshot);
      expect(again.config.limits).toEqual(limits);
      again.engine.simRun(2_000_000, 1e9);
      expect(again.digest()).toBe(later);
    }
  });
});

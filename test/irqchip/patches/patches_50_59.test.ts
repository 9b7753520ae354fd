import { describe, expect, it } from 'vitest';
import {
  createMachine,
  type DriverAction,
  IrqChip,
  type KernelEra,
  type Machine,
  type MachineOptions,
} from '../../../bindings/index.ts';
import { PROPERTIES, Scenario } from '../scenario.ts';
import { DEVICE, EVENT, VINTID } from '../system.ts';
import { ERAS, GUEST_DEVICE, HOST_DEVICE, LPI, Passthrough } from './passthrough.ts';

// Running vCPUs whose interrupts are injected directly, and what the host then does to the hardware.

/** GICR_VPENDBASER without Valid and the address: the pending table was not shareable in 2017. */
const attributes = (kvm: KernelEra) => (kvm === '2017' ? '380' : '780');

/** A vPE comes to a PE, or goes from it. */
const scheduled = (kvm: KernelEra, cpu = 0) => [
  `RD${cpu}: VPROPBASER=0x58f|vprop`,
  `RD${cpu}: VPENDBASER=0xe000000000000${attributes(kvm)}|vpt0`,
  `RD${cpu}: CLRLPIR=db0; poll SYNCR`,
];
const descheduled = (kvm: KernelEra, cpu = 0) => [
  ...(kvm === '2017' ? [] : [`RD${cpu}: poll VPENDBASER`]),
  `RD${cpu}: VPENDBASER=0x6000000000000${attributes(kvm)}|vpt0; poll VPENDBASER`,
];
const doorbell = (enabled: boolean) => [`PCFG[db0]=0xa${enabled ? 3 : 2}`, 'RD0: INVLPIR=db0; poll SYNCR'];

describe('50: pending_last as a scheduling hint', () => {
  const systems = (['v4', 'v4Proxy', 'v4_1'] as const)
    .flatMap((hardware) => ERAS.map((kvm) => [hardware, kvm] as const))
    .filter(([hardware, kvm]) => hardware !== 'v4_1' || kvm !== '2017');

  it.each(systems)(
    '%s, %s: a vCPU whose vPE leaves with a VLPI pending does not sleep in WFI',
    async (hardware, kvm) => {
      const self = await Passthrough.start({ hardware, kvm });
      const vcpu = self.run();
      self.signal();
      vcpu.guest.wfi();
      expect([vcpu.vpe?.pendingLast, vcpu.state]).toEqual([true, 'in-guest']);
      expect(vcpu.guest.ack()).toBe(LPI);
      vcpu.guest.eoi(LPI);
      vcpu.guest.wfi();
      expect([vcpu.vpe?.pendingLast, vcpu.state, vcpu.runnable]).toEqual([false, 'asleep', false]);
    },
  );
});

describe('51: doorbell interrupt handling', () => {
  it.each(ERAS)(
    '%s: it sets pending_last and wakes the vCPU; from 5.6 on it disables itself',
    async (kvm) => {
      const self = await Passthrough.start({ kvm });
      const vcpu = self.run();
      vcpu.guest.wfi();
      const { engine } = self.machine;
      self.machine.sendMsi(HOST_DEVICE, 0);
      expect([vcpu.state, vcpu.vpe?.pendingLast, vcpu.vpe?.doorbell.masked]).toEqual([
        'asleep',
        false,
        false,
      ]);
      const handled = self.trace(() => expect(engine.kvmHostInterrupts(0)).toBe(1));
      expect(handled).toEqual(kvm === '2017' ? [] : doorbell(false));
      // Woken, and not yet on a PE.
      expect([vcpu.state, vcpu.vpe?.pendingLast, vcpu.vpe?.doorbell.masked]).toEqual([
        'outside',
        true,
        kvm !== '2017',
      ]);
      self.guest.kvm.serve();
      expect([vcpu.state, vcpu.vpe?.doorbell.masked]).toEqual(['in-guest', true]);
      expect(vcpu.guest.ack()).toBe(LPI);
    },
  );

  it('GICv4.1: the doorbell stays enabled', async () => {
    const self = await Passthrough.start({ hardware: 'v4_1' });
    const vcpu = self.run();
    vcpu.guest.wfi();
    self.machine.sendMsi(HOST_DEVICE, 0);
    expect(self.trace(() => self.machine.engine.kvmHostInterrupts(0))).toEqual([]);
    expect([vcpu.state, vcpu.vpe?.pendingLast, vcpu.vpe?.doorbell.masked]).toEqual(['outside', true, false]);
    self.guest.kvm.serve();
    expect(vcpu.guest.ack()).toBe(LPI);
  });
});

/** GICR_ISENABLER0 of the guest's first vCPU, and a PPI that is free. */
const ISENABLER0 = 0x1_0100;
const PPI = 20;

describe('52: doorbell as an unblocking source', () => {
  it.each(ERAS)('%s: enabled before the thread sleeps, disabled when it goes on', async (kvm) => {
    const self = await Passthrough.start({ kvm });
    const vcpu = self.run();
    const { vm } = self.guest;
    vm.write(vm.redistributors + ISENABLER0, 2 ** PPI);
    const slept = self.trace(() => vcpu.guest.wfi());
    expect(vcpu.state).toBe('asleep');
    // In 2017 the vPE was out already, with the exit.
    expect(slept).toEqual(
      kvm === '2017' ? [...descheduled(kvm), ...doorbell(true)] : [...doorbell(true), ...descheduled(kvm)],
    );
    // Something else than the doorbell wakes it.
    const woken = self.trace(() => vcpu.setPpi(PPI, true));
    expect(vcpu.state).toBe('in-guest');
    expect(woken).toEqual([...doorbell(false), ...scheduled(kvm)]);
  });

  it.each(ERAS)('%s: a vCPU that is preempted has no doorbell', async (kvm) => {
    const self = await Passthrough.start({ kvm });
    const vcpu = self.run();
    expect(self.trace(() => vcpu.stop())).toEqual(descheduled(kvm));
    expect(vcpu.vpe?.doorbell.masked).toBe(true);
    self.signal();
    expect([vcpu.state, self.isPendingInTable()]).toEqual(['outside', true]);
    expect(vcpu.run().guest.ack()).toBe(LPI);
  });

  it('GICv4.1: DB=1 in GICR_VPENDBASER where it sleeps, PendingLast=1 where it is preempted', async () => {
    const self = await Passthrough.start({ hardware: 'v4_1' });
    const vcpu = self.run();
    const leave = (value: string) => ['RD0: poll VPENDBASER', `RD0: VPENDBASER=${value}; poll VPENDBASER`];
    expect(self.trace(() => vcpu.guest.wfi())).toEqual(leave('0x4400000000000000'));
    self.signal();
    expect(vcpu.state).toBe('in-guest');
    expect(self.trace(() => vcpu.stop())).toEqual(leave('0x2400000000000000'));
  });
});

describe('53: vPE scheduling hooked in flush/sync', () => {
  it('2017: the affinity and SCHEDULE_VPE at each entry, DESCHEDULE_VPE at each exit', async () => {
    const self = await Passthrough.start({ kvm: '2017' });
    const vcpu = self.vcpu();
    expect(self.trace(() => vcpu.run(0))).toEqual(scheduled('2017'));
    const pair = [...descheduled('2017'), ...scheduled('2017')];
    const entries = self.trace(() => {
      for (let entry = 0; entry < 3; entry++) vcpu.guest.hvc();
    });
    expect(entries).toEqual([...pair, ...pair, ...pair]);
    expect(self.trace(() => vcpu.stop())).toEqual(descheduled('2017'));
  });

  it.each(['5.6', '6.19'] as const)('%s: with load and put, and not with entries', async (kvm) => {
    const self = await Passthrough.start({ kvm });
    const vcpu = self.vcpu();
    expect(self.trace(() => vcpu.run(0))).toEqual(scheduled(kvm));
    const entries = self.trace(() => {
      for (let entry = 0; entry < 3; entry++) vcpu.guest.hvc();
    });
    expect(entries).toEqual([]);
    expect(self.trace(() => vcpu.stop())).toEqual(descheduled(kvm));
  });

  it.each(ERAS)('%s: a vCPU that comes to another PE brings its vPE: VMOVP', async (kvm) => {
    const self = await Passthrough.start({ kvm });
    const vcpu = self.vcpu().run(0);
    vcpu.stop();
    expect(self.trace(() => vcpu.run(2))).toEqual([
      'ITS0: VMOVP vpe=0 rd=2 seq=0 list=0x0 DB=0 default=0; VSYNC vpe=0',
      'RD0: CLRLPIR=db0; poll SYNCR',
      ...scheduled(kvm, 2),
    ]);
    expect([vcpu.vpe?.cpu, vcpu.vpe?.resident]).toEqual([2, true]);
  });
});

describe('54: virtual cpuif on if VLPIs can arrive', () => {
  it.each(ERAS)(
    '%s: ICH_HCR_EL2.En with no list register in use: a VLPI that arrives is seen',
    async (kvm) => {
      const self = await Passthrough.start({ kvm });
      const vcpu = self.run();
      expect([vcpu.apList, vcpu.listRegisters]).toEqual([[], []]);
      expect(Number(self.machine.readSystemRegister(0, 'ICH_HCR_EL2')) & 1).toBe(1);
      expect(self.trace(() => self.machine.sendMsi(HOST_DEVICE, 0))).toEqual([]);
      expect(self.machine.virtualOutputs(0)).toMatchObject({ virq: true, winner: 'vlpi' });
      expect(vcpu.guest.ack()).toBe(LPI);
    },
  );

  it('without direct injection it is off while no list register is in use', async () => {
    const self = await Passthrough.start({ directInjection: false });
    self.run();
    expect(self.machine.readSystemRegister(0, 'ICH_HCR_EL2')).toBe(0n);
  });
});

/** The guest is served by software alone: no vPE, no command, and the device's MSI goes by the host's handler. */
function expectSoftware(self: Passthrough): void {
  const { guest } = self;
  guest.map(GUEST_DEVICE, 0, LPI);
  const assigned = self.assign(0);
  self.irq().activate(1);
  self.irq().unmask();
  expect(self.trace(() => assigned.irqfd.addProducer(self.irq()))).toEqual([]);
  const vcpu = self.run();
  expect([vcpu.vpe, assigned.forwarded]).toEqual([undefined, false]);
  expect(self.trace(() => self.signal())).toEqual([]);
  expect(assigned.irqfd.lastResult).toBe('INJECTED');
  expect(vcpu.guest.ack()).toBe(LPI);
}

describe('55: enable VLPI support', () => {
  it.each(['v4', 'v4_1'] as const)('%s: without the parameter KVM has no GICv4', async (hardware) => {
    const self = await Passthrough.start({ hardware, directInjection: false, events: 0 });
    expect(self.guest.chip.facts.hasV4).toBe(true);
    expectSoftware(self);
  });
});

describe('56: no GICv4 on heterogeneous systems', () => {
  const NV4 = 1 << 20;

  function capable(machine: Machine): boolean[] {
    return [0, 1, 2, 3].map((cpu) => (Number(machine.readSystemRegister(cpu, 'ICH_VTR_EL2')) & NV4) === 0);
  }

  it.each(['GICv4.0', 'GICv4.1'] as const)(
    '%s: one PE with ICH_VTR_EL2.nV4=1: none',
    async (architecture) => {
      const machine = await createMachine({ cpus: 4, architecture, redistributorsWithoutVlpis: [2] });
      expect(capable(machine)).toEqual([true, true, false, true]);
      expectSoftware(Passthrough.on(machine, { events: 0 }));
    },
  );

  it("KVM's own check: redistributors and ITS have VLPIs, the CPU interfaces do not", async () => {
    const ICH_VTR_EL2 = 0x9028_0003 | NV4;
    const machine = await createMachine({
      cpus: 4,
      architecture: 'GICv4.0',
      identification: { ICH_VTR_EL2: ICH_VTR_EL2 >>> 0 },
    });
    const self = Passthrough.on(machine, { events: 0 });
    expect(self.guest.chip.facts.hasV4).toBe(true);
    expectSoftware(self);
  });
});

describe('58: pass its_node to each builder', () => {
  const commandOf = (log: readonly DriverAction[], name: string) =>
    log.flatMap((action) => (action.kind === 'command' && action.command.command === name ? [action] : []));

  async function activation(options: object) {
    const chip = new IrqChip(await createMachine({ cpus: 2, itsCount: 2, ...options }));
    chip.takeLog();
    chip.createVm(1).activate();
    return commandOf(chip.takeLog(), 'VMAPP');
  }

  it('VMAPP is built for the ITS that it goes to', async () => {
    const forV4 = await activation({ architecture: 'GICv4.0' });
    const forV4_1 = await activation({ architecture: 'GICv4.1' });
    expect(forV4.map(({ its, command }) => [its, 'layout' in command && command.layout])).toEqual([
      [0, '4.0'],
      [1, '4.0'],
    ]);
    expect(forV4_1.map(({ its, command }) => [its, 'alloc' in command && command.alloc])).toEqual([
      [0, true],
      [1, false],
    ]);
  });
});

describe('59: Huawei D05 RD addressing workaround', () => {
  const RD_BASE = 0x8000_0000;
  const RD_BYTES = 0x4_0000;
  const pta: MachineOptions = {
    cpus: 4,
    architecture: 'GICv4.0',
    physicalTargetAddresses: true,
    addressMap: { gicr: RD_BASE },
    ram: { base: 0x1_0000_0000, size: 2 ** 24 },
  };

  /** Addresses of redistributors in the commands of an operation. */
  function targets(s: Scenario, operation: () => void): [string, number][] {
    s.system.chip.takeLog();
    operation();
    return s.system.chip.takeLog().flatMap((action) => {
      if (action.kind !== 'command' || !('rdBase' in action.command)) return [];
      return [[action.command.command, action.command.rdBase * 0x1_0000]];
    });
  }

  it.each([
    ['the D05', 0x2_0000],
    ['any other ITS with GITS_TYPER.PTA=1', 0],
  ])('%s: VMAPP and VMOVP name RD_base + %i, SYNC names RD_base', async (_, vlpiTargetOffset) => {
    const s = new Scenario(await createMachine({ ...pta, vlpiTargetOffset }), '5.6', { vpes: 1 });
    expect(s.system.machine.its(0).read('GITS_IIDR')).toBe(vlpiTargetOffset ? 4 : 0x43b);
    s.vpe().doorbell.deactivate();
    s.system.machine.takeDiagnostics();
    expect(targets(s, () => s.vpe().doorbell.activate())).toEqual([['VMAPP', RD_BASE + vlpiTargetOffset]]);
    expect(targets(s, () => s.vpe().doorbell.setAffinity(2))).toEqual([
      ['VMOVP', RD_BASE + 2 * RD_BYTES + vlpiTargetOffset],
    ]);
    expect(targets(s, () => s.irq.setPending(true))).toEqual([['SYNC', RD_BASE + RD_BYTES]]);
    s.irq.setPending(false);
    s.irq.mapVlpi({ vpe: s.vpe(), vIntid: VINTID, properties: PROPERTIES, doorbell: true });
    s.vpe().schedule(2);
    expect(s.system.machine.sendMsi(DEVICE, EVENT)).toBe('pending');
    expect(s.system.machine.virtualOutputs(2).bestVlpi?.vIntid).toBe(VINTID);
    expect(s.system.machine.takeDiagnostics()).toEqual([]);
  });
});

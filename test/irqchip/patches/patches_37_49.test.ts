import { describe, expect, it } from 'vitest';
import { type ItsCommand, signalMsi, VirtualIts } from '../../../bindings/index.ts';
import { RAM } from '../../kvm/guest_its.ts';
import { golden } from '../scenario.ts';
import { errnoOf } from '../system.ts';
import { ERAS, GUEST_DEVICE, HOST_DEVICE, LPI, Passthrough } from './passthrough.ts';

// What a guest does with its virtual ITS, and what the host then does to the hardware.

const act = (self: Passthrough, command: ItsCommand) => () => self.guest.act(command);
const event = (eventId: number) => ({ deviceId: GUEST_DEVICE, eventId });

/** The host's event is an LPI again, and enabled. */
const unmapped = (n: number) =>
  golden(`
    ITS0: DISCARD d=0x10 e=${n}; SYNC rd=1
    ITS0: MAPTI d=0x10 e=${n} p=lpi${n} c=1; SYNC rd=1
    PCFG[lpi${n}]=0xa3
    RD1: INVLPIR=lpi${n}; poll SYNCR
  `);

/** What a sync of an event that is a VLPI looks like. */
const syncs = [
  ['2017', 'SYNC rd=1'],
  ['5.6', 'VSYNC vpe=0'],
  ['6.19', 'VSYNC vpe=0'],
] as const;

describe('37: move kvm_vgic_destroy call', () => {
  it('the VLPIs and the vPEs go while their vCPUs exist; with a vCPU on a PE nothing goes', async () => {
    const self = await Passthrough.start({ events: 2 });
    const { vm } = self.guest;
    const vcpu = self.run(1);
    expect(self.trace(() => expect(errnoOf(() => vm.destroy())).toBe('EBUSY'))).toEqual([]);
    expect(vm.vcpus.map(({ vpe }) => vpe?.vpeId)).toEqual([0, 1]);
    vcpu.stop();
    const [vpe0, vpe1] = vm.vcpus.map((each) => each.vpe);
    expect(self.trace(() => vm.destroy())).toEqual([
      ...unmapped(0),
      ...unmapped(1),
      'ITS0: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=0',
      'ITS0: VMAPP vpe=1 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=1',
    ]);
    expect([vpe0?.doorbell.activated, vpe1?.doorbell.activated]).toEqual([false, false]);
    expect(vm.vcpus.map(({ vpe }) => vpe)).toEqual([undefined, undefined]);
  });
});

describe('38: MSI translation helpers', () => {
  it('an address outside of the ITS frames, no DeviceID, an ITS that is off: refused, without a command', async () => {
    const self = await Passthrough.start({ events: 0 });
    const { guest } = self;
    guest.map(GUEST_DEVICE, 0, LPI);
    const address = guest.its.translater;
    const message = { address, data: 0, deviceId: GUEST_DEVICE };
    const outcomes = () => [
      signalMsi(guest.vm, { ...message, address: RAM }),
      signalMsi(guest.vm, { address, data: 0 }),
      signalMsi(guest.vm, { ...message, data: 1 }),
      signalMsi(guest.vm, message),
    ];
    expect(
      self.trace(() => expect(outcomes()).toEqual(['NO_ITS', 'NO_DEVICE_ID', 'UNMAPPED', 'INJECTED'])),
    ).toEqual([]);
    guest.its.write('GITS_CTLR', 0);
    expect(signalMsi(guest.vm, message)).toBe('ITS_DISABLED');
  });

  it('they serve a producer whose LPI is looked up without being injected', async () => {
    const self = await Passthrough.start({ events: 0 });
    const { guest } = self;
    guest.map(GUEST_DEVICE, 0, LPI);
    const assigned = self.assign(0);
    const { translater } = guest.its;
    for (const route of [
      { address: RAM, data: 0, deviceId: GUEST_DEVICE },
      { address: translater, data: 0 },
      { address: translater, data: 1, deviceId: GUEST_DEVICE },
      { pin: 0 },
    ]) {
      assigned.reroute(route);
      assigned.enable(1);
      expect(assigned.forwarded).toBe(false);
      assigned.disable();
    }
    assigned.reroute({ address: translater, data: 0, deviceId: GUEST_DEVICE });
    assigned.enable(1);
    expect([assigned.forwarded, guest.lpi(LPI).pending]).toEqual([true, false]);
  });
});

describe('39: property field and per-VM predicate', () => {
  it.each([
    ['v3', [false, false]],
    ['v4', [false, true]],
    ['v4Proxy', [false, true]],
    ['v4_1', [true, true]],
  ] as const)('%s: a VM without, and with, a virtual ITS has direct MSIs: %o', async (hardware, expected) => {
    const { kvm } = (await Passthrough.start({ hardware, events: 0 })).guest;
    const direct = [false, true].map((withIts) => {
      const vm = kvm.createVm();
      if (withIts) new VirtualIts(vm);
      return vm.init().vcpus[0]?.vpe !== undefined;
    });
    expect(direct).toEqual(expected);
  });

  it('the kernel of 2017 has none on GICv4.1', async () => {
    const self = await Passthrough.start({ hardware: 'v4_1', kvm: '2017' });
    expect([self.vcpu().vpe, self.assigned[0]?.forwarded]).toEqual([undefined, false]);
  });
});

describe('40: init/teardown of the vPE domain', () => {
  const mapped = golden(`
    ITS0: VMAPP vpe=2 rd=0 bits=15 vpt=table V=1; VSYNC vpe=2
    ITS0: VINVALL vpe=2; VSYNC vpe=2
    ITS0: VMAPP vpe=3 rd=0 bits=15 vpt=table V=1; VSYNC vpe=3
    ITS0: VINVALL vpe=3; VSYNC vpe=3
  `);

  it.each(ERAS)('%s: with the VGIC or with the ITS, whichever is later; once', async (kvm) => {
    for (const order of ['ITS first', 'VGIC first'] as const) {
      const self = await Passthrough.start({ kvm, events: 0 });
      const vm = self.guest.kvm.createVm({ vcpus: 2 });
      const steps = [() => new VirtualIts(vm), () => vm.init()];
      if (order === 'VGIC first') steps.reverse();
      expect(
        steps.map((step) => self.trace(step)),
        order,
      ).toEqual([[], mapped]);
      expect(self.trace(() => vm.init())).toEqual([]);
      expect(self.trace(() => new VirtualIts(vm, 0x0900_0000))).toEqual([]);
      expect(vm.vcpus.map(({ vpe }) => vpe?.vpeId)).toEqual([2, 3]);
      expect(self.trace(() => vm.destroy())).toEqual(
        golden(`
          ITS0: VMAPP vpe=2 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=2
          ITS0: VMAPP vpe=3 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=3
        `),
      );
    }
  });

  it('GICv4.0: the doorbells are disabled until a vCPU sleeps; GICv4.1: enabled from the start', async () => {
    for (const [hardware, masked] of [
      ['v4', true],
      ['v4_1', false],
    ] as const) {
      const self = await Passthrough.start({ hardware, events: 0 });
      expect(self.vcpu().vpe?.doorbell.masked, hardware).toBe(masked);
    }
  });
});

describe('41: wire VLPI map/unmap in VFIO irq bypass', () => {
  it('a producer of a mapped event: map; the producer goes: unmap', async () => {
    const self = await Passthrough.start({ events: 0 });
    self.guest.map(GUEST_DEVICE, 0, LPI);
    self.irq().activate(1);
    self.irq().unmask();
    const { irqfd } = self.assign(0);
    expect(self.trace(() => irqfd.addProducer(self.irq()))).toEqual(
      golden(`
        VCFG(0)[8300]=0xa3
        ITS0: DISCARD d=0x10 e=0; SYNC rd=1
        ITS0: VMAPTI d=0x10 e=0 vpe=0 v=8300 db=db0; VSYNC vpe=0
      `),
    );
    expect(irqfd.forwarded).toBe(true);
    expect(self.trace(() => irqfd.removeProducer())).toEqual(unmapped(0));
    expect(irqfd.forwarded).toBe(false);
  });

  it('a producer of an event that the guest has not mapped: nothing, and software delivers', async () => {
    const self = await Passthrough.start({ events: 0 });
    self.irq().activate(1);
    self.irq().unmask();
    const { irqfd } = self.assign(0);
    expect(self.trace(() => irqfd.addProducer(self.irq()))).toEqual([]);
    self.guest.map(GUEST_DEVICE, 0, LPI);
    expect(self.trace(() => self.signal())).toEqual([]);
    expect([irqfd.forwarded, irqfd.lastResult, self.guest.lpi(LPI).pendingLatch]).toEqual([
      false,
      'INJECTED',
      true,
    ]);
  });
});

describe('42: INT applied to a VLPI', () => {
  it.each(syncs)(
    "%s: the host's INT; the VLPI is pending, nothing is listed for the vCPU",
    async (kvm, sync) => {
      const self = await Passthrough.start({ kvm });
      const vcpu = self.vcpu();
      expect(self.trace(act(self, { command: 'INT', ...event(0) }))).toEqual([
        `ITS0: INT d=0x10 e=0; ${sync}`,
      ]);
      expect(self.isPendingInTable()).toBe(true);
      expect([vcpu.apList, self.guest.lpi(LPI).pendingLatch]).toEqual([[], false]);
      expect(self.run().guest.ack()).toBe(LPI);
    },
  );
});

describe('43: unmap VLPI when freeing an LPI', () => {
  const ways: readonly (readonly [string, (self: Passthrough) => void])[] = [
    ['DISCARD', (self) => self.guest.act({ command: 'DISCARD', ...event(0) })],
    [
      'MAPD with V=0',
      ({ guest }) =>
        guest.act({ command: 'MAPD', deviceId: GUEST_DEVICE, size: 4, ittAddress: 0, valid: false }),
    ],
    [
      'GITS_BASER0 that is not valid',
      ({ guest }) => {
        guest.its.write('GITS_CTLR', 0);
        guest.its.write('GITS_BASER0', 0n);
      },
    ],
    ['reset of the ITS', ({ guest }) => guest.its.reset()],
  ];

  it.each(ways)('%s: unmapped, once', async (_, free) => {
    const self = await Passthrough.start();
    expect(self.trace(() => free(self))).toEqual(unmapped(0));
    expect(self.trace(() => free(self))).toEqual([]);
    expect(self.trace(() => self.assigned[0]?.irqfd.removeProducer())).toEqual([]);
    expect(self.machine.its(0).interrupt(HOST_DEVICE, 0)).toMatchObject({ kind: 'physical' });
  });

  it('the VM with its ITS: unmapped, once, before the vPE', async () => {
    const self = await Passthrough.start({ vcpus: 1 });
    expect(self.trace(() => self.guest.vm.destroy())).toEqual([
      ...unmapped(0),
      'ITS0: VMAPP vpe=0 rd=0 bits=0 vpt=0 V=0; VSYNC vpe=0',
    ]);
  });
});

describe('44: MOVI applied to a VLPI', () => {
  it.each(ERAS)('%s: VMOVI to the vPE of the new vCPU', async (kvm) => {
    const self = await Passthrough.start({ kvm });
    expect(self.trace(act(self, { command: 'MOVI', ...event(0), icid: 1 }))).toEqual([
      'ITS0: VMOVI d=0x10 e=0 vpe=1 D=1 db=db1; VSYNC vpe=1',
    ]);
    const vcpu = self.run(1);
    self.signal();
    expect(vcpu.guest.ack()).toBe(LPI);
  });
});

describe('45: CLEAR applied to a VLPI', () => {
  it.each(syncs)("%s: the host's CLEAR, and the VLPI is not pending", async (kvm, sync) => {
    const self = await Passthrough.start({ kvm });
    self.guest.act({ command: 'INT', ...event(0) });
    expect(self.trace(act(self, { command: 'CLEAR', ...event(0) }))).toEqual([
      `ITS0: CLEAR d=0x10 e=0; ${sync}`,
    ]);
    expect(self.isPendingInTable()).toBe(false);
    expect(self.run().guest.ack()).toBe(1023);
  });
});

describe('46: MOVALL applied to a vPE', () => {
  it.each(ERAS)('%s: a VMOVI for each of its VLPIs', async (kvm) => {
    const self = await Passthrough.start({ kvm, events: 3 });
    expect(self.trace(act(self, { command: 'MOVALL', rdBase1: 0, rdBase2: 1 }))).toEqual(
      golden(`
        ITS0: VMOVI d=0x10 e=0 vpe=1 D=1 db=db1; VSYNC vpe=1
        ITS0: VMOVI d=0x10 e=1 vpe=1 D=1 db=db1; VSYNC vpe=1
        ITS0: VMOVI d=0x10 e=2 vpe=1 D=1 db=db1; VSYNC vpe=1
      `),
    );
  });
});

describe('47: propagate property updates', () => {
  it.each(syncs)(
    "%s: the guest's byte and INV: the host's; VMOVI where the enable bit flipped",
    async (kvm, sync) => {
      const self = await Passthrough.start({ kvm });
      const update = (byte: number) => {
        const written = self.trace(() => self.guest.setProperty(LPI, byte));
        return [...written, ...self.trace(act(self, { command: 'INV', ...event(0) }))];
      };
      const inv = `ITS0: INV d=0x10 e=0; ${sync}`;
      expect(update(0x41)).toEqual(['VCFG(0)[8300]=0x43', inv]);
      expect(update(0x40)).toEqual([
        'VCFG(0)[8300]=0x42',
        inv,
        'ITS0: VMOVI d=0x10 e=0 vpe=0 D=1 db=1023; VSYNC vpe=0',
      ]);
      expect(update(0x81)).toEqual([
        'VCFG(0)[8300]=0x83',
        inv,
        'ITS0: VMOVI d=0x10 e=0 vpe=0 D=1 db=db0; VSYNC vpe=0',
      ]);
    },
  );
});

describe('48: INVALL applied to a vPE', () => {
  it.each(ERAS)('%s: the byte of each VLPI without INV, then one VINVALL', async (kvm) => {
    const self = await Passthrough.start({ kvm, events: 3 });
    for (const n of [0, 1, 2]) self.guest.setProperty(LPI + n, 0x41);
    expect(self.trace(act(self, { command: 'INVALL', icid: 0 }))).toEqual(
      golden(`
        VCFG(0)[8300]=0x43
        VCFG(0)[8301]=0x43
        VCFG(0)[8302]=0x43
        ITS0: VINVALL vpe=0; VSYNC vpe=0
      `),
    );
  });
});

describe('49: propagate properties at map time', () => {
  it.each(ERAS)('%s: a VLPI has the priority and the enable bit of the LPI', async (kvm) => {
    const self = await Passthrough.start({ kvm, events: 0 });
    self.guest.setProperty(LPI, 0x41);
    self.guest.map(GUEST_DEVICE, 0, LPI);
    self.irq().activate(1);
    self.irq().unmask();
    const { irqfd } = self.assign(0);
    const map = golden(`
      ITS0: DISCARD d=0x10 e=0; SYNC rd=1
      ITS0: VMAPTI d=0x10 e=0 vpe=0 v=8300 db=db0; VSYNC vpe=0
    `);
    const byte = 'VCFG(0)[8300]=0x43';
    expect(self.trace(() => irqfd.addProducer(self.irq()))).toEqual(
      kvm === '2017' ? [...map, byte, 'ITS0: INV d=0x10 e=0; SYNC rd=1'] : [byte, ...map],
    );
  });
});

import { describe, expect, it } from 'vitest';
import { type AssignedInterrupt, type DeviceIrq, msiResults } from '../../../bindings/index.ts';
import { GuestIts, type GuestItsOptions } from '../guest_its.ts';

const HOST_DEVICE = 0x10;
const GUEST_DEVICE = 3;
const LPI = 8200;
const ev = (event: number) => `DeviceID 0x${HOST_DEVICE.toString(16)}, EventID 0x${event}`;

interface Forwarded {
  readonly guest: GuestIts;
  readonly irqs: readonly DeviceIrq[];
  readonly assigned: readonly AssignedInterrupt[];
}

/** A guest with `count` events of a host device, each a VLPI: guest event n is LPI 8200 + n of vCPU 0. */
async function forwarded(options: GuestItsOptions = {}, count = 1): Promise<Forwarded> {
  const guest = await GuestIts.start({ hardware: 'v4', ...options });
  guest.mapDevice(GUEST_DEVICE);
  const { irqs } = guest.hostDevice(HOST_DEVICE);
  const assigned = Array.from({ length: count }, (_, n) => {
    guest.map(GUEST_DEVICE, n, LPI + n);
    const each = guest.assign(irqs[n]!, GUEST_DEVICE, n);
    each.enable(1);
    return each;
  });
  guest.steps();
  return { guest, irqs, assigned };
}

const vlpis = ({ guest }: Forwarded) =>
  guest.vm.vcpus.map(({ number }) => guest.chip.machine.engine.kvmVlpis(number));

describe('6.5 set_forwarding and unset_forwarding', () => {
  it('a producer whose event the guest has mapped becomes a VLPI', async () => {
    const guest = await GuestIts.start({ hardware: 'v4' });
    guest.mapDevice(GUEST_DEVICE);
    guest.map(GUEST_DEVICE, 0, LPI);
    const irq = guest.hostDevice(HOST_DEVICE).irqs[0]!;
    irq.activate(1);
    irq.unmask();
    const assigned = guest.assign(irq, GUEST_DEVICE, 0);
    guest.steps();
    assigned.irqfd.addProducer(irq);
    const doorbell = guest.vm.vcpus[0]!.vpe!.doorbell.intid;
    expect(guest.steps()).toEqual([
      `VCFG(0)[${LPI}] = 0xa3`,
      `ITS0: DISCARD ${ev(0)}`,
      'ITS0: SYNC RDbase 1',
      `ITS0: VMAPTI ${ev(0)}, vPEID 0, vINTID ${LPI}, Dbell_pINTID ${doorbell}`,
      'ITS0: VSYNC vPEID 0',
    ]);
    expect(assigned.forwarded).toBe(true);
    expect(guest.its.event(GUEST_DEVICE, 0)?.hostIrq).toBe(irq.number);
    expect([guest.lpi(LPI).hw, irq.getVlpi()?.vIntid]).toEqual([true, LPI]);
  });

  it('del_producer: the LPI of the host comes back', async () => {
    const { guest, irqs, assigned } = await forwarded();
    assigned[0]!.irqfd.removeProducer();
    expect(guest.steps()).toEqual([
      `ITS0: DISCARD ${ev(0)}`,
      'ITS0: SYNC RDbase 1',
      `ITS0: MAPTI ${ev(0)}, pINTID ${irqs[0]!.intid}, ICID 1`,
      'ITS0: SYNC RDbase 1',
      `CFG[${irqs[0]!.intid}] = 0xa3`,
      `RD1: GICR_INVLPIR = 0x${irqs[0]!.intid.toString(16)}`,
      'RD1: poll GICR_SYNCR',
    ]);
    expect([assigned[0]!.forwarded, guest.lpi(LPI).hw]).toEqual([false, false]);
  });

  it('a pending latch moves into the hardware', async () => {
    const guest = await GuestIts.start({ hardware: 'v4' });
    guest.mapDevice(GUEST_DEVICE);
    guest.map(GUEST_DEVICE, 0, LPI);
    guest.msi(GUEST_DEVICE, 0);
    guest.assign(guest.hostDevice(HOST_DEVICE).irqs[0]!, GUEST_DEVICE, 0).enable(1);
    expect(guest.steps().slice(-2)).toEqual([`ITS0: INT ${ev(0)}`, 'ITS0: VSYNC vPEID 0']);
    expect(guest.lpi(LPI).pendingLatch).toBe(false);
    const vcpu = guest.vm.vcpus[0]!.run();
    vcpu.guest.writeRegister('ICC_PMR_EL1', 0xf8);
    vcpu.guest.writeRegister('ICC_IGRPEN1_EL1', 1);
    expect(vcpu.guest.ack()).toBe(LPI);
  });

  it('2017: the pending latch stays with software, the configuration byte is written after the map', async () => {
    const guest = await GuestIts.start({ hardware: 'v4', kvm: '2017' });
    guest.mapDevice(GUEST_DEVICE);
    guest.map(GUEST_DEVICE, 0, LPI);
    guest.msi(GUEST_DEVICE, 0);
    guest.assign(guest.hostDevice(HOST_DEVICE).irqs[0]!, GUEST_DEVICE, 0).enable(1);
    expect(guest.steps().slice(-4)).toEqual([
      'ITS0: VSYNC vPEID 0',
      `VCFG(0)[${LPI}] = 0xa3`,
      `ITS0: INV ${ev(0)}`,
      'ITS0: SYNC RDbase 1',
    ]);
    expect(guest.lpi(LPI).pendingLatch).toBe(true);
  });

  it.each([
    [
      'the guest has not mapped the event',
      {},
      (guest: GuestIts) => guest.act({ command: 'DISCARD', deviceId: GUEST_DEVICE, eventId: 0 }),
    ],
    ['direct injection is switched off', { directInjection: false }, () => undefined],
    ['the host has no GICv4', { hardware: 'v3' }, () => undefined],
    ["the vCPU's LPIs are off", {}, (guest: GuestIts) => guest.enableLpis(0, false)],
    ['the vITS is off', {}, (guest: GuestIts) => guest.its.write('GITS_CTLR', 0)],
  ] as const)('%s: software', async (_, options, before) => {
    const guest = await GuestIts.start({ hardware: 'v4', ...options });
    guest.mapDevice(GUEST_DEVICE);
    guest.map(GUEST_DEVICE, 0, LPI);
    before(guest);
    const assigned = guest.assign(guest.hostDevice(HOST_DEVICE).irqs[0]!, GUEST_DEVICE, 0);
    assigned.enable(1);
    expect(assigned.forwarded).toBe(false);
    expect(guest.steps().filter((line) => line.includes('VMAPTI'))).toEqual([]);
  });

  it('an event that is mapped after the vector was enabled is software, until the vector is enabled anew', async () => {
    const guest = await GuestIts.start({ hardware: 'v4' });
    const irq = guest.hostDevice(HOST_DEVICE).irqs[0]!;
    const assigned = guest.assign(irq, GUEST_DEVICE, 0);
    assigned.enable(1);
    guest.mapDevice(GUEST_DEVICE);
    guest.map(GUEST_DEVICE, 0, LPI);
    expect(assigned.forwarded).toBe(false);
    guest.chip.machine.sendMsi(HOST_DEVICE, 0);
    guest.kvm.serve();
    expect(guest.lpi(LPI).pendingLatch).toBe(true);
    assigned.irqfd.removeProducer();
    assigned.irqfd.addProducer(irq);
    expect(assigned.forwarded).toBe(true);
  });

  it('a device whose map belongs to another VM stays software', async () => {
    const { guest, irqs } = await forwarded();
    const other = GuestIts.add(guest.chip, guest.kvm, 1);
    other.mapDevice(GUEST_DEVICE);
    other.map(GUEST_DEVICE, 1, LPI);
    const assigned = other.assign(irqs[1]!, GUEST_DEVICE, 1);
    assigned.enable(0);
    expect(assigned.forwarded).toBe(false);
    expect(other.lpi(LPI).hw).toBe(false);
  });

  it('a software MSI to a forwarded LPI is set pending by the host, and never cached', async () => {
    const { guest } = await forwarded();
    expect(guest.msi(GUEST_DEVICE, 0)).toBe('FORWARDED');
    expect(guest.steps()).toEqual([`ITS0: INT ${ev(0)}`, 'ITS0: VSYNC vPEID 0']);
    expect(guest.msi(GUEST_DEVICE, 0)).toBe('FORWARDED');
    expect(guest.its.cache.hits).toBe(0);
    expect(msiResults(guest.vm).FORWARDED).toBe(2);
  });

  it('a translation that was cached before it was forwarded is not used', async () => {
    const guest = await GuestIts.start({ hardware: 'v4' });
    guest.mapDevice(GUEST_DEVICE);
    guest.map(GUEST_DEVICE, 0, LPI);
    guest.msi(GUEST_DEVICE, 0);
    guest.assign(guest.hostDevice(HOST_DEVICE).irqs[0]!, GUEST_DEVICE, 0).enable(1);
    expect(guest.msi(GUEST_DEVICE, 0)).toBe('FORWARDED');
    expect(guest.lpi(LPI).pendingLatch).toBe(false);
  });

  it('an LPI in a list register while it is forwarded: no list register ever has the HW bit with an LPI', async () => {
    const guest = await GuestIts.start({ hardware: 'v4' });
    guest.mapDevice(GUEST_DEVICE);
    guest.map(GUEST_DEVICE, 0, LPI);
    const vcpu = guest.vm.vcpus[0]!.run();
    guest.msi(GUEST_DEVICE, 0);
    expect(vcpu.listRegisters).toMatchObject([{ vIntid: LPI }]);
    guest.assign(guest.hostDevice(HOST_DEVICE).irqs[0]!, GUEST_DEVICE, 0).enable(1);
    vcpu.guest.hvc();
    expect(vcpu.listRegisters.map(({ pIntid }) => pIntid)).toEqual([undefined]);
  });
});

describe('6.6 guest action on a forwarded LPI: what the host does', () => {
  const rows: readonly (readonly [
    string,
    (guest: GuestIts) => void,
    readonly string[],
    readonly string[],
  ])[] = [
    [
      'INT',
      (g) => g.act({ command: 'INT', deviceId: GUEST_DEVICE, eventId: 0 }),
      [`INT ${ev(0)}`, 'VSYNC vPEID 0'],
      [`INT ${ev(0)}`, 'VSYNC vPEID 0'],
    ],
    [
      'CLEAR',
      (g) => g.act({ command: 'CLEAR', deviceId: GUEST_DEVICE, eventId: 0 }),
      [`CLEAR ${ev(0)}`, 'VSYNC vPEID 0'],
      [`CLEAR ${ev(0)}`, 'VSYNC vPEID 0'],
    ],
    [
      'INV, priority changed',
      (g) => {
        g.setProperty(LPI, 0x41);
        g.act({ command: 'INV', deviceId: GUEST_DEVICE, eventId: 0 });
      },
      [`VCFG(0)[${LPI}] = 0x43`, `INV ${ev(0)}`, 'VSYNC vPEID 0'],
      [`VCFG(0)[${LPI}] = 0x43`, `GICR_INVLPIR = 0x8000000000002008`, 'poll GICR_SYNCR'],
    ],
    [
      'INV, disabled',
      (g) => {
        g.setProperty(LPI, 0xa0);
        g.act({ command: 'INV', deviceId: GUEST_DEVICE, eventId: 0 });
      },
      [
        `VCFG(0)[${LPI}] = 0xa2`,
        `INV ${ev(0)}`,
        'VSYNC vPEID 0',
        `VMOVI ${ev(0)}, vPEID 0, D 1, Dbell_pINTID 1023`,
        'VSYNC vPEID 0',
      ],
      [`VCFG(0)[${LPI}] = 0xa2`, `GICR_INVLPIR = 0x8000000000002008`, 'poll GICR_SYNCR'],
    ],
    [
      'INVALL',
      (g) => {
        g.setProperty(LPI + 1, 0x41);
        g.act({ command: 'INVALL', icid: 0 });
      },
      [`VCFG(0)[${LPI}] = 0xa3`, `VCFG(0)[${LPI + 1}] = 0x43`, 'VINVALL vPEID 0', 'VSYNC vPEID 0'],
      [
        `VCFG(0)[${LPI}] = 0xa3`,
        `VCFG(0)[${LPI + 1}] = 0x43`,
        'GICR_INVALLR = 0x8000000000000000',
        'poll GICR_SYNCR',
      ],
    ],
    [
      'MOVI',
      (g) => g.act({ command: 'MOVI', deviceId: GUEST_DEVICE, eventId: 0, icid: 1 }),
      [`VMOVI ${ev(0)}, vPEID 1, D 1, Dbell_pINTID doorbell`, 'VSYNC vPEID 1'],
      [`VMOVI ${ev(0)}, vPEID 1, D 1, Dbell_pINTID 1023`, 'VSYNC vPEID 1'],
    ],
    [
      'MOVALL',
      (g) => g.act({ command: 'MOVALL', rdBase1: 0, rdBase2: 1 }),
      [0, 1].flatMap((n) => [`VMOVI ${ev(n)}, vPEID 1, D 1, Dbell_pINTID doorbell`, 'VSYNC vPEID 1']),
      [0, 1].flatMap((n) => [`VMOVI ${ev(n)}, vPEID 1, D 1, Dbell_pINTID 1023`, 'VSYNC vPEID 1']),
    ],
    [
      'MAPC retarget',
      (g) => g.act({ command: 'MAPC', icid: 0, rdBase: 1, valid: true }),
      [0, 1].flatMap((n) => [`VMOVI ${ev(n)}, vPEID 1, D 1, Dbell_pINTID doorbell`, 'VSYNC vPEID 1']),
      [0, 1].flatMap((n) => [`VMOVI ${ev(n)}, vPEID 1, D 1, Dbell_pINTID 1023`, 'VSYNC vPEID 1']),
    ],
    ['DISCARD', (g) => g.act({ command: 'DISCARD', deviceId: GUEST_DEVICE, eventId: 0 }), unmap(0), unmap(0)],
    [
      'MAPD V=0',
      (g) => g.act({ command: 'MAPD', deviceId: GUEST_DEVICE, size: 4, ittAddress: 0, valid: false }),
      [...unmap(0), ...unmap(1)],
      [...unmap(0), ...unmap(1)],
    ],
    [
      'BASER0 off',
      (g) => {
        g.its.write('GITS_CTLR', 0);
        g.its.write('GITS_BASER0', 0n);
      },
      [...unmap(0), ...unmap(1)],
      [...unmap(0), ...unmap(1)],
    ],
    ['EnableLPIs off', (g) => g.enableLpis(0, false), [], []],
  ];

  function unmap(event: number): string[] {
    return [
      `DISCARD ${ev(event)}`,
      'SYNC RDbase 1',
      `MAPTI ${ev(event)}, pINTID lpi, ICID 1`,
      'SYNC RDbase 1',
      'CFG[lpi] = 0xa3',
      'GICR_INVLPIR = lpi',
      'poll GICR_SYNCR',
    ];
  }

  /** Numbers that the host allocated become words. */
  function named({ guest, irqs }: Forwarded, lines: readonly string[]): string[] {
    const words = new Map<string, string>();
    for (const vcpu of guest.vm.vcpus)
      words.set(`Dbell_pINTID ${vcpu.vpe?.doorbell.intid}`, 'Dbell_pINTID doorbell');
    for (const { intid } of irqs) {
      words.set(`pINTID ${intid}`, 'pINTID lpi');
      words.set(`CFG[${intid}]`, 'CFG[lpi]');
      words.set(`INVLPIR = 0x${intid.toString(16)}`, 'INVLPIR = lpi');
    }
    return lines.map((line) => {
      let text = line.replace(/^(ITS|RD)\d: /, '');
      for (const [number, word] of words) text = text.replace(number, word);
      return text;
    });
  }

  it.each(rows)('%s: GICv4.0', async (_, act, expected) => {
    const self = await forwarded({}, 2);
    act(self.guest);
    expect(named(self, self.guest.steps())).toEqual(expected);
  });

  it.each(rows)('%s: GICv4.1', async (_, act, __, expected) => {
    const self = await forwarded({ hardware: 'v4_1' }, 2);
    act(self.guest);
    expect(named(self, self.guest.steps())).toEqual(expected);
  });

  it('I4: the counts of VLPIs follow', async () => {
    const self = await forwarded({}, 2);
    expect(vlpis(self)).toEqual([2, 0]);
    self.guest.act({ command: 'MOVI', deviceId: GUEST_DEVICE, eventId: 0, icid: 1 });
    expect(vlpis(self)).toEqual([1, 1]);
    self.guest.act({ command: 'DISCARD', deviceId: GUEST_DEVICE, eventId: 0 });
    expect(vlpis(self)).toEqual([1, 0]);
    self.assigned[1]!.disable();
    expect(vlpis(self)).toEqual([0, 0]);
  });

  it('2017: INVALL invalidates on each ITS, INT is synchronised with the collection', async () => {
    const self = await forwarded({ kvm: '2017' }, 1);
    self.guest.act({ command: 'INT', deviceId: GUEST_DEVICE, eventId: 0 });
    expect(self.guest.steps()).toEqual([`ITS0: INT ${ev(0)}`, 'ITS0: SYNC RDbase 1']);
    self.guest.act({ command: 'INVALL', icid: 0 });
    expect(self.guest.steps()).toEqual([
      `VCFG(0)[${LPI}] = 0xa3`,
      'ITS0: VINVALL vPEID 0',
      'ITS0: VSYNC vPEID 0',
    ]);
  });

  it('vPEs come to be with the vITS where the VGIC is older, once', async () => {
    const { guest } = await forwarded();
    expect(guest.vm.vcpus.map(({ vpe }) => vpe?.vpeId)).toEqual([0, 1]);
    const vpes = guest.vm.vcpus.map(({ vpe }) => vpe?.index);
    guest.vm.init();
    expect(guest.vm.vcpus.map(({ vpe }) => vpe?.index)).toEqual(vpes);
  });

  it('destroying the VM gives everything back', async () => {
    const { guest } = await forwarded({}, 2);
    guest.vm.destroy();
    expect(guest.steps().filter((line) => line.includes('VMAPP'))).toHaveLength(2);
    const again = GuestIts.add(guest.chip, guest.kvm, 2);
    expect(again.vm.vcpus.map(({ vpe }) => vpe?.vpeId)).toEqual([0, 1]);
  });
});

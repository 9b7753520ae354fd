import { describe, expect, it } from 'vitest';
import { savePendingTables, signalMsi, type Vcpu, VirtualIts } from '../../../bindings/index.ts';
import { DEVICE_TABLE, GuestIts, type GuestItsOptions, ITTS, RAM, RAM_BYTES, VALID } from '../guest_its.ts';

const DEVICE = 3;
const LPI = 8200;

/** Bugs that KVM has had: what led to each must come out right. Numbers are those of the list in test/README.md. */
async function start(options: GuestItsOptions = {}): Promise<GuestIts> {
  const guest = await GuestIts.start(options);
  guest.mapDevice(DEVICE);
  guest.map(DEVICE, 0, LPI);
  return guest;
}

async function forwarded(hardware: 'v4' | 'v4_1' = 'v4') {
  const guest = await start({ hardware });
  const irq = guest.hostDevice().irqs[0]!;
  const assigned = guest.assign(irq, DEVICE, 0);
  assigned.enable(0);
  expect(guest.lpi(LPI).hw).toBe(true);
  guest.steps();
  return { guest, irq, assigned };
}

function open(vcpu: Vcpu): Vcpu {
  vcpu.run();
  vcpu.guest.writeRegister('ICC_PMR_EL1', 0xf8);
  vcpu.guest.writeRegister('ICC_IGRPEN1_EL1', 1);
  return vcpu;
}

const discard = (guest: GuestIts, eventId = 0) =>
  guest.act({ command: 'DISCARD', deviceId: DEVICE, eventId });

describe('bugs that the virtual ITS and forwarding had once', () => {
  it('8.21 a producer that is added twice is mapped once (8e4ece6889a5)', async () => {
    const { guest, irq, assigned } = await forwarded();
    assigned.irqfd.addProducer(irq);
    expect(guest.steps()).toEqual([]);
    expect(guest.chip.machine.engine.kvmVlpis(guest.vm.vcpus[0]!.number)).toBe(1);
  });

  it('8.22 pending bits of vSGIs that user space restores reach the hardware', async () => {
    const guest = await GuestIts.start({ hardware: 'v4_1' });
    const { vm } = guest;
    vm.write(vm.distributor, 0);
    vm.write(vm.distributor, 0x100);
    vm.write(vm.distributor, 0x102);
    expect(vm.vcpus[0]!.irq(5).hw).toBe(true);
    vm.write(vm.redistributors + 0x1_0000 + 0x100, 1 << 5);
    vm.write(vm.redistributors + 0x1_0000 + 0x200, 1 << 5);
    expect(open(vm.vcpus[0]!).guest.ack()).toBe(5);
  });

  it('8.23 an LPI that the guest has discarded is not unmapped again by del_producer', async () => {
    const { guest, assigned } = await forwarded();
    discard(guest);
    guest.steps();
    assigned.irqfd.removeProducer();
    expect(guest.steps()).toEqual([]);
  });

  for (const kvm of ['5.6', '6.19'] as const) {
    it(`8.26 a cached translation goes with DISCARD, and its reference: ${kvm} (ad362fe07fec)`, async () => {
      const guest = await start({ kvm });
      guest.setProperty(LPI, 0xa0);
      guest.act({ command: 'INV', deviceId: DEVICE, eventId: 0 });
      guest.msi(DEVICE, 0);
      expect(guest.lpi(LPI).references).toBe(2);
      discard(guest);
      expect(guest.vm.lpi(LPI)).toBeUndefined();
      expect(guest.msi(DEVICE, 0)).toBe('UNMAPPED');
    });
  }

  it('8.28 EnableLPIs while an LPI is gone: its pending bit is skipped', async () => {
    const guest = await start();
    guest.map(DEVICE, 1, LPI + 1);
    for (const vcpu of [0, 1]) guest.enableLpis(vcpu, false);
    guest.setLpiTables(0, { zero: false });
    guest.setPending(0, LPI);
    guest.setPending(0, LPI + 1);
    discard(guest);
    guest.enableLpis(0, true);
    expect(guest.vm.lpi(LPI)).toBeUndefined();
    expect(guest.lpi(LPI + 1).pending).toBe(true);
  });

  it('8.29 DISCARD and MAPD V=0 leave no entry of an earlier save behind (7602ffd1d5e8, e9649129d33d)', async () => {
    const guest = await start();
    guest.map(DEVICE, 1, LPI + 1);
    guest.mapDevice(5);
    guest.its.saveTables();
    expect(guest.entry(ITTS + 8)).not.toBe(0n);
    discard(guest, 1);
    guest.act({ command: 'MAPD', deviceId: 5, size: 4, ittAddress: 0, valid: false });
    expect([guest.entry(ITTS + 8), guest.entry(DEVICE_TABLE + 40)]).toEqual([0n, 0n]);
    guest.its.saveTables();
    const baser = ['GITS_BASER0', 'GITS_BASER1'].map((name) => BigInt(guest.its.read(name)));
    guest.its.reset();
    guest.setTables({ devices: baser[0]!, collections: baser[1]! });
    guest.its.restoreTables();
    expect([guest.its.event(DEVICE, 0)?.intid, guest.its.event(DEVICE, 1), guest.its.device(5)]).toEqual([
      LPI,
      undefined,
      undefined,
    ]);
  });

  it('8.30 two LPIs in one byte of different tables: each has its own', async () => {
    const guest = await start();
    guest.map(DEVICE, 1, LPI + 1, 1);
    guest.msi(DEVICE, 0);
    guest.setPending(0, LPI + 1);
    savePendingTables(guest.vm);
    expect([guest.isPendingInTable(0, LPI), guest.isPendingInTable(0, LPI + 1)]).toEqual([true, true]);
    expect([guest.isPendingInTable(1, LPI), guest.isPendingInTable(1, LPI + 1)]).toEqual([false, false]);
  });

  it('8.31 MAPTI that cannot read the property table leaves no LPI, no event and no collection', async () => {
    const guest = await start();
    for (const vcpu of [0, 1]) guest.enableLpis(vcpu, false);
    guest.setLpiTables(0, { properties: RAM + RAM_BYTES });
    expect(guest.map(DEVICE, 1, LPI + 1, 7)).toBe('TABLE_FAULT');
    expect([guest.vm.lpi(LPI + 1), guest.its.event(DEVICE, 1), guest.its.collection(7)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('8.32, 8.48 destroying a VM with queued LPIs and a warm cache frees all of them', async () => {
    const guest = await start();
    guest.msi(DEVICE, 0);
    expect(guest.lpi(LPI).references).toBe(3);
    const { index } = guest.vm;
    guest.vm.destroy();
    const again = GuestIts.add(guest.chip, guest.kvm, 2);
    expect(again.vm.index).toBe(index);
    expect(again.vm.lpi(LPI)).toBeUndefined();
    expect(again.its.cache.entries).toBe(0);
  });

  it("8.37 del_producer finds the LPI by the host irq, whatever the guest's tables say by then (05b9405f2fa1)", async () => {
    const { guest, irq, assigned } = await forwarded();
    guest.act({ command: 'MAPC', icid: 0, rdBase: 0, valid: false });
    expect(guest.msi(DEVICE, 0)).toBe('UNMAPPED');
    assigned.irqfd.removeProducer();
    expect([guest.lpi(LPI).hw, irq.getVlpi()]).toEqual([false, undefined]);
  });

  it.each([
    ['another message', (guest: GuestIts) => ({ address: guest.its.translater, data: 1, deviceId: DEVICE })],
    ['a pin of the distributor', () => ({ pin: 4 })],
    ['nothing', () => undefined],
  ])('8.38 a GSI that is routed to %s: the old LPI is software again', async (_, route) => {
    const { guest, irq, assigned } = await forwarded();
    guest.map(DEVICE, 1, LPI + 1);
    assigned.reroute(route(guest));
    expect([guest.lpi(LPI).hw, irq.getVlpi(), assigned.forwarded]).toEqual([false, undefined, false]);
  });

  it('8.38 a route that is written as it was stays forwarded (4bf3693d36af)', async () => {
    const { guest, assigned } = await forwarded();
    assigned.reroute({ address: guest.its.translater, data: 0, deviceId: DEVICE });
    expect(assigned.forwarded).toBe(true);
  });

  it('8.39 a property change reaches the VLPI, whether INV comes before or after set_forwarding (fc4dafe87b93)', async () => {
    for (const first of [true, false]) {
      const guest = await start({ hardware: 'v4' });
      const irq = guest.hostDevice().irqs[0]!;
      const assigned = guest.assign(irq, DEVICE, 0);
      const invalidate = () => {
        guest.setProperty(LPI, 0x41);
        guest.act({ command: 'INV', deviceId: DEVICE, eventId: 0 });
      };
      if (first) invalidate();
      assigned.enable(0);
      if (!first) invalidate();
      expect(irq.getVlpi()?.properties).toEqual({ priority: 0x40, enabled: true });
      assigned.disable();
      expect(guest.lpi(LPI).priority).toBe(0x40);
    }
  });

  it('8.41 INVALL and MOVALL reach every LPI, however many there are', async () => {
    const guest = await start();
    guest.mapDevice(6, 9);
    for (let event = 0; event < 512; event++) guest.map(6, event, 20_000 + 7 * event);
    for (let event = 0; event < 512; event++) guest.setProperty(20_000 + 7 * event, 0x11);
    guest.act({ command: 'INVALL', icid: 0 });
    guest.act({ command: 'MOVALL', rdBase1: 0, rdBase2: 1 });
    for (let event = 0; event < 512; event++) {
      const { priority, target } = guest.lpi(20_000 + 7 * event);
      expect([priority, target]).toEqual([0x10, 1]);
    }
  });

  for (const kvm of ['5.6', '6.19'] as const) {
    it(`8.44 MOVALL while LPIs are in list registers of the source: none is left there after its next exit: ${kvm} (751f4641560b)`, async () => {
      const guest = await start({ kvm });
      for (let event = 1; event < 8; event++) guest.map(DEVICE, event, LPI + event);
      const [source, target] = guest.vm.vcpus.map(open) as [Vcpu, Vcpu];
      source.guest.writeRegister('ICC_PMR_EL1', 0);
      for (let event = 0; event < 8; event++) guest.msi(DEVICE, event);
      expect(source.listRegisters.map(({ vIntid }) => vIntid)).toContain(LPI);
      guest.act({ command: 'MOVALL', rdBase1: 0, rdBase2: 1 });
      source.guest.hvc();
      expect(source.apList).toEqual([]);
      const taken = Array.from({ length: 8 }, () => {
        const intid = target.guest.ack();
        target.guest.eoi(intid);
        return intid;
      });
      expect(taken.sort()).toEqual(Array.from({ length: 8 }, (_, n) => LPI + n));
      expect(target.guest.ack()).toBe(1023);
    });

    it(`8.45 EnableLPIs cleared while an LPI is in a list register: the fold does not bring it back: ${kvm}`, async () => {
      const guest = await start({ kvm });
      const [victim, other] = guest.vm.vcpus.map(open) as [Vcpu, Vcpu];
      victim.guest.writeRegister('ICC_PMR_EL1', 0);
      guest.msi(DEVICE, 0);
      expect(victim.listRegisters.map(({ vIntid }) => vIntid)).toEqual([LPI]);
      other.guest.store(guest.vm.redistributors, 0);
      victim.guest.hvc();
      victim.guest.writeRegister('ICC_PMR_EL1', 0xf8);
      expect([victim.apList, victim.listRegisters, victim.guest.ack()]).toEqual([[], [], 1023]);
      expect([guest.lpi(LPI).references, guest.lpi(LPI).pending]).toEqual([1, false]);
      other.guest.store(guest.vm.redistributors, 1);
      guest.act({ command: 'INV', deviceId: DEVICE, eventId: 0 });
      expect(victim.guest.ack()).toBe(1023);
    });
  }

  it('8.49 a guest that discards and maps again without touching the device has software delivery, which works', async () => {
    const { guest, assigned } = await forwarded();
    discard(guest);
    guest.map(DEVICE, 0, LPI);
    expect(assigned.forwarded).toBe(false);
    const vcpu = open(guest.vm.vcpus[0]!);
    guest.chip.machine.sendMsi(0x10, 0);
    guest.kvm.serve();
    expect(vcpu.guest.ack()).toBe(LPI);
    expect(assigned.irqfd.results().INJECTED).toBe(1);
  });

  it('8.27 MOVALL of one vITS moves the LPIs of another, and skips what that one has discarded (85a71ee9a070)', async () => {
    const guest = await start();
    const other = secondIts(guest);
    other.command(
      { command: 'MAPTI', deviceId: DEVICE, eventId: 0, pIntid: LPI, icid: 0 },
      { command: 'MAPTI', deviceId: DEVICE, eventId: 1, pIntid: LPI + 1, icid: 0 },
      { command: 'MAPTI', deviceId: DEVICE, eventId: 2, pIntid: LPI + 2, icid: 0 },
      { command: 'DISCARD', deviceId: DEVICE, eventId: 1 },
    );
    expect(guest.lpi(LPI).references).toBe(2);
    guest.act({ command: 'MOVALL', rdBase1: 0, rdBase2: 1 });
    expect([LPI, LPI + 2].map((intid) => guest.lpi(intid).target)).toEqual([1, 1]);
    expect(guest.vm.lpi(LPI + 1)).toBeUndefined();
    discard(guest);
    expect(guest.lpi(LPI).references).toBe(1);
    expect(signalMsi(guest.vm, { address: other.translater, data: 0, deviceId: DEVICE })).toBe('INJECTED');
    expect(guest.lpi(LPI).onListOf).toBe(1);
  });
});

/** Another vITS of the guest with tables of its own, device 3 and collection 0 mapped. */
function secondIts({ vm }: GuestIts): VirtualIts {
  const its = new VirtualIts(vm, 0x0900_0000);
  const tables = RAM + 0x20_0000;
  its.write('GITS_BASER0', VALID | BigInt(tables));
  its.write('GITS_BASER1', VALID | BigInt(tables + 0x1_0000));
  its.write('GITS_CBASER', VALID | BigInt(tables + 0x2_0000));
  its.write('GITS_CTLR', 1);
  its.command(
    { command: 'MAPD', deviceId: DEVICE, size: 4, ittAddress: tables + 0x3_0000, valid: true },
    { command: 'MAPC', icid: 0, rdBase: 0, valid: true },
  );
  return its;
}

describe('bugs around LPIs on a list', () => {
  it('8.43 an LPI in a list register is discarded before the exit: ends that no list register held still count', async () => {
    const guest = await GuestIts.start({ kvm: '6.19', vcpus: 1 });
    guest.mapDevice(DEVICE);
    const vcpu = open(guest.vm.vcpus[0]!);
    const spis = [40, 41, 42, 43, 44];
    for (const spi of spis) {
      guest.vm.write(guest.vm.distributor + 0x104, 2 ** (spi - 32));
      guest.vm.setSpi(spi, true);
      expect(vcpu.guest.ack()).toBe(spi);
      guest.vm.setSpi(spi, false);
      // All have one priority, and none could preempt the one before.
      guest.chip.machine.writeSystemRegister(0, 'ICH_AP1R0_EL2', 0);
    }
    guest.map(DEVICE, 1, LPI);
    guest.msi(DEVICE, 1);
    expect(vcpu.listRegisters.map(({ vIntid }) => vIntid)).toContain(LPI);
    discard(guest, 1);
    const outside = spis.filter((spi) => !vcpu.listRegisters.some(({ vIntid }) => vIntid === spi));
    expect(outside.length).toBeGreaterThan(0);
    for (const spi of outside) {
      guest.chip.machine.writeSystemRegister(0, 'ICH_AP1R0_EL2', 1);
      vcpu.guest.eoi(spi);
    }
    vcpu.guest.hvc();
    for (const spi of outside) expect([spi, guest.vm.spi(spi).active]).toEqual([spi, false]);
  });

  it('8.47 an LPI whose last reference the prune drops is gone, and the walk goes on', async () => {
    const guest = await start({ vcpus: 1 });
    guest.map(DEVICE, 1, LPI + 1);
    guest.map(DEVICE, 2, LPI + 2);
    const vcpu = open(guest.vm.vcpus[0]!);
    for (let event = 0; event < 3; event++) guest.msi(DEVICE, event);
    expect(vcpu.apList.map(({ intid }) => intid)).toEqual([LPI, LPI + 1, LPI + 2]);
    discard(guest, 0);
    discard(guest, 1);
    for (let n = 0; n < 3; n++) vcpu.guest.eoi(vcpu.guest.ack());
    vcpu.guest.hvc();
    expect(vcpu.apList).toEqual([]);
    expect([0, 1, 2].map((n) => guest.vm.lpi(LPI + n)?.intid)).toEqual([undefined, undefined, LPI + 2]);
  });
});

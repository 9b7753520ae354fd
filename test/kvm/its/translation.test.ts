import { describe, expect, it } from 'vitest';
import { Irqfd, msiResults, routeGsi, signalMsi, VirtualIts } from '../../../bindings/index.ts';
import { GuestIts } from '../guest_its.ts';

const DEVICE = 3;
const LPI = 8200;

async function guest(kvm: '2017' | '5.6' | '6.19' = '5.6', vcpus = 2): Promise<GuestIts> {
  const guest = await GuestIts.start({ kvm, vcpus });
  guest.mapDevice(DEVICE, 8);
  guest.map(DEVICE, 1, LPI);
  return guest;
}

describe('5.5 MSI translation', () => {
  it('delivers to the vCPU of the collection, in its list register', async () => {
    const self = await guest();
    const vcpu = self.vm.vcpus[0]?.run();
    vcpu?.guest.writeRegister('ICC_PMR_EL1', 0xf8);
    vcpu?.guest.writeRegister('ICC_IGRPEN1_EL1', 1);
    expect(self.msi(DEVICE, 1)).toBe('INJECTED');
    expect(vcpu?.guest.ack()).toBe(LPI);
    vcpu?.guest.eoi(LPI);
    expect(vcpu?.guest.ack()).toBe(1023);
  });

  it('an LPI that is pending already takes no second one', async () => {
    const self = await guest();
    expect([self.msi(DEVICE, 1), self.msi(DEVICE, 1)]).toEqual(['INJECTED', 'COALESCED']);
  });

  it('every message is counted with its result', async () => {
    const self = await guest();
    const translater = self.its.translater;
    const send = (address: number, data: number, deviceId?: number) =>
      signalMsi(self.vm, deviceId === undefined ? { address, data } : { address, data, deviceId });
    expect(send(translater, 1)).toBe('NO_DEVICE_ID');
    expect(send(0x900_0000, 1, DEVICE)).toBe('NO_ITS');
    expect(send(translater, 9, DEVICE)).toBe('UNMAPPED');
    expect(send(translater, 1, 4)).toBe('UNMAPPED');
    self.map(DEVICE, 2, LPI + 1, 9);
    expect(send(translater, 2, DEVICE)).toBe('UNMAPPED');
    expect(send(translater, 1, DEVICE)).toBe('INJECTED');
    self.enableLpis(0, false);
    expect(send(translater, 1, DEVICE)).toBe('LPIS_DISABLED');
    self.its.write('GITS_CTLR', 0);
    expect(send(translater, 1, DEVICE)).toBe('ITS_DISABLED');
    const results = msiResults(self.vm);
    expect(results).toMatchObject({
      INJECTED: 1,
      UNMAPPED: 3,
      NO_DEVICE_ID: 1,
      NO_ITS: 1,
      LPIS_DISABLED: 1,
      ITS_DISABLED: 1,
    });
    expect(Object.values(results).reduce((sum, n) => sum + n, 0)).toBe(8);
  });

  it("any address in the frames is the ITS's, GITS_TRANSLATER alone is in the cache of 5.6", async () => {
    const self = await guest();
    const near = { address: self.its.base + 0x40, data: 1, deviceId: DEVICE };
    self.msi(DEVICE, 1);
    const { hits } = self.its.cache;
    expect(signalMsi(self.vm, near)).toBe('COALESCED');
    expect(self.its.cache.hits).toBe(hits);
    self.msi(DEVICE, 1);
    expect(self.its.cache.hits).toBe(hits + 1);
  });

  it('several vITSs: the address decides', async () => {
    const self = await guest();
    const other = new VirtualIts(self.vm, 0x0900_0000);
    expect(signalMsi(self.vm, { address: other.translater, data: 1, deviceId: DEVICE })).toBe('ITS_DISABLED');
    expect(self.msi(DEVICE, 1)).toBe('INJECTED');
  });
});

describe('5.2, 5.5 the translation cache', () => {
  it('2017: there is none', async () => {
    const self = await guest('2017');
    self.msi(DEVICE, 1);
    self.msi(DEVICE, 1);
    expect(self.its.cache).toMatchObject({ entries: 0, hits: 0 });
    expect(self.lpi(LPI).references).toBe(2);
  });

  for (const kvm of ['5.6', '6.19'] as const) {
    it(`${kvm}: the first message fills it, the second hits; the entry holds a reference`, async () => {
      const self = await guest(kvm);
      expect(self.lpi(LPI).references).toBe(1);
      self.msi(DEVICE, 1);
      expect(self.its.cache).toMatchObject({ entries: 1, hits: 0, misses: 1 });
      // The event, the cache, the list.
      expect(self.lpi(LPI).references).toBe(3);
      self.msi(DEVICE, 1);
      expect(self.its.cache).toMatchObject({ entries: 1, hits: 1, misses: 1 });
    });
  }

  it('5.6: sixteen entries a vCPU, the one that was not used for longest goes', async () => {
    const self = await guest('5.6', 1);
    for (let event = 2; event <= 17; event++) self.map(DEVICE, event, LPI + event);
    for (let event = 1; event <= 16; event++) self.msi(DEVICE, event);
    self.msi(DEVICE, 1);
    self.msi(DEVICE, 17);
    expect(self.its.cache.entries).toBe(16);
    const { misses } = self.its.cache;
    self.msi(DEVICE, 1);
    expect(self.its.cache.misses).toBe(misses);
    self.msi(DEVICE, 2);
    expect(self.its.cache.misses).toBe(misses + 1);
  });

  it('6.19: without a limit, each vITS for itself', async () => {
    const self = await guest('6.19', 1);
    for (let event = 2; event <= 40; event++) self.map(DEVICE, event, LPI + event);
    for (let event = 1; event <= 40; event++) self.msi(DEVICE, event);
    expect(self.its.cache.entries).toBe(40);
    expect(new VirtualIts(self.vm, 0x0900_0000).cache.entries).toBe(0);
  });

  const flushes: readonly (readonly [string, (self: GuestIts) => void])[] = [
    ['DISCARD', (self) => self.act({ command: 'DISCARD', deviceId: DEVICE, eventId: 2 })],
    ['MOVI', (self) => self.act({ command: 'MOVI', deviceId: DEVICE, eventId: 2, icid: 1 })],
    ['MOVALL', (self) => self.act({ command: 'MOVALL', rdBase1: 1, rdBase2: 0 })],
    ['MAPD of a known device', (self) => self.mapDevice(4)],
    ['MAPC V=0', (self) => self.act({ command: 'MAPC', icid: 1, rdBase: 0, valid: false })],
    ['switching the ITS off', (self) => self.its.write('GITS_CTLR', 0)],
    ['EnableLPIs 1 to 0', (self) => self.enableLpis(1, false)],
  ];
  const keeps: readonly (readonly [string, (self: GuestIts) => void])[] = [
    [
      'MAPC V=1 of a known collection',
      (self) => self.act({ command: 'MAPC', icid: 0, rdBase: 1, valid: true }),
    ],
    ['MAPD of an unknown device', (self) => self.mapDevice(5)],
    ['MAPTI', (self) => self.map(DEVICE, 9, LPI + 9)],
    ['INV', (self) => self.act({ command: 'INV', deviceId: DEVICE, eventId: 1 })],
    ['INVALL', (self) => self.act({ command: 'INVALL', icid: 0 })],
    ['CLEAR', (self) => self.act({ command: 'CLEAR', deviceId: DEVICE, eventId: 1 })],
    ['a DISCARD that fails', (self) => self.act({ command: 'DISCARD', deviceId: DEVICE, eventId: 99 })],
  ];
  for (const kvm of ['5.6', '6.19'] as const) {
    const prepared = async () => {
      const self = await guest(kvm);
      self.mapDevice(4);
      self.map(DEVICE, 2, LPI + 2);
      self.msi(DEVICE, 1);
      expect(self.its.cache.entries).toBe(1);
      return self;
    };
    it.each(flushes)(`${kvm}: %s drops all of it`, async (_, act) => {
      const self = await prepared();
      act(self);
      expect(self.its.cache.entries).toBe(0);
    });
    it.each(keeps)(`${kvm}: %s leaves it`, async (_, act) => {
      const self = await prepared();
      act(self);
      expect(self.its.cache.entries).toBe(1);
    });
  }

  it("a hit goes to the LPI's present target", async () => {
    const self = await guest();
    self.msi(DEVICE, 1);
    self.act({ command: 'CLEAR', deviceId: DEVICE, eventId: 1 });
    self.act({ command: 'MAPC', icid: 0, rdBase: 1, valid: true });
    self.vm.vcpus[0]?.run();
    self.vm.vcpus[0]?.stop();
    const { hits } = self.its.cache;
    self.msi(DEVICE, 1);
    expect(self.its.cache.hits).toBe(hits + 1);
    expect(self.lpi(LPI).onListOf).toBe(1);
  });
});

describe('irqfds and GSI routes', () => {
  it('a message that is not cached waits for the work item, one that is goes at once', async () => {
    const self = await guest();
    routeGsi(self.vm, 5, { address: self.its.translater, data: 1, deviceId: DEVICE });
    const irqfd = new Irqfd(self.vm, 5);
    expect(irqfd.signal()).toBe('INJECTED');
    expect([irqfd.signalled, irqfd.deferred]).toEqual([1, 1]);
    expect(irqfd.signal()).toBe('COALESCED');
    expect([irqfd.signalled, irqfd.deferred, irqfd.lastResult]).toEqual([2, 1, 'COALESCED']);
    expect(irqfd.results()).toMatchObject({ INJECTED: 1, COALESCED: 1 });
  });

  it('an SPI route injects at once; a GSI that leads nowhere drops', async () => {
    const self = await guest();
    const irqfd = new Irqfd(self.vm, 6);
    expect(irqfd.signal()).toBe('NO_ROUTE');
    routeGsi(self.vm, 6, { pin: 3 });
    expect(irqfd.signal()).toBe('INJECTED');
    expect(self.vm.spi(35).pending).toBe(true);
    routeGsi(self.vm, 6, { pin: 900 });
    expect(irqfd.signal()).toBe('NO_SPI');
    expect(irqfd.deferred).toBe(0);
    routeGsi(self.vm, 6, undefined);
    expect(irqfd.signal()).toBe('NO_ROUTE');
    expect(irqfd.results()).toMatchObject({ NO_ROUTE: 2, INJECTED: 1, NO_SPI: 1 });
  });

  it('an assigned device without direct injection: the host takes its LPI, the guest gets one by software', async () => {
    const self = await guest();
    const irq = self.hostDevice().irqs[2]!;
    const assigned = self.assign(irq, DEVICE, 1);
    assigned.enable(2);
    expect(assigned.forwarded).toBe(false);
    self.chip.machine.sendMsi(0x10, 2);
    self.kvm.serve();
    expect(assigned.irqfd.results()).toMatchObject({ INJECTED: 1 });
    expect(self.lpi(LPI).pending).toBe(true);
    assigned.disable();
    self.chip.machine.sendMsi(0x10, 2);
    self.kvm.serve();
    expect(assigned.irqfd.signalled).toBe(1);
  });
});

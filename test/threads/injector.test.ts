import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createMachine, type Machine, type MachineOptions } from '../../bindings/index.ts';
import { startWorker } from '../../bindings/worker/index.ts';
import { Injector } from '../../bindings/worker/injector.ts';
import { Driver } from '../support/driver.ts';

const RAM = { base: 0x4000_0000, size: 0x100_0000 };
const DEVICE = 0x12;
const EVENT = 3;
const INTID = 8200;

async function mapped(options: MachineOptions = {}): Promise<{ machine: Machine; driver: Driver }> {
  const machine = await createMachine({ cpus: 2, ram: RAM, ...options }, 'shared');
  const driver = new Driver(machine, machine.config).start();
  driver.mapc(0, 0);
  driver.mapd(DEVICE, 5);
  driver.mapti(DEVICE, EVENT, INTID, 0);
  driver.setConfig(INTID, 0x80, true);
  machine.takeDiagnostics();
  return { machine, driver };
}

describe('an injector', () => {
  it('makes LPIs pending, which the owner takes in with its next action', async () => {
    const { machine, driver } = await mapped();
    using injector = new Injector(machine.shared);
    expect(injector.sendMsi(DEVICE, EVENT)).toBe('pending');
    expect(injector.sendMsi(DEVICE, EVENT)).toBe('coalesced');
    expect(driver.isPending(0, INTID)).toBe(true);
    expect(driver.take(0)).toBe(INTID);
    expect(driver.isPending(0, INTID)).toBe(false);
    expect(injector.sendMsi(DEVICE, EVENT)).toBe('pending');
    expect(machine.counters().msi).toEqual({ total: 3, pending: 2, coalesced: 1, dropped: {} });
  });

  it('shows its MSIs to the owner that asks for nothing else', async () => {
    const { machine } = await mapped();
    using injector = new Injector(machine.shared);
    expect(machine.takeArrivals()).toBe(false);
    injector.sendMsi(DEVICE, EVENT);
    expect(machine.irq(0)).toBe(false);
    expect(machine.takeArrivals()).toBe(true);
    expect(machine.irq(0)).toBe(true);
    expect(machine.takeChangedCpus()).toEqual([0]);
    expect(machine.takeArrivals()).toBe(false);
  });

  it('sends many at once', async () => {
    const { machine, driver } = await mapped();
    using injector = new Injector(machine.shared);
    for (let event = 0; event < 32; event++) driver.mapti(DEVICE, event, 8192 + event, 0);
    machine.takeDiagnostics();
    const msis = new Uint32Array(2 * 3000);
    for (let n = 0; n < 3000; n++) msis.set([DEVICE, n % 40], 2 * n);
    // Events 32 to 39 are out of range: 8 of each 40.
    expect(injector.sendMsis(msis)).toBe(2400);
    expect(injector.counters()).toEqual({
      total: 3000,
      pending: 32,
      coalesced: 2368,
      dropped: { 'event-out-of-range': 600 },
    });
    expect(injector.sendMsis(new Uint32Array())).toBe(0);
    expect(driver.pendingLpis(0)).toHaveLength(32);
  });

  it('names every reason to drop an MSI, as the owner’s own MSIs do', async () => {
    const { machine, driver } = await mapped();
    using injector = new Injector(machine.shared);
    const both = (device: number, event: number): string => {
      const own = machine.sendMsi(device, event);
      expect(injector.sendMsi(device, event)).toBe(own);
      return own;
    };
    expect(both(0xffff_ffff, 0)).toBe('device-out-of-range');
    expect(both(DEVICE + 1, 0)).toBe('device-unmapped');
    expect(both(DEVICE, 32)).toBe('event-out-of-range');
    expect(both(DEVICE, EVENT + 1)).toBe('event-unmapped');
    driver.mapti(DEVICE, 7, INTID + 1, 5);
    expect(both(DEVICE, 7)).toBe('collection-unmapped');
    driver.disableLpis(0);
    expect(both(DEVICE, EVENT)).toBe('lpis-disabled');
    driver.disableIts();
    expect(both(DEVICE, EVENT)).toBe('its-disabled');
  });

  it('has dropped MSIs diagnosed when the owner takes them in: 16 each time, and all counted', async () => {
    const { machine } = await mapped();
    using injector = new Injector(machine.shared);
    for (let n = 0; n < 20; n++) injector.sendMsi(DEVICE + 1, n);
    expect(machine.takeDiagnostics()).toEqual([]);
    machine.takeArrivals();
    const diagnosed = machine.takeDiagnostics();
    expect(diagnosed.map(({ code }) => code)).toEqual(new Array(16).fill('MSI_DROPPED'));
    expect(diagnosed.map(({ operands }) => operands.eventId)).toEqual([...Array(16).keys()]);
    expect(machine.counters().msi.dropped).toEqual({ 'device-unmapped': 20 });
    injector.sendMsi(DEVICE + 1, 99);
    machine.takeArrivals();
    expect(machine.takeDiagnostics()).toMatchObject([{ operands: { eventId: 99 } }]);
  });

  it('has the first unmapped MSI kept in GITS_UMSIR, later ones overflow (5.6)', async () => {
    const { machine } = await mapped({ unmappedMsiReporting: true, statusRegisters: true });
    using injector = new Injector(machine.shared);
    injector.sendMsi(DEVICE, 9);
    machine.takeArrivals();
    expect(machine.its().read('GITS_UMSIR')).toBe((BigInt(DEVICE) << 32n) | 9n);
    expect(Number(machine.its().read('GITS_STATUSR')) & 0x30).toBe(0x10);
    for (let n = 0; n < 20; n++) injector.sendMsi(DEVICE, 10);
    machine.takeArrivals();
    expect(machine.its().read('GITS_UMSIR')).toBe((BigInt(DEVICE) << 32n) | 9n);
    expect(Number(machine.its().read('GITS_STATUSR')) & 0x30).toBe(0x30);
  });

  it('wakes an owner that sleeps', async () => {
    const { machine } = await mapped();
    expect(machine.waitForArrivals(1)).toBe(false);
    const worker = new Worker(new URL('one_msi.mjs', import.meta.url), {
      workerData: { shared: machine.shared, deviceId: DEVICE, eventId: EVENT },
    });
    expect(machine.waitForArrivals(20_000)).toBe(true);
    expect(machine.irq(0)).toBe(true);
    await worker.terminate();
  });

  it('injects into a machine that runs in a worker', async () => {
    using gic = await startWorker({ ram: RAM }, { build: 'shared', worker: new Worker(builtThread) });
    using injector = new Injector(gic.shared);
    expect(injector.sendMsi(1, 1)).toBe('its-disabled');
    expect(gic.view.counters().msi.total).toBe(1);
    expect(await gic.call('takeArrivals')).toBe(true);
    expect(await gic.call('takeDiagnostics')).toMatchObject([{ code: 'MSI_DROPPED' }]);
  });
});

describe('what an injector refuses', () => {
  it('is not of its machine', async () => {
    const { machine } = await mapped();
    using injector = new Injector(machine.shared);
    const refusals: [() => unknown, string][] = [
      [
        () => injector.sendMsi(-1, 0),
        'deviceId: -1 is not allowed; expected an integer from 0 to 4294967295',
      ],
      [() => injector.sendMsi(0, 2 ** 32), 'eventId: 4294967296 is not allowed'],
      [() => injector.sendMsi(0, 0, 1), 'its: 1 is not allowed; expected an ITS of this machine, 0 to 0'],
      [() => injector.sendMsis(Uint32Array.of(1)), 'msis: 1 is not allowed; expected a Uint32Array of pairs'],
      [() => injector.sendMsis([1, 2] as never), 'msis: 2 is not allowed'],
      [() => injector.sendMsis(new Uint32Array(2), 3), 'its: 3 is not allowed'],
      [() => new Injector(undefined as never), 'machine: undefined is not allowed; expected the value of'],
      [() => new Injector(machine as never), 'machine: '],
      [() => machine.waitForArrivals(-1), 'milliseconds: -1 is not allowed'],
      [() => machine.releaseInjector(64), 'lane: 64 is not allowed'],
    ];
    for (const [use, message] of refusals) expect(use).toThrow(message);
    expect(machine.counters().msi.total).toBe(0);
  });

  it('is a machine of the build single', async () => {
    const machine = await createMachine({ ram: RAM }, 'single');
    for (const use of [
      () => machine.shared,
      () => machine.waitForArrivals(),
      () => machine.releaseInjector(0),
    ]) {
      expect(use).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_HOST', value: 'single' }));
    }
    expect(machine.takeArrivals()).toBe(false);
  });

  it('is a 65th at the same time', async () => {
    const { machine } = await mapped();
    const injectors = Array.from({ length: 64 }, () => new Injector(machine.shared));
    expect(() => new Injector(machine.shared)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
    injectors[5]?.dispose();
    const again = new Injector(machine.shared);
    expect(again.lane).toBe(5);
    expect(injectors[63]?.sendMsi(DEVICE, EVENT)).toBe('pending');
  });

  it('is any use after dispose', async () => {
    const { machine } = await mapped();
    const injector = new Injector(machine.shared);
    injector.sendMsi(DEVICE, EVENT);
    injector.dispose();
    injector.dispose();
    for (const use of [
      () => injector.sendMsi(DEVICE, EVENT),
      () => injector.sendMsis(new Uint32Array(2)),
      () => injector.counters(),
    ]) {
      expect(use).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    }
    // Another one in the same lane counts from 0; the machine goes on counting.
    const next = new Injector(machine.shared);
    expect(next.lane).toBe(injector.lane);
    expect(next.counters().total).toBe(0);
    expect(machine.counters().msi.total).toBe(1);
  });
});

const builtThread = new URL('../../dist/bindings/worker/thread.js', import.meta.url);

import { expect, test } from 'vitest';
import { type MachineOptions, resolveConfig } from '../bindings/config.ts';
import type { GicHardware } from '../bindings/hardware.ts';
import { commands, Driver, type DriverOptions } from './support/driver.ts';

const DEVICE = 0x10;
const EVENT = 5;
const LPI = 8197;
const PRIORITY = 0xa0;

/** PEs of a machine that has two. */
const A = 0;
const B = 1;

/**
 * Declares the behaviour recipes 1 to 14 of section 10 as tests of whatever `make` makes: machines fresh from
 * reset, one for each test.
 */
export function recipes(make: (options?: MachineOptions) => Promise<GicHardware> | GicHardware): void {
  const started = async (
    options: MachineOptions = {},
    driverOptions: DriverOptions = {},
  ): Promise<Driver> => {
    const given: MachineOptions = { cpus: 2, ...options };
    return new Driver(await make(given), resolveConfig(given), driverOptions).start();
  };

  /** DEVICE and one collection for each PE, of the same number; EVENT is mapped to LPI at PE A and enabled. */
  const mapped = async (options?: MachineOptions, driverOptions?: DriverOptions): Promise<Driver> => {
    const driver = await started(options, driverOptions);
    driver.setConfig(LPI, PRIORITY, true);
    driver.mapd(DEVICE, 5);
    for (const cpu of [A, B]) {
      driver.mapc(cpu, cpu);
      driver.invall(cpu);
    }
    driver.mapti(DEVICE, EVENT, LPI, A);
    return driver;
  };

  const takenByAll = (driver: Driver): number[][] => [A, B].map((cpu) => driver.takeAll(cpu));

  test('recipe 1: a mapped event hits once, on the PE of its collection (sections 6.2 to 6.4, 6.8)', async () => {
    const driver = await mapped();
    driver.int(DEVICE, EVENT);
    expect(driver.gic.irq(A)).toBe(true);
    expect(driver.gic.highestPending(A)).toEqual({ intid: LPI, priority: PRIORITY, group: 1 });
    expect(takenByAll(driver)).toEqual([[LPI], []]);
    expect(driver.gic.irq(A)).toBe(false);
  });

  test('recipe 2: an LPI that its configuration disables stays pending and is not delivered (section 4.1)', async () => {
    const driver = await mapped();
    driver.setConfig(LPI, PRIORITY, false);
    driver.inv(DEVICE, EVENT);
    driver.int(DEVICE, EVENT);
    expect(takenByAll(driver)).toEqual([[], []]);
    expect(driver.isPending(A, LPI)).toBe(true);
  });

  test('recipe 3: an LPI enabled in memory hits once, when INVALL makes the redistributor look (sections 4.3, 6.12)', async () => {
    const driver = await mapped();
    driver.setConfig(LPI, PRIORITY, false);
    driver.inv(DEVICE, EVENT);
    driver.int(DEVICE, EVENT);
    driver.setConfig(LPI, PRIORITY, true);
    driver.int(DEVICE, EVENT);
    expect(driver.gic.irq(A)).toBe(false);
    driver.invall(A);
    expect(takenByAll(driver)).toEqual([[LPI], []]);
    expect(driver.isPending(A, LPI)).toBe(false);
  });

  test('recipe 4: an unmapped device interrupts no more (section 6.2)', async () => {
    const driver = await mapped();
    driver.unmapd(DEVICE);
    driver.int(DEVICE, EVENT);
    driver.gic.sendMsi(DEVICE, EVENT);
    expect(takenByAll(driver)).toEqual([[], []]);
  });

  test('recipe 5: MAPTI does not require a mapped collection (section 6.4)', async () => {
    const driver = await started();
    driver.setConfig(LPI, PRIORITY, true);
    driver.mapd(DEVICE, 5);
    driver.mapti(DEVICE, EVENT, LPI, 3);
    driver.int(DEVICE, EVENT);
    expect(takenByAll(driver)).toEqual([[], []]);
    driver.mapc(3, B);
    driver.invall(3);
    driver.int(DEVICE, EVENT);
    expect(takenByAll(driver)).toEqual([[], [LPI]]);
  });

  test('recipe 6: EnableLPIs loads the pending table; each enabled pending LPI hits once (sections 3.2, 4.2)', async () => {
    const driver = await started();
    const lpis = [8192, 8193, 8207, 8208, 9000, 65535];
    driver.disableLpis(A);
    for (const intid of lpis) {
      driver.setConfig(intid, PRIORITY, true);
      driver.storePendingBit(A, intid);
    }
    driver.setConfig(9001, PRIORITY, false);
    driver.storePendingBit(A, 9001);
    driver.enableLpis(A);
    expect(driver.takeAll(A).sort((a, b) => a - b)).toEqual(lpis);
    expect(driver.pendingLpis(A)).toEqual([9001]);
  });

  test('recipe 7: EnableLPIs with PTZ=1 and a zero table delivers nothing (sections 3.7, 4.2)', async () => {
    const driver = await started();
    driver.setConfig(LPI, PRIORITY, true);
    driver.disableLpis(A);
    driver.enableLpis(A, { pendingTableZero: true });
    expect(driver.takeAll(A)).toEqual([]);
    expect(driver.pendingLpis(A)).toEqual([]);
  });

  test('recipe 8: MOVI takes a pending LPI along, and it hits on the new PE only (section 6.6)', async () => {
    const driver = await mapped();
    for (const cpu of [A, B]) driver.mask(cpu);
    driver.int(DEVICE, EVENT);
    expect(driver.isPending(A, LPI)).toBe(true);
    driver.movi(DEVICE, EVENT, B);
    driver.sync(A);
    expect([driver.isPending(A, LPI), driver.isPending(B, LPI)]).toEqual([false, true]);
    for (const cpu of [A, B]) driver.unmask(cpu);
    expect(takenByAll(driver)).toEqual([[], [LPI]]);
  });

  test('recipe 9: CLEAR takes a pending LPI back (section 6.9)', async () => {
    const driver = await mapped();
    driver.mask(A);
    driver.int(DEVICE, EVENT);
    driver.clear(DEVICE, EVENT);
    driver.unmask(A);
    expect(driver.isPending(A, LPI)).toBe(false);
    expect(takenByAll(driver)).toEqual([[], []]);
  });

  test('recipe 10: DISCARD takes a pending LPI back and unmaps its event (sections 6.8, 6.10)', async () => {
    const driver = await mapped({ policy: { commandError: 'stall' } });
    driver.mask(A);
    driver.int(DEVICE, EVENT);
    driver.discard(DEVICE, EVENT);
    driver.unmask(A);
    expect(takenByAll(driver)).toEqual([[], []]);
    const { offset, stalled } = driver.readPointer();
    expect(stalled).toBe(false);
    driver.int(DEVICE, EVENT);
    expect(takenByAll(driver)).toEqual([[], []]);
    expect(driver.readPointer()).toEqual({ offset, stalled: true });
  });

  test('recipe 11: MOVALL merges what is pending at both PEs at the destination (section 6.7)', async () => {
    const driver = await started();
    driver.mapd(DEVICE, 5);
    for (const cpu of [A, B]) {
      driver.mapc(cpu, cpu);
      driver.mask(cpu);
    }
    const place = (event: number, intid: number, icid: number): void => {
      driver.setConfig(intid, PRIORITY, true);
      driver.mapti(DEVICE, event, intid, icid);
      driver.int(DEVICE, event);
    };
    place(0, 8200, A);
    place(1, 8201, A);
    place(2, 8201, B);
    place(3, 8202, B);
    driver.movall(A, B);
    expect(driver.pendingLpis(A)).toEqual([]);
    expect(driver.pendingLpis(B)).toEqual([8200, 8201, 8202]);
    for (const cpu of [A, B]) driver.unmask(cpu);
    expect(takenByAll(driver)).toEqual([[], [8200, 8201, 8202]]);
  });

  test('recipe 12: the command queue fills up, wraps and keeps its order (section 5.13)', async () => {
    const driver = await mapped({}, { queuePages: 1 });
    driver.mask(A);
    const slots = driver.queueSlots();
    const start = driver.readPointer().offset;
    expect(start).toBeLessThan(32 * slots);
    // Each round ends as its last command says: were one lost or done out of order, LPI would be in the other state.
    for (const last of ['int', 'clear'] as const) {
      for (let n = 0; n < slots - 2; n++) driver.queue(commands[n % 2 ? 'clear' : 'int'](DEVICE, EVENT));
      driver.queue(commands[last](DEVICE, EVENT));
      driver.ring();
      expect(driver.isPending(A, LPI)).toBe(last === 'int');
    }
    expect(driver.readPointer()).toEqual({
      offset: (start + 2 * 32 * (slots - 1)) % (32 * slots),
      stalled: false,
    });
    while (driver.readPointer().offset !== 0) driver.sync(A);
    driver.int(DEVICE, EVENT);
    expect(driver.readPointer()).toEqual({ offset: 32, stalled: false });
    expect(driver.isPending(A, LPI)).toBe(true);
  });

  test('recipe 13: a stalled queue goes on when its bad command is replaced and Retry written (section 5.13)', async () => {
    const driver = await mapped({ policy: { commandError: 'stall' } });
    const bad = driver.readPointer().offset;
    driver.queue(commands.int(DEVICE + 1, EVENT));
    driver.queue(commands.int(DEVICE, EVENT));
    driver.ring();
    expect(driver.readPointer()).toEqual({ offset: bad, stalled: true });
    driver.ring(0, { retry: true });
    expect(driver.readPointer()).toEqual({ offset: bad, stalled: true });
    expect(driver.isPending(A, LPI)).toBe(false);
    driver.storeCommand(bad, commands.sync(driver.rdbase(A)));
    driver.ring();
    expect(driver.readPointer()).toEqual({ offset: bad, stalled: true });
    driver.ring(0, { retry: true });
    expect(driver.readPointer()).toEqual({ offset: bad + 64, stalled: false });
    expect(takenByAll(driver)).toEqual([[LPI], []]);
  });

  test('recipe 14: a write of GITS_CBASER takes the queue back to its start (section 5.7)', async () => {
    const driver = await mapped();
    expect(driver.readPointer().offset).toBeGreaterThan(0);
    driver.disableIts();
    driver.resetQueue();
    expect(driver.readPointer()).toEqual({ offset: 0, stalled: false });
  });
}

import { expect, test } from 'vitest';
import { DEVICE, DOORBELL, EVENT, VINTID } from '../support/vpe_driver.ts';
import { startMapped41 } from '../support/vpe41_driver.ts';

test('recipe 24: a deschedule with Doorbell=1 and nothing pending; two enabled VLPIs ring once (section 7.6)', async () => {
  const driver = await startMapped41();
  driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1);
  driver.load(0, driver.vpe);
  expect(driver.put(0, { doorbell: true })).toBe(false);
  driver.machine.sendMsi(DEVICE, EVENT);
  driver.machine.sendMsi(DEVICE, 6);
  expect(driver.takeAll(0)).toEqual([DOORBELL]);
  expect(driver.machine.counters().doorbells).toEqual({ rung: 1, coalesced: 0, dropped: 0 });
});

test('recipe 25: a deschedule with PendingLast=1 written; then a VLPI: no doorbell, its VPT bit is set (section 7.6)', async () => {
  const driver = await startMapped41();
  driver.load(0, driver.vpe);
  driver.put(0, { pendingLast: true });
  driver.machine.sendMsi(DEVICE, EVENT);
  expect(driver.takeAll(0)).toEqual([]);
  expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
});

test.each([
  ['vFIQ', 0],
  ['vIRQ', 1],
] as const)(
  'recipe 26: GITS_SGIR to a resident vPE: %s by its group, IAR returns 0-15, no active state (section 7.6)',
  async (_, group) => {
    const driver = await startMapped41();
    driver.configureVsgi(driver.vpe, 9, { group });
    driver.load(0, driver.vpe);
    for (let n = 0; n < 2; n++) {
      driver.sendVsgi(driver.vpe, 9);
      expect([driver.vfiq(0), driver.virq(0)]).toEqual([group === 0, group === 1]);
      expect(driver.guest(0, `IAR${group}`)).toBe(9);
      driver.setGuest(0, `EOIR${group}`, 9);
    }
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(0);
  },
);

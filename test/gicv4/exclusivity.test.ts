import { describe, expect, it } from 'vitest';
import { commands } from '../support/driver.ts';
import { DEVICE, DOORBELL, EVENT, startMappedVpe, VINTID, virtualCommands } from '../support/vpe_driver.ts';

const LPI = 9100;

/** As `startMappedVpe`, with collection 0 at PE 0 and LPI 9100 enabled. */
async function start(options: Parameters<typeof startMappedVpe>[0] = {}) {
  const driver = await startMappedVpe(options);
  driver.setConfig(LPI, 0xa0, true);
  driver.mapc(0, 0);
  return driver;
}

describe('7.2 an event is an LPI or a VLPI, never both', () => {
  it('7.2 from LPI to VLPI: DISCARD clears the LPI, events reach the vPE alone', async () => {
    const driver = await start();
    driver.mapti(DEVICE, 6, LPI, 0);
    driver.mask(0);
    driver.machine.sendMsi(DEVICE, 6);
    driver.discard(DEVICE, 6);
    expect(driver.isPending(0, LPI)).toBe(false);
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1);
    driver.machine.sendMsi(DEVICE, 6);
    expect(driver.machine.interruptEntry(0, DEVICE, 6)?.kind).toBe('virtual');
    expect(driver.pendingLpis(0)).toEqual([]);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID + 1]);
  });

  it('7.2 from VLPI to LPI: DISCARD clears the bit in the VPT', async () => {
    const driver = await start();
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.takeAll(0);
    driver.discard(DEVICE, EVENT);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([]);
    driver.mapti(DEVICE, EVENT, LPI, 0);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.interruptEntry(0, DEVICE, EVENT)?.kind).toBe('physical');
    expect(driver.pendingVlpis(driver.vpe)).toEqual([]);
    expect(driver.takeAll(0)).toEqual([LPI]);
  });

  it.each([
    ['overwrite', 'virtual', 'physical'],
    ['ignore', 'physical', 'virtual'],
  ] as const)(
    '7.2 policy maptiRemap=%s: mapping over an event of the other kind',
    async (policy, six, five) => {
      const driver = await start({ policy: { maptiRemap: policy } });
      driver.mapti(DEVICE, 6, LPI, 0);
      driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1);
      driver.mapti(DEVICE, EVENT, LPI, 0);
      expect([6, EVENT].map((event) => driver.machine.interruptEntry(0, DEVICE, event)?.kind)).toEqual([
        six,
        five,
      ]);
      expect(driver.diagnosed('REMAPPED_EVENT')).toHaveLength(2);
    },
  );

  it('7.2 one event of a device virtual, its neighbours physical', async () => {
    const driver = await start();
    driver.mapti(DEVICE, EVENT - 1, LPI, 0);
    driver.mapti(DEVICE, EVENT + 1, LPI + 1, 0);
    driver.scheduleIn(0, driver.vpe);
    for (const event of [EVENT - 1, EVENT, EVENT + 1]) driver.machine.sendMsi(DEVICE, event);
    expect(driver.pendingLpis(0)).toEqual([LPI, LPI + 1]);
    expect(driver.guestTakeAll(0)).toEqual([VINTID]);
  });

  it('6.6 MOVI of a virtual event is an error', async () => {
    const driver = await start();
    expect(driver.errors([commands.movi(DEVICE, EVENT, 0)])).toBe(1);
    expect(driver.machine.interruptEntry(0, DEVICE, EVENT)).toMatchObject({ kind: 'virtual', vpeId: 7 });
  });

  it('6.7 MOVALL moves no VLPIs', async () => {
    const driver = await start();
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.movall(0, 1);
    expect([driver.pendingLpis(0), driver.pendingLpis(1)]).toEqual([[], [DOORBELL]]);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID]);
    expect(driver.machine.vpeEntry(0, 7)?.cpu).toBe(0);
  });

  it('6.2 unmapping the device drops later MSIs; what is pending stays pending', async () => {
    const driver = await start();
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.unmapd(DEVICE);
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('device-unmapped');
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID]);
  });
});

describe('6.8 to 6.11 commands on a virtual event', () => {
  it.each([true, false])('6.8 INT makes the VLPI pending (resident: %s)', async (resident) => {
    const driver = await start();
    if (resident) driver.scheduleIn(0, driver.vpe);
    driver.int(DEVICE, EVENT);
    expect(driver.virq(0)).toBe(resident);
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
    expect(driver.machine.counters().int).toEqual({ total: 1, pending: 1, coalesced: 0, dropped: {} });
    expect(driver.machine.counters().vlpis).toEqual(
      resident ? { direct: 1, waiting: 0 } : { direct: 0, waiting: 1 },
    );
  });

  it.each([
    ['CLEAR', true],
    ['CLEAR', false],
    ['DISCARD', true],
    ['DISCARD', false],
  ] as const)('6.9, 6.10 %s removes the pending state (resident: %s)', async (name, resident) => {
    const driver = await start();
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1);
    if (resident) driver.scheduleIn(0, driver.vpe);
    for (const event of [EVENT, 6]) driver.machine.sendMsi(DEVICE, event);
    if (name === 'CLEAR') driver.clear(DEVICE, EVENT);
    else driver.discard(DEVICE, EVENT);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID + 1]);
    expect(driver.machine.interruptEntry(0, DEVICE, EVENT) !== undefined).toBe(name === 'CLEAR');
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe(name === 'CLEAR' ? 'pending' : 'event-unmapped');
    if (!resident) driver.scheduleIn(0, driver.vpe);
    expect(driver.guestTakeAll(0)).toEqual(name === 'CLEAR' ? [VINTID, VINTID + 1] : [VINTID + 1]);
    expect(driver.machine.checkLpiIndex(0)).toBe(0);
  });

  it.each(['CLEAR', 'DISCARD'])(
    '6.9, 6.10 %s removes the bit of a VLPI that is beyond the IDbits of the residency',
    async (name) => {
      const driver = await start();
      driver.vmapti(DEVICE, 6, driver.vpe, 20000);
      driver.machine.sendMsi(DEVICE, 6);
      driver.scheduleIn(0, { ...driver.vpe, size: 13 });
      if (name === 'CLEAR') driver.clear(DEVICE, 6);
      else driver.discard(DEVICE, 6);
      expect(driver.pendingVlpis(driver.vpe)).toEqual([]);
    },
  );

  it('6.9 CLEAR retracts a VLPI that was forwarded; acknowledged it has no effect', async () => {
    const driver = await start();
    driver.scheduleIn(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.clear(DEVICE, EVENT);
    expect(driver.virq(0)).toBe(false);
    expect(driver.guest(0, 'IAR1')).toBe(1023);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.guest(0, 'IAR1');
    driver.clear(DEVICE, EVENT);
    expect(driver.ich(0, 'AP1R0')).toBe(1n << 20n);
  });

  it('6.9 CLEAR of a disabled VLPI removes it too', async () => {
    const driver = await start();
    driver.setVirtualConfig(driver.vpe, VINTID, 0xa0, false);
    driver.scheduleIn(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.clear(DEVICE, EVENT);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([]);
  });

  it('6.9 CLEAR of a VLPI leaves the physical LPI of that number alone', async () => {
    const driver = await start();
    driver.mask(0);
    driver.setConfig(VINTID, 0xa0, true);
    driver.mapti(DEVICE, 6, VINTID, 0);
    driver.machine.sendMsi(DEVICE, 6);
    driver.clear(DEVICE, EVENT);
    expect(driver.isPending(0, VINTID)).toBe(true);
  });

  it('6.9, 6.11 CLEAR and INV of an event whose vPE is not mapped are errors', async () => {
    const driver = await start();
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.unmapVpe(driver.vpe);
    expect(driver.errors([commands.clear(DEVICE, EVENT), commands.inv(DEVICE, EVENT)])).toBe(2);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID]);
  });

  it.each([
    ['unmap', 0, undefined],
    ['error', 1, 'virtual'],
  ] as const)(
    '6.10 policy discardUnmappedCollection=%s: DISCARD where the vPE is not mapped',
    async (policy, errors, kind) => {
      const driver = await start({ policy: { discardUnmappedCollection: policy } });
      driver.machine.sendMsi(DEVICE, EVENT);
      driver.unmapVpe(driver.vpe);
      driver.diagnosed();
      expect(driver.errors([commands.discard(DEVICE, EVENT)])).toBe(errors);
      expect(driver.machine.interruptEntry(0, DEVICE, EVENT)?.kind).toBe(kind);
      expect(driver.diagnosed().map(({ code }) => code)).toEqual([
        errors ? 'COMMAND_ERROR' : 'DISCARD_OF_UNMAPPED_COLLECTION',
      ]);
      expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID]);
    },
  );

  it('6.10 policy discardUnmappedCollection: a vPE that was never mapped', async () => {
    const driver = await start();
    driver.command(virtualCommands.vmapti(DEVICE, 6, 99, VINTID, 1023));
    expect(driver.errors([commands.discard(DEVICE, 6)])).toBe(0);
    expect(driver.machine.interruptEntry(0, DEVICE, 6)).toBeUndefined();
  });

  it('6.4 policy maptiClearsPending is about physical LPIs: a VMAPTI clears nothing', async () => {
    const driver = await start({ policy: { maptiClearsPending: true } });
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID]);
  });
});

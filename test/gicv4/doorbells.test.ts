import { describe, expect, it } from 'vitest';
import { DEVICE, DOORBELL, EVENT, PRIORITY, startMappedVpe, VINTID } from '../support/vpe_driver.ts';

describe('7.3 doorbells of a vPE that is not resident', () => {
  it('7.3 the doorbell LPI becomes pending on the redistributor that the vPE is mapped to', async () => {
    for (const cpu of [0, 1, 3]) {
      const driver = await startMappedVpe({}, {}, { cpu });
      driver.machine.sendMsi(DEVICE, EVENT);
      const pending = [0, 1, 2, 3].map((pe) => driver.pendingLpis(pe));
      expect(pending).toEqual([0, 1, 2, 3].map((pe) => (pe === cpu ? [DOORBELL] : [])));
      expect(driver.machine.highestPending(cpu)).toEqual({ intid: DOORBELL, priority: PRIORITY, group: 1 });
      expect(driver.machine.counters().doorbells).toEqual({ rung: 1, coalesced: 0, dropped: 0 });
    }
  });

  it('7.3 after VMOVP it rings on the new redistributor; what rang on the old one stays', async () => {
    const driver = await startMappedVpe();
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1, DOORBELL);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.vmovp(driver.vpe, 2);
    driver.machine.sendMsi(DEVICE, 6);
    expect([driver.takeAll(0), driver.takeAll(2)]).toEqual([[DOORBELL], [DOORBELL]]);
  });

  it('7.3 a resident vPE gets no doorbell', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.counters().doorbells).toEqual({ rung: 0, coalesced: 0, dropped: 0 });
    expect(driver.pendingLpis(0)).toEqual([]);
  });

  it('7.3 1023 is no doorbell', async () => {
    const driver = await startMappedVpe();
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1);
    expect(driver.machine.sendMsi(DEVICE, 6)).toBe('pending');
    expect(driver.machine.counters().doorbells).toEqual({ rung: 0, coalesced: 0, dropped: 0 });
    expect(driver.isVirtualPending(driver.vpe, VINTID + 1)).toBe(true);
  });

  it('3.2 a redistributor with EnableLPIs=0 discards doorbells; the VLPI waits', async () => {
    const driver = await startMappedVpe();
    driver.disableLpis(0);
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('pending');
    expect(driver.machine.counters().doorbells).toEqual({ rung: 0, coalesced: 0, dropped: 1 });
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
    driver.enableLpis(0);
    expect(driver.takeAll(0)).toEqual([]);
    driver.scheduleIn(0, driver.vpe);
    expect(driver.guestTakeAll(0)).toEqual([VINTID]);
  });

  it('7.3 a doorbell outside the redistributor’s LPIs is discarded', async () => {
    const driver = await startMappedVpe();
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1, 20000);
    driver.disableLpis(0);
    driver.machine.write(driver.gicr(0, 0x0070), 8, BigInt(driver.configTable) | 13n);
    driver.machine.write(driver.gicr(0, 0x0000), 4, 1);
    expect(driver.machine.sendMsi(DEVICE, 6)).toBe('pending');
    expect(driver.machine.counters().doorbells).toEqual({ rung: 0, coalesced: 0, dropped: 1 });
  });

  it('7.3 a doorbell masked by its configuration byte stays pending until it is enabled', async () => {
    const driver = await startMappedVpe();
    driver.setConfig(DOORBELL, PRIORITY, false);
    driver.invalidateLpi(0, DOORBELL);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.isPending(0, DOORBELL)).toBe(true);
    expect(driver.takeAll(0)).toEqual([]);
    driver.setConfig(DOORBELL, PRIORITY, true);
    expect(driver.takeAll(0)).toEqual([]);
    driver.invalidateLpi(0, DOORBELL);
    expect(driver.takeAll(0)).toEqual([DOORBELL]);
  });

  it('7.3 the doorbell’s priority is its own', async () => {
    const driver = await startMappedVpe();
    driver.setConfig(DOORBELL, 0x20, true);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.highestPending(0)).toEqual({ intid: DOORBELL, priority: 0x20, group: 1 });
  });

  it('7.3 several VLPIs and vPEs share one doorbell: it merges', async () => {
    const driver = await startMappedVpe();
    const other = driver.mapVpe(8, { configTable: driver.vpe.configTable });
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1, DOORBELL);
    driver.vmapti(DEVICE, 7, other, VINTID, DOORBELL);
    for (const event of [EVENT, 6, 7]) driver.machine.sendMsi(DEVICE, event);
    expect(driver.machine.counters().doorbells).toEqual({ rung: 1, coalesced: 2, dropped: 0 });
    expect(driver.takeAll(0)).toEqual([DOORBELL]);
    expect([driver.pendingVlpis(driver.vpe), driver.pendingVlpis(other)]).toEqual([
      [VINTID, VINTID + 1],
      [VINTID],
    ]);
  });

  it('7.3 scheduling in, CLEAR and DISCARD take no doorbell back: it is an ordinary LPI', async () => {
    const driver = await startMappedVpe();
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.scheduleIn(0, driver.vpe);
    expect(driver.isPending(0, DOORBELL)).toBe(true);
    driver.scheduleOut(0);
    driver.clear(DEVICE, EVENT);
    driver.discard(DEVICE, EVENT);
    expect(driver.takeAll(0)).toEqual([DOORBELL]);
  });

  it.each([
    ['once', { rung: 1, coalesced: 0, dropped: 0 }, []],
    ['repeat', { rung: 2, coalesced: 0, dropped: 0 }, [DOORBELL]],
  ] as const)(
    '7.3 policy doorbellOfPendingVlpi=%s: an event of a VLPI that is pending already',
    async (policy, counted, again) => {
      const driver = await startMappedVpe({ policy: { doorbellOfPendingVlpi: policy } });
      expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('pending');
      expect(driver.takeAll(0)).toEqual([DOORBELL]);
      expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('coalesced');
      expect(driver.takeAll(0)).toEqual(again);
      expect(driver.machine.counters().doorbells).toEqual(counted);
      expect(driver.machine.counters().vlpis).toEqual({ direct: 0, waiting: 1 });
    },
  );

  it('7.3 policy doorbellOfPendingVlpi=repeat: repeats of a doorbell not taken yet coalesce', async () => {
    const driver = await startMappedVpe({ policy: { doorbellOfPendingVlpi: 'repeat' } });
    for (let n = 0; n < 3; n++) driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.counters().doorbells).toEqual({ rung: 1, coalesced: 2, dropped: 0 });
  });

  it.each(['once', 'repeat'] as const)(
    '7.3 policy doorbellOfPendingVlpi=%s: a new event after the guest took the VLPI rings again',
    async (policy) => {
      const driver = await startMappedVpe({ policy: { doorbellOfPendingVlpi: policy } });
      driver.machine.sendMsi(DEVICE, EVENT);
      driver.takeAll(0);
      driver.scheduleIn(0, driver.vpe);
      driver.guestTakeAll(0);
      driver.scheduleOut(0);
      driver.machine.sendMsi(DEVICE, EVENT);
      expect(driver.takeAll(0)).toEqual([DOORBELL]);
    },
  );

  it('7.3 INT rings like an MSI', async () => {
    const driver = await startMappedVpe();
    driver.int(DEVICE, EVENT);
    expect(driver.takeAll(0)).toEqual([DOORBELL]);
    expect(driver.machine.counters().int).toMatchObject({ total: 1, pending: 1 });
  });
});

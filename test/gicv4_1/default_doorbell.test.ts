import { describe, expect, it } from 'vitest';
import { DEVICE, DOORBELL, EVENT, PRIORITY, VINTID } from '../support/vpe_driver.ts';
import { startMapped41, TWO_GROUPS, type Vpe41Driver } from '../support/vpe41_driver.ts';

type Mapped = Awaited<ReturnType<typeof startMapped41>>;

/** Makes the vPE resident on a PE and takes it off with a doorbell request. */
function block(driver: Mapped, cpu = 0, groups = 0b11): boolean {
  driver.load(cpu, driver.vpe, groups);
  return driver.put(cpu, { doorbell: true });
}

/** The doorbells that each PE takes. */
const rung = (driver: Vpe41Driver): number[][] =>
  Array.from({ length: driver.config.cpus }, (_, cpu) => driver.takeAll(cpu));
const nobody = [[], [], [], []];
const onPe = (cpu: number): number[][] => nobody.map((none, n) => (n === cpu ? [DOORBELL] : none));

describe('7.6 the default doorbell', () => {
  it('7.6 rings for the first enabled VLPI after a deschedule with Doorbell=1, PendingLast=0', async () => {
    const driver = await startMapped41();
    expect(block(driver)).toBe(false);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(rung(driver)).toEqual(onPe(0));
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
    expect(driver.codes()).toEqual([]);
  });

  it('7.6 rings once for a request, however many interrupts come', async () => {
    const driver = await startMapped41();
    for (const event of [6, 7, 8]) driver.vmapti(DEVICE, event, driver.vpe, VINTID + event - 5);
    block(driver);
    for (const event of [5, 6, 7, 8]) driver.machine.sendMsi(DEVICE, event);
    expect(rung(driver)).toEqual(onPe(0));
    driver.clear(DEVICE, 6);
    driver.machine.sendMsi(DEVICE, 6);
    expect(rung(driver)).toEqual(nobody);
    expect(driver.machine.counters().doorbells).toEqual({ rung: 1, coalesced: 0, dropped: 0 });
  });

  it('7.6 each deschedule with Doorbell=1 is a new request', async () => {
    const driver = await startMapped41();
    for (let n = 0; n < 3; n++) {
      block(driver);
      driver.machine.sendMsi(DEVICE, EVENT);
      expect(rung(driver)).toEqual(onPe(0));
      driver.load(0, driver.vpe);
      expect(driver.guestTakeAll(0)).toEqual([VINTID]);
      driver.put(0);
    }
  });

  it('7.6 is not requested by Doorbell=0', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    expect(driver.put(0)).toBe(false);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(rung(driver)).toEqual(nobody);
  });

  it('7.6 is not requested before the first residency', async () => {
    const driver = await startMapped41();
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(rung(driver)).toEqual(nobody);
  });

  it.each([
    [false, true],
    [true, true],
  ])(
    '7.6 is not requested where PendingLast is written as 1 (Doorbell=%s)',
    async (doorbell, pendingLast) => {
      const driver = await startMapped41();
      driver.load(0, driver.vpe);
      driver.put(0, { doorbell, pendingLast });
      driver.machine.sendMsi(DEVICE, EVENT);
      expect(rung(driver)).toEqual(nobody);
    },
  );

  it('7.6 is not requested where an enabled interrupt is pending: PendingLast=1 instead', async () => {
    const driver = await startMapped41();
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1);
    driver.load(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.put(0, { doorbell: true })).toBe(true);
    driver.machine.sendMsi(DEVICE, 6);
    expect(rung(driver)).toEqual(nobody);
  });

  it('7.6 rescheduling cancels the request', async () => {
    const driver = await startMapped41();
    block(driver);
    driver.load(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.guestTakeAll(0);
    driver.put(0);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(rung(driver)).toEqual(nobody);
  });

  it('7.6 rescheduling does not take back a doorbell that has rung: it is an ordinary LPI', async () => {
    const driver = await startMapped41();
    block(driver);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.load(0, driver.vpe);
    expect(rung(driver)).toEqual(onPe(0));
  });

  it('7.6 does not ring while the vPE is resident', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.int(DEVICE, EVENT);
    expect(rung(driver)).toEqual(nobody);
  });

  it('7.6 Default_Doorbell 1023: none', async () => {
    const driver = await startMapped41({}, { doorbell: 1023 });
    block(driver);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(rung(driver)).toEqual(nobody);
    expect(driver.machine.counters().doorbells).toEqual({ rung: 0, coalesced: 0, dropped: 0 });
  });

  it('7.6 rings for INT, and for a pending VLPI that VMOVI brings', async () => {
    const driver = await startMapped41();
    block(driver);
    driver.int(DEVICE, EVENT);
    expect(rung(driver)).toEqual(onPe(0));
    const other = driver.mapVpe41(8, { configTable: driver.vpe.configTable, doorbell: DOORBELL + 1 });
    driver.load(1, other);
    driver.put(1, { doorbell: true });
    driver.vmovi(DEVICE, EVENT, other);
    expect(driver.takeAll(0)).toEqual([DOORBELL + 1]);
  });
});

describe('7.6 the redistributor that a default doorbell rings on', () => {
  it('7.6, 11 that of VMAPP, not the last residence (documented choice)', async () => {
    const driver = await startMapped41();
    block(driver, 3);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(rung(driver)).toEqual(onPe(0));
  });

  it('7.6, 6.19 that of VMOVP, within a group too', async () => {
    const driver = await startMapped41();
    block(driver);
    driver.vmovp41(driver.vpe, 2);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(rung(driver)).toEqual(onPe(2));
  });

  it('7.6, 6.19 a request moves along to another group', async () => {
    const driver = await startMapped41(TWO_GROUPS);
    block(driver);
    driver.vmovp41(driver.vpe, 3);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(rung(driver)).toEqual(onPe(3));
  });

  it('3.2 with EnableLPIs=0 there it is discarded, and the request with it', async () => {
    const driver = await startMapped41();
    block(driver);
    driver.disableLpis(0);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.enableLpis(0);
    driver.clear(DEVICE, EVENT);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(rung(driver)).toEqual(nobody);
    expect(driver.machine.counters().doorbells.dropped).toBe(1);
  });

  it('4.2 one that its configuration disables stays pending', async () => {
    const driver = await startMapped41();
    driver.setConfig(DOORBELL, PRIORITY, false);
    block(driver);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(rung(driver)).toEqual(nobody);
    expect(driver.isPending(0, DOORBELL)).toBe(true);
  });
});

describe('7.6 what the default doorbell rings for', () => {
  it.each([
    [0b11, true],
    [0b10, true],
    [0b01, false],
    [0b00, false],
  ])('7.6 VLPIs ring where VGrp1En was 1 at the deschedule: enables %i', async (groups, expected) => {
    const driver = await startMapped41();
    expect(block(driver, 0, groups)).toBe(false);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(rung(driver)).toEqual(expected ? onPe(0) : nobody);
  });

  it.each([
    [0, 0b01, true],
    [0, 0b10, false],
    [1, 0b01, false],
    [1, 0b10, true],
  ])('7.6 a vSGI of group %i with enables %i', async (group, groups, expected) => {
    const driver = await startMapped41();
    driver.configureVsgi(driver.vpe, 4, { group });
    block(driver, 0, groups);
    driver.sendVsgi(driver.vpe, 4);
    expect(rung(driver)).toEqual(expected ? onPe(0) : nobody);
  });

  it('7.6 an interrupt of the other group leaves the request standing', async () => {
    const driver = await startMapped41();
    driver.configureVsgi(driver.vpe, 4, { group: 0 });
    block(driver, 0, 0b01);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(rung(driver)).toEqual(nobody);
    driver.sendVsgi(driver.vpe, 4);
    expect(rung(driver)).toEqual(onPe(0));
  });

  it('7.6 a disabled VLPI does not ring; INV after it was enabled does (documented choice)', async () => {
    const driver = await startMapped41();
    driver.setVirtualConfig(driver.vpe, VINTID, PRIORITY, false);
    block(driver);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.inv(DEVICE, EVENT);
    expect(rung(driver)).toEqual(nobody);
    driver.setVirtualConfig(driver.vpe, VINTID, PRIORITY, true);
    expect(rung(driver)).toEqual(nobody);
    driver.inv(DEVICE, EVENT);
    expect(rung(driver)).toEqual(onPe(0));
  });

  it.each([
    ['VINVALL', (driver: Mapped) => driver.vinvall(driver.vpe)],
    ['GICR_INVALLR with V=1', (driver: Mapped) => driver.invalidateVpe(2, driver.vpe)],
    ['GICR_INVLPIR with V=1', (driver: Mapped) => driver.invalidateVlpi(2, driver.vpe, VINTID)],
    ['another event of it', (driver: Mapped) => driver.machine.sendMsi(DEVICE, EVENT)],
  ])('7.6 %s rings as INV does for a VLPI that was enabled meanwhile', async (_, act) => {
    const driver = await startMapped41();
    driver.setVirtualConfig(driver.vpe, VINTID, PRIORITY, false);
    block(driver);
    driver.machine.sendMsi(DEVICE, EVENT);
    act(driver);
    expect(rung(driver)).toEqual(nobody);
    driver.setVirtualConfig(driver.vpe, VINTID, PRIORITY, true);
    act(driver);
    expect(rung(driver)).toEqual(onPe(0));
  });

  it('7.6 INV of a VLPI that is not pending does not ring', async () => {
    const driver = await startMapped41();
    block(driver);
    driver.inv(DEVICE, EVENT);
    driver.vinvall(driver.vpe);
    expect(rung(driver)).toEqual(nobody);
  });

  it('7.6 a disabled vSGI does not ring; enabling it by VSGI does', async () => {
    const driver = await startMapped41();
    block(driver);
    driver.sendVsgi(driver.vpe, 4);
    expect(rung(driver)).toEqual(nobody);
    driver.configureVsgi(driver.vpe, 4);
    expect(rung(driver)).toEqual(onPe(0));
  });

  it('7.6 a configuration table outside RAM reads as disabled', async () => {
    const driver = await startMapped41({}, { configTable: 0xf_0000_0000 });
    block(driver);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(rung(driver)).toEqual(nobody);
  });
});

describe('6.23 INVDB', () => {
  it('6.23 the configuration of the default doorbell is read again, also of one that is pending', async () => {
    const driver = await startMapped41();
    driver.setConfig(DOORBELL, PRIORITY, false);
    driver.invdb(driver.vpe);
    block(driver);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.setConfig(DOORBELL, 0x40, true);
    expect(driver.machine.highestPending(0)).toBeUndefined();
    driver.invdb(driver.vpe);
    expect(driver.machine.highestPending(0)).toEqual({ intid: DOORBELL, priority: 0x40, group: 1 });
    driver.setConfig(DOORBELL, 0x40, false);
    driver.invdb(driver.vpe);
    expect(driver.machine.highestPending(0)).toBeUndefined();
    expect(driver.codes()).toEqual([]);
  });

  it('6.23 on all redistributors: one that the vPE was moved away from can still hold it', async () => {
    const driver = await startMapped41();
    driver.setConfig(DOORBELL, PRIORITY, false);
    driver.invdb(driver.vpe);
    block(driver);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.vmovp41(driver.vpe, 3);
    driver.setConfig(DOORBELL, PRIORITY, true);
    driver.invdb(driver.vpe);
    expect(rung(driver)).toEqual(onPe(0));
  });

  it('6.23 leaves other LPIs alone', async () => {
    const driver = await startMapped41();
    driver.mapc(0, 0);
    driver.mapti(DEVICE, 9, DOORBELL + 1, 0);
    driver.machine.sendMsi(DEVICE, 9);
    driver.setConfig(DOORBELL + 1, PRIORITY, false);
    driver.invdb(driver.vpe);
    expect(driver.take(0)).toBe(DOORBELL + 1);
  });

  it('6.23 without a default doorbell it does nothing', async () => {
    const driver = await startMapped41({}, { doorbell: 1023 });
    driver.invdb(driver.vpe);
    expect(driver.codes()).toEqual([]);
  });
});

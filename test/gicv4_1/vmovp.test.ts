import { describe, expect, it } from 'vitest';
import { DEVICE, DOORBELL, EVENT, startVpeDriver, VINTID } from '../support/vpe_driver.ts';
import { commands41, startMapped41, TWO_GROUPS, VPENDBASER } from '../support/vpe41_driver.ts';

const { VALID } = VPENDBASER;

describe.each([
  ['the ITS shares a table with the first group', { ...TWO_GROUPS }],
  ['the ITS shares a table with the second group', { ...TWO_GROUPS, itsAffinity: 0x100 }],
  ['the ITS has its own table', { ...TWO_GROUPS, sharedVpeTable: 0 }],
])('6.19, 7.6 VMOVP from group to group: %s', (_, options) => {
  it('7.6 the vPE can be resident in the new group, and not in the old one any more', async () => {
    const driver = await startMapped41(options);
    driver.vmovp41(driver.vpe, 3);
    expect(driver.machine.vpeEntry(0, 7)).toEqual({ cpu: 3, vptAddress: driver.vpe.vpt, size: 15 });
    driver.load(0, driver.vpe);
    expect(driver.vpendbaser(0) & VALID).toBe(0n);
    for (const cpu of [2, 3]) {
      driver.load(cpu, driver.vpe);
      driver.machine.sendMsi(DEVICE, EVENT);
      expect(driver.guestTakeAll(cpu)).toEqual([VINTID]);
      driver.put(cpu);
    }
    expect(driver.codes()).toEqual(['VPE_NOT_MAPPED']);
  });

  it('7.6 it takes along what is pending, its vSGIs and their configuration', async () => {
    const driver = await startMapped41(options);
    driver.configureVsgi(driver.vpe, 2, { priority: 0x20 });
    driver.configureVsgi(driver.vpe, 3, { group: 0 });
    driver.sendVsgi(driver.vpe, 2);
    driver.sendVsgi(driver.vpe, 3);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.vmovp41(driver.vpe, 2);
    expect(driver.pendingVsgis(3, driver.vpe)).toBe(0b1100);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(0);
    driver.load(2, driver.vpe);
    expect(driver.guest(2, 'IAR1')).toBe(2);
    driver.setGuest(2, 'EOIR1', 2);
    expect(driver.guest(2, 'IAR0')).toBe(3);
    driver.setGuest(2, 'EOIR0', 3);
    expect(driver.guestTakeAll(2)).toEqual([VINTID]);
  });

  it('7.6 to and fro', async () => {
    const driver = await startMapped41(options);
    for (const cpu of [2, 0, 3, 1, 1, 2]) {
      driver.machine.sendMsi(DEVICE, EVENT);
      driver.vmovp41(driver.vpe, cpu);
      driver.load(cpu, driver.vpe);
      expect(driver.guestTakeAll(cpu)).toEqual([VINTID]);
      expect(driver.put(cpu, { doorbell: true })).toBe(false);
    }
    driver.unmap(driver.vpe);
    driver.map(driver.vpe, { cpu: 3 });
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('pending');
    expect(driver.codes()).toEqual([]);
  });

  it('6.15 after the move VMAPP V=0 leaves a coherent VPT, and no trace in either group', async () => {
    const driver = await startMapped41(options);
    driver.vmovp41(driver.vpe, 2);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.unmap(driver.vpe);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID]);
    expect(driver.machine.vpeEntry(0, 7)).toBeUndefined();
    expect(driver.codes()).toEqual([]);
    for (const cpu of [0, 2]) driver.load(cpu, driver.vpe);
    expect(driver.codes()).toEqual(['VPE_NOT_MAPPED', 'VPE_NOT_MAPPED']);
  });

  it('6.19 of a resident vPE: UNPREDICTABLE, diagnosed; it stays resident and loses nothing', async () => {
    const driver = await startMapped41(options);
    driver.configureVsgi(driver.vpe, 1);
    driver.load(1, driver.vpe);
    driver.vmovp41(driver.vpe, 3);
    expect(driver.diagnosed().map(({ code, unit, operands }) => ({ code, unit, operands }))).toEqual([
      { code: 'VPE_MOVED_WHILE_RESIDENT', unit: 0, operands: { vpeId: 7, cpu: 1 } },
    ]);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.sendVsgi(driver.vpe, 1);
    expect(driver.guestTakeAll(1)).toEqual([1, VINTID]);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.put(1)).toBe(true);
    driver.load(3, driver.vpe);
    expect(driver.guestTakeAll(3)).toEqual([VINTID]);
  });
});

describe('6.19 VMOVP within a group', () => {
  it('6.19 only RDbase changes; a residence elsewhere in the group is diagnosed and goes on', async () => {
    const driver = await startMapped41();
    driver.load(1, driver.vpe);
    driver.vmovp41(driver.vpe, 3);
    expect(driver.codes()).toEqual(['VPE_MOVED_WHILE_RESIDENT']);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.guestTakeAll(1)).toEqual([VINTID]);
  });

  it('6.19 to the redistributor where it is already: no diagnostic even while it is resident', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.vmovp41(driver.vpe, 0);
    expect(driver.codes()).toEqual([]);
  });
});

describe('6.19 VMOVP with DB', () => {
  it.each([
    ['DB=0 keeps the default doorbell', undefined, [DOORBELL]],
    ['DB=1 replaces it', DOORBELL + 1, [DOORBELL + 1]],
    ['DB=1 with 1023 takes it away', 1023, []],
  ])('6.19 %s, also of a request that stands', async (_, doorbell, expected) => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.put(0, { doorbell: true });
    driver.vmovp41(driver.vpe, 1, doorbell === undefined ? {} : { doorbell });
    driver.machine.sendMsi(DEVICE, EVENT);
    expect([driver.takeAll(0), driver.takeAll(1)]).toEqual([[], expected]);
  });

  it('6.19 the example: to PE 1 with doorbell 9001', async () => {
    const driver = await startMapped41();
    driver.command([0x22n, 0x0000_0007_0000_0000n, 0x8000_0000_0001_0000n, 0x2329n]);
    driver.load(0, driver.vpe);
    driver.put(0, { doorbell: true });
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.takeAll(1)).toEqual([9001]);
  });

  it('6.19 a doorbell that has rung stays on the old redistributor', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.put(0, { doorbell: true });
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.vmovp41(driver.vpe, 1);
    expect([driver.takeAll(0), driver.takeAll(1)]).toEqual([[DOORBELL], []]);
  });

  it('6.19 without DB, Default_Doorbell is ignored whatever it is', async () => {
    const driver = await startMapped41();
    expect(driver.errors([[0x22n, 7n << 32n, 0x1_0000n, 5n]])).toBe(0);
  });

  it('6.19 DB is RES0 before GICv4.1: ignored', async () => {
    const driver = await startVpeDriver();
    driver.mapVpe(7);
    expect(driver.errors([commands41.vmovp(7, driver.rdbase(1), 5)])).toBe(0);
    expect(driver.machine.vpeEntry(0, 7)).toMatchObject({ cpu: 1 });
  });
});

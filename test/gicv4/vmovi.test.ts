import { describe, expect, it } from 'vitest';
import { expectConserved } from '../support/conservation.ts';
import {
  DEVICE,
  DOORBELL,
  EVENT,
  startMappedVpe,
  VINTID,
  type Vpe,
  type VpeDriverOptions,
  virtualCommands,
} from '../support/vpe_driver.ts';

/** As `startMappedVpe`, with vPE 8 of the same VM on PE 1. */
async function twoVpes(
  options: Parameters<typeof startMappedVpe>[0] = {},
  driverOptions: VpeDriverOptions = {},
) {
  const driver = await startMappedVpe(options, driverOptions);
  const other: Vpe = driver.mapVpe(8, { cpu: 1, configTable: driver.vpe.configTable });
  return { driver, vpe: driver.vpe, other };
}

describe('6.18 VMOVI', () => {
  it('6.18 the example: event 5 to vPE 8 with doorbell 9001', async () => {
    const { driver } = await twoVpes();
    driver.command([0x0000_0010_0000_0021n, 0x0000_0008_0000_0005n, 0x0000_2329_0000_0001n, 0n]);
    expect(driver.machine.interruptEntry(0, DEVICE, EVENT)).toEqual({
      kind: 'virtual',
      vIntid: VINTID,
      vpeId: 8,
      doorbell: 9001,
    });
  });

  it.each([
    { d: 'D=1 replaces the doorbell', doorbell: DOORBELL + 1, expected: DOORBELL + 1 },
    { d: 'D=1 with 1023 removes it', doorbell: 1023, expected: 1023 },
    { d: 'D=0 keeps it', doorbell: undefined, expected: DOORBELL },
  ])('6.18 $d', async ({ doorbell, expected }) => {
    const { driver, other } = await twoVpes();
    driver.vmovi(DEVICE, EVENT, other, doorbell);
    expect(driver.machine.interruptEntry(0, DEVICE, EVENT)).toMatchObject({ vpeId: 8, doorbell: expected });
    driver.machine.sendMsi(DEVICE, EVENT);
    expect([driver.pendingLpis(0), driver.pendingLpis(1)]).toEqual([[], expected === 1023 ? [] : [expected]]);
  });

  it('6.18 with D=0 Dbell_pINTID is not looked at', async () => {
    const { driver } = await twoVpes();
    const keep = [0x21n | (BigInt(DEVICE) << 32n), (8n << 32n) | BigInt(EVENT), 5n << 32n, 0n] as const;
    expect(driver.errors([keep])).toBe(0);
    expect(driver.machine.interruptEntry(0, DEVICE, EVENT)).toMatchObject({ vpeId: 8, doorbell: DOORBELL });
  });

  it('6.18 with the same vPE only the doorbell changes; nothing pending moves or rings', async () => {
    const { driver, vpe } = await twoVpes();
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.takeAll(0);
    driver.vmovi(DEVICE, EVENT, vpe, DOORBELL + 1);
    expect(driver.pendingVlpis(vpe)).toEqual([VINTID]);
    expect(driver.pendingLpis(0)).toEqual([]);
    expect(driver.machine.counters().vlpis).toEqual({ direct: 0, waiting: 1 });
  });

  it.each([
    { from: false, to: false, vlpis: { direct: 0, waiting: 1 }, rung: 2 },
    { from: false, to: true, vlpis: { direct: 0, waiting: 1 }, rung: 1 },
    { from: true, to: false, vlpis: { direct: 1, waiting: 0 }, rung: 1 },
    { from: true, to: true, vlpis: { direct: 1, waiting: 0 }, rung: 0 },
  ])(
    '6.18 a pending VLPI moves: old vPE resident=$from, new one resident=$to',
    async ({ from, to, vlpis, rung }) => {
      const { driver, vpe, other } = await twoVpes();
      if (from) driver.scheduleIn(0, vpe);
      if (to) driver.scheduleIn(1, other);
      driver.machine.sendMsi(DEVICE, EVENT);
      expect(driver.virq(0)).toBe(from);
      driver.vmovi(DEVICE, EVENT, other, DOORBELL + 1);
      expect([driver.virq(0), driver.virq(1)]).toEqual([false, to]);
      expect([driver.pendingVlpis(vpe), driver.pendingVlpis(other)]).toEqual([[], [VINTID]]);
      expect(driver.machine.counters()).toMatchObject({ vlpis, cleared: { vlpi: 0 } });
      expect(driver.machine.counters().doorbells.rung).toBe(rung);
      expect(driver.takeAll(1)).toEqual(to ? [] : [DOORBELL + 1]);
      if (!to) driver.scheduleIn(1, other);
      expect(driver.guestTakeAll(1)).toEqual([VINTID]);
      expect([0, 1].map((cpu) => driver.machine.checkLpiIndex(cpu))).toEqual([0, 0]);
    },
  );

  it('6.18 what was acknowledged does not move', async () => {
    const { driver, vpe, other } = await twoVpes();
    driver.scheduleIn(0, vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.guest(0, 'IAR1');
    driver.vmovi(DEVICE, EVENT, other);
    expect(driver.pendingVlpis(other)).toEqual([]);
    expect(driver.takeAll(1)).toEqual([]);
  });

  it.each([false, true])('6.18 a VLPI pending at both vPEs merges; new one resident=%s', async (resident) => {
    const { driver, vpe, other } = await twoVpes();
    if (resident) driver.scheduleIn(1, other);
    driver.vmapti(DEVICE, 6, other, VINTID);
    for (const event of [EVENT, 6]) driver.machine.sendMsi(DEVICE, event);
    driver.vmovi(DEVICE, EVENT, other);
    expect([driver.pendingVlpis(vpe), driver.pendingVlpis(other)]).toEqual([[], [VINTID]]);
    expect(driver.machine.counters().cleared).toEqual({ lpi: 0, vlpi: 1 });
    if (!resident) driver.scheduleIn(1, other);
    expect(driver.guestTakeAll(1)).toEqual([VINTID]);
    const lpis = driver.pendingLpis(0).length + driver.pendingLpis(1).length;
    expectConserved(driver.machine.counters(), { lpis, vlpis: 0 });
  });

  it('6.18 a VLPI beyond GICR_VPROPBASER.IDbits of the new vPE, resident, is lost and counted as cleared', async () => {
    const { driver, vpe, other } = await twoVpes();
    driver.vmapti(DEVICE, EVENT, vpe, 20_000, DOORBELL);
    driver.scheduleIn(1, { ...other, size: 13 });
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.vmovi(DEVICE, EVENT, other);
    expect([driver.pendingVlpis(vpe), driver.pendingVlpis(other)]).toEqual([[], []]);
    expect(driver.machine.counters()).toMatchObject({ vlpis: { waiting: 1 }, cleared: { vlpi: 1 } });
  });

  it('6.18 a disabled pending VLPI moves too', async () => {
    const { driver, vpe, other } = await twoVpes();
    driver.setVirtualConfig(vpe, VINTID, 0xa0, false);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.vmovi(DEVICE, EVENT, other);
    expect([driver.pendingVlpis(vpe), driver.pendingVlpis(other)]).toEqual([[], [VINTID]]);
  });

  it('6.8, 5.13 INT for a vPE whose VPT is outside RAM is a table fault', async () => {
    const { driver, vpe } = await twoVpes();
    const lost = driver.mapVpe(9, { cpu: 2, vpt: 0x4000_0000, configTable: vpe.configTable });
    driver.vmapti(DEVICE, 6, lost, VINTID);
    driver.machine.takeDiagnostics();
    driver.int(DEVICE, 6);
    expect(driver.machine.takeDiagnostics().map(({ code }) => code)).toEqual([
      'TABLE_FAULT',
      'QUEUE_STALLED',
    ]);
    expect(driver.machine.counters().int.dropped).toEqual({ 'table-fault': 1 });
  });

  it.each([
    { where: 'not resident', resident: false },
    { where: 'resident', resident: true },
  ])(
    '5.13 a new vPE whose VPT is outside RAM, $where, is a table fault: nothing moves or gets lost',
    async ({ resident }) => {
      const { driver, vpe } = await twoVpes();
      const lost = driver.mapVpe(9, { cpu: 2, vpt: 0x4000_0000, configTable: vpe.configTable });
      if (resident) driver.scheduleIn(2, lost);
      driver.machine.sendMsi(DEVICE, EVENT);
      driver.diagnosed();
      driver.vmovi(DEVICE, EVENT, lost);
      expect(driver.readPointer().stalled).toBe(true);
      expect(driver.diagnosed().map(({ code }) => code)).toEqual(['TABLE_FAULT', 'QUEUE_STALLED']);
      expect(driver.machine.interruptEntry(0, DEVICE, EVENT)).toMatchObject({ vpeId: 7 });
      expect(driver.pendingVlpis(vpe)).toEqual([VINTID]);
    },
  );

  it('6.18 later events go to the new vPE', async () => {
    const { driver, vpe, other } = await twoVpes();
    driver.scheduleIn(0, vpe);
    driver.scheduleIn(1, other);
    driver.vmovi(DEVICE, EVENT, other);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect([driver.guestTakeAll(0), driver.guestTakeAll(1)]).toEqual([[], [VINTID]]);
  });

  describe('errors leave the mapping as it is', () => {
    const physical = 9;
    const highEvent = 10;
    it.each([
      ['DeviceID out of range', virtualCommands.vmovi(0x1_0000, EVENT, 8)],
      ['device not mapped', virtualCommands.vmovi(0x11, EVENT, 8)],
      ['EventID out of range', virtualCommands.vmovi(DEVICE, 32, 8)],
      ['event not mapped', virtualCommands.vmovi(DEVICE, 31, 8)],
      ['event of a physical LPI', virtualCommands.vmovi(DEVICE, physical, 8)],
      ['new vPEID out of range', virtualCommands.vmovi(DEVICE, EVENT, 8192)],
      ['new vPE not mapped', virtualCommands.vmovi(DEVICE, EVENT, 77)],
      ['D=1 with a doorbell that is no LPI', virtualCommands.vmovi(DEVICE, EVENT, 8, 8191)],
      ['D=1 with doorbell 1022', virtualCommands.vmovi(DEVICE, EVENT, 8, 1022)],
      ['D=1 with a doorbell out of range', virtualCommands.vmovi(DEVICE, EVENT, 8, 65536)],
      ['vINTID beyond the new VPT', virtualCommands.vmovi(DEVICE, highEvent, 20)],
    ])('6.18 error: %s', async (_, words) => {
      const { driver, vpe } = await twoVpes();
      driver.mapc(0, 0);
      driver.mapti(DEVICE, physical, 9100, 0);
      driver.mapVpe(20, { size: 13 });
      driver.vmapti(DEVICE, highEvent, vpe, 20000, DOORBELL);
      const entries = () =>
        [EVENT, physical, highEvent].map((event) => driver.machine.interruptEntry(0, DEVICE, event));
      driver.machine.sendMsi(DEVICE, highEvent);
      const before = entries();
      expect(driver.errors([words])).toBe(1);
      expect(entries()).toEqual(before);
      expect(driver.pendingVlpis(vpe)).toEqual([20000]);
    });

    it('6.18 error: old vPE not mapped', async () => {
      const { driver, vpe } = await twoVpes();
      driver.unmapVpe(vpe);
      expect(driver.errors([virtualCommands.vmovi(DEVICE, EVENT, 8)])).toBe(1);
      expect(driver.machine.interruptEntry(0, DEVICE, EVENT)).toMatchObject({ vpeId: 7 });
    });
  });
});

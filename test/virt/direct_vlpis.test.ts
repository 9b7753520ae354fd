import { describe, expect, it } from 'vitest';
import {
  DEVICE,
  EVENT,
  listRegister,
  PRIORITY,
  startMappedVpe,
  VINTID,
  vmcr,
} from '../support/vpe_driver.ts';

/** A resident vPE with VLPI 8193 pending at 0xA0. */
async function pendingVlpi(options: Parameters<typeof startMappedVpe>[0] = {}) {
  const driver = await startMappedVpe(options);
  driver.scheduleIn(0, driver.vpe);
  driver.machine.sendMsi(DEVICE, EVENT);
  return driver;
}

describe('7.7, 8.9 directly injected VLPIs at the virtual CPU interface', () => {
  it.each([
    { priority: 0x98, winner: 3, first: 40 },
    { priority: 0xa0, winner: 3, first: 40 },
    { priority: 0xa8, winner: 'vlpi', first: VINTID },
  ])(
    '8.9 a list register at $priority against a VLPI at 0xA0: $winner wins (a tie goes to the list register)',
    async ({ priority, winner, first }) => {
      const driver = await pendingVlpi();
      driver.setIch(0, 'LR3', listRegister(40, { priority }));
      expect(driver.machine.virtualOutputs(0).winner).toBe(winner);
      expect(driver.guest(0, 'HPPIR1')).toBe(first);
      expect(driver.guestTakeAll(0)[0]).toBe(first);
      expect(driver.guestTakeAll(0)).toEqual([]);
    },
  );

  it('7.7 no list register is used', async () => {
    const driver = await pendingVlpi();
    driver.guest(0, 'IAR1');
    expect([driver.ich(0, 'ELRSR'), driver.ich(0, 'LR0')]).toEqual([0xfn, 0n]);
  });

  it('8.9 VLPIs are Group 1: vIRQ, IAR1 and VENG1', async () => {
    const driver = await pendingVlpi();
    expect([driver.virq(0), driver.vfiq(0), driver.guest(0, 'IAR0')]).toEqual([true, false, 1023]);
    driver.setGuest(0, 'IGRPEN1', 0);
    expect([driver.virq(0), driver.guest(0, 'HPPIR1'), driver.guest(0, 'IAR1')]).toEqual([false, 1023, 1023]);
    driver.setGuest(0, 'IGRPEN1', 1);
    expect(driver.guest(0, 'IAR1')).toBe(VINTID);
  });

  it('8.9 a better Group 0 list register hides them', async () => {
    const driver = await pendingVlpi();
    driver.setIch(0, 'LR0', listRegister(40, { group: 0, priority: 0x40 }));
    expect([driver.virq(0), driver.vfiq(0), driver.guest(0, 'IAR1')]).toEqual([false, true, 1023]);
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
  });

  it.each([
    { virtualPriorityBits: 5, order: [8192, 8193] },
    { virtualPriorityBits: 6, order: [8193, 8192] },
  ])(
    '8.9 their priority has the $virtualPriorityBits bits of the guest, whatever the distributor stores',
    async ({ virtualPriorityBits, order }) => {
      const driver = await startMappedVpe({ priorityBits: 5, virtualPriorityBits });
      driver.setVirtualConfig(driver.vpe, 8192, 0xa4, true);
      driver.setVirtualConfig(driver.vpe, 8193, 0xa0, true);
      driver.machine.write(driver.vpe.vpt + 8192 / 8, 1, 0b11);
      driver.scheduleIn(0, driver.vpe);
      expect(driver.guestTakeAll(0)).toEqual(order);
      expect(driver.machine.checkLpiIndex(0)).toBe(0);
    },
  );

  it('8.9 VPMR masks them; they stay pending', async () => {
    const driver = await pendingVlpi();
    driver.setGuest(0, 'PMR', PRIORITY);
    expect([driver.virq(0), driver.guest(0, 'IAR1'), driver.guest(0, 'HPPIR1')]).toEqual([
      false,
      1023,
      VINTID,
    ]);
    driver.setGuest(0, 'PMR', PRIORITY + 8);
    expect(driver.guest(0, 'IAR1')).toBe(VINTID);
  });

  it('8.4 En=0 holds them back', async () => {
    const driver = await pendingVlpi();
    driver.setIch(0, 'HCR', 0);
    expect([driver.virq(0), driver.guest(0, 'IAR1')]).toEqual([false, 1023]);
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
    driver.setIch(0, 'HCR', 1);
    expect(driver.virq(0)).toBe(true);
  });

  it('8.9 they preempt and are preempted by group priority', async () => {
    const driver = await pendingVlpi();
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0xb0 }));
    driver.setIch(0, 'AP1R0', 1 << (0xb0 >> 3));
    expect(driver.guest(0, 'IAR1')).toBe(VINTID);
    expect(driver.guest(0, 'RPR')).toBe(PRIORITY);
    expect(driver.guest(0, 'IAR1')).toBe(1023);
    driver.setIch(0, 'LR1', listRegister(41, { priority: 0x98 }));
    expect(driver.guest(0, 'IAR1')).toBe(41);
    driver.setGuest(0, 'EOIR1', 41);
    driver.setGuest(0, 'EOIR1', VINTID);
    expect(driver.guest(0, 'RPR')).toBe(0xb0);
    driver.setIch(0, 'VMCR', vmcr({ binaryPoint1: 7 }));
    driver.setIch(0, 'LR0', 0);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.virq(0)).toBe(false);
  });

  it('8.9 the active priority is the group priority by VBPR1', async () => {
    const driver = await pendingVlpi();
    driver.setIch(0, 'VMCR', vmcr({ binaryPoint1: 7 }));
    expect(driver.guest(0, 'IAR1')).toBe(VINTID);
    expect([driver.ich(0, 'AP1R0'), driver.guest(0, 'RPR')]).toEqual([1n << 16n, 0x80]);
  });

  it('7.7 EOIR drops the priority in both EOI modes; DIR and EOIcount are not needed', async () => {
    for (const eoiMode of [0, 1] as const) {
      const driver = await pendingVlpi({ policy: { eoiCountInEoiMode1: true } });
      driver.setIch(0, 'VMCR', vmcr({ eoiMode }));
      driver.guest(0, 'IAR1');
      driver.setGuest(0, 'EOIR1', VINTID);
      if (eoiMode) driver.setGuest(0, 'DIR', VINTID);
      expect([driver.guest(0, 'RPR'), driver.ich(0, 'HCR')]).toEqual([0xff, 1n]);
    }
  });

  it.each([
    ['lowest-intid', [VINTID, VINTID + 1, VINTID + 2]],
    ['highest-intid', [VINTID + 2, VINTID + 1, VINTID]],
  ] as const)('1.3 policy tieBreak=%s among VLPIs of one priority', async (tieBreak, order) => {
    const driver = await startMappedVpe({ policy: { tieBreak } });
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1);
    driver.vmapti(DEVICE, 7, driver.vpe, VINTID + 2);
    driver.scheduleIn(0, driver.vpe);
    for (const event of [6, 7, EVENT]) driver.machine.sendMsi(DEVICE, event);
    expect(driver.guestTakeAll(0)).toEqual(order);
  });

  it('8.9 VLPIs are taken in the order of their priorities, over the whole range', async () => {
    const driver = await startMappedVpe();
    driver.mapd(DEVICE, 8);
    const vlpis = Array.from({ length: 31 }, (_, n) => ({
      vIntid: 9000 + 997 * n,
      priority: (n * 13 * 8) % 248,
    }));
    for (const [n, { vIntid, priority }] of vlpis.entries()) {
      driver.setVirtualConfig(driver.vpe, vIntid, priority, true);
      driver.vmapti(DEVICE, n, driver.vpe, vIntid);
      driver.machine.sendMsi(DEVICE, n);
    }
    driver.scheduleIn(0, driver.vpe);
    const order = [...vlpis].sort((a, b) => a.priority - b.priority).map(({ vIntid }) => vIntid);
    expect(driver.guestTakeAll(0)).toEqual(order);
    expect(driver.machine.counters().virtualAcknowledged).toMatchObject({ vlpi: 31, listRegister: 0 });
  });
});

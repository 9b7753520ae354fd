import { describe, expect, it } from 'vitest';
import { DEVICE, EVENT, startMappedVpe, VINTID } from '../support/vpe_driver.ts';

/** A resident vPE whose VLPI 8193 of event 5 and 8194 of event 6 are enabled at 0xA0, their configuration in use. */
async function residentVpe(options: Parameters<typeof startMappedVpe>[0] = {}) {
  const driver = await startMappedVpe(options);
  driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1);
  driver.scheduleIn(0, driver.vpe);
  for (const event of [EVENT, 6]) driver.machine.sendMsi(DEVICE, event);
  driver.guestTakeAll(0);
  return driver;
}

describe('4.4 the virtual configuration table', () => {
  it('4.4 its byte n is VLPI 8192 + n: Priority[7:2] and Enable, bit 1 has no effect', async () => {
    const driver = await startMappedVpe({ storedPriorityBits: 8, virtualPriorityBits: 8 });
    for (const [vIntid, byte] of [
      [8192, 0xa1],
      [8200, 0x47],
      [40000, 0x29],
      [65535, 0xfe],
    ] as const) {
      driver.machine.writeMemory(driver.vpe.configTable + vIntid - 8192, Uint8Array.of(byte));
    }
    const best = (vIntid: number) => {
      driver.vmapti(DEVICE, 6, driver.vpe, vIntid);
      driver.scheduleIn(0, driver.vpe);
      driver.machine.sendMsi(DEVICE, 6);
      const { bestVlpi } = driver.machine.virtualOutputs(0);
      driver.scheduleOut(0);
      driver.discard(DEVICE, 6);
      return bestVlpi;
    };
    expect([8192, 8200, 40000, 65535].map(best)).toEqual([
      { vIntid: 8192, priority: 0xa0 },
      { vIntid: 8200, priority: 0x44 },
      { vIntid: 40000, priority: 0x28 },
      undefined,
    ]);
  });

  it('4.4 each VM has its own table: one vINTID at different priorities', async () => {
    const driver = await startMappedVpe();
    const other = driver.mapVpe(8, { cpu: 1 });
    driver.setVirtualConfig(other, VINTID, 0x40, true);
    driver.vmapti(DEVICE, 6, other, VINTID);
    driver.scheduleIn(0, driver.vpe);
    driver.scheduleIn(1, other);
    for (const event of [EVENT, 6]) driver.machine.sendMsi(DEVICE, event);
    expect([0, 1].map((cpu) => driver.machine.virtualOutputs(cpu).bestVlpi?.priority)).toEqual([0xa0, 0x40]);
  });

  it('4.4 it is apart from the physical table', async () => {
    const driver = await startMappedVpe();
    driver.setConfig(VINTID, 0x20, false);
    driver.scheduleIn(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.virtualOutputs(0).bestVlpi).toEqual({ vIntid: VINTID, priority: 0xa0 });
  });
});

describe('4.3 the cached configuration of a resident vPE', () => {
  it('4.3 a changed byte is not seen without an invalidation', async () => {
    const driver = await residentVpe();
    driver.setVirtualConfig(driver.vpe, VINTID, 0x20, false);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.virtualOutputs(0).bestVlpi).toEqual({ vIntid: VINTID, priority: 0xa0 });
  });

  it.each(['INV', 'VINVALL', 'residency'] as const)(
    '6.11, 6.20 %s: a VLPI that is pending and now disabled is retracted',
    async (how) => {
      const driver = await residentVpe();
      driver.machine.sendMsi(DEVICE, EVENT);
      expect(driver.virq(0)).toBe(true);
      driver.setVirtualConfig(driver.vpe, VINTID, 0xa0, false);
      refresh(driver, how);
      expect(driver.virq(0)).toBe(false);
      expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
      driver.setVirtualConfig(driver.vpe, VINTID, 0xa0, true);
      refresh(driver, how);
      expect(driver.guestTakeAll(0)).toEqual([VINTID]);
    },
  );

  it.each(['INV', 'VINVALL', 'residency'] as const)(
    '6.11, 6.20 %s: a new priority counts for a VLPI that is pending',
    async (how) => {
      const driver = await residentVpe();
      for (const event of [EVENT, 6]) driver.machine.sendMsi(DEVICE, event);
      expect(driver.machine.virtualOutputs(0).bestVlpi?.vIntid).toBe(VINTID);
      driver.setVirtualConfig(driver.vpe, VINTID, 0xc0, true);
      refresh(driver, how);
      expect(driver.machine.virtualOutputs(0).bestVlpi).toEqual({ vIntid: VINTID + 1, priority: 0xa0 });
      expect(driver.machine.checkLpiIndex(0)).toBe(0);
    },
  );

  it('6.11 INV reloads one VLPI, whichever event it is asked through', async () => {
    const driver = await residentVpe();
    driver.vmapti(DEVICE, 7, driver.vpe, VINTID + 1);
    driver.setVirtualConfig(driver.vpe, VINTID, 0x40, true);
    driver.setVirtualConfig(driver.vpe, VINTID + 1, 0x20, true);
    driver.inv(DEVICE, EVENT);
    for (const event of [EVENT, 6]) driver.machine.sendMsi(DEVICE, event);
    expect(driver.machine.virtualOutputs(0).bestVlpi).toEqual({ vIntid: VINTID, priority: 0x40 });
    driver.inv(DEVICE, 7);
    expect(driver.machine.virtualOutputs(0).bestVlpi).toEqual({ vIntid: VINTID + 1, priority: 0x20 });
  });

  it('6.20 VINVALL of one vPE reaches the redistributor where it is resident, from any ITS that maps it', async () => {
    const driver = await startMappedVpe({ itsCount: 2 });
    driver.scheduleIn(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.setVirtualConfig(driver.vpe, VINTID, 0x40, true);
    driver.vinvall(driver.vpe, 1);
    expect(driver.machine.virtualOutputs(0).bestVlpi).toEqual({ vIntid: VINTID, priority: 0x40 });
  });

  it.each(['INV', 'VINVALL'] as const)(
    '6.11, 6.20 %s of a vPE that is not resident is no error and delivers nothing',
    async (how) => {
      const driver = await startMappedVpe();
      driver.machine.sendMsi(DEVICE, EVENT);
      driver.setVirtualConfig(driver.vpe, VINTID, 0x40, true);
      const { commandErrors } = driver.machine.counters();
      refresh(driver, how);
      expect(driver.machine.counters().commandErrors).toBe(commandErrors);
      expect(driver.virq(0)).toBe(false);
      driver.scheduleIn(0, driver.vpe);
      expect(driver.machine.virtualOutputs(0).bestVlpi).toEqual({ vIntid: VINTID, priority: 0x40 });
    },
  );

  it('6.11 INV of a VLPI does not touch the physical LPI of that number', async () => {
    const driver = await startMappedVpe();
    driver.mapc(0, 0);
    driver.setConfig(VINTID, 0xa0, true);
    driver.mapti(DEVICE, 6, VINTID, 0);
    driver.mask(0);
    driver.machine.sendMsi(DEVICE, 6);
    driver.setConfig(VINTID, 0x20, true);
    driver.inv(DEVICE, EVENT);
    expect(driver.machine.highestPending(0)?.priority).toBe(0xa0);
  });
});

function refresh(
  driver: Awaited<ReturnType<typeof startMappedVpe>>,
  how: 'INV' | 'VINVALL' | 'residency',
): void {
  if (how === 'INV') {
    driver.inv(DEVICE, EVENT);
  } else if (how === 'VINVALL') {
    driver.vinvall(driver.vpe);
  } else {
    driver.scheduleOut(0);
    driver.scheduleIn(0, driver.vpe);
  }
}

import { describe, expect, it } from 'vitest';
import { DEVICE, EVENT, PRIORITY, VINTID } from '../support/vpe_driver.ts';
import { commands41, startMapped41, TWO_GROUPS } from '../support/vpe41_driver.ts';

/** What the guest on a PE would take next in a group, with its priority; undefined for nothing. */
function taken(driver: Awaited<ReturnType<typeof startMapped41>>, cpu: number, group: 0 | 1): unknown {
  const intid = driver.guest(cpu, `IAR${group}`);
  if (intid === 1023) return undefined;
  const priority = driver.guest(cpu, 'RPR');
  driver.setGuest(cpu, `EOIR${group}`, intid);
  return { intid, priority };
}

describe('6.22 the VSGI command', () => {
  it('6.22 the example: vSGI 5, priority 0xA0, Group 1, enabled; then cleared', async () => {
    const driver = await startMapped41();
    driver.command([0x0000_0005_00a0_0523n, 0x0000_0007_0000_0000n, 0n, 0n]);
    driver.sendVsgi(driver.vpe, 5);
    driver.load(0, driver.vpe);
    expect(taken(driver, 0, 1)).toEqual({ intid: 5, priority: 0xa0 });
    driver.sendVsgi(driver.vpe, 5);
    driver.command([0x0000_0005_0000_0223n, 0x0000_0007_0000_0000n, 0n, 0n]);
    expect(driver.virq(0)).toBe(false);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(0);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])('6.22 vSGI %i by itself', async (intid) => {
    const driver = await startMapped41();
    const group = (intid & 1) as 0 | 1;
    const priority = ((intid * 5) % 15) << 4;
    driver.load(0, driver.vpe);
    driver.configureVsgi(driver.vpe, intid, { group, priority });
    for (let other = 0; other < 16; other++) if (other !== intid) driver.sendVsgi(driver.vpe, other);
    expect([driver.virq(0), driver.vfiq(0)]).toEqual([false, false]);
    driver.sendVsgi(driver.vpe, intid);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(0xffff);
    expect([driver.virq(0), driver.vfiq(0)]).toEqual([group === 1, group === 0]);
    expect(taken(driver, 0, group)).toEqual({ intid, priority });
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(0xffff & ~(1 << intid));
  });

  it('6.22 reset and a new vPE: priority 0, Group 0, disabled, not pending', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.sendVsgi(driver.vpe, 6);
    expect(driver.vfiq(0)).toBe(false);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(1 << 6);
  });

  it('6.22 Clear=0 writes the configuration; what is pending stays, and counts with it at once', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.sendVsgi(driver.vpe, 6);
    driver.configureVsgi(driver.vpe, 6, { group: 1 });
    expect([driver.virq(0), driver.vfiq(0)]).toEqual([true, false]);
    driver.configureVsgi(driver.vpe, 6, { group: 0 });
    expect([driver.virq(0), driver.vfiq(0)]).toEqual([false, true]);
    driver.configureVsgi(driver.vpe, 6, { enable: false });
    expect([driver.virq(0), driver.vfiq(0)]).toEqual([false, false]);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(1 << 6);
  });

  it('6.22 Clear=1 clears the pending state; the other fields of the command are ignored', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.configureVsgi(driver.vpe, 6, { priority: 0x40 });
    driver.sendVsgi(driver.vpe, 6);
    // Enable=0, Group=0, Priority=0xF0 beside Clear.
    driver.command([0x0000_0006_00f0_0223n, 7n << 32n, 0n, 0n]);
    expect(driver.virq(0)).toBe(false);
    driver.sendVsgi(driver.vpe, 6);
    expect(taken(driver, 0, 1)).toEqual({ intid: 6, priority: 0x40 });
  });

  it('6.22 Clear=1 with Enable=1 does not enable', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.command([0x0000_0006_0000_0723n, 7n << 32n, 0n, 0n]);
    driver.sendVsgi(driver.vpe, 6);
    expect(driver.virq(0)).toBe(false);
  });

  it('6.22 of a vPE that is not resident, and of one that is resident anywhere in its group', async () => {
    const driver = await startMapped41();
    driver.configureVsgi(driver.vpe, 6);
    driver.sendVsgi(driver.vpe, 6);
    driver.clearVsgi(driver.vpe, 6);
    driver.load(3, driver.vpe);
    expect(driver.virq(3)).toBe(false);
    driver.sendVsgi(driver.vpe, 6);
    expect(driver.virq(3)).toBe(true);
  });

  it('6.22 one vPE at a time', async () => {
    const driver = await startMapped41();
    const other = driver.mapVpe41(8, { cpu: 1 });
    for (const vpe of [driver.vpe, other]) driver.configureVsgi(vpe, 6);
    driver.load(0, driver.vpe);
    driver.load(1, other);
    driver.sendVsgi(other, 6);
    expect([driver.virq(0), driver.virq(1)]).toEqual([false, true]);
    driver.clearVsgi(driver.vpe, 6);
    expect(driver.virq(1)).toBe(true);
  });
});

describe('5.12 GITS_SGIR', () => {
  it('5.12 the example: vPEID 7, vSGI 5', async () => {
    const driver = await startMapped41();
    driver.machine.write(driver.gits(0x2_0020), 8, 0x0000_0007_0000_0005n);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(1 << 5);
  });

  it('5.12 reserved bits are ignored', async () => {
    const driver = await startMapped41();
    driver.machine.write(driver.gits(0x2_0020), 8, 0xffff_0007_ffff_fff5n);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(1 << 5);
  });

  it.each([4, 2, 1] as const)(
    '5.12 64-bit writes only: one of %i bytes does nothing, diagnosed',
    async (size) => {
      const driver = await startMapped41();
      driver.machine.write(driver.gits(0x2_0020), size, 5);
      driver.machine.write(driver.gits(0x2_0024), size, 7);
      expect(driver.codes()).toEqual(['BAD_ACCESS_SIZE', 'BAD_ACCESS_SIZE']);
      expect(driver.pendingVsgis(0, driver.vpe)).toBe(0);
      expect(driver.machine.counters().vsgis).toEqual({ sent: 0, coalesced: 0, dropped: 0 });
    },
  );

  it('5.12 write-only', async () => {
    const driver = await startMapped41();
    expect(driver.machine.read(driver.gits(0x2_0020), 8)).toBe(0n);
    expect(driver.codes()).toEqual(['READ_OF_WRITE_ONLY']);
  });

  it('5.12 for a vPE that is not mapped, or beyond the table: dropped, diagnosed, counted', async () => {
    const driver = await startMapped41();
    driver.sendVsgi({ id: 8 }, 5);
    driver.sendVsgi({ id: 0xffff }, 5);
    expect(driver.diagnosed().map(({ code, operands }) => ({ code, operands }))).toEqual([
      { code: 'VSGI_DROPPED', operands: { vpeId: 8, intid: 5 } },
      { code: 'VSGI_DROPPED', operands: { vpeId: 0xffff, intid: 5 } },
    ]);
    expect(driver.machine.counters().vsgis).toEqual({ sent: 0, coalesced: 0, dropped: 2 });
  });

  it('5.12 while the ITS is disabled: dropped as an MSI is (documented choice)', async () => {
    const driver = await startMapped41();
    driver.disableIts();
    driver.sendVsgi(driver.vpe, 5);
    expect(driver.codes()).toEqual(['VSGI_DROPPED']);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(0);
  });

  it('5.12 one that is pending already merges', async () => {
    const driver = await startMapped41();
    driver.configureVsgi(driver.vpe, 5);
    driver.load(0, driver.vpe);
    for (let n = 0; n < 3; n++) driver.sendVsgi(driver.vpe, 5);
    expect(driver.guestTakeAll(0)).toEqual([5]);
    expect(driver.machine.counters().vsgis).toEqual({ sent: 1, coalesced: 2, dropped: 0 });
  });
});

describe('3.13 GICR_VSGIR and GICR_VSGIPENDR', () => {
  it('3.13 tell what is pending, enabled or not, resident or not; Busy is never seen', async () => {
    const driver = await startMapped41();
    driver.configureVsgi(driver.vpe, 0);
    driver.sendVsgi(driver.vpe, 0);
    driver.sendVsgi(driver.vpe, 15);
    expect([0, 1, 2, 3].map((cpu) => driver.pendingVsgis(cpu, driver.vpe))).toEqual(Array(4).fill(0x8001));
    driver.load(2, driver.vpe);
    expect(driver.pendingVsgis(1, driver.vpe)).toBe(0x8001);
    driver.guestTakeAll(2);
    expect(driver.pendingVsgis(1, driver.vpe)).toBe(0x8000);
  });

  it('3.13 the answer stays until the next query', async () => {
    const driver = await startMapped41();
    const other = driver.mapVpe41(8);
    driver.sendVsgi(driver.vpe, 4);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe(1 << 4);
    driver.sendVsgi(driver.vpe, 5);
    expect(driver.machine.read(driver.gicrVlpi(0, 0x88), 4)).toBe(1 << 4);
    expect(driver.pendingVsgis(0, other)).toBe(0);
  });

  it('3.13 of a vPE that is not mapped, too wide, or of another group: none, diagnosed', async () => {
    const driver = await startMapped41({ ...TWO_GROUPS, vpeIdBits: 8 });
    driver.sendVsgi(driver.vpe, 4);
    expect(driver.pendingVsgis(0, { id: 8 })).toBe(0);
    expect(driver.pendingVsgis(0, { id: 0x107 })).toBe(0);
    expect(driver.pendingVsgis(2, driver.vpe)).toBe(0);
    expect(driver.diagnosed().map(({ code, unit, operands }) => [code, unit, operands.vpeId])).toEqual([
      ['VPE_NOT_MAPPED', 0, 8],
      ['VPE_NOT_MAPPED', 0, 0x107],
      ['VPE_NOT_MAPPED', 2, 7],
    ]);
  });
});

describe('7.6 pending vSGIs and residency', () => {
  it('7.6 they survive a deschedule and wait for the next residence', async () => {
    const driver = await startMapped41();
    driver.configureVsgi(driver.vpe, 5);
    driver.load(0, driver.vpe);
    driver.sendVsgi(driver.vpe, 5);
    expect(driver.put(0)).toBe(true);
    expect(driver.virq(0)).toBe(false);
    expect(driver.guest(0, 'IAR1')).toBe(1023);
    driver.load(2, driver.vpe);
    expect(driver.guestTakeAll(2)).toEqual([5]);
  });

  it('7.6 the guest of the next vPE on the PE does not see them', async () => {
    const driver = await startMapped41();
    const other = driver.mapVpe41(8);
    driver.configureVsgi(driver.vpe, 5);
    driver.sendVsgi(driver.vpe, 5);
    driver.load(0, other);
    expect(driver.virq(0)).toBe(false);
    driver.put(0);
    driver.load(0, driver.vpe);
    expect(driver.virq(0)).toBe(true);
  });

  it('6.22 the encodings that this driver uses are those of the examples', () => {
    const settings = { enable: true, group: 1, priority: PRIORITY };
    expect(commands41.vsgi(7, 5, settings).slice(0, 2)).toEqual([0x0000_0005_00a0_0523n, 0x7_0000_0000n]);
    expect(commands41.clearVsgi(7, 5)[0]).toBe(0x0000_0005_0000_0223n);
    expect(commands41.invdb(7).slice(0, 2)).toEqual([0x2en, 0x7_0000_0000n]);
  });

  it('7.6 vSGIs leave VLPIs alone', async () => {
    const driver = await startMapped41();
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.sendVsgi(driver.vpe, 5);
    driver.clearVsgi(driver.vpe, 5);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID]);
  });
});

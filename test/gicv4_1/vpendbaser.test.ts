import { describe, expect, it } from 'vitest';
import { hex } from '../support/gic.ts';
import { DEVICE, EVENT, VINTID } from '../support/vpe_driver.ts';
import { startMapped41, startVpe41Driver, VPENDBASER } from '../support/vpe41_driver.ts';

const { VALID, DOORBELL, PENDING_LAST, DIRTY, GROUP0, GROUP1 } = VPENDBASER;

describe('3.12 fields of GICR_VPENDBASER (GICv4.1)', () => {
  it('3.12 reset: Valid=0, Dirty=0', async () => {
    const driver = await startVpe41Driver();
    expect(driver.vpendbaser(0)).toBe(0n);
  });

  it('3.12 the examples: schedule in; deschedule with doorbell, or preempted', async () => {
    const driver = await startMapped41();
    driver.setVpendbaser(0, 0x8c00_0000_0000_0007n);
    // PendingLast is RES1 at Valid 0 to 1.
    expect(hex(driver.vpendbaser(0))).toBe('0xac00000000000007');
    driver.setVpendbaser(0, 0x4c00_0000_0000_0007n);
    expect(hex(driver.vpendbaser(0))).toBe('0xc00000000000007');
    driver.setVpendbaser(0, 0x8c00_0000_0000_0007n);
    driver.setVpendbaser(0, 0x2c00_0000_0000_0007n);
    expect(hex(driver.vpendbaser(0))).toBe('0x2c00000000000007');
    expect(driver.codes()).toEqual([]);
  });

  it('3.12 reserved bits and Dirty cannot be written', async () => {
    const driver = await startMapped41();
    driver.setVpendbaser(0, 0x7fff_ffff_ffff_ffffn);
    expect(driver.vpendbaser(0) & ~(DOORBELL | PENDING_LAST)).toBe(GROUP0 | GROUP1 | 0xffffn);
    driver.setVpendbaser(0, 0n);
    driver.setVpendbaser(0, 0x8fff_ffff_ffff_0007n);
    expect(driver.vpendbaser(0)).toBe(VALID | PENDING_LAST | GROUP0 | GROUP1 | 7n);
  });

  it('3.12 while Valid=0 the vPEID and the group enables can be written', async () => {
    const driver = await startMapped41();
    driver.setVpendbaser(0, GROUP1 | 0x1234n);
    expect(driver.vpendbaser(0)).toBe(GROUP1 | 0x1234n);
  });

  it('0 two independent 32-bit accesses: the upper word, which has Valid, comes last', async () => {
    const driver = await startMapped41();
    const at = driver.gicrVlpi(0, 0x78);
    driver.machine.write(at, 4, 7);
    driver.machine.write(at + 4, 4, 0x8c00_0000);
    expect(hex(driver.vpendbaser(0))).toBe('0xac00000000000007');
    driver.machine.write(at + 4, 4, 0x4c00_0000);
    expect(hex(driver.vpendbaser(0))).toBe('0xc00000000000007');
  });
});

describe('3.12 a vPEID that cannot be resident', () => {
  it('3.12 one that is not mapped: taken as Valid=0, diagnosed', async () => {
    const driver = await startMapped41();
    driver.load(0, { id: 8 });
    expect(driver.vpendbaser(0)).toBe(GROUP0 | GROUP1 | 8n);
    expect(driver.diagnosed().map(({ code, operands }) => ({ code, operands }))).toEqual([
      { code: 'VPE_NOT_MAPPED', operands: { vpeId: 8 } },
    ]);
  });

  it('3.12 one beyond the width of GICD_TYPER2: taken as Valid=0 (not as some other vPEID)', async () => {
    const driver = await startMapped41({ vpeIdBits: 4 });
    driver.load(0, { id: 0x17 });
    expect(driver.vpendbaser(0) & VALID).toBe(0n);
    driver.load(0, { id: 7 });
    expect(driver.vpendbaser(0) & VALID).toBe(VALID);
    expect(driver.codes()).toEqual(['VPE_NOT_MAPPED']);
  });

  it('3.12 a vPE that was unmapped cannot be resident any more', async () => {
    const driver = await startMapped41();
    driver.unmap(driver.vpe);
    driver.load(0, driver.vpe);
    expect(driver.vpendbaser(0) & VALID).toBe(0n);
  });

  it('4.4 tables outside RAM are diagnosed at residency; the vPE then has no VLPIs', async () => {
    const driver = await startMapped41();
    const vpe = driver.mapVpe41(8, { vpt: 0xf_0000_0000, configTable: 0xf_0001_0000 });
    driver.vmapti(DEVICE, 6, vpe, VINTID);
    expect(driver.machine.sendMsi(DEVICE, 6)).toBe('table-fault');
    driver.load(0, vpe);
    expect(driver.vpendbaser(0) & VALID).toBe(VALID);
    expect(driver.codes()).toEqual(['MSI_DROPPED', 'VIRTUAL_TABLE_OUTSIDE_RAM']);
  });
});

describe('3.12 changes while Valid=1', () => {
  it.each([
    ['vPEID', GROUP0 | GROUP1 | 8n],
    ['VGrp0En', GROUP1 | 7n],
    ['VGrp1En', GROUP0 | 7n],
  ])('3.12 changing %s is ignored and diagnosed', async (_, change) => {
    const driver = await startMapped41();
    driver.mapVpe41(8);
    driver.load(0, driver.vpe);
    const before = driver.vpendbaser(0);
    driver.setVpendbaser(0, VALID | change);
    expect(driver.vpendbaser(0)).toBe(before);
    expect(driver.codes()).toEqual(['VPE_CHANGED_WHILE_RESIDENT']);
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('pending');
    expect(driver.guestTakeAll(0)).toEqual([VINTID]);
  });

  it('3.12 writing what is there already is no change', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.load(0, driver.vpe);
    expect(driver.codes()).toEqual([]);
    expect(driver.machine.counters().residency).toEqual({ scheduledIn: 1, scheduledOut: 0 });
  });

  it('3.12 the group enables may be left out at the deschedule, which those of the residency decide', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.setVpendbaser(0, DOORBELL | 7n);
    expect(driver.vpendbaser(0)).toBe(PENDING_LAST | GROUP0 | GROUP1 | 7n);
    expect(driver.codes()).toEqual([]);
  });

  it('3.12 another vPEID at the deschedule is ignored and diagnosed', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.setVpendbaser(0, GROUP0 | GROUP1 | 8n);
    expect(driver.vpendbaser(0)).toBe(GROUP0 | GROUP1 | 7n);
    expect(driver.codes()).toEqual(['VPE_CHANGED_WHILE_RESIDENT']);
  });
});

describe('3.12 Dirty', () => {
  const slow = { dirtyReads: { scheduleIn: 2, scheduleOut: 3 } };

  it('3.12 reads as 1 while the VPT is parsed and while the vPE is descheduled', async () => {
    const driver = await startMapped41(slow);
    const dirty = (): boolean => (driver.vpendbaser(0) & DIRTY) !== 0n;
    driver.load(0, driver.vpe);
    expect([dirty(), dirty(), dirty(), dirty()]).toEqual([true, true, false, false]);
    driver.setVpendbaser(0, 7n);
    expect([dirty(), dirty(), dirty(), dirty(), dirty()]).toEqual([true, true, true, false, false]);
    expect(driver.codes()).toEqual([]);
  });

  it('3.12 is 0 at once by default', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    expect(driver.vpendbaser(0) & DIRTY).toBe(0n);
    driver.setVpendbaser(0, 7n);
    expect(driver.vpendbaser(0) & DIRTY).toBe(0n);
  });

  it('3.12 Valid=0 while the VPT is parsed is UNPREDICTABLE: done all the same, diagnosed', async () => {
    const driver = await startMapped41(slow);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.load(0, driver.vpe);
    expect(driver.put(0)).toBe(true);
    expect(driver.codes()).toEqual(['VPENDBASER_WRITE_WHILE_DIRTY']);
  });

  it('3.12 Valid=1 while a deschedule is in progress is UNPREDICTABLE: done all the same, diagnosed', async () => {
    const driver = await startMapped41(slow);
    driver.load(0, driver.vpe);
    while (driver.vpendbaser(0) & DIRTY);
    driver.setVpendbaser(0, 7n);
    driver.load(0, driver.vpe);
    expect(driver.codes()).toEqual(['VPENDBASER_WRITE_WHILE_DIRTY']);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.guestTakeAll(0)).toEqual([VINTID]);
  });

  it('7.5 a VLPI between the deschedule and Dirty=0 is not lost: it rings the doorbell', async () => {
    const driver = await startMapped41(slow);
    driver.load(0, driver.vpe);
    while (driver.vpendbaser(0) & DIRTY);
    driver.setVpendbaser(0, DOORBELL | 7n);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.put(0)).toBe(false);
    expect(driver.take(0)).toBe(9000);
  });
});

describe('3.12 PendingLast at the deschedule', () => {
  it('3.12 nothing pending: 0; something pending and enabled: 1', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    expect(driver.put(0)).toBe(false);
    driver.load(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.put(0)).toBe(true);
    driver.load(0, driver.vpe);
    driver.guestTakeAll(0);
    expect(driver.put(0)).toBe(false);
  });

  it('3.12 pending while the guest masks it (VPMR=0) counts', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.setGuest(0, 'PMR', 0);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.virq(0)).toBe(false);
    expect(driver.put(0)).toBe(true);
  });

  it.each([
    ['does not count', false],
    ['counts by policy (deprecated)', true],
  ])('3.12 a VLPI that is pending and disabled %s', async (_, pendingLastCountsDisabled) => {
    const driver = await startMapped41({ policy: { pendingLastCountsDisabled } });
    driver.setVirtualConfig(driver.vpe, VINTID, 0xa0, false);
    driver.load(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.put(0, { doorbell: true })).toBe(pendingLastCountsDisabled);
    // What PendingLast tells cancels the request: its reader takes the vPE as runnable.
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1);
    driver.machine.sendMsi(DEVICE, 6);
    expect(driver.take(0)).toBe(pendingLastCountsDisabled ? undefined : 9000);
  });

  it.each([
    [0b11, true],
    [0b10, true],
    [0b01, false],
    [0b00, false],
  ])('3.12 a VLPI counts with VGrp1En only: enables %i', async (groups, expected) => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe, groups);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.virq(0)).toBe(expected);
    expect(driver.put(0)).toBe(expected);
  });

  it.each([
    [0, 0b11, true],
    [0, 0b01, true],
    [0, 0b10, false],
    [1, 0b11, true],
    [1, 0b10, true],
    [1, 0b01, false],
  ])('3.12 a vSGI of group %i with enables %i', async (group, groups, expected) => {
    const driver = await startMapped41();
    driver.configureVsgi(driver.vpe, 3, { group });
    driver.load(0, driver.vpe, groups);
    driver.sendVsgi(driver.vpe, 3);
    expect(group ? driver.virq(0) : driver.vfiq(0)).toBe(expected);
    expect(driver.put(0)).toBe(expected);
  });

  it('3.12 a disabled vSGI does not count', async () => {
    const driver = await startMapped41();
    driver.configureVsgi(driver.vpe, 3, { enable: false });
    driver.load(0, driver.vpe);
    driver.sendVsgi(driver.vpe, 3);
    expect(driver.put(0)).toBe(false);
  });

  it('3.12 written as 1 it reads as 1, whatever is pending (the result is UNKNOWN)', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    expect(driver.put(0, { pendingLast: true })).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { DEVICE, DOORBELL, EVENT, startMappedVpe, VINTID, VPENDBASER } from '../support/vpe_driver.ts';

const { VALID, DIRTY, PENDING_LAST } = VPENDBASER;

/** Recipes 15 to 23 of section 10. */
describe('10 behaviour recipes of GICv4.0', () => {
  it('recipe 15: an event for a vPE that is not resident waits in the VPT and rings the doorbell (7.3)', async () => {
    const driver = await startMappedVpe();
    driver.int(DEVICE, EVENT);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID]);
    expect(driver.machine.irq(0)).toBe(true);
    expect(driver.takeAll(0)).toEqual([DOORBELL]);
    expect([0, 1, 2, 3].map((cpu) => driver.virq(cpu))).toEqual([false, false, false, false]);
  });

  it('recipe 16: scheduling it in presents what waits, without a further event (7.4)', async () => {
    const driver = await startMappedVpe();
    driver.int(DEVICE, EVENT);
    driver.takeAll(0);
    driver.scheduleIn(0, driver.vpe);
    expect(driver.virq(0)).toBe(true);
    expect(driver.guest(0, 'IAR1')).toBe(VINTID);
    driver.setGuest(0, 'EOIR1', VINTID);
    driver.scheduleOut(0);
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(false);
  });

  it('recipe 17: resident, an event raises vIRQ and no doorbell (7.3)', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    driver.int(DEVICE, EVENT);
    expect(driver.virq(0)).toBe(true);
    expect(driver.takeAll(0)).toEqual([]);
  });

  it('recipe 18: what the guest masks when it is descheduled sets PendingLast (7.5)', async () => {
    const driver = await startMappedVpe({ dirtyReads: { scheduleIn: 0, scheduleOut: 1 } });
    driver.scheduleIn(0, driver.vpe);
    driver.setGuest(0, 'PMR', 0);
    driver.int(DEVICE, EVENT);
    driver.setVpendbaser(0, driver.vpendbaser(0) & ~VALID);
    expect(driver.vpendbaser(0) & DIRTY).toBe(DIRTY);
    expect(driver.vpendbaser(0) & (DIRTY | PENDING_LAST)).toBe(PENDING_LAST);
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
    expect(driver.virq(0)).toBe(false);
  });

  it('recipe 19: with nothing pending PendingLast is 0 (7.5)', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    expect(driver.scheduleOut(0)).toBe(false);
  });

  it('recipe 20: doorbell 1023 makes no physical LPI pending (7.3)', async () => {
    const driver = await startMappedVpe();
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1, 1023);
    driver.int(DEVICE, 6);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID + 1]);
    expect([0, 1, 2, 3].map((cpu) => driver.takeAll(cpu))).toEqual([[], [], [], []]);
  });

  it('recipe 21: VMOVI with D=1 to the same vPE: later events ring the new doorbell only (6.18)', async () => {
    const driver = await startMappedVpe();
    driver.vmovi(DEVICE, EVENT, driver.vpe, DOORBELL + 1);
    driver.int(DEVICE, EVENT);
    expect(driver.takeAll(0)).toEqual([DOORBELL + 1]);
  });

  it('recipe 22: VMOVP, VSYNC: the doorbell rings at the new redistributor (6.19)', async () => {
    const driver = await startMappedVpe();
    driver.vmovp(driver.vpe, 2);
    driver.vsync(driver.vpe);
    driver.int(DEVICE, EVENT);
    expect([0, 1, 2, 3].map((cpu) => driver.takeAll(cpu))).toEqual([[], [], [DOORBELL], []]);
  });

  it('recipe 23: with VMOVP=0 an ITS does not pass a VMOVP until its partner has it too (6.19)', async () => {
    const driver = await startMappedVpe({ itsCount: 2, vmovpOnAnyIts: false });
    const { offset } = driver.readPointer(0);
    driver.vmovp(driver.vpe, 2, 0, { sequence: 7, list: 0b11 });
    driver.vsync(driver.vpe, 0);
    expect(driver.readPointer(0)).toEqual({ offset, stalled: false });
    driver.vmovp(driver.vpe, 2, 1, { sequence: 7, list: 0b11 });
    expect(driver.readPointer(0)).toEqual({ offset: offset + 64, stalled: false });
    expect([0, 1].map((its) => driver.machine.vpeEntry(its, 7)?.cpu)).toEqual([2, 2]);
  });
});

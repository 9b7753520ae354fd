import { describe, expect, it } from 'vitest';
import { DEVICE, EVENT, PRIORITY, VINTID } from '../support/vpe_driver.ts';
import { startMapped41, TWO_GROUPS, VPENDBASER } from '../support/vpe41_driver.ts';

const { VALID } = VPENDBASER;

describe('7.6 residency by vPEID', () => {
  it('7.6 one write of GICR_VPENDBASER makes a vPE resident; its VLPIs go to the guest, without a doorbell', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('pending');
    expect(driver.virq(0)).toBe(true);
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
    expect(driver.machine.counters().vlpis).toEqual({ direct: 1, waiting: 0 });
    expect(driver.guestTakeAll(0)).toEqual([VINTID]);
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(false);
    expect(driver.take(0)).toBeUndefined();
  });

  it('7.6 the VM configuration table is that of VMAPP: two VMs with different priorities', async () => {
    const driver = await startMapped41();
    const other = driver.mapVpe41(8);
    driver.setVirtualConfig(other, VINTID, 0x40, true);
    driver.vmapti(DEVICE, 6, other, VINTID);
    const best = (id: number, event: number): unknown => {
      driver.load(0, { id });
      driver.machine.sendMsi(DEVICE, event);
      const { bestVlpi } = driver.machine.virtualOutputs(0);
      driver.put(0);
      return bestVlpi;
    };
    expect(best(7, EVENT)).toEqual({ vIntid: VINTID, priority: PRIORITY });
    expect(best(8, 6)).toEqual({ vIntid: VINTID, priority: 0x40 });
  });

  it('7.6 what came while it was not resident is delivered at residency, best priority first', async () => {
    const driver = await startMapped41();
    driver.setVirtualConfig(driver.vpe, VINTID + 1, 0x40, true);
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.machine.sendMsi(DEVICE, 6);
    expect(driver.virq(0)).toBe(false);
    driver.load(0, driver.vpe);
    expect(driver.guestTakeAll(0)).toEqual([VINTID + 1, VINTID]);
  });

  it('7.6 a deschedule takes vIRQ away; the VLPI stays pending in the VPT', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.put(0)).toBe(true);
    expect(driver.virq(0)).toBe(false);
    expect(driver.guest(0, 'IAR1')).toBe(1023);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID]);
  });

  it('7.6 two vPEs on two PEs at once', async () => {
    const driver = await startMapped41();
    const other = driver.mapVpe41(8, { cpu: 1, configTable: driver.vpe.configTable });
    driver.vmapti(DEVICE, 6, other, VINTID + 1);
    driver.load(0, driver.vpe);
    driver.load(1, other);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.machine.sendMsi(DEVICE, 6);
    expect([driver.guestTakeAll(0), driver.guestTakeAll(1)]).toEqual([[VINTID], [VINTID + 1]]);
  });

  it.each([0, 1, 2, 3])('7.6 resident on PE %i of its group without a VMOVP', async (cpu) => {
    const driver = await startMapped41();
    driver.load(cpu, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect([0, 1, 2, 3].map((n) => driver.virq(n))).toEqual([0, 1, 2, 3].map((n) => n === cpu));
    expect(driver.guestTakeAll(cpu)).toEqual([VINTID]);
    expect(driver.codes()).toEqual([]);
  });

  it('7.6 it wanders through its group; nothing is lost on the way', async () => {
    const driver = await startMapped41();
    for (let n = 0; n < 12; n++) {
      const cpu = (n * 3) % 4;
      driver.machine.sendMsi(DEVICE, EVENT);
      driver.load(cpu, driver.vpe);
      expect(driver.guestTakeAll(cpu)).toEqual([VINTID]);
      driver.machine.sendMsi(DEVICE, EVENT);
      expect(driver.machine.checkLpiIndex(cpu)).toBe(0);
      expect(driver.put(cpu)).toBe(true);
    }
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID]);
  });

  it('7.6 on a PE of another group it is not known without a VMOVP', async () => {
    const driver = await startMapped41(TWO_GROUPS);
    driver.load(1, driver.vpe);
    expect(driver.vpendbaser(1) & VALID).toBe(VALID);
    driver.put(1);
    driver.load(2, driver.vpe);
    expect(driver.vpendbaser(2) & VALID).toBe(0n);
    expect(driver.codes()).toEqual(['VPE_NOT_MAPPED']);
  });

  it('6.8, 6.9 INT and CLEAR reach the residence wherever it is', async () => {
    const driver = await startMapped41();
    driver.load(3, driver.vpe);
    driver.int(DEVICE, EVENT);
    expect(driver.virq(3)).toBe(true);
    driver.clear(DEVICE, EVENT);
    expect(driver.virq(3)).toBe(false);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([]);
    driver.int(DEVICE, EVENT);
    driver.discard(DEVICE, EVENT);
    expect(driver.virq(3)).toBe(false);
    expect(driver.codes()).toEqual([]);
  });

  it('6.18 VMOVI takes a pending VLPI along from one residence to another', async () => {
    const driver = await startMapped41();
    const other = driver.mapVpe41(8, { cpu: 2, configTable: driver.vpe.configTable });
    driver.load(1, driver.vpe);
    driver.load(3, other);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.vmovi(DEVICE, EVENT, other);
    expect([driver.guestTakeAll(1), driver.guestTakeAll(3)]).toEqual([[], [VINTID]]);
  });
});

describe('7.1 double residency is UNPREDICTABLE', () => {
  it('7.1 diagnosed; the last one has the vPE, the other one forwards nothing until it is descheduled', async () => {
    const driver = await startMapped41();
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.load(0, driver.vpe);
    driver.load(3, driver.vpe);
    expect(driver.diagnosed().map(({ code, unit, operands }) => ({ code, unit, operands }))).toEqual([
      { code: 'VPE_RESIDENT_TWICE', unit: 3, operands: { otherCpu: 0 } },
    ]);
    expect([driver.virq(0), driver.virq(3)]).toEqual([false, true]);
    expect(driver.vpendbaser(0) & VALID).toBe(VALID);
    expect(driver.guestTakeAll(0)).toEqual([]);
    expect(driver.guestTakeAll(3)).toEqual([VINTID]);
  });

  it('7.1 the deschedule of the redistributor that lost it does not take it from the other one', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.load(3, driver.vpe);
    expect(driver.put(0, { doorbell: true })).toBe(false);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.counters().vlpis.direct).toBe(1);
    expect(driver.guestTakeAll(3)).toEqual([VINTID]);
    expect(driver.take(0)).toBeUndefined();
  });

  it('7.1 vSGIs follow the vPE too', async () => {
    const driver = await startMapped41();
    driver.configureVsgi(driver.vpe, 3);
    driver.sendVsgi(driver.vpe, 3);
    driver.load(0, driver.vpe);
    driver.load(3, driver.vpe);
    expect([driver.guestTakeAll(0), driver.guestTakeAll(3)]).toEqual([[], [3]]);
  });
});

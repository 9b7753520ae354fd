import { describe, expect, it } from 'vitest';
import { hex } from '../support/gic.ts';
import { DEVICE, EVENT, PRIORITY, startMappedVpe, VINTID, VPENDBASER } from '../support/vpe_driver.ts';

const { VALID, IDAI, PENDING_LAST, DIRTY } = VPENDBASER;

describe('7.1 a vPE is resident where GICR_VPENDBASER names its table', () => {
  it('7.1 Valid=1 with the VPT of the vPE makes it resident', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('pending');
    expect(driver.machine.counters().vlpis).toEqual({ direct: 1, waiting: 0 });
    expect(driver.virq(0)).toBe(true);
  });

  it('7.1 another VPT address on the same redistributor is another vPE', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.mapVpe(8));
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.counters().vlpis).toEqual({ direct: 0, waiting: 1 });
    expect(driver.virq(0)).toBe(false);
    expect(driver.machine.counters().doorbells.rung).toBe(1);
  });

  it('7.1 the same vPE on two redistributors is UNPREDICTABLE and diagnosed', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    expect(driver.diagnosed()).toEqual([]);
    driver.scheduleIn(3, driver.vpe);
    expect(driver.diagnosed().map(({ code, unit, operands }) => ({ code, unit, operands }))).toEqual([
      { code: 'VPE_RESIDENT_TWICE', unit: 3, operands: { otherCpu: 0 } },
    ]);
  });

  it('7.1 a vPE that moved on is not resident twice', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    driver.scheduleOut(0);
    driver.vmovp(driver.vpe, 3);
    driver.scheduleIn(3, driver.vpe);
    expect(driver.diagnosed()).toEqual([]);
  });

  it('7.3 resident on another redistributor than the one that it is mapped to counts as not resident', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(2, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.counters().vlpis).toEqual({ direct: 0, waiting: 1 });
    expect(driver.machine.highestPending(0)?.intid).toBe(9000);
    expect([driver.virq(0), driver.virq(2)]).toEqual([false, false]);
  });

  it('7.4 counters.residency counts each change', async () => {
    const driver = await startMappedVpe();
    for (let turn = 0; turn < 3; turn++) {
      driver.scheduleIn(0, driver.vpe);
      driver.scheduleOut(0);
    }
    driver.scheduleIn(0, driver.vpe);
    expect(driver.machine.counters().residency).toEqual({ scheduledIn: 4, scheduledOut: 3 });
  });

  it('7.4 a write with Valid=0 while no vPE is resident deschedules nothing', async () => {
    const driver = await startMappedVpe();
    driver.setVpendbaser(0, BigInt(driver.vpe.vpt));
    expect(driver.machine.counters().residency).toEqual({ scheduledIn: 0, scheduledOut: 0 });
  });
});

describe('7.4 scheduling in', () => {
  it.each([false, true])(
    '7.4 what is pending already is delivered without an event or a doorbell (IDAI=%s)',
    async (idai) => {
      const driver = await startMappedVpe();
      driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1);
      driver.setVirtualConfig(driver.vpe, VINTID + 1, 0x40, true);
      driver.machine.sendMsi(DEVICE, EVENT);
      driver.machine.sendMsi(DEVICE, 6);
      const { rung } = driver.machine.counters().doorbells;
      expect(driver.virq(0)).toBe(false);
      driver.scheduleIn(0, driver.vpe, { idai });
      expect(driver.virq(0)).toBe(true);
      expect(driver.machine.virtualOutputs(0)).toMatchObject({
        winner: 'vlpi',
        bestVlpi: { vIntid: VINTID + 1, priority: 0x40 },
      });
      expect(driver.machine.counters().doorbells.rung).toBe(rung);
      expect(driver.guestTakeAll(0)).toEqual([VINTID + 1, VINTID]);
    },
  );

  it('7.4 IDAI=1: the whole table is scanned, the first 1 KiB does not count', async () => {
    const driver = await startMappedVpe();
    driver.unmapVpe(driver.vpe);
    driver.machine.writeMemory(driver.vpe.vpt, new Uint8Array(1024).fill(0xff));
    for (const vIntid of [8192, VINTID, 40000, 65535]) {
      driver.storeVirtualPendingBit(driver.vpe, vIntid);
      driver.setVirtualConfig(driver.vpe, vIntid, PRIORITY, true);
    }
    driver.vmapp(driver.vpe);
    driver.scheduleIn(0, driver.vpe, { idai: true });
    expect(driver.guestTakeAll(0)).toEqual([8192, VINTID, 40000, 65535]);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([]);
  });

  it('7.4 disabled VLPIs stay pending and are not presented', async () => {
    const driver = await startMappedVpe();
    driver.setVirtualConfig(driver.vpe, VINTID, PRIORITY, false);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.scheduleIn(0, driver.vpe);
    expect(driver.machine.virtualOutputs(0)).toMatchObject({ winner: undefined, bestVlpi: undefined });
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
  });

  it('3.11 VLPIs beyond GICR_VPROPBASER.IDbits are not presented; IDbits below 13 leaves none', async () => {
    const driver = await startMappedVpe();
    driver.vmapti(DEVICE, 6, driver.vpe, 20000);
    driver.setVirtualConfig(driver.vpe, 20000, 0x20, true);
    driver.machine.sendMsi(DEVICE, 6);
    driver.machine.sendMsi(DEVICE, EVENT);
    for (const [size, best] of [
      [12, undefined],
      [13, VINTID],
      [14, 20000],
      [31, 20000],
    ] as const) {
      driver.scheduleIn(0, { ...driver.vpe, size });
      expect(driver.machine.virtualOutputs(0).bestVlpi?.vIntid).toBe(best);
      driver.scheduleOut(0);
    }
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID, 20000]);
  });

  it.each([
    ['VPT', { vpt: 0x4000_0000 }],
    ['VM table', { configTable: 0x4000_0000 }],
    ['VPT that ends outside', { vpt: 0x81ff_0000, size: 20 }],
  ])('4.4 a %s outside RAM is diagnosed', async (_, tables) => {
    const driver = await startMappedVpe({ intidBits: 21 });
    driver.scheduleIn(1, { ...driver.vpe, ...tables });
    expect(driver.diagnosed().map(({ code, unit }) => [code, unit])).toEqual([
      ['VIRTUAL_TABLE_OUTSIDE_RAM', 1],
    ]);
    expect(driver.virq(1)).toBe(false);
  });
});

describe('7.5 scheduling out', () => {
  it('7.5 the VLPI is retracted from the virtual CPU interface', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.scheduleOut(0);
    expect(driver.machine.virtualOutputs(0)).toMatchObject({
      winner: undefined,
      bestVlpi: undefined,
      virq: false,
    });
    expect(driver.guest(0, 'IAR1')).toBe(1023);
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
  });

  it('7.5 a VLPI that was acknowledged is not retracted: it lives on as an active priority alone', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.guest(0, 'IAR1')).toBe(VINTID);
    expect(driver.scheduleOut(0)).toBe(false);
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(false);
    expect(driver.ich(0, 'AP1R0')).toBe(0x10_0000n);
    driver.scheduleIn(0, driver.vpe);
    expect(driver.virq(0)).toBe(false);
    driver.setGuest(0, 'EOIR1', VINTID);
    expect(driver.ich(0, 'AP1R0')).toBe(0n);
  });

  it.each([
    { enabled: true, pending: true, last: { off: true, on: true } },
    { enabled: false, pending: true, last: { off: false, on: true } },
    { enabled: true, pending: false, last: { off: false, on: false } },
  ])(
    '7.5 PendingLast with a VLPI enabled=$enabled, pending=$pending (policy pendingLastCountsDisabled off and on)',
    async ({ enabled, pending, last }) => {
      for (const policy of [false, true]) {
        const driver = await startMappedVpe({ policy: { pendingLastCountsDisabled: policy } });
        driver.setVirtualConfig(driver.vpe, VINTID, PRIORITY, enabled);
        driver.scheduleIn(0, driver.vpe);
        if (pending) driver.machine.sendMsi(DEVICE, EVENT);
        expect(driver.scheduleOut(0)).toBe(policy ? last.on : last.off);
      }
    },
  );

  it.each([
    ['PMR', 0],
    ['IGRPEN1', 0],
  ])('7.5 PendingLast counts a VLPI that the guest masks with %s', async (name, value) => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    driver.setGuest(0, name, value);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.virq(0)).toBe(false);
    expect(driver.scheduleOut(0)).toBe(true);
  });

  it('7.5 PendingLast does not count list registers, nor VLPIs of another vPE', async () => {
    const driver = await startMappedVpe();
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.scheduleIn(0, driver.mapVpe(8, { configTable: driver.vpe.configTable }));
    driver.setIch(0, 'LR0', 0x50a0_0000_0000_0028n);
    expect(driver.scheduleOut(0)).toBe(false);
  });

  it('7.5 a VLPI that comes after the deschedule rings the doorbell instead', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    expect(driver.scheduleOut(0)).toBe(false);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.highestPending(0)?.intid).toBe(9000);
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
  });
});

describe('3.12 the fields of GICR_VPENDBASER over a residency', () => {
  it('3.12 the example values of the GICv4.0 layout', async () => {
    const driver = await startMappedVpe({ dirtyReads: { scheduleIn: 0, scheduleOut: 1 } });
    const vpt = BigInt(driver.vpe.vpt) | 0x780n;
    driver.setVpropbaser(0, BigInt(driver.vpe.configTable) | 15n);
    driver.setVpendbaser(0, VALID | IDAI | PENDING_LAST | vpt);
    driver.setVpendbaser(0, PENDING_LAST | vpt);
    expect(hex(driver.vpendbaser(0) & ~PENDING_LAST)).toBe(hex(DIRTY | vpt));
    expect(hex(driver.vpendbaser(0))).toBe(hex(vpt));

    driver.setVpendbaser(0, VALID | PENDING_LAST | vpt);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.setVpendbaser(0, PENDING_LAST | vpt);
    driver.vpendbaser(0);
    expect(hex(driver.vpendbaser(0))).toBe(hex(PENDING_LAST | vpt));
  });

  it.each([true, false])(
    '3.12 IDAI=%s can be read back after the deschedule and used again',
    async (idai) => {
      const driver = await startMappedVpe();
      driver.scheduleIn(0, driver.vpe, { idai });
      expect((driver.vpendbaser(0) & IDAI) !== 0n).toBe(idai);
      driver.scheduleOut(0);
      expect((driver.vpendbaser(0) & IDAI) !== 0n).toBe(idai);
      driver.setVpendbaser(0, (driver.vpendbaser(0) & ~DIRTY) | VALID);
      expect((driver.vpendbaser(0) & IDAI) !== 0n).toBe(idai);
    },
  );

  const dirtyReads = (read: () => bigint): number => {
    let count = 0;
    while (read() & DIRTY) count++;
    return count;
  };

  it.each([0, 1, 7])('3.12 config.dirtyReads: Dirty is seen by %i reads after each change', async (reads) => {
    const driver = await startMappedVpe({ dirtyReads: { scheduleIn: reads, scheduleOut: reads + 2 } });
    const read = (): bigint => driver.vpendbaser(0);
    driver.scheduleIn(0, driver.vpe);
    expect(dirtyReads(read)).toBe(reads);
    expect(dirtyReads(read)).toBe(0);
    driver.setVpendbaser(0, BigInt(driver.vpe.vpt));
    expect(dirtyReads(read)).toBe(reads + 2);
    expect(dirtyReads(read)).toBe(0);
  });

  it('3.12 Dirty belongs to one redistributor, and a write does not use its duration up', async () => {
    const driver = await startMappedVpe({ dirtyReads: { scheduleIn: 2, scheduleOut: 2 } });
    driver.scheduleIn(0, driver.vpe);
    expect(driver.vpendbaser(1) & DIRTY).toBe(0n);
    driver.setVpendbaser(0, driver.vpendbaser(0) & ~VALID);
    expect(dirtyReads(() => driver.vpendbaser(0))).toBe(2);
  });

  it('3.12 Valid=1 while a deschedule is in progress is UNPREDICTABLE: done all the same, diagnosed', async () => {
    const driver = await startMappedVpe({ dirtyReads: { scheduleIn: 0, scheduleOut: 2 } });
    driver.scheduleIn(0, driver.vpe);
    driver.setVpendbaser(0, BigInt(driver.vpe.vpt));
    driver.setVpendbaser(0, VALID | BigInt(driver.vpe.vpt));
    expect(driver.diagnosed().map(({ code }) => code)).toEqual(['VPENDBASER_WRITE_WHILE_DIRTY']);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.virtualOutputs(0).bestVlpi?.vIntid).toBe(VINTID);
  });

  it('7.5 PendingLast is right once Dirty reads 0, for a VLPI that comes in between too', async () => {
    const driver = await startMappedVpe({ dirtyReads: { scheduleIn: 3, scheduleOut: 3 } });
    driver.scheduleIn(0, driver.vpe);
    driver.setVpendbaser(0, BigInt(driver.vpe.vpt));
    driver.vpendbaser(0);
    driver.machine.sendMsi(DEVICE, EVENT);
    while (driver.vpendbaser(0) & DIRTY);
    const counted = (driver.vpendbaser(0) & PENDING_LAST) !== 0n;
    const rang = driver.machine.counters().doorbells.rung === 1;
    expect(counted || rang).toBe(true);
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
  });
});

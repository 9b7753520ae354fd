import { describe, expect, it } from 'vitest';
import { DEVICE, DOORBELL, EVENT, PRIORITY, VINTID } from '../support/vpe_driver.ts';
import {
  commands41,
  startMapped41,
  startVpe41Driver,
  TWO_GROUPS,
  VPENDBASER,
} from '../support/vpe41_driver.ts';

const { VALID } = VPENDBASER;

describe('6.15 VMAPP with V=1, Alloc=1', () => {
  it.each([
    [true, DOORBELL],
    [true, 1023],
    [false, DOORBELL],
    [false, 1023],
  ])('6.15 of a vPE with an all-zero VPT: PTZ=%s, doorbell %i', async (ptz, doorbell) => {
    const driver = await startVpe41Driver();
    driver.setConfig(DOORBELL, PRIORITY, true);
    const vpe = driver.newVpe41(7, { doorbell });
    driver.map(vpe, { cpu: 2, ptz });
    driver.setVirtualConfig(vpe, VINTID, PRIORITY, true);
    expect(driver.machine.vpeEntry(0, 7)).toEqual({ cpu: 2, vptAddress: vpe.vpt, size: 15 });
    driver.mapd(DEVICE, 5);
    driver.vmapti(DEVICE, EVENT, vpe, VINTID);
    driver.load(2, vpe);
    driver.put(2, { doorbell: true });
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('pending');
    expect(driver.takeAll(2)).toEqual(doorbell === 1023 ? [] : [doorbell]);
    expect(driver.pendingVlpis(vpe)).toEqual([VINTID]);
    driver.openGuest(2);
    driver.load(2, vpe);
    expect(driver.guestTakeAll(2)).toEqual([VINTID]);
    expect(driver.codes()).toEqual([]);
  });

  it('6.15 the example: vPEID 7, VCONF and doorbell in their places', async () => {
    const driver = await startVpe41Driver({ ram: { base: 0x8_8000_0000, size: 0x1001_0000 } });
    driver.command([
      0x0000_0008_9000_0329n,
      0x0000_0007_0000_2328n,
      0x8000_0000_0001_0000n,
      0x0000_0008_8010_000fn,
    ]);
    expect(driver.machine.vpeEntry(0, 7)).toEqual({ cpu: 1, vptAddress: 0x8_8010_0000, size: 15 });
    driver.setConfig(9000, PRIORITY, true);
    driver.machine.write(0x8_9000_0001, 1, 0xa3);
    driver.mapd(DEVICE, 5);
    driver.vmapti(DEVICE, EVENT, { id: 7, vpt: 0, configTable: 0, size: 15 }, VINTID);
    driver.load(1, { id: 7 });
    driver.put(1, { doorbell: true });
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.take(1)).toBe(9000);
    driver.command([0x129n, 0x0000_0007_0000_0000n, 0n, 0n]);
    expect(driver.machine.vpeEntry(0, 7)).toBeUndefined();
  });

  it('6.0, 6.15 RDbase as a physical address (GITS_TYPER.PTA=1)', async () => {
    const driver = await startMapped41({ physicalTargetAddresses: true }, { cpu: 2 });
    expect(driver.machine.vpeEntry(0, 7)).toMatchObject({ cpu: 2 });
    driver.vmovp41(driver.vpe, 3);
    expect(driver.machine.vpeEntry(0, 7)).toMatchObject({ cpu: 3 });
    expect(driver.codes()).toEqual([]);
  });

  it('6.15 PTZ=0: what is pending in the VPT is delivered at residency', async () => {
    const driver = await startVpe41Driver();
    const vpe = driver.newVpe41(7);
    for (const vIntid of [8192, VINTID, 40000, 65535]) {
      driver.storeVirtualPendingBit(vpe, vIntid);
      driver.setVirtualConfig(vpe, vIntid, PRIORITY, true);
    }
    driver.map(vpe);
    driver.openGuest(0);
    driver.load(0, vpe);
    expect(driver.guestTakeAll(0)).toEqual([8192, VINTID, 40000, 65535]);
  });

  it('6.15 PTZ=1 of a VPT that is not zero: diagnosed, what was pending is lost', async () => {
    const driver = await startVpe41Driver();
    const vpe = driver.newVpe41(7);
    driver.storeVirtualPendingBit(vpe, VINTID);
    driver.setVirtualConfig(vpe, VINTID, PRIORITY, true);
    driver.map(vpe, { ptz: true });
    expect(driver.diagnosed().map(({ code, unit, operands }) => ({ code, unit, operands }))).toEqual([
      { code: 'VPE_PENDING_TABLE_NOT_ZERO', unit: 0, operands: { vpeId: 7 } },
    ]);
    driver.load(0, vpe);
    expect(driver.pendingVlpis(vpe)).toEqual([]);
  });

  it('6.15 PTZ has no effect where the policy pendingTableZero ignores it', async () => {
    const driver = await startVpe41Driver({ policy: { pendingTableZero: 'ignore' } });
    const vpe = driver.newVpe41(7);
    driver.storeVirtualPendingBit(vpe, VINTID);
    driver.map(vpe, { ptz: true });
    expect(driver.codes()).toEqual([]);
    expect(driver.pendingVlpis(vpe)).toEqual([VINTID]);
  });

  it('6.15 of a vPE that is allocated: UNPREDICTABLE, diagnosed, it starts anew', async () => {
    const driver = await startMapped41();
    const again = driver.newVpe41(7, { doorbell: DOORBELL + 1 });
    driver.setVirtualConfig(again, VINTID, 0x40, true);
    driver.load(0, driver.vpe);
    driver.map(again, { cpu: 1 });
    expect(driver.codes()).toEqual(['VPE_REMAPPED']);
    expect(driver.machine.vpeEntry(0, 7)).toMatchObject({ cpu: 1, vptAddress: again.vpt });
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.virq(0)).toBe(false);
    expect([driver.pendingVlpis(driver.vpe), driver.pendingVlpis(again)]).toEqual([[], [VINTID]]);
    driver.put(0);
    driver.load(0, again);
    expect(driver.machine.virtualOutputs(0).bestVlpi).toEqual({ vIntid: VINTID, priority: 0x40 });
  });

  it.each([13, 14, 15])('6.15 VPT_size %i bounds the VLPIs', async (size) => {
    const driver = await startVpe41Driver({ intidBits: 16 });
    const vpe = driver.mapVpe41(7, { size });
    driver.mapd(DEVICE, 5);
    driver.vmapti(DEVICE, 0, vpe, 2 ** (size + 1) - 1);
    expect(driver.machine.sendMsi(DEVICE, 0)).toBe('pending');
    if (size < 15) {
      driver.vmapti(DEVICE, 1, vpe, 2 ** (size + 1));
      expect(driver.machine.sendMsi(DEVICE, 1)).toBe('intid-out-of-range');
    }
  });

  it('6.15 VPT_size below 13: no VLPIs, vSGIs all the same', async () => {
    const driver = await startVpe41Driver();
    const vpe = driver.mapVpe41(7, { size: 3 });
    driver.mapd(DEVICE, 5);
    driver.vmapti(DEVICE, EVENT, vpe, VINTID);
    driver.configureVsgi(vpe, 5);
    driver.openGuest(0);
    driver.load(0, vpe);
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('intid-out-of-range');
    driver.sendVsgi(vpe, 5);
    expect(driver.guestTakeAll(0)).toEqual([5]);
  });
});

describe('6.15 VMAPP with V=1, Alloc=0', () => {
  it('6.15 of a vPE that nobody has allocated: UNPREDICTABLE, diagnosed, allocated', async () => {
    const driver = await startVpe41Driver();
    const vpe = driver.newVpe41(7);
    driver.map(vpe, { alloc: false });
    expect(driver.codes()).toEqual(['VPE_NOT_ALLOCATED']);
    driver.load(0, vpe);
    expect(driver.vpendbaser(0) & VALID).toBe(VALID);
  });

  it('6.15 again at the same ITS with the same fields changes nothing', async () => {
    const driver = await startMapped41();
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.configureVsgi(driver.vpe, 1);
    driver.sendVsgi(driver.vpe, 1);
    driver.load(0, driver.vpe);
    driver.map(driver.vpe, { alloc: false });
    expect(driver.codes()).toEqual([]);
    expect(driver.guestTakeAll(0)).toEqual([1, VINTID]);
  });

  it.each([
    ['VPT_addr', { vpt: 0x81f0_0000 }],
    ['VPT_size', { size: 14 }],
    ['VCONF_ADDR', { configTable: 0x81e0_0000 }],
    ['Default_Doorbell', { doorbell: DOORBELL + 1 }],
  ])('6.15 another %s is diagnosed; the first VMAPP counts', async (_, difference) => {
    const driver = await startMapped41();
    driver.map({ ...driver.vpe, ...difference }, { alloc: false });
    expect(driver.codes()).toEqual(['VPE_MAPPING_MISMATCH']);
    expect(driver.machine.vpeEntry(0, 7)).toEqual({ cpu: 0, vptAddress: driver.vpe.vpt, size: 15 });
    driver.load(0, driver.vpe);
    driver.put(0, { doorbell: true });
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.takeAll(0)).toEqual([DOORBELL]);
  });

  it('6.15 another RDbase of the group is diagnosed too', async () => {
    const driver = await startMapped41();
    driver.map(driver.vpe, { alloc: false, cpu: 2 });
    expect(driver.codes()).toEqual(['VPE_MAPPING_MISMATCH']);
    expect(driver.machine.vpeEntry(0, 7)).toMatchObject({ cpu: 0 });
  });

  it('9.3 RDbase of another group that knows the vPEID overwrites the mapping (documented choice)', async () => {
    const driver = await startMapped41(TWO_GROUPS);
    driver.map(driver.vpe, { cpu: 2 });
    expect(driver.machine.vpeEntry(0, 7)).toMatchObject({ cpu: 2 });
    driver.map(driver.vpe, { alloc: false, cpu: 0 });
    expect(driver.machine.vpeEntry(0, 7)).toMatchObject({ cpu: 0, vptAddress: driver.vpe.vpt });
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('pending');
    driver.load(0, driver.vpe);
    expect(driver.guestTakeAll(0)).toEqual([VINTID]);
  });
});

describe('6.15 VMAPP with V=0', () => {
  it('6.15 Alloc=1, the last unmapping: the VPT has what was pending, direct or waiting', async () => {
    const driver = await startMapped41();
    driver.vmapti(DEVICE, 6, driver.vpe, 30000);
    driver.load(2, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.put(2);
    driver.machine.sendMsi(DEVICE, 6);
    driver.unmap(driver.vpe);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID, 30000]);
    expect(driver.codes()).toEqual([]);
  });

  it("6.15 afterwards the VPT is software's: events of the vPE are dropped, and nothing writes to it", async () => {
    const driver = await startMapped41();
    driver.unmap(driver.vpe);
    driver.machine.ram(driver.vpe.vpt, 0x2000).fill(0);
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('vpe-unmapped');
    driver.sendVsgi(driver.vpe, 1);
    driver.invalidateVpe(0, driver.vpe);
    expect(driver.machine.ram(driver.vpe.vpt, 0x2000).every((byte) => byte === 0)).toBe(true);
    expect(driver.machine.counters().vsgis.dropped).toBe(1);
  });

  it('6.15 mapped again with PTZ=0 it has all that was pending; its events need no new VMAPTI', async () => {
    const driver = await startMapped41();
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.unmap(driver.vpe);
    driver.map(driver.vpe);
    driver.vinvall(driver.vpe);
    driver.load(0, driver.vpe);
    expect(driver.guestTakeAll(0)).toEqual([VINTID]);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.guestTakeAll(0)).toEqual([VINTID]);
  });

  it('4.4, 11 vSGIs are kept in the VPT meanwhile: configuration and pending state (documented choice)', async () => {
    const driver = await startMapped41();
    driver.configureVsgi(driver.vpe, 2, { priority: 0x40 });
    driver.configureVsgi(driver.vpe, 15, { group: 0, priority: 0xb0 });
    driver.configureVsgi(driver.vpe, 9, { enable: false });
    for (const intid of [2, 9, 15]) driver.sendVsgi(driver.vpe, intid);
    driver.unmap(driver.vpe);
    driver.map(driver.vpe);
    expect(driver.pendingVsgis(0, driver.vpe)).toBe((1 << 2) | (1 << 9) | (1 << 15));
    driver.load(0, driver.vpe);
    expect(driver.guestTakeAll(0)).toEqual([2]);
    expect(driver.vfiq(0)).toBe(true);
    expect(driver.guest(0, 'IAR0')).toBe(15);
    expect(driver.guest(0, 'RPR')).toBe(0xb0);
  });

  it('6.15 mapped again with another, zero VPT a vPE has no vSGIs', async () => {
    const driver = await startMapped41();
    driver.configureVsgi(driver.vpe, 2);
    driver.sendVsgi(driver.vpe, 2);
    driver.unmap(driver.vpe);
    const fresh = driver.mapVpe41(7);
    expect(driver.pendingVsgis(0, fresh)).toBe(0);
  });

  it('6.15 a default doorbell that was requested is forgotten', async () => {
    const driver = await startMapped41();
    driver.load(0, driver.vpe);
    driver.put(0, { doorbell: true });
    driver.unmap(driver.vpe);
    driver.map(driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.take(0)).toBeUndefined();
  });

  it('6.15 of a resident vPE: UNPREDICTABLE, diagnosed; the redistributor forwards nothing any more', async () => {
    const driver = await startMapped41();
    driver.configureVsgi(driver.vpe, 1);
    driver.load(2, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.sendVsgi(driver.vpe, 1);
    driver.unmap(driver.vpe);
    expect(driver.diagnosed().map(({ code, operands }) => ({ code, operands }))).toEqual([
      { code: 'VPE_UNMAPPED_WHILE_RESIDENT', operands: { vpeId: 7, cpu: 2 } },
    ]);
    expect(driver.virq(2)).toBe(false);
    expect(driver.guestTakeAll(2)).toEqual([]);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID]);
    expect(driver.put(2, { doorbell: true })).toBe(false);
    driver.map(driver.vpe);
    driver.load(2, driver.vpe);
    expect(driver.guestTakeAll(2)).toEqual([1, VINTID]);
  });

  it('6.15 Alloc=0 of the only mapping: UNPREDICTABLE, diagnosed; it stays allocated', async () => {
    const driver = await startMapped41();
    driver.unmap(driver.vpe, { alloc: false });
    expect(driver.codes()).toEqual(['VPE_NOT_RELEASED']);
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('vpe-unmapped');
    expect(driver.machine.vpeEntry(0, 7)).toBeUndefined();
    driver.map(driver.vpe, { alloc: false });
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('pending');
    expect(driver.codes()).toEqual(['MSI_DROPPED']);
  });

  it.each([false, true])('6.15 of a vPE that is not mapped, Alloc=%s: no effect, no error', async (alloc) => {
    const driver = await startMapped41();
    expect(driver.errors([commands41.unmap(8, alloc)])).toBe(0);
    expect(driver.codes()).toEqual([]);
  });

  it('6.15 everything but vPEID and Alloc is ignored', async () => {
    const driver = await startMapped41();
    expect(driver.errors([[0x329n, (7n << 32n) | 5n, 0x7fff_ffff_ffff_0000n, 0x1fn]])).toBe(0);
    expect(driver.machine.vpeEntry(0, 7)).toBeUndefined();
  });
});

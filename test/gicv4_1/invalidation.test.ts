import { describe, expect, it } from 'vitest';
import { DEVICE, EVENT, PRIORITY, VINTID } from '../support/vpe_driver.ts';
import { startMapped41, TWO_GROUPS } from '../support/vpe41_driver.ts';

type Mapped = Awaited<ReturnType<typeof startMapped41>>;

/** vPE 7 resident on PE 1 with VLPIs 8193 and 8194 pending, both configured anew without an invalidation. */
async function stale(): Promise<Mapped> {
  const driver = await startMapped41();
  driver.vmapti(DEVICE, 6, driver.vpe, VINTID + 1);
  driver.load(1, driver.vpe);
  driver.machine.sendMsi(DEVICE, EVENT);
  driver.machine.sendMsi(DEVICE, 6);
  driver.setVirtualConfig(driver.vpe, VINTID, 0x40, false);
  driver.setVirtualConfig(driver.vpe, VINTID + 1, 0x20, true);
  return driver;
}

const best = (driver: Mapped): unknown => driver.machine.virtualOutputs(1).bestVlpi;

describe('3.8 GICR_INVLPIR and GICR_INVALLR with V=1', () => {
  it('3.8 without an invalidation the resident vPE goes by what it has cached', async () => {
    expect(best(await stale())).toEqual({ vIntid: VINTID, priority: PRIORITY });
  });

  it.each([0, 1, 2, 3])(
    '3.8 INVLPIR reads one VLPI again, whichever PE of the group it is written at: PE %i',
    async (cpu) => {
      const driver = await stale();
      driver.invalidateVlpi(cpu, driver.vpe, VINTID);
      expect(best(driver)).toEqual({ vIntid: VINTID + 1, priority: PRIORITY });
      driver.invalidateVlpi(cpu, driver.vpe, VINTID + 1);
      expect(best(driver)).toEqual({ vIntid: VINTID + 1, priority: 0x20 });
      expect(driver.codes()).toEqual([]);
    },
  );

  it('3.8 the example: vPEID 7, VLPI 8193', async () => {
    const driver = await stale();
    driver.machine.write(driver.gicr(1, 0xa0), 8, 0x8000_0007_0000_2001n);
    expect(best(driver)).toEqual({ vIntid: VINTID + 1, priority: PRIORITY });
  });

  it.each([
    ['INVALLR', (driver: Mapped) => driver.invalidateVpe(3, driver.vpe)],
    ['VINVALL (6.20)', (driver: Mapped) => driver.vinvall(driver.vpe)],
  ])('3.8 %s reads all VLPIs of the vPE again', async (_, invalidate) => {
    const driver = await stale();
    invalidate(driver);
    expect(best(driver)).toEqual({ vIntid: VINTID + 1, priority: 0x20 });
    expect(driver.guestTakeAll(1)).toEqual([VINTID + 1]);
    expect(driver.machine.checkLpiIndex(1)).toBe(0);
  });

  it('3.8 of one vPE leaves the other ones as they are', async () => {
    const driver = await stale();
    const other = driver.mapVpe41(8, { configTable: driver.vpe.configTable });
    driver.invalidateVpe(1, other);
    driver.invalidateVlpi(1, other, VINTID);
    expect(best(driver)).toEqual({ vIntid: VINTID, priority: PRIORITY });
  });

  it('3.8 an acknowledged VLPI is not presented again', async () => {
    const driver = await stale();
    expect(driver.guest(1, 'IAR1')).toBe(VINTID);
    driver.setVirtualConfig(driver.vpe, VINTID, PRIORITY, true);
    driver.invalidateVpe(1, driver.vpe);
    driver.setGuest(1, 'EOIR1', VINTID);
    expect(driver.guestTakeAll(1)).toEqual([VINTID + 1]);
  });

  it('3.8 a disabled VLPI that is enabled and invalidated is delivered', async () => {
    const driver = await stale();
    driver.invalidateVpe(1, driver.vpe);
    driver.setVirtualConfig(driver.vpe, VINTID, PRIORITY, true);
    driver.invalidateVlpi(1, driver.vpe, VINTID);
    expect(driver.guestTakeAll(1)).toEqual([VINTID + 1, VINTID]);
  });

  it('3.8 V=0 is about physical LPIs: the vPE keeps what it has cached', async () => {
    const driver = await stale();
    driver.machine.write(driver.gicr(1, 0xa0), 8, (7n << 32n) | BigInt(VINTID));
    driver.machine.write(driver.gicr(1, 0xb0), 8, 7n << 32n);
    expect(best(driver)).toEqual({ vIntid: VINTID, priority: PRIORITY });
  });

  it('3.8 V=1 leaves the physical LPI of the same INTID alone', async () => {
    const driver = await startMapped41();
    driver.setConfig(VINTID, PRIORITY, true);
    driver.mapc(0, 0);
    driver.mapti(DEVICE, 9, VINTID, 0);
    driver.machine.sendMsi(DEVICE, 9);
    driver.setConfig(VINTID, PRIORITY, false);
    driver.invalidateVlpi(0, driver.vpe, VINTID);
    driver.invalidateVpe(0, driver.vpe);
    expect(driver.take(0)).toBe(VINTID);
  });

  it("3.8 INTIDs out of the vPE's range have no effect", async () => {
    const driver = await stale();
    for (const intid of [0, 1023, 8191, 65536, 0xffff_ffff]) driver.invalidateVlpi(1, driver.vpe, intid);
    expect(best(driver)).toEqual({ vIntid: VINTID, priority: PRIORITY });
    expect(driver.codes()).toEqual([]);
  });

  it('3.8 a vPE that is not mapped, too wide, or of another group: no effect, diagnosed', async () => {
    const driver = await startMapped41({ ...TWO_GROUPS, vpeIdBits: 8 });
    driver.invalidateVlpi(0, { id: 8 }, VINTID);
    driver.invalidateVpe(0, { id: 0x107 });
    driver.invalidateVpe(2, driver.vpe);
    expect(driver.diagnosed().map(({ code, unit, operands }) => [code, unit, operands.vpeId])).toEqual([
      ['VPE_NOT_MAPPED', 0, 8],
      ['VPE_NOT_MAPPED', 0, 0x107],
      ['VPE_NOT_MAPPED', 2, 7],
    ]);
  });

  it('3.8 SYNCR is never busy', async () => {
    const driver = await stale();
    driver.invalidateVpe(1, driver.vpe);
    expect(driver.machine.read(driver.gicr(1, 0xc0), 4)).toBe(0);
  });

  it('6.11 INV reaches the residence too', async () => {
    const driver = await stale();
    driver.inv(DEVICE, EVENT);
    expect(best(driver)).toEqual({ vIntid: VINTID + 1, priority: PRIORITY });
  });

  it('7.6 a vPE that is not resident has nothing cached', async () => {
    const driver = await startMapped41();
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.load(1, driver.vpe);
    driver.put(1);
    driver.setVirtualConfig(driver.vpe, VINTID, 0x20, true);
    driver.load(1, driver.vpe);
    expect(best(driver)).toEqual({ vIntid: VINTID, priority: 0x20 });
  });
});

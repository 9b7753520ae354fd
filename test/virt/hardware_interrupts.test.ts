import { describe, expect, it } from 'vitest';
import { listRegister, startGuest, type VpeDriver, vmcr } from '../support/vpe_driver.ts';

/** State arrays of the SGI frame and of the Distributor. */
const ISPENDR = 0x0200;
const ISACTIVER = 0x0300;

/** Which INTID, where its state registers are, and what drives its wire. */
interface Source {
  name: string;
  intid: number;
  address: (driver: VpeDriver, array: number) => number;
  set: (driver: VpeDriver, level: boolean) => void;
  configure: (driver: VpeDriver) => void;
}

const ppi = (intid: number, cpu: number): Source => ({
  name: `PPI ${intid} of PE ${cpu}`,
  intid,
  address: (driver, array) => driver.gicrSgi(cpu, array),
  set: (driver, level) => driver.machine.setPpi(cpu, intid, level),
  configure: (driver) => {
    driver.machine.write(driver.gicrSgi(cpu, 0x0080), 4, 2 ** intid);
    driver.machine.write(driver.gicrSgi(cpu, 0x0400 + intid), 1, 0x80);
    driver.machine.write(driver.gicrSgi(cpu, 0x0100), 4, 2 ** intid);
  },
});

const spi = (intid: number): Source => ({
  name: `SPI ${intid}`,
  intid,
  address: (driver, array) => driver.gicd(array + 4 * (intid >> 5)),
  set: (driver, level) => driver.machine.setSpi(intid, level),
  configure: (driver) => {
    const word = 4 * (intid >> 5);
    driver.machine.write(driver.gicd(0x0080 + word), 4, 2 ** (intid & 31));
    driver.machine.write(driver.gicd(0x0400 + intid), 1, 0x80);
    driver.machine.write(driver.gicd(0x6000 + 8 * intid), 8, 0n);
    driver.machine.write(driver.gicd(0x0100 + word), 4, 2 ** (intid & 31));
  },
});

const bit = (driver: VpeDriver, source: Source, array: number): boolean =>
  ((driver.machine.read(source.address(driver, array), 4) >>> (source.intid & 31)) & 1) === 1;
const isActive = (driver: VpeDriver, source: Source): boolean => bit(driver, source, ISACTIVER);

/** EL2 takes the interrupt, drops its priority and hands it to the guest as vINTID 40 with HW=1. */
async function handedOver(source: Source, eoiMode: 0 | 1 = 0): Promise<VpeDriver> {
  const driver = await startGuest({ cpus: 2 });
  driver.machine.writeSystemRegister(0, 'ICC_CTLR_EL1', 2);
  driver.setIch(0, 'VMCR', vmcr({ eoiMode }));
  source.configure(driver);
  source.set(driver, true);
  expect(driver.take(0)).toBe(source.intid);
  driver.setIch(0, 'LR0', listRegister(40, { pIntid: source.intid }));
  expect(isActive(driver, source)).toBe(true);
  return driver;
}

const sources = [ppi(27, 0), spi(100)];

describe('8.7, 8.9 list registers with HW=1', () => {
  it.each(sources)('8.9 $name: the guest’s EOI deactivates the physical interrupt', async (source) => {
    const driver = await handedOver(source);
    expect(driver.guest(0, 'IAR1')).toBe(40);
    expect(isActive(driver, source)).toBe(true);
    source.set(driver, false);
    driver.setGuest(0, 'EOIR1', 40);
    expect(isActive(driver, source)).toBe(false);
    expect(driver.ich(0, 'LR0') >> 62n).toBe(0n);
    expect([driver.ich(0, 'ELRSR') & 1n, driver.ich(0, 'EISR')]).toEqual([1n, 0n]);
    expect([driver.machine.irq(0), driver.maintenance(0)]).toEqual([false, false]);
  });

  it.each(sources)('8.9 $name, EOImode 1: DIR deactivates it, EOIR does not', async (source) => {
    const driver = await handedOver(source, 1);
    driver.guest(0, 'IAR1');
    driver.setGuest(0, 'EOIR1', 40);
    expect(isActive(driver, source)).toBe(true);
    driver.setGuest(0, 'DIR', 40);
    expect([isActive(driver, source), driver.ich(0, 'LR0') >> 62n]).toEqual([false, 0n]);
  });

  it.each(sources)(
    '8.9 $name: while it is active the device cannot interrupt again; after it, it can',
    async (source) => {
      const driver = await handedOver(source);
      driver.guest(0, 'IAR1');
      source.set(driver, false);
      source.set(driver, true);
      expect([bit(driver, source, ISPENDR), driver.machine.irq(0)]).toEqual([true, false]);
      driver.setGuest(0, 'EOIR1', 40);
      expect(driver.machine.irq(0)).toBe(true);
      expect(driver.take(0)).toBe(source.intid);
    },
  );

  it.each(sources)('8.9 $name: an EOI that ends no list register deactivates nothing', async (source) => {
    const driver = await handedOver(source);
    driver.guest(0, 'IAR1');
    driver.setIch(0, 'LR0', listRegister(41, { state: 2, pIntid: source.intid }));
    driver.setGuest(0, 'EOIR1', 40);
    expect(isActive(driver, source)).toBe(true);
    expect(driver.ich(0, 'HCR') >> 27n).toBe(1n);
  });

  it('8.9 HW=0 deactivates nothing physical', async () => {
    const driver = await handedOver(spi(100));
    driver.setIch(0, 'LR0', listRegister(100));
    driver.guest(0, 'IAR1');
    driver.setGuest(0, 'EOIR1', 100);
    expect(isActive(driver, spi(100))).toBe(true);
  });

  it('8.7 a PPI is that of the guest’s own PE', async () => {
    const driver = await startGuest({ cpus: 2 });
    for (const cpu of [0, 1]) driver.machine.write(driver.gicrSgi(cpu, ISACTIVER), 4, 2 ** 27);
    driver.setIch(1, 'LR0', listRegister(27, { pIntid: 27 }));
    expect(driver.guestTake(1)).toBe(27);
    expect([isActive(driver, ppi(27, 0)), isActive(driver, ppi(27, 1))]).toEqual([true, false]);
  });

  it('8.9 an SPI is deactivated wherever it is routed', async () => {
    const driver = await startGuest({ cpus: 2 });
    driver.machine.write(driver.gicd(0x6000 + 8 * 100), 8, 0n);
    driver.machine.write(driver.gicd(ISACTIVER + 12), 4, 1 << 4);
    driver.setIch(1, 'LR0', 0x7020_0064_0000_0028n);
    expect(driver.guestTake(1)).toBe(40);
    expect(isActive(driver, spi(100))).toBe(false);
  });

  it('8.9 there is no physical priority drop', async () => {
    const driver = await startGuest({ cpus: 1 });
    const source = spi(100);
    source.configure(driver);
    source.set(driver, true);
    expect(driver.machine.readSystemRegister(0, 'ICC_IAR1_EL1')).toBe(100n);
    driver.setIch(0, 'LR0', listRegister(40, { pIntid: 100 }));
    driver.guestTake(0);
    expect(isActive(driver, source)).toBe(false);
    expect(driver.machine.readSystemRegister(0, 'ICC_RPR_EL1')).toBe(0x80n);
  });

  it('8.9 a physical interrupt that is not active stays as it is', async () => {
    const driver = await startGuest({ cpus: 1 });
    const source = spi(100);
    source.configure(driver);
    driver.setIch(0, 'LR0', listRegister(40, { pIntid: 100 }));
    const { deactivations } = driver.machine.counters();
    driver.guestTake(0);
    expect(driver.machine.counters().deactivations).toBe(deactivations);
    expect(driver.ich(0, 'LR0') >> 62n).toBe(0n);
  });

  it.each([1020, 1023])('8.9 pINTID %i names no interrupt: only the list register ends', async (pIntid) => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', listRegister(40, { pIntid }));
    expect(driver.guestTake(0)).toBe(40);
    expect(driver.ich(0, 'ELRSR')).toBe(0xfn);
  });

  it('8.9 pINTIDs of the extended ranges are deactivated too', async () => {
    const driver = await startGuest({ cpus: 1, extendedSpis: 32, extendedPpis: 32 });
    const activeOf = { 4100: driver.gicd(0x1a00), 1060: driver.gicrSgi(0, 0x0304) };
    for (const [intid, address] of Object.entries(activeOf)) {
      driver.machine.write(address, 4, 1 << 4);
      driver.setIch(0, 'LR0', listRegister(40, { pIntid: Number(intid) }));
      driver.guestTake(0);
      expect([intid, driver.machine.read(address, 4)]).toEqual([intid, 0]);
    }
  });
});

import { describe, expect, test } from 'vitest';
import type { MachineOptions } from '../../bindings/config.ts';
import { recipes } from '../recipes.ts';
import { commands, Driver } from '../support/driver.ts';
import { ReferenceGic } from './gic.ts';

/** A driver with everything on. */
function start(options: MachineOptions = {}): { gic: ReferenceGic; driver: Driver } {
  const gic = new ReferenceGic({ cpus: 2, ...options });
  return { gic, driver: new Driver(gic, gic.config).start() };
}

/** An SPI in Group 1, enabled, with priority 0xA0. */
function setUpSpi(driver: Driver, intid: number, { edge = false, router = 0n } = {}): void {
  const { gic } = driver;
  const setBits = (offset: number, bits: number): void => {
    gic.write(driver.gicd(offset), 4, gic.read(driver.gicd(offset), 4) | bits);
  };
  const bit = 2 ** (intid % 32);
  const word = 4 * Math.floor(intid / 32);
  setBits(0x0080 + word, bit);
  gic.write(driver.gicd(0x0400 + intid), 1, 0xa0);
  if (edge) setBits(0x0c00 + 4 * Math.floor(intid / 16), 2 * 4 ** (intid % 16));
  gic.write(driver.gicd(0x6000 + 8 * intid), 8, router);
  gic.write(driver.gicd(0x0100 + word), 4, bit);
}

const ANY_PE = 1n << 31n;

describe('reference model', () => {
  recipes((options) => new ReferenceGic(options));
});

describe('reference model, identification', () => {
  test('the preset qemu-virt reads as QEMU 7.2 does (sections 2.3, 3.3, 5.4, 5.9)', () => {
    const gic = new ReferenceGic({ preset: 'qemu-virt' });
    const driver = new Driver(gic, gic.config);
    expect(gic.read(driver.gicd(0x0000), 4)).toBe(0x50);
    expect(gic.read(driver.gicd(0x0004), 4)).toBe(0x037a_0007);
    expect(gic.read(driver.gicd(0xffe8), 4)).toBe(0x3b);
    expect([0, 1, 2, 3].map((cpu) => gic.read(driver.gicr(cpu, 0x0008), 8))).toEqual([
      0x0_0100_0001n,
      0x1_0100_0101n,
      0x2_0100_0201n,
      0x3_0100_0311n,
    ]);
    expect(gic.read(driver.gicr(0, 0x0000), 4)).toBe(2);
    expect(gic.read(driver.gicr(0, 0x0014), 4)).toBe(6);
    expect(gic.read(driver.gits(0x0000), 4)).toBe(0x8000_0000);
    expect(gic.read(driver.gits(0x0008), 8)).toBe(0x1f_0001_efb1n);
    expect(gic.read(driver.gits(0x0100), 8)).toBe(0x0107_0000_0000_0200n);
    expect(gic.read(driver.gits(0x0108), 8)).toBe(0x0407_0000_0000_0200n);
    expect(gic.read(driver.gits(0x0110), 8)).toBe(0n);
    expect(gic.readSystemRegister(0, 'ICC_CTLR_EL1')).toBe(0x8c00n);
  });

  test('with GICv4.0 it has virtual LPIs and a vPE table (sections 2.3, 3.3, 5.4, 5.9)', () => {
    const gic = new ReferenceGic({ preset: 'qemu-virt', architecture: 'GICv4.0', identification: {} });
    const driver = new Driver(gic, gic.config);
    expect(gic.read(driver.gicr(3, 0x0008), 8)).toBe(0x3_0100_0313n);
    expect(gic.read(driver.gits(0x0008), 8)).toBe(0x3f_0001_efb3n);
    expect(gic.read(driver.gits(0x0110), 8)).toBe(0x0207_0000_0000_0200n);
    expect(gic.read(driver.gicd(0xffe8), 4)).toBe(0x4b);
  });
});

describe('reference model, wired interrupts', () => {
  test('a level-sensitive SPI pends again after deactivation while its wire is high (section 1.2)', () => {
    const { gic, driver } = start();
    setUpSpi(driver, 40);
    gic.setSpi(40, true);
    expect(driver.take(0)).toBe(40);
    expect(driver.take(0)).toBe(40);
    gic.setSpi(40, false);
    expect(driver.take(0)).toBeUndefined();
  });

  test('an edge-triggered SPI pends once for each rising edge (section 1.2)', () => {
    const { gic, driver } = start();
    setUpSpi(driver, 40, { edge: true });
    gic.setSpi(40, true);
    gic.setSpi(40, true);
    expect(driver.takeAll(0)).toEqual([40]);
    gic.setSpi(40, false);
    gic.setSpi(40, true);
    expect(driver.takeAll(0)).toEqual([40]);
  });

  test('SETSPI and CLRSPI drive a level-sensitive SPI as its wire would (section 2.5)', () => {
    const { gic, driver } = start();
    setUpSpi(driver, 41);
    gic.write(driver.gicd(0x0040), 2, 41);
    expect(driver.take(0)).toBe(41);
    expect(gic.irq(0)).toBe(true);
    gic.write(driver.gicd(0x0048), 4, 41);
    expect(gic.irq(0)).toBe(false);
  });

  test('a 1-of-N SPI goes to the first participating PE that is idle, and follows participation (section 2.6)', () => {
    const { gic, driver } = start({ cpus: 3 });
    setUpSpi(driver, 50, { edge: true });
    setUpSpi(driver, 51, { edge: true, router: ANY_PE });
    gic.setSpi(50, true);
    expect(gic.readSystemRegister(0, 'ICC_IAR1_EL1')).toBe(50n);
    gic.setSpi(51, true);
    expect([0, 1, 2].map((cpu) => gic.highestPending(cpu)?.intid)).toEqual([undefined, 51, undefined]);
    gic.writeSystemRegister(0, 'ICC_EOIR1_EL1', 50);
    expect(gic.highestPending(1)?.intid).toBe(51);
    gic.write(driver.gicr(1, 0x0000), 4, 0x0200_0001);
    expect([0, 1, 2].map((cpu) => gic.highestPending(cpu)?.intid)).toEqual([51, undefined, undefined]);
    gic.write(driver.gicr(0, 0x0014), 4, 2);
    expect([0, 1, 2].map((cpu) => gic.highestPending(cpu)?.intid)).toEqual([undefined, undefined, 51]);
  });
});

describe('reference model, ITS', () => {
  test('stepped execution takes commands one by one (section 5.13)', () => {
    const { gic, driver } = start({ policy: { commandExecution: 'stepped' } });
    driver.mapd(1, 5);
    driver.mapc(0, 1);
    driver.mapti(1, 0, 8192, 0);
    driver.int(1, 0);
    expect(driver.readPointer().offset).toBe(0);
    expect(gic.stepIts(0, 3)).toBe(3);
    expect(driver.isPending(1, 8192)).toBe(false);
    expect(gic.stepIts(0, 100)).toBe(1);
    expect(driver.isPending(1, 8192)).toBe(true);
  });

  test('command errors have the listed codes (section 6.1)', () => {
    const { gic, driver } = start({ intidBits: 16, eventIdBits: 8 });
    driver.mapc(0, 0);
    driver.mapd(1, 5);
    driver.mapd(0xf_0000, 5);
    driver.command(commands.mapd(2, 9, driver.allocate(0x1000, 256)));
    driver.command(commands.mapc(0xffff, 0n));
    driver.command(commands.mapc(1, 2n << 16n));
    driver.mapti(2, 0, 8192, 0);
    driver.mapti(1, 32, 8192, 0);
    driver.mapti(1, 0, 1023, 0);
    driver.mapti(1, 0, 8192, 0xffff);
    driver.int(1, 0);
    driver.clear(1, 0);
    driver.mapti(1, 0, 8192, 0);
    driver.movi(1, 0, 9);
    driver.invall(9);
    driver.command(commands.movall(0n, 5n << 16n));
    driver.command([0x29n, 0n, 0n, 0n]);
    expect(gic.commandErrors.map(({ code }) => code.toString(16))).toEqual([
      '10801',
      '10802',
      '10903',
      '10902',
      '10a04',
      '10a05',
      '10a06',
      '10a03',
      '10307',
      '10507',
      '10109',
      '10d09',
      '10e01',
      '0',
    ]);
  });

  test('an MSI without mapping is told in GITS_STATUSR and GITS_UMSIR, and the first one stays (section 5.6)', () => {
    const { gic, driver } = start();
    gic.sendMsi(7, 3);
    expect(gic.read(driver.gits(0x0040), 4)).toBe((3 << 6) | (1 << 4));
    gic.sendMsi(8, 4);
    expect(gic.read(driver.gits(0x0040), 4)).toBe((3 << 6) | (1 << 5) | (1 << 4));
    expect(gic.read(driver.gits(0x0048), 8)).toBe(0x0000_0007_0000_0003n);
  });
});

import { describe, expect, it } from 'vitest';
import { listRegister, startGuest, type VpeDriver, vmcr } from '../support/vpe_driver.ts';

const EN = 1;

/** Ways to meet one condition of ICH_MISR_EL2 each, with ICH_HCR_EL2 as it has to be, and to end it again. */
const conditions: {
  name: string;
  hcr: number;
  meet: (driver: VpeDriver) => void;
  end: (driver: VpeDriver) => void;
}[] = [
  {
    name: 'EOI',
    hcr: EN,
    meet: (driver) => driver.setIch(0, 'LR0', listRegister(40, { state: 0, eoi: true })),
    end: (driver) => driver.setIch(0, 'LR0', 0),
  },
  {
    name: 'U',
    hcr: EN | (1 << 1),
    meet: (driver) => driver.setIch(0, 'LR1', 0),
    end: (driver) => driver.setIch(0, 'LR1', listRegister(41)),
  },
  {
    name: 'LRENP',
    hcr: EN | (1 << 2),
    meet: (driver) => {
      driver.setIch(0, 'AP1R0', 1 << 20);
      driver.setGuest(0, 'EOIR1', 50);
    },
    end: (driver) => driver.setIch(0, 'HCR', EN | (1 << 2)),
  },
  {
    name: 'NP',
    hcr: EN | (1 << 3),
    meet: (driver) => {
      for (const n of [0, 1]) driver.setIch(0, `LR${n}`, listRegister(40 + n, { state: 2 }));
    },
    end: (driver) => driver.setIch(0, 'LR0', listRegister(40)),
  },
  {
    name: 'VGrp0E',
    hcr: EN | (1 << 4),
    meet: (driver) => driver.setGuest(0, 'IGRPEN0', 1),
    end: (driver) => driver.setGuest(0, 'IGRPEN0', 0),
  },
  {
    name: 'VGrp0D',
    hcr: EN | (1 << 5),
    meet: (driver) => driver.setGuest(0, 'IGRPEN0', 0),
    end: (driver) => driver.setGuest(0, 'IGRPEN0', 1),
  },
  {
    name: 'VGrp1E',
    hcr: EN | (1 << 6),
    meet: (driver) => driver.setGuest(0, 'IGRPEN1', 1),
    end: (driver) => driver.setGuest(0, 'IGRPEN1', 0),
  },
  {
    name: 'VGrp1D',
    hcr: EN | (1 << 7),
    meet: (driver) => driver.setGuest(0, 'IGRPEN1', 0),
    end: (driver) => driver.setGuest(0, 'IGRPEN1', 1),
  },
];

/** Level of a PPI as the redistributor sees it: pending while the line is high. */
function ppiPending(driver: VpeDriver, intid: number, cpu = 0): boolean {
  return ((driver.machine.read(driver.gicrSgi(cpu, 0x0200), 4) >>> intid) & 1) === 1;
}

describe('8.8 the maintenance interrupt', () => {
  it.each(conditions)(
    '8.8 $name: the line is high as long as the condition holds',
    async ({ hcr, meet, end }) => {
      const driver = await startGuest({ cpus: 1 });
      for (const n of [0, 1]) driver.setIch(0, `LR${n}`, listRegister(40 + n));
      driver.setIch(0, 'HCR', hcr);
      end(driver);
      expect([driver.ich(0, 'MISR'), driver.maintenance(0)]).toEqual([0n, false]);
      const { maintenance } = driver.machine.counters();
      meet(driver);
      expect(driver.maintenance(0)).toBe(true);
      expect(ppiPending(driver, 25)).toBe(true);
      end(driver);
      expect([driver.maintenance(0), ppiPending(driver, 25)]).toEqual([false, false]);
      meet(driver);
      expect(driver.machine.counters().maintenance).toBe(maintenance + 2);
    },
  );

  it.each(conditions)('8.8 $name: with ICH_HCR_EL2.En=0 there is none', async ({ hcr, meet, end }) => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'HCR', hcr);
    end(driver);
    meet(driver);
    const kept = Number(driver.ich(0, 'HCR'));
    driver.setIch(0, 'HCR', kept - EN);
    expect([driver.maintenance(0), ppiPending(driver, 25)]).toEqual([false, false]);
    driver.setIch(0, 'HCR', kept);
    expect([driver.maintenance(0), ppiPending(driver, 25)]).toEqual([true, true]);
  });

  it('8.8 it is a level PPI of the same PE, conventionally 25: EL2 takes it, and again while it stays', async () => {
    const driver = await startGuest({ cpus: 2 });
    for (const cpu of [0, 1]) {
      driver.machine.write(driver.gicrSgi(cpu, 0x0080), 4, 1 << 25);
      driver.machine.write(driver.gicrSgi(cpu, 0x0400 + 25), 1, 0x80);
      driver.machine.write(driver.gicrSgi(cpu, 0x0100), 4, 1 << 25);
    }
    driver.setIch(1, 'LR0', listRegister(40, { state: 0, eoi: true }));
    expect([driver.machine.irq(0), driver.machine.irq(1)]).toEqual([false, true]);
    expect([driver.take(1), driver.take(1)]).toEqual([25, 25]);
    driver.setIch(1, 'LR0', 0);
    expect([driver.machine.irq(1), driver.take(1)]).toEqual([false, undefined]);
  });

  it.each([16, 24, 31])('config.maintenancePpi %i is the PPI that it is wired to', async (maintenancePpi) => {
    const driver = await startGuest({ cpus: 1, maintenancePpi });
    driver.setIch(0, 'LR0', listRegister(40, { state: 0, eoi: true }));
    const pending = driver.machine.read(driver.gicrSgi(0, 0x0200), 4) >>> 0;
    expect(pending).toBe(2 ** maintenancePpi);
  });

  it('config.maintenancePpi 0: the line goes nowhere', async () => {
    const driver = await startGuest({ cpus: 1, maintenancePpi: 0 });
    driver.setIch(0, 'LR0', listRegister(40, { state: 0, eoi: true }));
    expect(driver.maintenance(0)).toBe(true);
    expect(driver.machine.read(driver.gicrSgi(0, 0x0200), 4)).toBe(0);
  });

  it('8.8 counters.maintenance counts rising edges, not conditions', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', listRegister(40, { state: 0, eoi: true }));
    driver.setIch(0, 'LR1', listRegister(41, { state: 0, eoi: true }));
    driver.setIch(0, 'VMCR', vmcr({ groups: 0 }));
    driver.setIch(0, 'HCR', EN | (1 << 7));
    driver.setIch(0, 'LR0', 0);
    expect(driver.machine.counters().maintenance).toBe(1);
  });

  it('8.4 the guest ends an interrupt with EOI=1: the line rises until the list register is written', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', listRegister(27, { priority: 0x80, eoi: true }));
    expect(driver.guest(0, 'IAR1')).toBe(27);
    expect(driver.maintenance(0)).toBe(false);
    driver.setGuest(0, 'EOIR1', 27);
    expect(driver.ich(0, 'LR0')).toBe(0x1080_0200_0000_001bn);
    expect([driver.ich(0, 'EISR'), driver.ich(0, 'MISR'), driver.maintenance(0)]).toEqual([1n, 1n, true]);
    driver.setIch(0, 'LR0', 0);
    expect(driver.maintenance(0)).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { listRegister, startGuest, type VpeDriver, vmcr } from '../support/vpe_driver.ts';

const eoiCount = (driver: VpeDriver): number => Number(driver.ich(0, 'HCR') >> 27n);
const state = (driver: VpeDriver, n = 0): number => Number(driver.ich(0, `LR${n}`) >> 62n);

/** A guest with vINTID 40 of a list register active at priority 0xA0. */
async function active(
  fields: Parameters<typeof listRegister>[1] = {},
  options: Parameters<typeof startGuest>[0] = {},
) {
  const driver = await startGuest({ cpus: 1, ...options });
  driver.setIch(0, 'LR0', listRegister(40, fields));
  driver.guest(0, `IAR${fields.group ?? 1}`);
  return driver;
}

const setEoiMode = (driver: VpeDriver, eoiMode: 0 | 1): void => driver.setIch(0, 'VMCR', vmcr({ eoiMode }));

describe('8.7, 8.9 acknowledge', () => {
  it('8.7 Pending becomes Active, whatever the type of interrupt; the rest of the list register stays', async () => {
    for (const [before, after] of [
      [0x5080_0200_0000_001bn, 0x9080_0200_0000_001bn],
      [0x70a0_001b_0000_001bn, 0xb0a0_001b_0000_001bn],
      [0x50a0_0000_0000_0005n, 0x90a0_0000_0000_0005n],
      [0x50a0_0000_0000_2000n, 0x90a0_0000_0000_2000n],
    ] as const) {
      const driver = await startGuest({ cpus: 1 });
      driver.setIch(0, 'LR1', before);
      expect(driver.guest(0, 'IAR1')).toBe(Number(before & 0xffff_ffffn));
      expect(driver.ich(0, 'LR1')).toBe(after);
    }
  });
});

describe('8.9 ICV_EOIR with EOImode 0', () => {
  it.each([0, 1] as const)('8.9 Group %i: drops the priority and deactivates', async (group) => {
    const driver = await active({ group });
    driver.setGuest(0, `EOIR${group}`, 40);
    expect([state(driver), driver.guest(0, 'RPR'), eoiCount(driver)]).toEqual([0, 0xff, 0]);
  });

  it('8.9 Pending and active becomes Pending, and is signalled again', async () => {
    const driver = await active();
    driver.setIch(0, 'LR0', listRegister(40, { state: 3 }));
    expect(driver.guest(0, 'HPPIR1')).toBe(1023);
    driver.setGuest(0, 'EOIR1', 40);
    expect([state(driver), driver.virq(0), driver.guest(0, 'IAR1')]).toEqual([1, true, 40]);
  });

  it('8.7 the example: SGI 5, Group 0, priority 0x40, pending and active', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', 0xc040_0000_0000_0005n);
    driver.setIch(0, 'AP0R0', 1 << 8);
    driver.setGuest(0, 'EOIR0', 5);
    expect(driver.ich(0, 'LR0')).toBe(0x4040_0000_0000_0005n);
    expect([driver.vfiq(0), driver.guest(0, 'IAR0')]).toEqual([true, 5]);
  });

  it.each([1020, 1021, 1022, 1023])('8.9 INTID %i is ignored', async (intid) => {
    const driver = await active();
    driver.setGuest(0, 'EOIR1', intid);
    expect([state(driver), driver.guest(0, 'RPR'), eoiCount(driver)]).toEqual([2, 0xa0, 0]);
  });

  it('8.9 no list register with that INTID: EOIcount, the priority is dropped', async () => {
    const driver = await active();
    driver.setGuest(0, 'EOIR1', 50);
    expect([state(driver), driver.guest(0, 'RPR'), eoiCount(driver)]).toEqual([2, 0xff, 1]);
  });

  it('8.9 a list register that is only pending does not count as found', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', listRegister(40));
    driver.setIch(0, 'AP1R0', 1 << 20);
    driver.setGuest(0, 'EOIR1', 40);
    expect([state(driver), eoiCount(driver)]).toEqual([1, 1]);
  });

  it.each([8192, 9000, 65535])('8.9 INTID %i without a list register: no EOIcount', async (intid) => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'AP1R0', 1 << 20);
    driver.setGuest(0, 'EOIR1', intid);
    expect([driver.guest(0, 'RPR'), eoiCount(driver)]).toEqual([0xff, 0]);
  });

  it('8.4 EOIcount has five bits and wraps; the rest of ICH_HCR_EL2 stays', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'HCR', 0xf000_0001);
    for (const expected of [31, 0, 1]) {
      driver.setIch(0, 'AP1R0', 1);
      driver.setGuest(0, 'EOIR1', 50);
      expect(eoiCount(driver)).toBe(expected);
    }
    expect(driver.ich(0, 'HCR')).toBe(0x0800_0001n);
  });

  it('8.9 the register of the other group: the priority drops, the list register stays', async () => {
    const driver = await active({ group: 1 });
    driver.setGuest(0, 'EOIR0', 40);
    expect([state(driver), driver.guest(0, 'RPR'), eoiCount(driver)]).toEqual([2, 0xff, 0]);
  });

  it('8.9 a list register whose priority is not the one dropped stays active', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0xa0 }));
    driver.guest(0, 'IAR1');
    driver.setIch(0, 'LR1', listRegister(41, { priority: 0x20 }));
    driver.guest(0, 'IAR1');
    driver.setGuest(0, 'EOIR1', 40);
    expect([state(driver, 0), state(driver, 1), driver.guest(0, 'RPR'), eoiCount(driver)]).toEqual([
      2, 2, 0xa0, 0,
    ]);
    driver.setGuest(0, 'EOIR1', 40);
    expect([state(driver, 0), state(driver, 1), driver.guest(0, 'RPR')]).toEqual([0, 2, 0xff]);
  });

  it('8.9 the list register’s priority is compared as a group priority', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'VMCR', vmcr({ binaryPoint1: 6 }));
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0xb8 }));
    driver.guest(0, 'IAR1');
    expect(driver.guest(0, 'RPR')).toBe(0x80);
    driver.setGuest(0, 'EOIR1', 40);
    expect(state(driver)).toBe(0);
  });

  it('8.9 of several active list registers the one with the INTID is deactivated', async () => {
    const driver = await startGuest({ cpus: 1, listRegisters: 16 });
    for (let n = 0; n < 16; n++) driver.setIch(0, `LR${n}`, listRegister(32 + n, { state: 2 }));
    driver.setIch(0, 'AP1R0', 1 << 20);
    driver.setGuest(0, 'EOIR1', 47);
    expect(driver.ich(0, 'ELRSR')).toBe(1n << 15n);
  });

  it.each([
    ['ignore', 2, 0, 0],
    ['examine-list-registers', 0, 0, 1],
  ] as const)(
    '8.9 policy virtualEoiWithoutActive=%s: no priority is active',
    async (policy, lr, listed, unlisted) => {
      const driver = await startGuest({ cpus: 1, policy: { virtualEoiWithoutActive: policy } });
      driver.setIch(0, 'LR0', listRegister(40, { state: 2 }));
      driver.setGuest(0, 'EOIR1', 40);
      expect([state(driver), eoiCount(driver)]).toEqual([lr, listed]);
      driver.setGuest(0, 'EOIR1', 50);
      expect(eoiCount(driver)).toBe(unlisted);
      expect(driver.diagnosed().map(({ code, operands }) => [code, operands.intid])).toEqual([
        ['VIRTUAL_EOI_WITHOUT_ACTIVE_PRIORITY', 40],
        ['VIRTUAL_EOI_WITHOUT_ACTIVE_PRIORITY', 50],
      ]);
    },
  );
});

describe('8.9 EOImode 1: ICV_EOIR drops, ICV_DIR deactivates', () => {
  it('8.9 EOIR leaves the interrupt active; DIR ends it', async () => {
    const driver = await active();
    setEoiMode(driver, 1);
    driver.setGuest(0, 'EOIR1', 40);
    expect([state(driver), driver.guest(0, 'RPR')]).toEqual([2, 0xff]);
    driver.setGuest(0, 'DIR', 40);
    expect([state(driver), eoiCount(driver)]).toEqual([0, 0]);
  });

  it('8.9 DIR before EOIR deactivates; the active priority stays', async () => {
    const driver = await active();
    setEoiMode(driver, 1);
    driver.setGuest(0, 'DIR', 40);
    expect([state(driver), driver.guest(0, 'RPR')]).toEqual([0, 0xa0]);
  });

  it.each([0, 1] as const)('8.9 DIR serves Group %i; Pending and active becomes Pending', async (group) => {
    const driver = await startGuest({ cpus: 1 });
    setEoiMode(driver, 1);
    driver.setIch(0, 'LR0', listRegister(40, { group, state: 3 }));
    driver.setGuest(0, 'DIR', 40);
    expect(state(driver)).toBe(1);
  });

  it('8.9 DIR without a list register: EOIcount', async () => {
    const driver = await startGuest({ cpus: 1 });
    setEoiMode(driver, 1);
    driver.setIch(0, 'LR0', listRegister(40));
    for (const intid of [50, 40, 0]) driver.setGuest(0, 'DIR', intid);
    expect([state(driver), eoiCount(driver)]).toEqual([1, 3]);
  });

  it.each([1020, 1021, 1022, 1023, 8192, 65535])('8.9 DIR of INTID %i is ignored', async (intid) => {
    const driver = await startGuest({ cpus: 1 });
    setEoiMode(driver, 1);
    driver.setIch(0, 'LR0', listRegister(intid, { state: 2 }));
    driver.setGuest(0, 'DIR', intid);
    expect([state(driver), eoiCount(driver)]).toEqual([2, 0]);
  });

  it('8.9 DIR with EOImode 0 is ignored and diagnosed', async () => {
    const driver = await active();
    driver.setGuest(0, 'DIR', 40);
    driver.setGuest(0, 'DIR', 50);
    expect([state(driver), eoiCount(driver)]).toEqual([2, 0]);
    expect(driver.diagnosed().map(({ code }) => code)).toEqual([
      'DIR_WITHOUT_EOIMODE',
      'DIR_WITHOUT_EOIMODE',
    ]);
  });

  it.each([
    [false, 0],
    [true, 1],
  ])(
    '8.4, 8.9 policy eoiCountInEoiMode1=%s: an EOIR without list register counts %i',
    async (policy, count) => {
      const driver = await startGuest({ cpus: 1, policy: { eoiCountInEoiMode1: policy } });
      setEoiMode(driver, 1);
      driver.setIch(0, 'AP1R0', 1 << 20);
      driver.setGuest(0, 'EOIR1', 50);
      expect([driver.guest(0, 'RPR'), eoiCount(driver)]).toEqual([0xff, count]);
      driver.setIch(0, 'AP1R0', 1 << 20);
      driver.setGuest(0, 'EOIR1', 8192);
      expect(eoiCount(driver)).toBe(count);
    },
  );
});

describe('8.7, 8.9 LPIs in list registers', () => {
  it.each([0, 1] as const)('8.9 EOImode %i: EOIR deactivates them, as they have no DIR', async (eoiMode) => {
    const driver = await startGuest({ cpus: 1 });
    setEoiMode(driver, eoiMode);
    driver.setIch(0, 'LR0', 0x50a0_0000_0000_2000n);
    expect(driver.guest(0, 'IAR1')).toBe(8192);
    expect(state(driver)).toBe(2);
    driver.setGuest(0, 'EOIR1', 8192);
    expect([state(driver), driver.guest(0, 'RPR'), eoiCount(driver)]).toEqual([0, 0xff, 0]);
  });
});

import { describe, expect, it } from 'vitest';
import { hex } from '../support/gic.ts';
import { listRegister, startGuest, type VpeDriver } from '../support/vpe_driver.ts';

/** The start of section 8.10: vINTID 40 at 0xA0 in LR0, vINTID 41 at 0x20 in LR1. */
async function start(): Promise<VpeDriver> {
  const driver = await startGuest({ cpus: 1 });
  driver.setIch(0, 'LR0', 0x50a0_0000_0000_0028n);
  driver.setIch(0, 'LR1', 0x5020_0000_0000_0029n);
  driver.setIch(0, 'VMCR', 0xf84c_000a);
  driver.setIch(0, 'HCR', 1);
  return driver;
}

const state = (driver: VpeDriver) => ({
  lr0: hex(driver.ich(0, 'LR0')),
  lr1: hex(driver.ich(0, 'LR1')),
  ap1r0: hex(driver.ich(0, 'AP1R0')),
  rpr: driver.guest(0, 'RPR'),
  virq: driver.virq(0),
});

describe('8.10 worked sequence (5 preemption bits, EOImode 0)', () => {
  it('8.10 step by step', async () => {
    const driver = await start();
    expect(state(driver)).toMatchObject({ virq: true, rpr: 0xff, ap1r0: '0x0' });
    expect(driver.guest(0, 'HPPIR1')).toBe(41);

    expect(driver.guest(0, 'IAR1')).toBe(41);
    const afterFirst = state(driver);
    expect(afterFirst).toEqual({
      lr0: '0x50a0000000000028',
      lr1: '0x9020000000000029',
      ap1r0: '0x10',
      rpr: 0x20,
      virq: false,
    });

    expect(driver.guest(0, 'IAR1')).toBe(1023);
    expect(state(driver)).toEqual(afterFirst);

    driver.setGuest(0, 'EOIR1', 41);
    expect(state(driver)).toEqual({
      lr0: '0x50a0000000000028',
      lr1: '0x1020000000000029',
      ap1r0: '0x0',
      rpr: 0xff,
      virq: true,
    });
    expect(driver.ich(0, 'ELRSR')).toBe(0xen);

    expect(driver.guest(0, 'IAR1')).toBe(40);
    expect(state(driver)).toMatchObject({ ap1r0: '0x100000', rpr: 0xa0, lr0: '0x90a0000000000028' });

    driver.setIch(0, 'LR1', 0x5020_0000_0000_0029n);
    expect(driver.virq(0)).toBe(true);
    expect(driver.guest(0, 'IAR1')).toBe(41);
    expect(state(driver)).toMatchObject({ ap1r0: '0x100010', rpr: 0x20 });

    driver.setGuest(0, 'EOIR1', 41);
    expect(state(driver)).toMatchObject({ ap1r0: '0x100000', rpr: 0xa0 });
    driver.setGuest(0, 'EOIR1', 40);
    expect(state(driver)).toMatchObject({ ap1r0: '0x0', rpr: 0xff, lr0: '0x10a0000000000028' });
  });

  it('8.10 EOIR1 without a list register: EOIcount 0 -> 1, LRENP', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'AP1R0', 1 << 20);
    driver.setGuest(0, 'EOIR1', 50);
    expect(hex(driver.ich(0, 'HCR'))).toBe('0x8000001');
    expect(driver.ich(0, 'AP1R0')).toBe(0n);
    driver.setIch(0, 'HCR', 0x0800_0005);
    expect(driver.ich(0, 'MISR')).toBe(4n);
  });

  it('8.10 VPMR 0xA0: priority 0xA0 is not signalled, 0x98 is', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setGuest(0, 'PMR', 0xa0);
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0xa0 }));
    expect([driver.virq(0), driver.guest(0, 'IAR1')]).toEqual([false, 1023]);
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0x98 }));
    expect([driver.virq(0), driver.guest(0, 'IAR1')]).toEqual([true, 40]);
  });

  it('8.10 VBPR1=5: 0x88 preempts 0xA0, 0xA0 to 0xB8 do not', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setGuest(0, 'BPR1', 5);
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0xa0 }));
    expect(driver.guest(0, 'IAR1')).toBe(40);
    const preempts = [0x88, 0xa0, 0xa8, 0xb0, 0xb8].map((priority) => {
      driver.setIch(0, 'LR1', listRegister(41, { priority }));
      return driver.virq(0);
    });
    expect(preempts).toEqual([true, false, false, false, false]);
  });
});

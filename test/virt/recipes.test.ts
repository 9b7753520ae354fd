import { describe, expect, it } from 'vitest';
import { listRegister, startGuest } from '../support/vpe_driver.ts';

/** Recipes 27 to 30 of section 10. */
describe('10 behaviour recipes of the virtual CPU interface', () => {
  it('recipe 27: HW=1, physical PPI active: the guest’s EOI makes it inactive (8.9)', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.machine.write(driver.gicrSgi(0, 0x0300), 4, 1 << 27);
    driver.setIch(0, 'LR0', 0x70a0_001b_0000_001bn);
    expect(driver.guest(0, 'IAR1')).toBe(27);
    expect(driver.ich(0, 'LR0')).toBe(0xb0a0_001b_0000_001bn);
    driver.setGuest(0, 'EOIR1', 27);
    expect(driver.machine.read(driver.gicrSgi(0, 0x0300), 4)).toBe(0);
    expect(driver.ich(0, 'LR0') >> 62n).toBe(0n);
    expect([driver.ich(0, 'ELRSR') & 1n, driver.ich(0, 'EISR') & 1n]).toEqual([1n, 0n]);
  });

  it('recipe 28: EOI bit, HW=0: the guest’s EOI raises the maintenance interrupt until the LR is rewritten (8.8)', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', listRegister(40, { eoi: true }));
    expect(driver.guestTake(0)).toBe(40);
    expect([driver.ich(0, 'EISR'), driver.ich(0, 'MISR') & 1n]).toEqual([1n, 1n]);
    expect(driver.maintenance(0)).toBe(true);
    driver.setIch(0, 'LR0', listRegister(41));
    expect([driver.ich(0, 'EISR'), driver.maintenance(0)]).toEqual([0n, false]);
  });

  it('recipe 29: IAR1 while the best candidate is Group 0 reads 1023 (8.9)', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', listRegister(40, { group: 0, priority: 0x20 }));
    driver.setIch(0, 'LR1', listRegister(41, { group: 1, priority: 0x40 }));
    expect(driver.guest(0, 'IAR1')).toBe(1023);
    expect([driver.ich(0, 'AP0R0'), driver.ich(0, 'AP1R0')]).toEqual([0n, 0n]);
  });

  it('recipe 30: En=0: no vIRQ, vFIQ or maintenance; IAR reads 1023; list registers unchanged (8.4)', async () => {
    const driver = await startGuest({ cpus: 1 });
    const registers = [
      listRegister(40),
      listRegister(41, { group: 0, priority: 0x20 }),
      listRegister(42, { state: 0, eoi: true }),
    ];
    for (const [n, value] of registers.entries()) driver.setIch(0, `LR${n}`, value);
    driver.setIch(0, 'HCR', 0xfe);
    expect(driver.machine.virtualOutputs(0)).toMatchObject({ virq: false, vfiq: false, maintenance: false });
    expect([driver.guest(0, 'IAR0'), driver.guest(0, 'IAR1')]).toEqual([1023, 1023]);
    expect(registers.map((_, n) => driver.ich(0, `LR${n}`))).toEqual(registers);
  });
});

import { describe, expect, it } from 'vitest';
import { listRegister, startGuest, type VpeDriver, vmcr } from '../support/vpe_driver.ts';

/** Where the active priority of a group priority stands with P preemption bits: section 8.3. */
function place(groupPriority: number, bits: number): { register: number; bit: number } {
  const level = groupPriority >> (8 - bits);
  return { register: Math.floor(level / 32), bit: level % 32 };
}

const registers = (driver: VpeDriver, group: 0 | 1, bits: number): number[] =>
  Array.from({ length: 2 ** bits / 32 }, (_, n) => Number(driver.ich(0, `AP${group}R${n}`)));

const widths = [5, 6, 7];

describe('8.3, 8.9 active priorities', () => {
  it.each(widths)(
    '8.9 with %i preemption bits: one bit for each level, in both groups, and RPR reads it back',
    async (bits) => {
      const driver = await startGuest({ cpus: 1, virtualPriorityBits: bits, virtualPreemptionBits: bits });
      driver.setIch(0, 'VMCR', vmcr());
      for (const group of [0, 1] as const) {
        for (let priority = 0; priority < 0xff - (0xff >> bits); priority += 2 ** (8 - bits)) {
          driver.setIch(0, 'LR0', listRegister(40, { group, priority }));
          expect(driver.guest(0, `IAR${group}`)).toBe(40);
          const { register, bit } = place(priority, bits);
          const expected = registers(driver, group, bits).map((_, n) => (n === register ? 2 ** bit : 0));
          expect(registers(driver, group, bits)).toEqual(expected);
          expect(driver.guest(0, 'RPR')).toBe(priority);
          driver.setGuest(0, `EOIR${group}`, 40);
          expect(registers(driver, group, bits).some((word) => word !== 0)).toBe(false);
          expect(driver.guest(0, 'RPR')).toBe(0xff);
        }
      }
    },
  );

  it.each([
    { bits: 5, priority: 0xa0, name: 'AP1R0', value: 0x10_0000n },
    { bits: 5, priority: 0x80, name: 'AP1R0', value: 1n << 16n },
    { bits: 5, priority: 0x00, name: 'AP1R0', value: 1n },
    { bits: 7, priority: 0xa0, name: 'AP1R2', value: 1n << 16n },
  ])(
    '8.3 the example: $bits bits, priority $priority sets $name',
    async ({ bits, priority, name, value }) => {
      const driver = await startGuest({ cpus: 1, virtualPriorityBits: bits, virtualPreemptionBits: bits });
      driver.setIch(0, 'LR0', listRegister(40, { priority }));
      driver.guest(0, 'IAR1');
      expect(driver.ich(0, name)).toBe(value);
    },
  );

  it.each(widths)('8.9 with %i preemption bits: RPR is the lowest level over both groups', async (bits) => {
    const driver = await startGuest({ cpus: 1, virtualPriorityBits: bits, virtualPreemptionBits: bits });
    const last = 2 ** bits / 32 - 1;
    driver.setIch(0, `AP1R${last}`, 0x8000_0000);
    expect(driver.guest(0, 'RPR')).toBe(0x100 - 2 ** (8 - bits));
    driver.setIch(0, `AP0R${last}`, 1);
    expect(driver.guest(0, 'RPR')).toBe((last * 32) << (8 - bits));
    driver.setIch(0, 'AP1R0', 0b1000);
    expect(driver.guest(0, 'RPR')).toBe(Math.min((last * 32) << (8 - bits), 3 << (8 - bits)));
    driver.setIch(0, 'AP0R0', 0b0100);
    expect(driver.guest(0, 'RPR')).toBe(2 << (8 - bits));
  });

  it('8.9 the bit is that of the group priority: the binary point takes bits away', async () => {
    const driver = await startGuest({ cpus: 1, virtualPriorityBits: 7, virtualPreemptionBits: 7 });
    for (const [binaryPoint1, running] of [
      [1, 0xb6],
      [3, 0xb0],
      [5, 0xa0],
      [7, 0x80],
    ] as const) {
      driver.setIch(0, 'VMCR', vmcr({ binaryPoint1 }));
      driver.setIch(0, 'LR0', listRegister(40, { priority: 0xb6 }));
      driver.guest(0, 'IAR1');
      const { register, bit } = place(running, 7);
      expect(driver.ich(0, `AP1R${register}`)).toBe(1n << BigInt(bit));
      expect(driver.guest(0, 'RPR')).toBe(running);
      driver.setGuest(0, 'EOIR1', 40);
      expect([driver.guest(0, 'RPR'), driver.ich(0, 'LR0') >> 62n]).toEqual([0xff, 0n]);
    }
  });

  it('8.9 fewer preemption bits than priority bits: the level leaves the low bits out', async () => {
    const driver = await startGuest({ cpus: 1, virtualPriorityBits: 7, virtualPreemptionBits: 5 });
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0xa6 }));
    expect(driver.guest(0, 'IAR1')).toBe(40);
    expect([driver.ich(0, 'AP1R0'), driver.guest(0, 'RPR')]).toEqual([1n << 20n, 0xa0]);
    driver.setIch(0, 'LR1', listRegister(41, { priority: 0xa0 }));
    expect(driver.virq(0)).toBe(false);
    driver.setIch(0, 'LR1', listRegister(41, { priority: 0x9e }));
    expect(driver.virq(0)).toBe(true);
  });

  it('8.9 an EOI clears the lowest level over both groups', async () => {
    const driver = await startGuest({ cpus: 1, virtualPriorityBits: 7, virtualPreemptionBits: 7 });
    driver.setIch(0, 'AP0R1', 0x8000_0000);
    driver.setIch(0, 'AP1R2', 1);
    driver.setIch(0, 'AP1R0', 0);
    driver.setGuest(0, 'EOIR1', 8192);
    expect([driver.ich(0, 'AP0R1'), driver.ich(0, 'AP1R2')]).toEqual([0n, 1n]);
    driver.setGuest(0, 'EOIR1', 8192);
    expect(driver.ich(0, 'AP1R2')).toBe(0n);
  });

  it('8.9 a hypervisor restores what it saved: the running priority masks as before', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0x40 }));
    driver.guest(0, 'IAR1');
    const saved = driver.ich(0, 'AP1R0');
    driver.setIch(0, 'AP1R0', 0);
    driver.setIch(0, 'LR1', listRegister(41, { priority: 0x80 }));
    expect(driver.virq(0)).toBe(true);
    driver.setIch(0, 'AP1R0', saved);
    expect([driver.virq(0), driver.guest(0, 'RPR')]).toEqual([false, 0x40]);
  });
});

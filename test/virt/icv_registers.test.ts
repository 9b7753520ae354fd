import { describe, expect, it } from 'vitest';
import { hex } from '../support/gic.ts';
import { startGuest, startVpeDriver, vmcr } from '../support/vpe_driver.ts';

describe('8.6, 8.9 the guest’s registers are fields of ICH_VMCR_EL2', () => {
  it.each([
    { name: 'PMR', value: 0x48, high: 31, low: 24, read: 0x48 },
    { name: 'BPR0', value: 6, high: 23, low: 21, read: 6 },
    { name: 'BPR1', value: 7, high: 20, low: 18, read: 7 },
    { name: 'CTLR', value: 2, high: 9, low: 9, read: 1 },
    { name: 'CTLR', value: 1, high: 4, low: 4, read: 1 },
    { name: 'IGRPEN1', value: 1, high: 1, low: 1, read: 1 },
    { name: 'IGRPEN0', value: 1, high: 0, low: 0, read: 1 },
  ])('8.6 ICC_$name written as $value: VMCR[$high:$low]', async ({ name, value, high, low, read }) => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'VMCR', 0);
    const before = driver.ich(0, 'VMCR');
    driver.setGuest(0, name, value);
    const mask = ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
    expect(hex(driver.ich(0, 'VMCR'))).toBe(hex((before & ~mask) | (BigInt(read) << BigInt(low))));
    driver.setGuest(0, name, 0);
    expect(hex(driver.ich(0, 'VMCR'))).toBe(hex(before));
  });

  it('8.6 what EL2 writes is what the guest reads', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(
      0,
      'VMCR',
      vmcr({ priorityMask: 0x70, binaryPoint0: 5, binaryPoint1: 6, eoiMode: 1, groups: 2 }),
    );
    expect(['PMR', 'BPR0', 'BPR1', 'IGRPEN0', 'IGRPEN1'].map((name) => driver.guest(0, name))).toEqual([
      0x70, 5, 6, 0, 1,
    ]);
    expect(driver.guest(0, 'CTLR') & 3).toBe(2);
  });

  it('8.9 with VCBPR=1 ICV_BPR1 reads min(VBPR0 + 1, 7) and ignores writes; EL2 still sees VBPR1', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'VMCR', vmcr({ binaryPoint1: 4 }));
    driver.setGuest(0, 'CTLR', 1);
    for (const [binaryPoint0, read] of [
      [2, 3],
      [5, 6],
      [6, 7],
      [7, 7],
    ] as const) {
      driver.setGuest(0, 'BPR0', binaryPoint0);
      expect(driver.guest(0, 'BPR1')).toBe(read);
      driver.setGuest(0, 'BPR1', 7);
      expect((Number(driver.ich(0, 'VMCR')) >> 18) & 7).toBe(4);
    }
    driver.setGuest(0, 'CTLR', 0);
    expect(driver.guest(0, 'BPR1')).toBe(4);
  });

  it.each([5, 6, 7])('8.9 with %i preemption bits the guest’s binary points have minima', async (bits) => {
    const driver = await startGuest({ cpus: 1, virtualPriorityBits: bits, virtualPreemptionBits: bits });
    for (let value = 0; value < 8; value++) {
      driver.setGuest(0, 'BPR0', value);
      driver.setGuest(0, 'BPR1', value);
      expect([driver.guest(0, 'BPR0'), driver.guest(0, 'BPR1')]).toEqual([
        Math.max(value, 7 - bits),
        Math.max(value, 8 - bits),
      ]);
    }
  });

  it.each([
    [5, 0xf8],
    [6, 0xfc],
    [7, 0xfe],
    [8, 0xff],
  ])('1.4 with %i priority bits ICV_PMR keeps 0x%x', async (virtualPriorityBits, mask) => {
    const driver = await startGuest({ cpus: 1, virtualPriorityBits });
    driver.setGuest(0, 'PMR', 0xff);
    expect(driver.guest(0, 'PMR')).toBe(mask);
  });

  it('8.9 ICV_CTLR: only EOImode and CBPR can be written; A3V, PRIbits and IDbits read as 0x8400', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setGuest(0, 'CTLR', 0);
    expect(hex(driver.guest(0, 'CTLR'))).toBe('0x8400');
    driver.setGuest(0, 'CTLR', 0xffff_ffff);
    expect(hex(driver.guest(0, 'CTLR'))).toBe('0x8403');
  });

  it.each([
    [{ virtualPriorityBits: 7 }, 0x8600],
    [{ virtualPriorityBits: 5, priorityBits: 8 }, 0x8400],
    [{ intidBits: 20 }, 0x8c00],
  ] as const)(
    '8.2 ICV_CTLR of a machine with %o: the virtual priority bits, the width of an INTID',
    async (options, value) => {
      const driver = await startGuest({ cpus: 1, ...options });
      expect(hex(driver.guest(0, 'CTLR'))).toBe(hex(value));
    },
  );

  it('8.9 ICV_IGRPEN<n> keep bit 0 alone', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'VMCR', 0);
    driver.setGuest(0, 'IGRPEN0', 0xffff_fffe);
    driver.setGuest(0, 'IGRPEN1', 0xffff_ffff);
    expect([driver.guest(0, 'IGRPEN0'), driver.guest(0, 'IGRPEN1')]).toEqual([0, 1]);
  });

  it('8.9 ICV_RPR, IAR and HPPIR are read-only', async () => {
    const driver = await startGuest({ cpus: 1 });
    const before = ['HCR', 'VMCR', 'AP0R0', 'AP1R0', 'LR0'].map((name) => driver.ich(0, name));
    for (const name of ['RPR', 'IAR0', 'IAR1', 'HPPIR0', 'HPPIR1']) driver.setGuest(0, name, 0x20);
    expect(['HCR', 'VMCR', 'AP0R0', 'AP1R0', 'LR0'].map((name) => driver.ich(0, name))).toEqual(before);
    expect(driver.diagnosed('WRITE_OF_READ_ONLY')).toHaveLength(5);
  });

  it('8.9 the virtual and the physical interface do not touch each other', async () => {
    const driver = await startVpeDriver({ cpus: 1 });
    const physical = (): bigint[] =>
      ['PMR', 'BPR0', 'BPR1', 'CTLR', 'IGRPEN0', 'IGRPEN1', 'AP1R0'].map((name) =>
        driver.machine.readSystemRegister(0, `ICC_${name}_EL1`),
      );
    const before = physical();
    driver.openGuest(0);
    for (const [name, value] of [
      ['PMR', 0x40],
      ['BPR0', 7],
      ['BPR1', 7],
      ['CTLR', 3],
      ['IGRPEN0', 0],
      ['IGRPEN1', 0],
      ['AP1R0', 1],
    ] as const) {
      driver.setGuest(0, name, value);
    }
    expect(physical()).toEqual(before);
  });
});

import { describe, expect, it } from 'vitest';
import { listRegister, startGuest, type VpeDriver, vmcr } from '../support/vpe_driver.ts';

/** Group bits of section 1.5's table for Group 0 with BPR0 = n: the lowest of them, 8 for none. */
const lowestGroupBit = [1, 2, 3, 4, 5, 6, 7, 8];

/** The group priority of a priority: Group 0 takes the row of BPR0, Group 1 the row before that of BPR1. */
function groupPriority(priority: number, row: number): number {
  const low = lowestGroupBit[row]!;
  return (priority >> low) << low;
}

/** Takes an interrupt of priority `running`, then tells whether one of priority `pending` is signalled. */
function preempts(
  driver: VpeDriver,
  running: { priority: number; group: 0 | 1 },
  pending: { priority: number; group: 0 | 1 },
): boolean {
  driver.setIch(0, 'AP0R0', 0);
  driver.setIch(0, 'AP1R0', 0);
  driver.setIch(0, 'LR1', 0);
  driver.setIch(0, 'LR0', listRegister(40, running));
  if (driver.guest(0, `IAR${running.group}`) !== 40) throw new Error('the first interrupt was not taken');
  driver.setIch(0, 'LR1', listRegister(41, pending));
  return pending.group === 1 ? driver.virq(0) : driver.vfiq(0);
}

const priorities = Array.from({ length: 31 }, (_, n) => n * 8);

describe('1.5, 8.9 preemption by group priority', () => {
  it.each([2, 3, 4, 5, 6, 7])(
    '8.9 Group 0 with VBPR0=%i: every pair of 5-bit priorities',
    async (binaryPoint0) => {
      const driver = await startGuest({ cpus: 1 });
      driver.setIch(0, 'VMCR', vmcr({ binaryPoint0, binaryPoint1: 7 }));
      for (const running of priorities) {
        for (const pending of priorities) {
          const expected = groupPriority(pending, binaryPoint0) < groupPriority(running, binaryPoint0);
          const seen = preempts(driver, { priority: running, group: 0 }, { priority: pending, group: 0 });
          if (seen !== expected)
            expect({ running, pending, seen }).toEqual({ running, pending, seen: expected });
        }
      }
      expect(driver.machine.counters().virtualAcknowledged.listRegister).toBe(31 * 31);
    },
  );

  it.each([3, 4, 5, 6, 7])(
    '8.9 Group 1 with VBPR1=%i: every pair of 5-bit priorities',
    async (binaryPoint1) => {
      const driver = await startGuest({ cpus: 1 });
      driver.setIch(0, 'VMCR', vmcr({ binaryPoint0: 7, binaryPoint1 }));
      for (const running of priorities) {
        for (const pending of priorities) {
          const expected =
            groupPriority(pending, binaryPoint1 - 1) < groupPriority(running, binaryPoint1 - 1);
          const seen = preempts(driver, { priority: running, group: 1 }, { priority: pending, group: 1 });
          if (seen !== expected)
            expect({ running, pending, seen }).toEqual({ running, pending, seen: expected });
        }
      }
      expect(driver.machine.counters().virtualAcknowledged.listRegister).toBe(31 * 31);
    },
  );

  it.each([2, 3, 4, 5, 6, 7])(
    '8.9 VCBPR=1 with VBPR0=%i: Group 1 uses the Group 0 formula',
    async (binaryPoint0) => {
      const driver = await startGuest({ cpus: 1 });
      driver.setIch(0, 'VMCR', vmcr({ binaryPoint0, binaryPoint1: 7, commonBinaryPoint: true }));
      for (const running of [0x20, 0x68, 0xa0, 0xf0]) {
        for (const pending of priorities) {
          const expected = groupPriority(pending, binaryPoint0) < groupPriority(running, binaryPoint0);
          const seen = preempts(driver, { priority: running, group: 1 }, { priority: pending, group: 1 });
          expect({ running, pending, seen }).toEqual({ running, pending, seen: expected });
        }
      }
    },
  );

  it.each([
    { running: 0, pending: 1 },
    { running: 1, pending: 0 },
  ] as const)(
    '8.9 Group $pending over running Group $running: the mask is that of the pending one',
    async ({ running, pending }) => {
      const driver = await startGuest({ cpus: 1 });
      driver.setIch(0, 'VMCR', vmcr({ binaryPoint0: 2, binaryPoint1: 6 }));
      const row = (group: 0 | 1): number => (group ? 5 : 2);
      for (const low of [0x40, 0x48, 0x80, 0xa8]) {
        for (const priority of priorities) {
          const taken = groupPriority(low, row(running));
          const expected = groupPriority(priority, row(pending)) < groupPriority(taken, row(pending));
          const seen = preempts(driver, { priority: low, group: running }, { priority, group: pending });
          expect({ low, priority, seen }).toEqual({ low, priority, seen: expected });
        }
      }
    },
  );

  it('1.5 the subpriority orders what is pending, but never preempts', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'VMCR', vmcr({ binaryPoint1: 6 }));
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0xa0 }));
    driver.setIch(0, 'LR1', listRegister(41, { priority: 0x98 }));
    driver.setIch(0, 'LR2', listRegister(42, { priority: 0x90 }));
    expect(driver.guest(0, 'IAR1')).toBe(42);
    expect([driver.virq(0), driver.guest(0, 'HPPIR1'), driver.guest(0, 'IAR1')]).toEqual([false, 41, 1023]);
    driver.setGuest(0, 'EOIR1', 42);
    expect(driver.guest(0, 'IAR1')).toBe(41);
  });

  it('1.5 VBPR0=7: no preemption at all in Group 0', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'VMCR', vmcr({ binaryPoint0: 7 }));
    expect(preempts(driver, { priority: 0xf0, group: 0 }, { priority: 0, group: 0 })).toBe(false);
    driver.setGuest(0, 'EOIR0', 40);
    expect(driver.guest(0, 'IAR0')).toBe(41);
  });

  it('8.9 nesting as deep as there are preemption levels, and back', async () => {
    const driver = await startGuest({ cpus: 1, listRegisters: 16 });
    const taken: number[] = [];
    for (let n = 0; n < 16; n++) {
      driver.setIch(0, `LR${n}`, listRegister(32 + n, { priority: 0xf0 - 16 * n }));
      taken.push(driver.guest(0, 'IAR1'));
      expect(driver.guest(0, 'RPR')).toBe(0xf0 - 16 * n);
    }
    expect(taken).toEqual(Array.from({ length: 16 }, (_, n) => 32 + n));
    for (let n = 15; n >= 0; n--) {
      driver.setGuest(0, 'EOIR1', 32 + n);
      expect(driver.guest(0, 'RPR')).toBe(n === 0 ? 0xff : 0xf0 - 16 * (n - 1));
    }
    expect(driver.ich(0, 'ELRSR')).toBe(0xffffn);
  });
});

describe('8.9 VPMR', () => {
  it('8.9 only a priority numerically below VPMR is signalled: every pair', async () => {
    const driver = await startGuest({ cpus: 1 });
    for (const priorityMask of [...priorities, 0xf8]) {
      driver.setGuest(0, 'PMR', priorityMask);
      for (const priority of priorities) {
        driver.setIch(0, 'LR0', listRegister(40, { priority }));
        if (driver.virq(0) !== priority < priorityMask) {
          expect({ priorityMask, priority, virq: driver.virq(0) }).toEqual({
            priorityMask,
            priority,
            virq: priority < priorityMask,
          });
        }
      }
    }
    expect(driver.virq(0)).toBe(true);
  });

  it('8.9 VPMR compares the whole priority, not the group priority', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setIch(0, 'VMCR', vmcr({ priorityMask: 0x90, binaryPoint1: 7 }));
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0x90 }));
    expect(driver.virq(0)).toBe(false);
    driver.setIch(0, 'LR0', listRegister(40, { priority: 0x88 }));
    expect(driver.virq(0)).toBe(true);
  });

  it('8.9 VPMR applies to both groups', async () => {
    const driver = await startGuest({ cpus: 1 });
    driver.setGuest(0, 'PMR', 0x80);
    driver.setIch(0, 'LR0', listRegister(40, { group: 0, priority: 0x80 }));
    expect([driver.vfiq(0), driver.guest(0, 'IAR0')]).toEqual([false, 1023]);
    driver.setIch(0, 'LR0', listRegister(40, { group: 0, priority: 0x78 }));
    expect([driver.vfiq(0), driver.guest(0, 'IAR0')]).toEqual([true, 40]);
  });
});

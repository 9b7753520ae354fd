import { describe, expect, it } from 'vitest';
import { type Board, createOpenBoard } from '../support/gic.ts';

/** Section 1.5, the table: group priority bits of a Group 0 priority for ICC_BPR0_EL1 0 to 7. */
const GROUP_BITS = [0xfe, 0xfc, 0xf8, 0xf0, 0xe0, 0xc0, 0x80, 0x00];

/** Group 1 uses the row before: 1 to 7. */
const GROUP_BITS_1 = [undefined, ...GROUP_BITS] as const;

const machines = [
  { priorityBits: 4, preemptionBits: 4, minimum: 3 },
  { priorityBits: 5, preemptionBits: 5, minimum: 2 },
  { priorityBits: 6, preemptionBits: 6, minimum: 1 },
  { priorityBits: 8, preemptionBits: 5, minimum: 2 },
  { priorityBits: 8, preemptionBits: 7, minimum: 0 },
];

const name = (group: number): string => `BPR${group}`;

describe.each(machines)(
  '1.5 with $priorityBits priority bits, $preemptionBits of them for preemption',
  ({ priorityBits, preemptionBits, minimum }) => {
    it('1.5 the minimum of BPR0 is 7 - preemption bits, that of BPR1 one more; less sets the minimum', async () => {
      const board = await createOpenBoard({ priorityBits, preemptionBits });
      for (let value = 0; value < 8; value++) {
        board.setIcc(0, 'BPR0', value);
        board.setIcc(0, 'BPR1', value);
        expect([board.icc(0, 'BPR0'), board.icc(0, 'BPR1')]).toEqual([
          Math.max(value, minimum),
          Math.max(value, minimum + 1),
        ]);
      }
    });

    it('1.5 CBPR=1: BPR1 reads min(BPR0+1, 7), writes to it are ignored and it comes back with CBPR=0', async () => {
      const board = await createOpenBoard({ priorityBits, preemptionBits });
      board.setIcc(0, 'BPR1', 6);
      board.setIcc(0, 'CTLR', 1);
      for (let value = minimum; value < 8; value++) {
        board.setIcc(0, 'BPR0', value);
        board.setIcc(0, 'BPR1', 5);
        expect(board.icc(0, 'BPR1')).toBe(Math.min(value + 1, 7));
      }
      board.setIcc(0, 'CTLR', 0);
      expect(board.icc(0, 'BPR1')).toBe(6);
    });

    const cases = [0, 1].flatMap((group) =>
      [0, 1].flatMap((cbpr) =>
        [0, 1, 2, 3, 4, 5, 6, 7].map((binaryPoint) => ({
          rule: `Group ${group}, CBPR=${cbpr}, binary point ${binaryPoint}`,
          group: group as 0 | 1,
          cbpr,
          binaryPoint,
        })),
      ),
    );

    it.each(cases)('1.5 $rule', async ({ group, cbpr, binaryPoint }) => {
      const board = await createOpenBoard({ priorityBits, preemptionBits });
      const useBpr0 = group === 0 || cbpr === 1;
      // The register that does not count gets a value that would give another answer.
      board.setIcc(0, name(useBpr0 ? 1 : 0), binaryPoint === 7 ? 0 : 7);
      board.setIcc(0, name(useBpr0 ? 0 : 1), binaryPoint);
      board.setIcc(0, 'CTLR', cbpr);
      const effective = Math.max(binaryPoint, useBpr0 ? minimum : minimum + 1);
      const mask = (useBpr0 ? GROUP_BITS : GROUP_BITS_1)[effective] as number;
      const implemented = (0xff << (8 - priorityBits)) & 0xff;
      for (const running of [0x10, 0x8f, 0xa0, 0xe0])
        checkPreemption(board, group, mask, implemented, running);
    });
  },
);

/** Lets `running` be acknowledged, then tries what preempts it, in both groups' terms of section 1.5. */
function checkPreemption(
  board: Board,
  group: 0 | 1,
  mask: number,
  implemented: number,
  running: number,
): void {
  board.configure(20, { priority: running, group });
  board.setBit('ISPENDR', 20);
  expect(board.icc(0, `IAR${group}`)).toBe(20);
  const groupPriority = running & implemented & mask;
  expect(board.icc(0, 'RPR'), 'the running priority is a group priority').toBe(groupPriority);
  for (const priority of [0x00, 0x08, 0x10, 0x7f, 0x80, 0x88, 0x8e, 0x9f, 0xa0, 0xa4, 0xbf, 0xc0, 0xef]) {
    board.configure(21, { priority, group });
    board.setBit('ISPENDR', 21);
    const preempts = (priority & implemented & mask) < groupPriority;
    const signalled = group ? board.machine.irq(0) : board.machine.fiq(0);
    expect(signalled, `${priority} while ${running} runs`).toBe(preempts);
    if (!preempts) expect(board.icc(0, `IAR${group}`)).toBe(1023);
    board.setBit('ICPENDR', 21);
  }
  board.setIcc(0, `EOIR${group}`, 20);
  expect(board.icc(0, 'RPR')).toBe(0xff);
}

describe('1.5 preemption', () => {
  it('1.5 the subpriority orders pending interrupts of one group priority, but never preempts', async () => {
    const board = await createOpenBoard();
    board.setIcc(0, 'BPR1', 6);
    for (const [intid, priority] of [
      [40, 0x98],
      [41, 0x80],
    ] as const) {
      board.configure(intid, { priority });
      board.setBit('ISPENDR', intid);
    }
    expect(board.icc(0, 'IAR1')).toBe(41);
    expect(board.icc(0, 'IAR1')).toBe(1023);
    board.setIcc(0, 'EOIR1', 41);
    expect(board.icc(0, 'IAR1')).toBe(40);
    board.setBit('ISPENDR', 41);
    expect(board.icc(0, 'IAR1')).toBe(1023);
  });

  it('1.5 subpriority test: with group bits [7:5], 0x88 preempts 0xA0 and 0xA0 to 0xB8 do not', async () => {
    const board = await createOpenBoard();
    board.setIcc(0, 'BPR1', 5);
    board.configure(40, { priority: 0xa0 });
    board.setBit('ISPENDR', 40);
    expect(board.icc(0, 'IAR1')).toBe(40);
    const preempting = [0x88, 0x98, 0xa0, 0xa8, 0xb8].filter((priority) => {
      board.configure(41, { priority });
      board.setBit('ISPENDR', 41);
      return board.machine.irq(0);
    });
    expect(preempting).toEqual([0x88, 0x98]);
  });

  it('1.5 the binary point of the pending interrupt decides across groups', async () => {
    const board = await createOpenBoard();
    board.setIcc(0, 'BPR0', 6);
    board.setIcc(0, 'BPR1', 3);
    board.configure(40, { priority: 0xa0, group: 1 });
    board.setBit('ISPENDR', 40);
    expect(board.icc(0, 'IAR1')).toBe(40);
    board.configure(41, { priority: 0x88, group: 0 });
    board.setBit('ISPENDR', 41);
    expect(board.machine.fiq(0), 'Group 0 has one group priority bit: 0x80 does not preempt 0x80').toBe(
      false,
    );
    board.setIcc(0, 'BPR0', 2);
    expect(board.machine.fiq(0)).toBe(true);
    expect(board.icc(0, 'IAR0')).toBe(41);
    expect([board.icc(0, 'AP0R0'), board.icc(0, 'AP1R0'), board.icc(0, 'RPR')]).toEqual([
      1 << 17,
      1 << 20,
      0x88,
    ]);
  });

  it('1.5 BPR0=7: nothing preempts, not even priority 0', async () => {
    const board = await createOpenBoard();
    board.setIcc(0, 'BPR0', 7);
    board.configure(40, { priority: 0xf0, group: 0 });
    board.setBit('ISPENDR', 40);
    expect(board.icc(0, 'IAR0')).toBe(40);
    board.configure(41, { priority: 0, group: 0 });
    board.setBit('ISPENDR', 41);
    expect(board.icc(0, 'IAR0')).toBe(1023);
  });
});

describe('8.3 active priority registers', () => {
  const levels: readonly (readonly [number, number, number, number])[] = [
    // preemption bits, priority, register, bit
    [4, 0x00, 0, 0],
    [4, 0xa0, 0, 10],
    [4, 0xe0, 0, 14],
    [5, 0x00, 0, 0],
    [5, 0x80, 0, 16],
    [5, 0xa0, 0, 20],
    [5, 0xf0, 0, 30],
    [6, 0x7c, 0, 31],
    [6, 0x80, 1, 0],
    [6, 0xa0, 1, 8],
    [6, 0xf8, 1, 30],
    [7, 0x3e, 0, 31],
    [7, 0x40, 1, 0],
    [7, 0xa0, 2, 16],
    [7, 0xfc, 3, 30],
  ];

  it.each(levels)(
    '8.3 %i preemption bits: priority %i is AP<x>R%i bit %i',
    async (preemptionBits, priority, register, bit) => {
      for (const group of [0, 1] as const) {
        const priorityBits = Math.max(preemptionBits, 4);
        const board = await createOpenBoard({ priorityBits, preemptionBits });
        board.configure(40, { priority, group });
        board.setBit('ISPENDR', 40);
        expect(board.icc(0, `IAR${group}`)).toBe(40);
        expect(board.icc(0, `AP${group}R${register}`)).toBe((1 << bit) >>> 0);
        expect(board.icc(0, `AP${1 - group}R${register}`)).toBe(0);
        expect(board.icc(0, 'RPR')).toBe(priority);
      }
    },
  );

  it.each([
    [4, 1, 0xffff],
    [5, 1, 0xffff_ffff],
    [6, 2, 0xffff_ffff],
    [7, 4, 0xffff_ffff],
  ])(
    '8.3 %i preemption bits: %i registers a group, a bit per level',
    async (preemptionBits, registers, bits) => {
      const board = await createOpenBoard({ priorityBits: 7, preemptionBits });
      for (const group of [0, 1]) {
        for (let n = 0; n < 4; n++) {
          board.setIcc(0, `AP${group}R${n}`, 0xffff_ffff);
          expect(board.icc(0, `AP${group}R${n}`)).toBe(n < registers ? bits : 0);
        }
      }
      const missing = 2 * (4 - registers);
      expect(board.diagnosed()).toEqual(Array(2 * missing).fill('UNIMPLEMENTED_SYSTEM_REGISTER'));
    },
  );

  it('8.3 the running priority is the lowest set level over both groups, else 0xFF', async () => {
    const board = await createOpenBoard({ priorityBits: 7 });
    const set = (values: Record<string, number>): number => {
      for (const group of [0, 1]) {
        for (const n of [0, 1, 2, 3]) board.setIcc(0, `AP${group}R${n}`, values[`AP${group}R${n}`] ?? 0);
      }
      return board.icc(0, 'RPR');
    };
    expect(set({})).toBe(0xff);
    expect(set({ AP1R2: 1 << 16 })).toBe(0xa0);
    expect(set({ AP1R2: 1 << 16, AP0R3: 1 })).toBe(0xa0);
    expect(set({ AP1R2: 1 << 16, AP0R1: 1 << 4 })).toBe(0x48);
    expect(set({ AP1R0: 0x8000_0000 })).toBe(0x3e);
    expect(set({ AP0R0: 1, AP1R3: 0x8000_0000 })).toBe(0);
  });

  it('8.3 an active priority that software restores masks interrupts, and EOIR clears it', async () => {
    const board = await createOpenBoard();
    board.configure(40, { priority: 0xa0 });
    board.setBit('ISPENDR', 40);
    board.setIcc(0, 'AP1R0', (1 << 4) | (1 << 20));
    expect(board.machine.irq(0)).toBe(false);
    board.setIcc(0, 'EOIR1', 41);
    expect([board.icc(0, 'AP1R0'), board.icc(0, 'RPR')]).toEqual([1 << 20, 0xa0]);
    board.setIcc(0, 'EOIR1', 41);
    expect(board.machine.irq(0)).toBe(true);
  });

  it('8.3 EOIR0 and EOIR1 each clear the level of their own group', async () => {
    const board = await createOpenBoard();
    board.configure(40, { priority: 0xa0, group: 0 });
    board.configure(41, { priority: 0x60, group: 1 });
    board.setBit('ISPENDR', 40);
    expect(board.icc(0, 'IAR0')).toBe(40);
    board.setBit('ISPENDR', 41);
    expect(board.icc(0, 'IAR1')).toBe(41);
    board.setIcc(0, 'EOIR1', 41);
    expect([board.icc(0, 'AP0R0'), board.icc(0, 'AP1R0'), board.icc(0, 'RPR')]).toEqual([1 << 20, 0, 0xa0]);
    board.setIcc(0, 'EOIR0', 40);
    expect(board.icc(0, 'RPR')).toBe(0xff);
  });

  it('8.3 with 5 priority bits, worked sequence: 0x20 runs, 0xA0 waits; 0xA0 runs, 0x20 preempts', async () => {
    const board = await createOpenBoard();
    board.configure(40, { priority: 0xa0 });
    board.configure(41, { priority: 0x20 });
    board.setBit('ISPENDR', 40);
    board.setBit('ISPENDR', 41);
    expect([board.icc(0, 'HPPIR1'), board.icc(0, 'RPR')]).toEqual([41, 0xff]);
    expect(board.icc(0, 'IAR1')).toBe(41);
    expect([board.icc(0, 'AP1R0'), board.icc(0, 'RPR'), board.machine.irq(0)]).toEqual([0x10, 0x20, false]);
    expect(board.icc(0, 'IAR1')).toBe(1023);
    board.setIcc(0, 'EOIR1', 41);
    expect([board.icc(0, 'AP1R0'), board.machine.irq(0)]).toEqual([0, true]);
    expect(board.icc(0, 'IAR1')).toBe(40);
    board.setBit('ISPENDR', 41);
    expect(board.icc(0, 'IAR1')).toBe(41);
    expect(board.icc(0, 'AP1R0')).toBe(0x0010_0010);
    board.setIcc(0, 'EOIR1', 41);
    expect(board.icc(0, 'AP1R0')).toBe(0x0010_0000);
    board.setIcc(0, 'EOIR1', 40);
    expect(board.icc(0, 'AP1R0')).toBe(0);
  });
});

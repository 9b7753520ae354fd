import { describe, expect, it } from 'vitest';
import { createBoard, createOpenBoard } from '../support/gic.ts';

const WAKER = 0x0014;
const PROCESSOR_SLEEP = 2;
const CHILDREN_ASLEEP = 4;

describe('3.4 GICR_WAKER', () => {
  it('3.4 reset: asleep', async () => {
    const board = await createBoard();
    expect(board.gicr(0, WAKER)).toBe(PROCESSOR_SLEEP | CHILDREN_ASLEEP);
  });

  it('3.4 ChildrenAsleep follows ProcessorSleep', async () => {
    const board = await createBoard();
    board.setGicr(1, WAKER, 0);
    expect([0, 1].map((cpu) => board.gicr(cpu, WAKER))).toEqual([6, 0]);
    board.setGicr(1, WAKER, PROCESSOR_SLEEP);
    expect(board.gicr(1, WAKER)).toBe(6);
  });

  it('3.4 ChildrenAsleep is read-only', async () => {
    const board = await createBoard();
    board.setGicr(0, WAKER, CHILDREN_ASLEEP);
    expect(board.gicr(0, WAKER)).toBe(0);
  });

  it('3.4 bits [30:3] are reserved', async () => {
    const board = await createBoard();
    board.setGicr(0, WAKER, 0x7fff_fff8);
    expect(board.gicr(0, WAKER) & 0x7fff_fffe).toBe(0);
  });

  it.each([3, 20, 40])(
    '3.4 policy sleepHoldsInterrupts: while asleep INTID %i stays pending, and comes on waking',
    async (intid) => {
      const board = await createOpenBoard({ policy: { sleepHoldsInterrupts: true } });
      board.configure(intid);
      board.setGicr(0, WAKER, PROCESSOR_SLEEP);
      board.setBit('ISPENDR', intid);
      expect(board.machine.irq(0)).toBe(false);
      expect([board.icc(0, 'HPPIR1'), board.icc(0, 'IAR1')]).toEqual([1023, 1023]);
      expect(board.state(intid)).toBe('pending');
      board.setGicr(0, WAKER, 0);
      expect(board.machine.irq(0)).toBe(true);
      expect(board.icc(0, 'IAR1')).toBe(intid);
    },
  );

  it('3.4 policy sleepHoldsInterrupts off: ProcessorSleep has no effect on delivery', async () => {
    const board = await createOpenBoard({ policy: { sleepHoldsInterrupts: false } });
    board.configure(40);
    board.setGicr(0, WAKER, PROCESSOR_SLEEP);
    board.setBit('ISPENDR', 40);
    expect(board.gicr(0, WAKER)).toBe(6);
    expect(board.icc(0, 'IAR1')).toBe(40);
  });

  it('3.4 other PEs are not affected', async () => {
    const board = await createOpenBoard();
    board.setGicr(0, WAKER, PROCESSOR_SLEEP);
    board.configure(40, { router: 1n });
    board.setBit('ISPENDR', 40);
    expect(board.icc(1, 'IAR1')).toBe(40);
  });

  it('3.4 going to sleep with a group enabled at the CPU interface is diagnosed', async () => {
    const board = await createOpenBoard();
    board.setGicr(0, WAKER, PROCESSOR_SLEEP);
    expect(board.diagnosed()).toEqual(['SLEEP_WITH_GROUP_ENABLED']);
    board.setIcc(1, 'IGRPEN0', 0);
    board.setIcc(1, 'IGRPEN1', 0);
    board.setGicr(1, WAKER, PROCESSOR_SLEEP);
    expect(board.diagnosed()).toEqual([]);
  });
});

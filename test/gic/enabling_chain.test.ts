import { describe, expect, it } from 'vitest';
import { type Board, createBoard, createOpenBoard } from '../support/gic.ts';
import { enableLpis, setEnableLpis, setLpi, setLpiConfig } from '../support/lpi.ts';

// Section 1.3: a pending interrupt is signalled when all conditions hold; each is taken away alone and given back.

interface Condition {
  condition: string;
  remove(board: Board, intid: number): void;
  restore(board: Board, intid: number): void;
  /** The interrupt is not even considered: HPPIR reads 1023. */
  hidesFromHppir: boolean;
}

const common = (group: 0 | 1): readonly Condition[] => [
  {
    condition: `GICD_CTLR.EnableGrp${group}`,
    remove: (board) => board.setGicd(0x0000, group ? 1 : 2),
    restore: (board) => board.setGicd(0x0000, 3),
    hidesFromHppir: true,
  },
  {
    condition: 'GICR_WAKER.ProcessorSleep=0',
    remove: (board) => board.setGicr(0, 0x0014, 2),
    restore: (board) => board.setGicr(0, 0x0014, 0),
    hidesFromHppir: true,
  },
  {
    condition: `ICC_IGRPEN${group}_EL1`,
    remove: (board) => board.setIcc(0, `IGRPEN${group}`, 0),
    restore: (board) => board.setIcc(0, `IGRPEN${group}`, 1),
    hidesFromHppir: true,
  },
  {
    condition: 'priority < ICC_PMR_EL1',
    remove: (board) => board.setIcc(0, 'PMR', 0x80),
    restore: (board) => board.setIcc(0, 'PMR', 0x88),
    hidesFromHppir: false,
  },
  {
    condition: 'group priority higher than the running priority',
    remove: (board) => board.setIcc(0, 'AP1R0', 1 << (0x80 >> 3)),
    restore: (board) => board.setIcc(0, 'AP1R0', 0),
    hidesFromHppir: false,
  },
];

const ownState: readonly Condition[] = [
  {
    condition: 'pending',
    remove: (board, intid) => board.setBit('ICPENDR', intid),
    restore: (board, intid) => board.setBit('ISPENDR', intid),
    hidesFromHppir: true,
  },
  {
    condition: 'not Active',
    remove: (board, intid) => board.setBit('ISACTIVER', intid),
    restore: (board, intid) => board.setBit('ICACTIVER', intid),
    hidesFromHppir: true,
  },
  {
    condition: 'individually enabled',
    remove: (board, intid) => board.setBit('ICENABLER', intid),
    restore: (board, intid) => board.setBit('ISENABLER', intid),
    hidesFromHppir: true,
  },
  {
    condition: 'in the group that is looked at',
    remove: (board, intid) => board.configure(intid, { group: board.bit('IGROUPR', intid) ? 0 : 1 }),
    restore: (board, intid) => board.configure(intid, { group: board.bit('IGROUPR', intid) ? 0 : 1 }),
    hidesFromHppir: true,
  },
];

const routed: Condition = {
  condition: 'routed to the PE',
  remove: (board, intid) => board.machine.write(board.routerAddress(intid), 8, 1n),
  restore: (board, intid) => board.machine.write(board.routerAddress(intid), 8, 0n),
  hidesFromHppir: true,
};

const lpi: readonly Condition[] = [
  {
    condition: 'GICR_CTLR.EnableLPIs',
    remove: (board) => setEnableLpis(board, false),
    restore: (board) => setEnableLpis(board, true),
    hidesFromHppir: true,
  },
  {
    condition: 'Enable of its configuration byte',
    remove: (board, intid) => {
      setLpiConfig(board, intid, 0x80);
      board.setGicr64(0, 0x00a0, BigInt(intid));
    },
    restore: (board, intid) => {
      setLpiConfig(board, intid, 0x81);
      board.setGicr64(0, 0x00a0, BigInt(intid));
    },
    hidesFromHppir: true,
  },
  {
    condition: 'pending',
    remove: (board, intid) => board.setGicr64(0, 0x0048, BigInt(intid)),
    restore: (board, intid) => setLpi(board, intid),
    hidesFromHppir: true,
  },
];

function check(
  board: Board,
  intid: number,
  group: 0 | 1,
  { remove, restore, hidesFromHppir }: Condition,
): void {
  const output = (): boolean => (group ? board.machine.irq(0) : board.machine.fiq(0));
  expect(output()).toBe(true);
  remove(board, intid);
  expect(output()).toBe(false);
  expect(board.icc(0, `HPPIR${group}`)).toBe(hidesFromHppir ? 1023 : intid);
  expect(board.icc(0, `IAR${group}`)).toBe(1023);
  restore(board, intid);
  expect(output()).toBe(true);
  expect(board.icc(0, `HPPIR${group}`)).toBe(intid);
  expect(board.icc(0, `IAR${group}`)).toBe(intid);
}

describe.each([0, 1] as const)('1.3 Group %i', (group) => {
  it.each([...ownState, ...common(group), routed])('1.3 an SPI needs: $condition', async (condition) => {
    const board = await createOpenBoard();
    board.configure(40, { group, edge: true });
    board.setBit('ISPENDR', 40);
    check(board, 40, group, condition);
  });

  it.each([...ownState, ...common(group)])('1.3 a PPI needs: $condition', async (condition) => {
    const board = await createOpenBoard();
    board.configure(20, { group });
    board.setBit('ISPENDR', 20);
    check(board, 20, group, condition);
  });

  it.each([...ownState, ...common(group)])('1.3 an SGI needs: $condition', async (condition) => {
    const board = await createOpenBoard();
    board.configure(3, { group });
    board.setBit('ISPENDR', 3);
    check(board, 3, group, condition);
  });
});

it.each([...lpi, ...common(1)])('1.3 an LPI needs: $condition', async (condition) => {
  const board = await createOpenBoard();
  setLpiConfig(board, 8200, 0x81);
  enableLpis(board);
  setLpi(board, 8200);
  check(board, 8200, 1, condition);
});

it('1.3 after reset nothing is enabled: a wire that is high makes an SPI pending and no more', async () => {
  const board = await createBoard();
  board.setLine(40, true);
  expect(board.state(40)).toBe('pending');
  expect(board.machine.irq(0) || board.machine.fiq(0)).toBe(false);
  expect(board.machine.highestPending(0)).toBeUndefined();
});

it('1.3 a level-sensitive interrupt that is Active and pending is no candidate until deactivated', async () => {
  const board = await createOpenBoard();
  board.configure(40, { priority: 0x40 });
  board.configure(41, { priority: 0x20, edge: true });
  board.setLine(40, true);
  expect(board.icc(0, 'IAR1')).toBe(40);
  expect(board.icc(0, 'HPPIR1')).toBe(1023);
  board.setBit('ISPENDR', 41);
  expect(board.icc(0, 'HPPIR1')).toBe(41);
});

it('1.3 the lowest priority value is the highest priority, among SGIs, PPIs, SPIs and LPIs', async () => {
  const board = await createOpenBoard();
  setLpiConfig(board, 8200, 0x61);
  enableLpis(board);
  board.configure(3, { priority: 0x80 });
  board.configure(20, { priority: 0x40 });
  board.configure(40, { priority: 0x20, edge: true });
  for (const intid of [3, 20, 40]) board.setBit('ISPENDR', intid);
  setLpi(board, 8200);
  const order: number[] = [];
  for (let intid = board.icc(0, 'IAR1'); intid !== 1023; intid = board.icc(0, 'IAR1')) {
    order.push(intid);
    board.setIcc(0, 'EOIR1', intid);
  }
  expect(order).toEqual([40, 20, 8200, 3]);
});

describe('1.3 policy tieBreak: which of several pending interrupts of equal priority is taken first', () => {
  const pairs: readonly (readonly [number, number])[] = [
    [2, 3],
    [3, 20],
    [20, 40],
    [40, 41],
    [40, 8200],
    [41, 1060],
    [1060, 4100],
    [4100, 8200],
    [8200, 8201],
    [8200, 20_000],
  ];

  it.each(pairs)('1.3 INTIDs %i and %i', async (low, high) => {
    for (const tieBreak of ['lowest-intid', 'highest-intid'] as const) {
      for (const order of [
        [low, high],
        [high, low],
      ]) {
        const board = await createOpenBoard({ extendedPpis: 32, extendedSpis: 32, policy: { tieBreak } });
        for (const intid of [low, high]) setLpiOrConfigure(board, intid);
        enableLpis(board);
        for (const intid of order) {
          if (intid < 8192) board.setBit('ISPENDR', intid);
          else setLpi(board, intid);
        }
        expect(board.icc(0, 'HPPIR1')).toBe(tieBreak === 'lowest-intid' ? low : high);
      }
    }
  });

  function setLpiOrConfigure(board: Board, intid: number): void {
    if (intid < 8192) board.configure(intid, { priority: 0x80 });
    else setLpiConfig(board, intid, 0x81);
  }
});

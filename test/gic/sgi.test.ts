import { describe, expect, it } from 'vitest';
import type { MachineOptions } from '../../bindings/index.ts';
import { type Board, createOpenBoard, hex } from '../support/gic.ts';

/** An open board on which every PE has all SGIs enabled, in this group. */
async function boardWithSgis(options: MachineOptions = {}, group: 0 | 1 = 1): Promise<Board> {
  const board = await createOpenBoard(options);
  for (let cpu = 0; cpu < board.machine.cpus; cpu++) {
    for (let intid = 0; intid < 16; intid++) board.configure(intid, { group }, cpu);
  }
  return board;
}

/** PEs at which an SGI is pending. */
function receivers(board: Board, intid: number): number[] {
  return Array.from({ length: board.machine.cpus }, (_, cpu) => cpu).filter(
    (cpu) => board.state(intid, cpu) === 'pending',
  );
}

const range16 = Array.from({ length: 16 }, (_, n) => n);

describe('8.2 ICC_SGI1R_EL1, IRM=0', () => {
  it('8.2 the example of the reference: SGI 5 to 0.0.1.{0,2}', async () => {
    const board = await boardWithSgis({ affinities: [0, 0x100, 0x101, 0x102] });
    board.setIcc(0, 'SGI1R', 0x0000_0000_0501_0005n);
    expect(receivers(board, 5)).toEqual([1, 3]);
    expect(board.icc(1, 'IAR1')).toBe(5);
    expect(board.icc(2, 'IAR1')).toBe(1023);
  });

  it.each(range16)('8.2 INTID field: SGI %i', async (intid) => {
    const board = await boardWithSgis();
    board.setIcc(0, 'SGI1R', (BigInt(intid) << 24n) | 2n);
    expect(range16.filter((other) => receivers(board, other).length > 0)).toEqual([intid]);
    expect(board.icc(1, 'IAR1')).toBe(intid);
  });

  it.each([0x0001, 0x8000, 0x00f0, 0xffff, 0x0000].map((targets) => [hex(targets), targets] as const))(
    '8.2 a target for each set bit of TargetList %s',
    async (_name, targets) => {
      const board = await boardWithSgis({ cpus: 16 });
      board.setIcc(3, 'SGI1R', 0x0100_0000n | BigInt(targets));
      expect(receivers(board, 1)).toEqual(range16.filter((n) => (targets >> n) & 1));
    },
  );

  it('8.2 the sender can be its own target', async () => {
    const board = await boardWithSgis();
    board.setIcc(2, 'SGI1R', 0x0100_0004n);
    expect(board.icc(2, 'IAR1')).toBe(1);
  });

  it.each([
    ['Aff3', 0x0100_0000, 1n << 48n],
    ['Aff2', 0x0001_0000, 1n << 32n],
    ['Aff1', 0x0000_0100, 1n << 16n],
    ['all levels', 0xfffe_fd00, (0xffn << 48n) | (0xfen << 32n) | (0xfdn << 16n)],
  ])('8.2 %s names the cluster', async (_level, affinity, field) => {
    const board = await boardWithSgis({ affinities: [0, affinity, (affinity | 1) >>> 0, 1] });
    board.setIcc(0, 'SGI1R', field | 0x0700_0000n | 3n);
    expect(receivers(board, 7)).toEqual([1, 2]);
  });

  it('8.2 targets that do not exist are ignored', async () => {
    const board = await boardWithSgis();
    board.setIcc(0, 'SGI1R', 0x00ff_00ff_07ff_ffffn);
    board.setIcc(0, 'SGI1R', 0x0700_fff8n);
    expect(receivers(board, 7)).toEqual([3]);
  });

  it('8.2 two SGIs of one number to one PE before the acknowledge merge', async () => {
    const board = await boardWithSgis();
    board.setIcc(0, 'SGI1R', 0x0100_0002n);
    board.setIcc(2, 'SGI1R', 0x0100_0002n);
    expect(board.icc(1, 'IAR1')).toBe(1);
    board.setIcc(1, 'EOIR1', 1);
    expect(board.icc(1, 'IAR1')).toBe(1023);
    expect(board.machine.counters().sgis).toEqual({ sent: 1, coalesced: 1 });
  });

  it('1.2 an SGI while it is Active gives Active and pending, and comes again after the end', async () => {
    const board = await boardWithSgis();
    board.setIcc(0, 'SGI1R', 0x0100_0002n);
    expect(board.icc(1, 'IAR1')).toBe(1);
    board.setIcc(0, 'SGI1R', 0x0100_0002n);
    expect(board.state(1, 1)).toBe('active and pending');
    board.setIcc(1, 'EOIR1', 1);
    expect(board.icc(1, 'IAR1')).toBe(1);
  });
});

describe('8.2 ICC_SGI1R_EL1, RS', () => {
  const affinities = [0x00, 0x0f, 0x10, 0x1f, 0x25, 0xff];
  const options = { cpus: affinities.length, affinities, rangeSelector: true };

  it.each([
    [0, 0xffff, [0, 1]],
    [1, 0xffff, [2, 3]],
    [1, 0x0001, [2]],
    [2, 0x0020, [4]],
    [15, 0x8000, [5]],
    [3, 0xffff, []],
  ] as const)('8.2 RS=%i, TargetList %i: targets are Aff0 = RS*16+i', async (range, targets, expected) => {
    const board = await boardWithSgis(options);
    board.setIcc(0, 'SGI1R', (BigInt(range) << 44n) | 0x0100_0000n | BigInt(targets));
    expect(receivers(board, 1)).toEqual(expected);
  });

  it('8.2 RS not 0 where the range selector is not supported: RES0, taken as 0, and diagnosed', async () => {
    const board = await boardWithSgis({ rangeSelector: false });
    board.setIcc(0, 'SGI1R', (1n << 44n) | 0x0100_000fn);
    expect(receivers(board, 1)).toEqual([0, 1, 2, 3]);
    expect(board.diagnosed()).toEqual(['SGI_RANGE_NOT_SUPPORTED']);
  });
});

describe('8.2 ICC_SGI1R_EL1, IRM=1', () => {
  it.each([0, 2])('8.2 the example of the reference: SGI 3 from PE %i to all others', async (sender) => {
    const board = await boardWithSgis();
    board.setIcc(sender, 'SGI1R', 0x0000_0100_0300_0000n);
    expect(receivers(board, 3)).toEqual([0, 1, 2, 3].filter((cpu) => cpu !== sender));
  });

  it('8.2 the affinity, range and target list do not count', async () => {
    const board = await boardWithSgis();
    board.setIcc(0, 'SGI1R', 0x00ff_f1ff_03ff_0001n);
    expect(receivers(board, 3)).toEqual([1, 2, 3]);
  });
});

describe('8.2 the group of an SGI', () => {
  it.each([
    ['SGI0R', 0, true],
    ['SGI0R', 1, false],
    ['SGI1R', 1, true],
    ['SGI1R', 0, false],
    ['ASGI1R', 0, true],
    ['ASGI1R', 1, false],
  ] as const)(
    '8.2 ICC_%s_EL1 and an SGI configured in Group %i: delivered %s',
    async (register, group, delivered) => {
      const board = await boardWithSgis({}, group);
      board.setIcc(0, register, 0x0100_0006n);
      expect(receivers(board, 1)).toEqual(delivered ? [1, 2] : []);
      expect(board.icc(1, `IAR${group}`)).toBe(delivered ? 1 : 1023);
    },
  );

  it('8.2 each target decides by its own GICR_IGROUPR0', async () => {
    const board = await boardWithSgis();
    board.configure(1, { group: 0 }, 2);
    board.setIcc(0, 'SGI1R', 0x0000_0100_0100_0000n);
    expect(receivers(board, 1)).toEqual([1, 3]);
    board.setIcc(0, 'SGI0R', 0x0000_0100_0100_0000n);
    expect(receivers(board, 1)).toEqual([1, 2, 3]);
    expect([board.machine.fiq(2), board.machine.irq(2)]).toEqual([true, false]);
  });
});

it('8.1 ICC_SGI1R_EL1, ASGI1R and SGI0R are write-only', async () => {
  const board = await boardWithSgis();
  for (const name of ['SGI0R', 'SGI1R', 'ASGI1R']) expect(board.icc(0, name)).toBe(0);
  expect(board.diagnosed()).toEqual(Array(3).fill('READ_OF_WRITE_ONLY'));
});

it('1.3 an SGI that is disabled at its target stays pending there until it is enabled', async () => {
  const board = await boardWithSgis();
  board.setBit('ICENABLER', 1, 1);
  board.setIcc(0, 'SGI1R', 0x0100_0002n);
  expect(board.machine.irq(1)).toBe(false);
  board.setBit('ISENABLER', 1, 1);
  expect(board.icc(1, 'IAR1')).toBe(1);
});

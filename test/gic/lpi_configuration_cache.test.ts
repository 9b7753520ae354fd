import { describe, expect, it } from 'vitest';
import { type Board, createOpenBoard } from '../support/gic.ts';
import { enableLpis, pendingBit, setLpi, setLpiConfig } from '../support/lpi.ts';

/** Both ways to invalidate through the redistributor (section 3.8). */
const invalidations: readonly (readonly [string, (board: Board, intid: number, cpu?: number) => void])[] = [
  ['INVLPIR', (board, intid, cpu = 0) => board.setGicr64(cpu, 0x00a0, BigInt(intid))],
  ['INVALLR', (board, _intid, cpu = 0) => board.setGicr64(cpu, 0x00b0, 0n)],
];

/** LPIs 8200 and 8201 at PE 0 with these configuration bytes, both read once by the redistributor. */
async function boardWithCachedLpis(first: number, second = 0x81): Promise<Board> {
  const board = await createOpenBoard({ priorityBits: 8 });
  setLpiConfig(board, 8200, first);
  setLpiConfig(board, 8201, second);
  enableLpis(board);
  for (const intid of [8200, 8201]) {
    setLpi(board, intid);
    board.setGicr64(0, 0x0048, BigInt(intid));
  }
  return board;
}

describe.each(invalidations)(
  '4.3 a changed configuration byte takes effect with %s, and not before',
  (_name, invalidate) => {
    it('4.3 Enable 1 to 0', async () => {
      const board = await boardWithCachedLpis(0x81);
      setLpiConfig(board, 8200, 0x80);
      setLpi(board, 8200);
      expect(board.icc(0, 'HPPIR1'), 'the cached byte still counts').toBe(8200);
      invalidate(board, 8200);
      expect(board.icc(0, 'HPPIR1')).toBe(1023);
      expect(pendingBit(board, 8200)).toBe(true);
    });

    it('4.3 Enable 0 to 1: an LPI that was pending meanwhile is delivered once', async () => {
      const board = await boardWithCachedLpis(0x80);
      setLpiConfig(board, 8200, 0x81);
      setLpi(board, 8200);
      setLpi(board, 8200);
      expect(board.icc(0, 'IAR1'), 'the cached byte still counts').toBe(1023);
      invalidate(board, 8200);
      expect(board.icc(0, 'IAR1')).toBe(8200);
      board.setIcc(0, 'EOIR1', 8200);
      expect(board.icc(0, 'IAR1')).toBe(1023);
    });

    it('4.3 the priority, of an LPI that is pending already', async () => {
      const board = await boardWithCachedLpis(0x81);
      setLpi(board, 8200);
      setLpiConfig(board, 8200, 0x41);
      expect(board.machine.highestPending(0)?.priority).toBe(0x80);
      invalidate(board, 8200);
      expect(board.machine.highestPending(0)).toEqual({ intid: 8200, priority: 0x40, group: 1 });
    });

    it('4.3 the order of pending LPIs follows', async () => {
      const board = await boardWithCachedLpis(0x81, 0x91);
      for (const intid of [8200, 8201]) setLpi(board, intid);
      setLpiConfig(board, 8200, 0xa1);
      expect(board.icc(0, 'HPPIR1')).toBe(8200);
      invalidate(board, 8200);
      expect(board.icc(0, 'HPPIR1')).toBe(8201);
    });

    it('3.8 an LPI that the PE was told of already is retrieved', async () => {
      const board = await boardWithCachedLpis(0x81);
      setLpi(board, 8200);
      expect(board.machine.irq(0)).toBe(true);
      setLpiConfig(board, 8200, 0x80);
      invalidate(board, 8200);
      expect(board.machine.irq(0)).toBe(false);
    });

    it('3.8 an LPI that was acknowledged already is not affected', async () => {
      const board = await boardWithCachedLpis(0x81);
      setLpi(board, 8200);
      expect(board.icc(0, 'IAR1')).toBe(8200);
      setLpiConfig(board, 8200, 0x00);
      invalidate(board, 8200);
      expect(board.icc(0, 'RPR')).toBe(0x80);
      board.setIcc(0, 'EOIR1', 8200);
      expect(board.icc(0, 'RPR')).toBe(0xff);
    });

    it('3.8 other redistributors keep what they have cached', async () => {
      const board = await boardWithCachedLpis(0x81);
      enableLpis(board, 1);
      setLpi(board, 8200, 1);
      setLpi(board, 8200, 0);
      setLpiConfig(board, 8200, 0x80);
      invalidate(board, 8200, 0);
      expect([0, 1].map((cpu) => board.icc(cpu, 'HPPIR1'))).toEqual([1023, 8200]);
    });
  },
);

it('3.8 INVLPIR reads the byte of its own LPI only', async () => {
  const board = await boardWithCachedLpis(0x81);
  for (const intid of [8200, 8201]) {
    setLpiConfig(board, intid, 0x80);
    setLpi(board, intid);
  }
  board.setGicr64(0, 0x00a0, 8200n);
  expect(board.icc(0, 'HPPIR1')).toBe(8201);
});

it('3.8 INVALLR reads the bytes of all LPIs of the redistributor', async () => {
  const board = await boardWithCachedLpis(0x81);
  for (const intid of [8200, 8201]) {
    setLpiConfig(board, intid, 0x80);
    setLpi(board, intid);
  }
  board.setGicr64(0, 0x00b0, 0n);
  expect(board.icc(0, 'HPPIR1')).toBe(1023);
});

it('4.3 a byte that was never read is taken as it stands at first use', async () => {
  const board = await createOpenBoard();
  enableLpis(board);
  setLpiConfig(board, 8200, 0x81);
  setLpi(board, 8200);
  expect(board.icc(0, 'IAR1')).toBe(8200);
});

it('4.3 the index of pending LPIs stays true to the pending table and the cached bytes', async () => {
  const board = await boardWithCachedLpis(0x81);
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let step = 0; step < 2000; step++) {
    const intid = 8192 + random(300);
    switch (random(6)) {
      case 0:
        setLpiConfig(board, intid, random(256));
        break;
      case 1:
      case 2:
        setLpi(board, intid);
        break;
      case 3:
        board.setGicr64(0, 0x0048, BigInt(intid));
        break;
      case 4:
        board.setGicr64(0, random(20) ? 0x00a0 : 0x00b0, BigInt(intid));
        break;
      default:
        board.setIcc(0, 'EOIR1', board.icc(0, 'IAR1'));
    }
  }
  expect(board.machine.checkLpiIndex(0)).toBe(0);
  expect(board.machine.counters().acknowledged.lpi).toBeGreaterThan(50);
});

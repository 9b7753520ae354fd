import { describe, expect, it } from 'vitest';
import { type Board, createOpenBoard } from '../support/gic.ts';

const SETSPI_NSR = 0x0040;
const CLRSPI_NSR = 0x0048;

async function boardWithSpi(edge: boolean): Promise<Board> {
  const board = await createOpenBoard();
  board.configure(40, { edge });
  return board;
}

describe('2.5 an edge-triggered SPI', () => {
  it('2.5 SETSPI_NSR on an edge SPI sets the latch; activation clears it', async () => {
    const board = await boardWithSpi(true);
    board.setGicd(SETSPI_NSR, 40);
    expect(board.state(40)).toBe('pending');
    expect(board.icc(0, 'IAR1')).toBe(40);
    expect(board.state(40)).toBe('active');
    board.setIcc(0, 'EOIR1', 40);
    expect(board.state(40)).toBe('inactive');
  });

  it('2.5 each SETSPI_NSR is an edge of its own: again while active gives Active and pending', async () => {
    const board = await boardWithSpi(true);
    board.setGicd(SETSPI_NSR, 40);
    expect(board.icc(0, 'IAR1')).toBe(40);
    board.setGicd(SETSPI_NSR, 40);
    expect(board.state(40)).toBe('active and pending');
    board.setIcc(0, 'EOIR1', 40);
    expect(board.icc(0, 'IAR1')).toBe(40);
  });

  it.each([
    ['CLRSPI_NSR', (board: Board) => board.setGicd(CLRSPI_NSR, 40)],
    ['ICPENDR', (board: Board) => board.setBit('ICPENDR', 40)],
  ] as const)('2.5 %s takes the message back', async (_name, clear) => {
    const board = await boardWithSpi(true);
    board.setGicd(SETSPI_NSR, 40);
    clear(board);
    expect(board.state(40)).toBe('inactive');
    expect(board.icc(0, 'IAR1')).toBe(1023);
  });

  it('2.5 CLRSPI_NSR after the acknowledge is harmless', async () => {
    const board = await boardWithSpi(true);
    board.setGicd(SETSPI_NSR, 40);
    expect(board.icc(0, 'IAR1')).toBe(40);
    board.setGicd(CLRSPI_NSR, 40);
    expect(board.state(40)).toBe('active');
  });

  it('2.5 SETSPI_NSR of a pending SPI is ignored: it is taken once', async () => {
    const board = await boardWithSpi(true);
    board.setGicd(SETSPI_NSR, 40);
    board.setGicd(SETSPI_NSR, 40);
    expect(board.icc(0, 'IAR1')).toBe(40);
    board.setIcc(0, 'EOIR1', 40);
    expect(board.icc(0, 'IAR1')).toBe(1023);
  });
});

describe('2.5 a level-sensitive SPI', () => {
  it('2.5 SETSPI_NSR on a level SPI acts as line high: acknowledged without CLRSPI it is active and pending', async () => {
    const board = await boardWithSpi(false);
    board.setGicd(SETSPI_NSR, 40);
    expect(board.state(40)).toBe('pending');
    expect(board.icc(0, 'IAR1')).toBe(40);
    expect(board.state(40)).toBe('active and pending');
    board.setIcc(0, 'EOIR1', 40);
    expect(board.state(40)).toBe('pending');
  });

  it('2.5 CLRSPI_NSR on a level SPI acts as line low', async () => {
    const board = await boardWithSpi(false);
    board.setGicd(SETSPI_NSR, 40);
    expect(board.icc(0, 'IAR1')).toBe(40);
    board.setGicd(CLRSPI_NSR, 40);
    expect(board.state(40)).toBe('active');
    board.setIcc(0, 'EOIR1', 40);
    expect(board.state(40)).toBe('inactive');
  });

  it('2.5 CLRSPI_NSR before the acknowledge retracts the interrupt', async () => {
    const board = await boardWithSpi(false);
    board.setGicd(SETSPI_NSR, 40);
    board.setGicd(CLRSPI_NSR, 40);
    expect(board.machine.irq(0)).toBe(false);
  });

  it('2.5 ICPENDR does not end a message that stands for a high line', async () => {
    const board = await boardWithSpi(false);
    board.setGicd(SETSPI_NSR, 40);
    board.setBit('ICPENDR', 40);
    expect(board.state(40)).toBe('pending');
  });
});

describe('2.5 writes', () => {
  it.each([2, 4] as const)('2.5 SETSPI_NSR and CLRSPI_NSR take writes of %i bytes', async (size) => {
    const board = await boardWithSpi(true);
    board.machine.write(board.gicdAddress(SETSPI_NSR), size, 40);
    expect(board.state(40)).toBe('pending');
    board.machine.write(board.gicdAddress(CLRSPI_NSR), size, 40);
    expect(board.state(40)).toBe('inactive');
    expect(board.diagnosed()).toEqual([]);
  });

  it('2.5 only the INTID in bits [12:0] counts', async () => {
    const board = await boardWithSpi(true);
    board.setGicd(SETSPI_NSR, 0xffff_e000 + 40);
    expect(board.state(40)).toBe('pending');
  });

  it('2.5 an Extended SPI is named by its 13-bit INTID', async () => {
    const board = await createOpenBoard({ extendedSpis: 64 });
    board.configure(4130, { edge: true });
    board.setGicd(SETSPI_NSR, 4130);
    expect(board.icc(0, 'IAR1')).toBe(4130);
  });

  it.each([0, 3, 16, 31, 288, 1019, 1020, 1023, 1056, 1060, 4096, 4100, 5119, 8191])(
    '2.5 INTID %i, no SPI of this machine, is ignored',
    async (intid) => {
      const board = await createOpenBoard({ extendedPpis: 32 });
      for (const cpu of [0, 1, 2, 3]) {
        for (const banked of [3, 16, 31, 1056, 1060]) board.configure(banked, {}, cpu);
      }
      const states = (): number[] => {
        const arrays = Array.from({ length: 8 }, (_, n) => board.gicd(0x0204 + 4 * n));
        return [...arrays, ...[0, 1, 2, 3].map((cpu) => board.icc(cpu, 'HPPIR1'))];
      };
      const nothing = [...Array(8).fill(0), ...Array(4).fill(1023)];
      board.setGicd(SETSPI_NSR, intid);
      expect(states()).toEqual(nothing);
      board.setGicd(CLRSPI_NSR, intid);
      expect(states()).toEqual(nothing);
    },
  );

  it('2.1 SETSPI_NSR and CLRSPI_NSR are write-only', async () => {
    const board = await boardWithSpi(true);
    expect([board.gicd(SETSPI_NSR), board.gicd(CLRSPI_NSR)]).toEqual([0, 0]);
    expect(board.diagnosed()).toEqual(['READ_OF_WRITE_ONLY', 'READ_OF_WRITE_ONLY']);
  });

  it('2.5 without message-based SPIs the registers are reserved', async () => {
    const board = await createOpenBoard({ messageBasedSpis: false });
    board.configure(40, { edge: true });
    board.setGicd(SETSPI_NSR, 40);
    expect(board.state(40)).toBe('inactive');
    expect(board.diagnosed()).toEqual(['RESERVED_REGISTER']);
  });
});

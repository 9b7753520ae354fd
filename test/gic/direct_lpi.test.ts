import { describe, expect, it } from 'vitest';
import { type Board, createBoard, createOpenBoard } from '../support/gic.ts';
import { clearLpi, enableLpis, pendingBit, setLpi, setLpiConfig } from '../support/lpi.ts';

const SETLPIR = 0x0040;
const CLRLPIR = 0x0048;
const INVLPIR = 0x00a0;
const INVALLR = 0x00b0;
const SYNCR = 0x00c0;

async function boardWithLpi(): Promise<Board> {
  const board = await createOpenBoard();
  setLpiConfig(board, 8200, 0x81);
  enableLpis(board);
  return board;
}

describe('3.5 GICR_SETLPIR', () => {
  it('3.5 makes the LPI pending at its own redistributor', async () => {
    const board = await boardWithLpi();
    enableLpis(board, 1);
    setLpi(board, 8200, 1);
    expect([0, 1].map((cpu) => pendingBit(board, 8200, cpu))).toEqual([false, true]);
    expect([0, 1].map((cpu) => board.icc(cpu, 'IAR1'))).toEqual([1023, 8200]);
  });

  it('3.5 a 32-bit write is zero-extended', async () => {
    const board = await boardWithLpi();
    board.setGicr(0, SETLPIR, 8200);
    expect(pendingBit(board, 8200)).toBe(true);
    board.setGicr(0, CLRLPIR, 8200);
    expect(pendingBit(board, 8200)).toBe(false);
    expect(board.diagnosed()).toEqual([]);
  });

  it('3.5 a 32-bit write of the upper half does nothing', async () => {
    const board = await boardWithLpi();
    board.setGicr(0, SETLPIR + 4, 8200);
    expect(pendingBit(board, 8200)).toBe(false);
    setLpi(board, 8200);
    board.setGicr(0, CLRLPIR + 4, 8200);
    expect(pendingBit(board, 8200)).toBe(true);
  });

  it('3.5 the upper half is RES0', async () => {
    const board = await boardWithLpi();
    board.setGicr64(0, SETLPIR, 0xffff_ffff_0000_0000n | 8200n);
    expect(pendingBit(board, 8200)).toBe(true);
    board.setGicr64(0, CLRLPIR, 0xffff_ffff_0000_0000n | 8200n);
    expect(pendingBit(board, 8200)).toBe(false);
  });

  it('3.5 no effect if the LPI is pending already: it is taken once', async () => {
    const board = await boardWithLpi();
    setLpi(board, 8200);
    setLpi(board, 8200);
    expect(board.machine.counters().setlpir).toEqual({ total: 2, pending: 1, coalesced: 1, dropped: {} });
    expect(board.icc(0, 'IAR1')).toBe(8200);
    board.setIcc(0, 'EOIR1', 8200);
    expect(board.icc(0, 'IAR1')).toBe(1023);
  });

  it.each([0, 20, 40, 1019, 1023, 1056, 4096, 8191, 65_536, 0xffff_ffff])(
    '3.5 no effect with INTID %i, no implemented LPI',
    async (intid) => {
      const board = await boardWithLpi();
      for (const wired of [0, 20, 40]) board.configure(wired);
      for (let address = 0x8001_0000; address < 0x8003_0000; address += 0x1_0000) {
        board.machine.writeMemory(address, new Uint8Array(0x1_0000));
      }
      setLpi(board, intid);
      expect(board.icc(0, 'HPPIR1')).toBe(1023);
      expect(board.machine.readMemory(0x8002_0000, 0x1_0000).every((byte) => byte === 0)).toBe(true);
      clearLpi(board, intid);
      board.setGicr64(0, INVLPIR, BigInt(intid));
      expect(board.machine.irq(0)).toBe(false);
    },
  );

  it('3.5 no effect if EnableLPIs=0', async () => {
    const board = await createOpenBoard();
    setLpi(board, 8200);
    expect(board.machine.counters().setlpir.dropped).toEqual({ 'lpis-disabled': 1 });
    enableLpis(board);
    expect(board.icc(0, 'HPPIR1')).toBe(1023);
  });
});

describe('3.5 GICR_CLRLPIR', () => {
  it('3.5 takes the pending state away before the acknowledge', async () => {
    const board = await boardWithLpi();
    setLpi(board, 8200);
    expect(board.machine.irq(0)).toBe(true);
    clearLpi(board, 8200);
    expect(board.machine.irq(0)).toBe(false);
    expect(pendingBit(board, 8200)).toBe(false);
    expect(board.icc(0, 'IAR1')).toBe(1023);
  });

  it('3.5 clears an LPI that is disabled and pending', async () => {
    const board = await boardWithLpi();
    setLpiConfig(board, 8300, 0x80);
    setLpi(board, 8300);
    clearLpi(board, 8300);
    expect(pendingBit(board, 8300)).toBe(false);
  });

  it('3.5 no effect on an LPI that is not pending, on others, and at other redistributors', async () => {
    const board = await boardWithLpi();
    setLpi(board, 8200);
    clearLpi(board, 8201);
    clearLpi(board, 8200, 1);
    clearLpi(board, 8201);
    expect(board.icc(0, 'IAR1')).toBe(8200);
  });

  it('3.5 no effect if EnableLPIs=0', async () => {
    const board = await boardWithLpi();
    setLpi(board, 8200);
    board.setGicr(0, 0x0000, 0);
    clearLpi(board, 8200);
    expect(pendingBit(board, 8200)).toBe(true);
  });
});

describe('3.8 GICR_INVLPIR, INVALLR, SYNCR', () => {
  it('3.8 SYNCR is never busy: the invalidations are complete when the write is', async () => {
    const board = await boardWithLpi();
    board.setGicr64(0, INVLPIR, 8200n);
    board.setGicr64(0, INVALLR, 0n);
    expect(board.gicr(0, SYNCR)).toBe(0);
  });

  it('3.1 SYNCR is read-only', async () => {
    const board = await boardWithLpi();
    board.setGicr(0, SYNCR, 1);
    expect(board.gicr(0, SYNCR)).toBe(0);
    expect(board.diagnosed()).toEqual(['WRITE_OF_READ_ONLY']);
  });

  it.each([
    ['INVLPIR', INVLPIR],
    ['INVALLR', INVALLR],
  ])('3.8 %s has no effect if EnableLPIs=0', async (_name, offset) => {
    const board = await createOpenBoard();
    board.setGicr64(0, offset, 8200n);
    expect(board.machine.irq(0)).toBe(false);
    expect(board.diagnosed()).toEqual([]);
  });

  it('3.8 INVLPIR makes no LPI pending', async () => {
    const board = await boardWithLpi();
    board.setGicr64(0, INVLPIR, 8200n);
    expect(board.icc(0, 'HPPIR1')).toBe(1023);
  });
});

const writeOnly = [
  ['SETLPIR', SETLPIR],
  ['CLRLPIR', CLRLPIR],
  ['INVLPIR', INVLPIR],
  ['INVALLR', INVALLR],
] as const;

it.each(writeOnly)('3.1 GICR_%s is write-only', async (_name, offset) => {
  const board = await createBoard();
  expect(board.gicr64(0, offset)).toBe(0n);
  expect(board.diagnosed()).toEqual(['READ_OF_WRITE_ONLY']);
});

it.each([...writeOnly, ['SYNCR', SYNCR] as const])(
  '3.3 without direct LPI registers GICR_%s is reserved',
  async (_name, offset) => {
    const board = await createOpenBoard({ directLpi: false });
    setLpiConfig(board, 8200, 0x81);
    enableLpis(board);
    board.setGicr(0, offset, 8200);
    expect(board.gicr(0, offset)).toBe(0);
    expect(pendingBit(board, 8200)).toBe(false);
    expect(board.diagnosed()).toEqual(['RESERVED_REGISTER', 'RESERVED_REGISTER']);
  },
);

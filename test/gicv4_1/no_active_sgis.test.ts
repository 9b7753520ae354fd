import { describe, expect, it } from 'vitest';
import type { MachineOptions } from '../../bindings/index.ts';
import { type Board, createBoard } from '../support/gic.ts';

const NASSGIREQ = 0x100;
const GROUPS = 3;
const SGI = 5;
/** ICC_SGI1R_EL1: SGI 5 to the PE with affinity 0.0.0.0. */
const SEND = (5n << 24n) | 1n;

const nassgireq = (board: Board): boolean => (board.gicd(0x0000) & NASSGIREQ) !== 0;

/** PE 0 with SGI 5 enabled in Group 1 at priority 0x80, GICD_CTLR written as given. */
async function withSgi(ctlr: number, options: MachineOptions = {}): Promise<Board> {
  const board = await createBoard({ architecture: 'GICv4.1', ...options });
  const { machine } = board;
  machine.write(board.gicrAddress(0, 0x14), 4, 0);
  machine.write(board.gicrAddress(0, 0x1_0080), 4, 0xffff_ffff);
  machine.write(board.gicrAddress(0, 0x1_0100), 4, 0xffff);
  machine.write(board.gicrAddress(0, 0x1_0404), 4, 0x8080_8080);
  machine.writeSystemRegister(0, 'ICC_PMR_EL1', 0xff);
  machine.writeSystemRegister(0, 'ICC_IGRPEN1_EL1', 1);
  board.setGicd(0x0000, ctlr);
  return board;
}

const read = (board: Board, name: string): number => Number(board.machine.readSystemRegister(0, name));
const isActive = (board: Board, intid: number): boolean =>
  ((board.machine.read(board.gicrAddress(0, 0x1_0300), 4) >> intid) & 1) === 1;

describe('2.2 GICD_CTLR.nASSGIreq', () => {
  it('2.2 is 0 after reset', async () => {
    expect(nassgireq(await createBoard({ architecture: 'GICv4.1' }))).toBe(false);
  });

  it('2.2 can be written while both groups are disabled, also in the write that enables them', async () => {
    const board = await createBoard({ architecture: 'GICv4.1' });
    board.setGicd(0, NASSGIREQ);
    expect(nassgireq(board)).toBe(true);
    board.setGicd(0, 0);
    expect(nassgireq(board)).toBe(false);
    board.setGicd(0, NASSGIREQ | GROUPS);
    expect(board.gicd(0) & (NASSGIREQ | GROUPS)).toBe(NASSGIREQ | GROUPS);
    expect(board.machine.takeDiagnostics()).toEqual([]);
  });

  it.each([1, 2, 3])(
    '2.2 the write is ignored while a group is enabled (%i), and diagnosed',
    async (groups) => {
      const board = await createBoard({ architecture: 'GICv4.1' });
      board.setGicd(0, groups);
      board.setGicd(0, groups | NASSGIREQ);
      expect(nassgireq(board)).toBe(false);
      board.setGicd(0, NASSGIREQ);
      expect(nassgireq(board)).toBe(false);
      expect(board.gicd(0) & GROUPS).toBe(0);
      board.setGicd(0, NASSGIREQ);
      board.setGicd(0, NASSGIREQ | groups);
      board.setGicd(0, groups);
      expect(nassgireq(board)).toBe(true);
      expect(board.machine.takeDiagnostics().map(({ code }) => code)).toEqual(
        Array(3).fill('NASSGIREQ_WRITE_WHILE_ENABLED'),
      );
    },
  );

  it.each(['GICv3', 'GICv4.0'] as const)('2.2 is RES0 in %s', async (architecture) => {
    const board = await createBoard({ architecture });
    board.setGicd(0, NASSGIREQ);
    expect(nassgireq(board)).toBe(false);
  });

  it('2.2 with 1 an acknowledged SGI has no active state', async () => {
    const board = await withSgi(NASSGIREQ | GROUPS);
    board.machine.writeSystemRegister(0, 'ICC_SGI1R_EL1', SEND);
    expect(read(board, 'ICC_IAR1_EL1')).toBe(SGI);
    expect(isActive(board, SGI)).toBe(false);
    expect(read(board, 'ICC_RPR_EL1')).toBe(0x80);
  });

  it('2.2 with 0 it has', async () => {
    const board = await withSgi(GROUPS);
    board.machine.writeSystemRegister(0, 'ICC_SGI1R_EL1', SEND);
    expect(read(board, 'ICC_IAR1_EL1')).toBe(SGI);
    expect(isActive(board, SGI)).toBe(true);
  });

  it.each([
    [NASSGIREQ, SGI],
    [0, 1023],
  ])('2.2 in EOImode 1, without DIR, the next one %#: nASSGIreq=%i gives %i', async (ctlr, expected) => {
    const board = await withSgi(ctlr | GROUPS);
    const { machine } = board;
    machine.writeSystemRegister(0, 'ICC_CTLR_EL1', 2);
    machine.writeSystemRegister(0, 'ICC_SGI1R_EL1', SEND);
    machine.writeSystemRegister(0, 'ICC_EOIR1_EL1', read(board, 'ICC_IAR1_EL1'));
    machine.writeSystemRegister(0, 'ICC_SGI1R_EL1', SEND);
    expect(read(board, 'ICC_IAR1_EL1')).toBe(expected);
  });

  it('2.2 while one is handled the next one waits for the priority drop only', async () => {
    const board = await withSgi(NASSGIREQ | GROUPS);
    const { machine } = board;
    machine.writeSystemRegister(0, 'ICC_SGI1R_EL1', SEND);
    expect(read(board, 'ICC_IAR1_EL1')).toBe(SGI);
    machine.writeSystemRegister(0, 'ICC_SGI1R_EL1', SEND);
    expect(machine.highestPending(0)).toMatchObject({ intid: SGI });
    expect(machine.irq(0)).toBe(false);
    machine.writeSystemRegister(0, 'ICC_EOIR1_EL1', SGI);
    expect(machine.irq(0)).toBe(true);
    expect(machine.counters().deactivations).toBe(0);
  });

  it('2.2 PPIs and SPIs keep their active state', async () => {
    const board = await withSgi(NASSGIREQ | GROUPS);
    const { machine } = board;
    machine.write(board.gicrAddress(0, 0x1_0100), 4, 1 << 20);
    machine.setPpi(0, 20, true);
    expect(read(board, 'ICC_IAR1_EL1')).toBe(20);
    expect(isActive(board, 20)).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { expectConserved } from '../support/conservation.ts';
import { setPendingBit } from '../support/lpi.ts';
import { inv, mapc, movall, movi, sync } from './commands.ts';
import {
  createMappedBoard,
  createRunningBoard,
  DEVICE,
  DISABLED,
  ENABLED,
  FIRST_LPI,
  type ItsBoard,
} from './fixture.ts';

function maskAll(board: ItsBoard): void {
  for (let cpu = 0; cpu < board.machine.cpus; cpu++) board.mask(cpu);
}

function takeAll(board: ItsBoard): number[][] {
  return Array.from({ length: board.machine.cpus }, (_, cpu) => {
    board.unmask(cpu);
    return board.take(cpu);
  });
}

describe('6.6 MOVI', () => {
  it('6.6 example: device 0x10, event 5 to collection 3', async () => {
    const board = await createMappedBoard();
    board.its.run([[0x0000_0010_0000_0001n, 0x5n, 0x3n, 0n]]);
    expect(board.machine.interruptEntry(0, 0x10, 5)).toMatchObject({ pIntid: 8197, icid: 3 });
  });

  it('6.6 later events go to the new redistributor', async () => {
    const board = await createMappedBoard();
    board.its.run([movi(DEVICE, 0, 2), sync(0)]);
    board.machine.sendMsi(DEVICE, 0);
    board.machine.sendMsi(DEVICE, 1);
    expect(takeAll(board)).toEqual([[FIRST_LPI + 1], [], [FIRST_LPI], []]);
  });

  it('6.6 MOVI of a pending LPI moves it: pending at the new redistributor only', async () => {
    const board = await createMappedBoard();
    maskAll(board);
    board.machine.sendMsi(DEVICE, 0);
    board.machine.sendMsi(DEVICE, 1);
    board.its.run([movi(DEVICE, 0, 2)]);
    expect(board.pendingAt(FIRST_LPI)).toEqual([2]);
    expect(board.pendingAt(FIRST_LPI + 1)).toEqual([0]);
    expect(board.machine.highestPending(2)?.intid).toBe(FIRST_LPI);
    expect(takeAll(board)).toEqual([[FIRST_LPI + 1], [], [FIRST_LPI], []]);
  });

  it('6.6 an LPI that is pending at both merges', async () => {
    const board = await createMappedBoard();
    maskAll(board);
    board.machine.sendMsi(DEVICE, 0);
    board.machine.write(board.gicrAddress(2, 0x0040), 8, BigInt(FIRST_LPI));
    board.its.run([movi(DEVICE, 0, 2)]);
    expect(board.machine.counters().cleared.lpi).toBe(1);
    expect(takeAll(board)).toEqual([[], [], [FIRST_LPI], []]);
    expectConserved(board.machine.counters(), { lpis: 0 });
  });

  it('6.6 an LPI that moves to where it is not pending is not counted as cleared', async () => {
    const board = await createMappedBoard();
    maskAll(board);
    board.machine.sendMsi(DEVICE, 0);
    board.its.run([movi(DEVICE, 0, 2)]);
    expect(board.machine.counters().cleared.lpi).toBe(0);
    expectConserved(board.machine.counters(), { lpis: 1 });
  });

  it('6.6 an LPI that was acknowledged already does not move', async () => {
    const board = await createMappedBoard();
    board.machine.sendMsi(DEVICE, 0);
    expect(board.icc(0, 'IAR1')).toBe(FIRST_LPI);
    board.its.run([movi(DEVICE, 0, 2)]);
    board.setIcc(0, 'EOIR1', FIRST_LPI);
    expect(takeAll(board)).toEqual([[], [], [], []]);
  });

  it('6.6 to a collection at the same redistributor changes the mapping only', async () => {
    const board = await createMappedBoard();
    board.its.run([mapc(1, 0)]);
    maskAll(board);
    board.machine.sendMsi(DEVICE, 0);
    board.its.run([movi(DEVICE, 0, 1)]);
    expect(board.pendingAt(FIRST_LPI)).toEqual([0]);
    expect(board.machine.interruptEntry(0, DEVICE, 0)).toMatchObject({ icid: 1 });
    board.its.run([movi(DEVICE, 0, 1)]);
    expect(takeAll(board)).toEqual([[FIRST_LPI], [], [], []]);
  });

  it('6.6 there and back delivers once', async () => {
    const board = await createMappedBoard();
    maskAll(board);
    board.machine.sendMsi(DEVICE, 0);
    board.its.run([movi(DEVICE, 0, 1), movi(DEVICE, 0, 3), movi(DEVICE, 0, 0)]);
    expect(takeAll(board)).toEqual([[FIRST_LPI], [], [], []]);
  });

  it('6.6 a disabled pending LPI moves too', async () => {
    const board = await createMappedBoard();
    board.setConfig(FIRST_LPI, DISABLED);
    board.machine.sendMsi(DEVICE, 0);
    board.its.run([movi(DEVICE, 0, 2)]);
    expect(board.pendingAt(FIRST_LPI)).toEqual([2]);
    expect(takeAll(board)).toEqual([[], [], [], []]);
    board.setConfig(FIRST_LPI, ENABLED);
    board.its.run([{ command: 'INV', deviceId: DEVICE, eventId: 0 }]);
    expect(takeAll(board)).toEqual([[], [], [FIRST_LPI], []]);
  });

  it('6.6 the old redistributor drops what it has cached: back there, it reads the configuration again', async () => {
    const board = await createMappedBoard();
    board.machine.sendMsi(DEVICE, 0);
    expect(board.take(0)).toEqual([FIRST_LPI]);
    board.its.run([movi(DEVICE, 0, 2), sync(0)]);
    board.setConfig(FIRST_LPI, DISABLED);
    board.its.run([inv(DEVICE, 0), sync(2), movi(DEVICE, 0, 0), sync(2)]);
    board.machine.sendMsi(DEVICE, 0);
    expect(takeAll(board)).toEqual([[], [], [], []]);
  });

  it('6.6 from a redistributor with EnableLPIs=0 changes the mapping', async () => {
    const board = await createMappedBoard();
    board.setGicr(0, 0x0000, 0);
    board.its.run([movi(DEVICE, 0, 2)]);
    expect(board.machine.sendMsi(DEVICE, 0)).toBe('pending');
    expect(board.take(2)).toEqual([FIRST_LPI]);
  });
});

describe('6.7 MOVALL', () => {
  it('6.7 example: RD 2 to RD 4', async () => {
    const board = await createRunningBoard({ cpus: 5 });
    maskAll(board);
    board.machine.write(board.gicrAddress(2, 0x0040), 8, 9000n);
    board.its.run([[0x0en, 0n, 0x2_0000n, 0x4_0000n]]);
    expect(board.pendingAt(9000)).toEqual([4]);
  });

  it('6.7 pending LPIs of both end at the destination, none at the source', async () => {
    const board = await createRunningBoard();
    maskAll(board);
    const set = (cpu: number, intid: number) =>
      board.machine.write(board.gicrAddress(cpu, 0x0040), 8, BigInt(intid));
    for (const intid of [8192, 8193, 20_000, 65_535]) set(0, intid);
    for (const intid of [8193, 8194, 30_000]) set(2, intid);
    set(1, 8195);
    board.its.run([movall(0, 2)]);
    expect(board.machine.highestPending(0)).toBeUndefined();
    expect(takeAll(board)).toEqual([[], [8195], [8192, 8193, 8194, 20_000, 30_000, 65_535], []]);
  });

  it('6.7 LPIs that are pending at both merge: as many are counted as cleared', async () => {
    const board = await createRunningBoard();
    maskAll(board);
    const set = (cpu: number, intid: number) =>
      board.machine.write(board.gicrAddress(cpu, 0x0040), 8, BigInt(intid));
    // All of a word, some of one, and one that is pending at the source alone.
    for (let intid = 8192; intid < 8292; intid++) for (const cpu of [0, 2]) set(cpu, intid);
    for (const cpu of [0, 2]) set(cpu, 30_000);
    set(0, 40_000);
    board.its.run([movall(0, 2)]);
    expect(board.machine.counters().cleared.lpi).toBe(101);
    expectConserved(board.machine.counters(), { lpis: 102 });
    expect(takeAll(board)[2]).toHaveLength(102);
    expectConserved(board.machine.counters(), { lpis: 0 });
  });

  it('6.7 disabled LPIs move too', async () => {
    const board = await createMappedBoard();
    board.setConfig(FIRST_LPI, DISABLED);
    board.machine.sendMsi(DEVICE, 0);
    board.its.run([movall(0, 3)]);
    expect(board.pendingAt(FIRST_LPI)).toEqual([3]);
    expect(takeAll(board)).toEqual([[], [], [], []]);
  });

  it('6.7 changes no mapping', async () => {
    const board = await createMappedBoard();
    board.its.run([movall(0, 3)]);
    expect(board.machine.collectionEntry(0, 0)).toBe(0);
    board.machine.sendMsi(DEVICE, 0);
    expect(takeAll(board)).toEqual([[FIRST_LPI], [], [], []]);
  });

  it('6.7 with equal RDbases has no effect and is no error', async () => {
    const board = await createMappedBoard();
    maskAll(board);
    board.machine.sendMsi(DEVICE, 0);
    expect(board.its.errors([movall(0, 0)])).toEqual([]);
    expect(takeAll(board)).toEqual([[FIRST_LPI], [], [], []]);
  });

  it('6.7 from a redistributor with EnableLPIs=0 moves nothing', async () => {
    const board = await createRunningBoard();
    board.setGicr(0, 0x0000, 0);
    setPendingBit(board, 9000, 0, board.pendingTable(0));
    expect(board.its.errors([movall(0, 1)])).toEqual([]);
    expect(board.pendingAt(9000)).toEqual([0]);
    expect(takeAll(board)).toEqual([[], [], [], []]);
  });

  it('6.7 an acknowledged LPI does not move', async () => {
    const board = await createMappedBoard();
    board.machine.sendMsi(DEVICE, 0);
    expect(board.icc(0, 'IAR1')).toBe(FIRST_LPI);
    board.its.run([movall(0, 1)]);
    board.setIcc(0, 'EOIR1', FIRST_LPI);
    expect(takeAll(board)).toEqual([[], [], [], []]);
  });

  it('6.7 LPIs that the destination has no room for are not lost', async () => {
    const board = await createRunningBoard();
    maskAll(board);
    board.setGicr(1, 0x0000, 0);
    board.enableLpis(1, 13);
    for (const intid of [9000, 20_000]) board.machine.write(board.gicrAddress(0, 0x0040), 8, BigInt(intid));
    board.its.run([movall(0, 1)]);
    expect(board.pendingAt(9000)).toEqual([1]);
    expect(board.pendingAt(20_000)).toEqual([0]);
    expect(takeAll(board)).toEqual([[20_000], [9000], [], []]);
  });

  it('6.7 many at once: every pending LPI arrives exactly once', async () => {
    const board = await createRunningBoard();
    maskAll(board);
    const { machine } = board;
    const bitmap = new Uint8Array(0x2000 - 0x400).fill(0xff);
    board.setGicr(0, 0x0000, 0);
    machine.writeMemory(board.pendingTable(0) + 0x400, bitmap);
    board.enableLpis(0);
    board.its.run([movall(0, 1)]);
    expect(machine.readMemory(board.pendingTable(0) + 0x400, bitmap.length).every((byte) => byte === 0)).toBe(
      true,
    );
    const [at0, at1] = takeAll(board);
    expect(at0).toEqual([]);
    expect(at1).toEqual(Array.from({ length: 65_536 - 8192 }, (_, n) => 8192 + n));
  });
});

import { describe, expect, it } from 'vitest';
import { int, mapd, mapti, sync } from './commands.ts';
import { createMappedBoard, createRunningBoard, DEVICE, FIRST_LPI, GITS, SCRATCH, VALID } from './fixture.ts';

const PAGE = 4096;
const ENTRIES = PAGE / 32;
/** A driver's mistake: unknown RDbase. */
const bad = sync(0xffff);

describe('5.7 GITS_CBASER and the queue', () => {
  it('5.7 a write sets CREADR to zero and leaves CWRITER', async () => {
    const { its } = await createMappedBoard();
    expect(its.creadr).not.toBe(0);
    const { cwriter } = its;
    its.enable(false);
    its.write64(GITS.CBASER, its.read64(GITS.CBASER));
    expect(its.creadr).toBe(0);
    expect(its.cwriter).toBe(cwriter);
  });

  it('5.7 a write of either half alone sets CREADR to zero', async () => {
    for (const half of [0, 4]) {
      const { its } = await createMappedBoard();
      its.enable(false);
      its.write(GITS.CBASER + half, its.read(GITS.CBASER + half));
      expect(its.creadr).toBe(0);
    }
  });

  it.each([1, 2, 16, 256])('5.7 a queue of %i pages has 128 entries a page', async (pages) => {
    const board = await createRunningBoard({}, { enable: false });
    const { its, machine } = board;
    const base = board.ram(SCRATCH);
    const bytes = pages * PAGE;
    const command = board.encode(sync(0));
    for (let at = 0; at < bytes; at += 32) machine.writeMemory(base + at, command);
    its.write64(GITS.CBASER, VALID | BigInt(base) | BigInt(pages - 1));
    its.write64(GITS.CWRITER, bytes - 32);
    its.enable(true);
    expect(machine.counters().commands).toBe(pages * ENTRIES - 1);
    expect(its.creadr).toBe(bytes - 32);
    its.write64(GITS.CWRITER, 0);
    expect(machine.counters().commands).toBe(pages * ENTRIES);
    expect(machine.counters().commandErrors).toBe(0);
    expect(its.creadr, 'wraps').toBe(0);
  });
});

describe('5.8 GITS_CWRITER and GITS_CREADR', () => {
  it('5.8 CREADR follows CWRITER', async () => {
    const { its } = await createRunningBoard();
    its.run([sync(0), sync(1), sync(2)]);
    expect(its.creadr).toBe(3 * 32);
    expect(its.read64(GITS.CREADR)).toBe(its.read64(GITS.CWRITER));
  });

  it('5.8 CWRITER beyond the queue: nothing is processed until a valid value is written', async () => {
    const board = await createRunningBoard({}, { queuePages: 1 });
    const { its, machine } = board;
    for (let at = 0; at < PAGE; at += 32) machine.writeMemory(its.queue + at, board.encode(sync(0)));
    for (const offset of [PAGE, PAGE + 32, 0xf_ffe0]) {
      its.write64(GITS.CWRITER, offset);
      expect(its.creadr).toBe(0);
      expect(machine.counters().commands).toBe(0);
    }
    expect(board.diagnosed()).toEqual(Array(3).fill('CWRITER_OUT_OF_RANGE'));
    its.write64(GITS.CWRITER, PAGE - 32);
    expect(its.creadr).toBe(PAGE - 32);
    expect(machine.counters().commands).toBe(ENTRIES - 1);
  });

  it('5.8 CREADR is read-only', async () => {
    const { its } = await createRunningBoard();
    its.run([sync(0), sync(0)]);
    its.write64(GITS.CREADR, 32);
    expect(its.creadr).toBe(64);
  });
});

describe('5.13 command queue', () => {
  it('5.13 empty: CREADR equal to CWRITER runs nothing', async () => {
    const { its, machine } = await createRunningBoard();
    its.write64(GITS.CWRITER, 0);
    expect(machine.counters().commands).toBe(0);
    its.run([sync(0)]);
    its.write64(GITS.CWRITER, 32);
    expect(machine.counters().commands, 'a write with an unchanged offset does nothing').toBe(1);
  });

  it('5.13 wrap: commands run in order across the end of the queue', async () => {
    const board = await createMappedBoard({}, { queuePages: 1 });
    const { its, machine } = board;
    its.run(Array(ENTRIES - 1 - its.cwriter / 32).fill(sync(0)));
    expect(its.creadr).toBe(PAGE - 32);
    its.run([mapti(DEVICE, 20, 9000, 0), int(DEVICE, 20), sync(0)]);
    expect(its.creadr).toBe(64);
    expect(board.take(0)).toEqual([9000]);
    expect(machine.counters().commandErrors).toBe(0);
  });

  it('5.13 full: all entries but one can be queued', async () => {
    const { its, machine } = await createRunningBoard({}, { queuePages: 1 });
    its.run([sync(0), sync(0)]);
    its.run(Array(ENTRIES - 1).fill(sync(0)));
    expect(machine.counters().commands).toBe(ENTRIES + 1);
    expect(its.creadr).toBe(32);
  });

  it('5.13 commands are taken strictly in order', async () => {
    const board = await createMappedBoard();
    board.its.run([
      mapti(DEVICE, 20, 9000, 0),
      int(DEVICE, 20),
      { command: 'DISCARD', deviceId: DEVICE, eventId: 20 },
      mapti(DEVICE, 20, 9001, 0),
      int(DEVICE, 20),
    ]);
    expect(board.take(0)).toEqual([9001]);
  });

  it('5.13 nothing runs while Enabled=0; Enabled 0->1 starts what is queued', async () => {
    const board = await createRunningBoard({}, { enable: false });
    const { its } = board;
    its.post([sync(0), mapd(1, its.itt(0)), bad]);
    expect(its.creadr).toBe(0);
    its.enable(true);
    expect(its.creadr).toBe(96);
    expect(board.machine.deviceEntry(0, 1)).toEqual({ ittAddress: its.itt(0), size: 4 });
  });

  it('5.13 nothing runs while CBASER.Valid=0', async () => {
    const { its, machine } = await createRunningBoard({}, { enable: false });
    its.write64(GITS.CBASER, BigInt(its.queue) | 15n);
    its.post([sync(0)]);
    its.enable(true);
    its.post([sync(0)]);
    expect(its.creadr).toBe(0);
    expect(machine.counters().commands).toBe(0);
  });

  it('5.13 CWRITER written before CBASER: the commands run once both are there and Enabled is set', async () => {
    const board = await createRunningBoard({}, { enable: false });
    const { its, machine } = board;
    machine.writeMemory(its.queue, board.encode(sync(0)));
    its.write64(GITS.CBASER, 0n);
    its.write64(GITS.CWRITER, 32);
    its.write64(GITS.CBASER, VALID | BigInt(its.queue) | 15n);
    expect(machine.counters().commands).toBe(0);
    its.enable(true);
    expect(machine.counters().commands).toBe(1);
    expect(its.creadr).toBe(32);
  });

  it('5.13 Enabled cleared with commands left: none of them runs before it is set again', async () => {
    const { its, machine } = await createRunningBoard({ policy: { commandExecution: 'stepped' } });
    its.post([sync(0), sync(1), sync(2), sync(3)]);
    expect(machine.stepIts(0, 2)).toBe(2);
    its.enable(false);
    expect(its.read(GITS.CTLR), 'quiescent').toBe(0x8000_0000);
    expect(machine.stepIts(0, 4)).toBe(0);
    expect(its.creadr).toBe(64);
    its.enable(true);
    expect(machine.stepIts(0, 4)).toBe(2);
    expect(its.creadr).toBe(128);
  });

  it('5.13 reserved bits of commands are ignored', async () => {
    const board = await createMappedBoard();
    const { its } = board;
    const deviceId = BigInt(DEVICE) << 32n;
    const reserved0 = 0xffff_ff00n;
    its.run([
      // MAPD: DW1[63:5], DW2[62:52], DW2[7:0] and DW3 are reserved.
      [0x0000_0011_ffff_ff08n, 0xffff_ffff_ffff_ffe5n, (0xfffn << 52n) | BigInt(its.itt(1)) | 0xffn, ~0n & M],
      // MAPC: DW0[63:8], DW1, DW2[62:52] and DW3.
      [0xffff_ffff_ffff_ff09n, M, (0xfffn << 52n) | (2n << 16n) | 3n, M],
      // MAPTI: DW0[31:8], DW2[63:16], DW3.
      [deviceId | reserved0 | 0x0an, (8500n << 32n) | 9n, (M & ~0xffffn) | 3n, M],
      // MOVI to ICID 1 and back to ICID 3.
      [deviceId | reserved0 | 0x01n, (0xffff_ffffn << 32n) | 9n, (M & ~0xffffn) | 1n, M],
      [deviceId | reserved0 | 0x01n, (0xffff_ffffn << 32n) | 9n, (M & ~0xffffn) | 3n, M],
      // INT, INV and CLEAR use DW0[63:32] and DW1[31:0].
      [deviceId | reserved0 | 0x03n, (0xffff_ffffn << 32n) | 9n, M, M],
      [deviceId | reserved0 | 0x0cn, (0xffff_ffffn << 32n) | 9n, M, M],
      // INVALL uses DW2[15:0]; SYNC DW2[51:16].
      [(M & ~0xffn) | 0x0dn, M, (M & ~0xffffn) | 3n, M],
      [(M & ~0xffn) | 0x05n, M, (0xfffn << 52n) | (2n << 16n) | 0xffffn, M],
    ]);
    expect(board.machine.deviceEntry(0, 0x11)).toEqual({ ittAddress: its.itt(1), size: 5 });
    expect(board.machine.interruptEntry(0, DEVICE, 9)).toMatchObject({ pIntid: 8500, icid: 3 });
    expect(board.take(2)).toEqual([8500]);
  });

  it('5.13 the stepped ITS does one command at a time, and an MSI between sees the mapping of then', async () => {
    const board = await createMappedBoard({ policy: { commandExecution: 'stepped' } });
    const { its, machine } = board;
    expect(its.creadr, 'nothing ran').toBe(0);
    expect(machine.stepIts(0, 1000)).toBe(its.cwriter / 32);
    its.post([
      { command: 'DISCARD', deviceId: DEVICE, eventId: 0 },
      mapti(DEVICE, 0, 9000, 1),
      { command: 'DISCARD', deviceId: DEVICE, eventId: 0 },
    ]);
    const start = its.creadr;
    const seen = [machine.sendMsi(DEVICE, 0)];
    const taken = [board.take(0)];
    for (const step of [1, 2, 3]) {
      expect(machine.stepIts()).toBe(1);
      expect(its.creadr).toBe(start + 32 * step);
      seen.push(machine.sendMsi(DEVICE, 0));
      taken.push(board.take(step === 2 ? 1 : 0));
    }
    expect(seen).toEqual(['pending', 'event-unmapped', 'pending', 'event-unmapped']);
    expect(taken).toEqual([[FIRST_LPI], [], [9000], []]);
    expect(machine.stepIts()).toBe(0);
  });
});

const M = 0xffff_ffff_ffff_ffffn;

describe('5.13 stall and retry', () => {
  const stalling = { policy: { commandError: 'stall' } } as const;

  it('5.13 stall: CREADR stays at the command, Stalled=1, nothing after it runs', async () => {
    const board = await createMappedBoard(stalling);
    const { its } = board;
    const start = its.creadr;
    its.post([sync(0), bad, int(DEVICE, 0)]);
    expect(its.creadr).toBe(start + 32);
    expect(its.stalled).toBe(true);
    expect(board.take(0)).toEqual([]);
    its.post([int(DEVICE, 1)]);
    expect(its.creadr, 'a write without Retry').toBe(start + 32);
    expect(board.diagnosed()).toContain('QUEUE_STALLED');
  });

  it('5.13 Retry with the same bad command stalls again', async () => {
    const { its, machine } = await createRunningBoard(stalling);
    its.post([bad]);
    its.retry();
    expect(its.stalled).toBe(true);
    expect(its.creadr).toBe(0);
    expect(machine.counters().commandErrors).toBe(2);
  });

  it('5.13 Retry fetches the command again from memory: overwritten with SYNC the queue goes on', async () => {
    const board = await createMappedBoard(stalling);
    const { its, machine } = board;
    const start = its.creadr;
    its.post([bad, int(DEVICE, 0)]);
    machine.writeMemory(its.queue + start, board.encode(sync(0)));
    expect(its.stalled, 'memory alone does not restart it').toBe(true);
    its.retry();
    expect(its.stalled).toBe(false);
    expect(its.creadr).toBe(its.cwriter);
    expect(board.take(0)).toEqual([FIRST_LPI]);
  });

  it('5.13 Retry after the cause was removed runs the command itself', async () => {
    const board = await createRunningBoard(stalling);
    const { its, machine } = board;
    its.post([mapti(DEVICE, 0, FIRST_LPI, 0)]);
    expect(its.stalled).toBe(true);
    machine.writeMemory(its.queue, board.encode(mapd(DEVICE, its.itt(0))));
    its.retry();
    expect(machine.deviceEntry(0, DEVICE)).toBeDefined();
  });

  it('5.13 Retry without a stall has no effect', async () => {
    const { its, machine } = await createRunningBoard(stalling);
    its.run([sync(0)]);
    its.retry();
    expect(its.creadr).toBe(32);
    expect(its.stalled).toBe(false);
    expect(machine.counters().commands).toBe(1);
  });

  it('5.13 Retry and a new offset in one write do both', async () => {
    const board = await createMappedBoard(stalling);
    const { its, machine } = board;
    const start = its.creadr;
    its.post([bad]);
    machine.writeMemory(its.queue + start, board.encode(sync(0)));
    its.write64(GITS.CWRITER, its.store([int(DEVICE, 0)]) | 1);
    expect(its.creadr).toBe(start + 64);
    expect(board.take(0)).toEqual([FIRST_LPI]);
  });

  it('5.13 a stalled queue starts afresh after Enabled=0 and a CBASER write', async () => {
    const { its } = await createRunningBoard(stalling);
    its.post([sync(0), bad]);
    expect(its.stalled).toBe(true);
    its.enable(false);
    its.setUp();
    expect(its.stalled).toBe(false);
    its.run([sync(0)]);
    expect(its.creadr).toBe(32);
  });

  it('5.13 MSIs are translated while the queue is stalled', async () => {
    const board = await createMappedBoard(stalling);
    board.its.post([bad]);
    expect(board.its.stalled).toBe(true);
    expect(board.machine.sendMsi(DEVICE, 0)).toBe('pending');
    expect(board.take(0)).toEqual([FIRST_LPI]);
  });

  it('5.13 a stalled command leaves no trace: no mapping or pending state changed', async () => {
    const board = await createMappedBoard(stalling);
    const { its, machine } = board;
    its.post([{ command: 'MOVI', deviceId: DEVICE, eventId: 0, icid: 100 }]);
    expect(its.stalled).toBe(true);
    expect(machine.interruptEntry(0, DEVICE, 0)).toMatchObject({ pIntid: FIRST_LPI, icid: 0 });
  });

  it('5.13 a stepped queue stops at the stalled command', async () => {
    const { its, machine } = await createRunningBoard({
      policy: { commandError: 'stall', commandExecution: 'stepped' },
    });
    its.post([sync(0), bad, sync(0)]);
    expect(machine.stepIts(0, 3)).toBe(1);
    expect(its.stalled).toBe(true);
    expect(machine.stepIts(0, 3)).toBe(0);
    expect(its.creadr).toBe(32);
  });
});

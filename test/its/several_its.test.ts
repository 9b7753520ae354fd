import { describe, expect, it } from 'vitest';
import { GicError } from '../../bindings/index.ts';
import { clear, int, invall, mapc, mapd, mapti, movall, movi, sync } from './commands.ts';
import {
  type Command,
  createMappedBoard,
  createRunningBoard,
  DEVICE,
  DISABLED,
  FIRST_LPI,
  GITS,
  type Its,
  type ItsBoard,
  SCRATCH,
  VALID,
} from './fixture.ts';

const two = { itsCount: 2 } as const;

/** VMOVP of vPE 1, with a SequenceNumber: it waits until all of `itsList` have reached it (section 6.19). */
function vmovp(sequenceNumber: number, rdBase: number, itsList = 3): Command {
  return {
    command: 'VMOVP',
    sequenceNumber,
    itsList,
    vpeId: 1,
    rdBase,
    defaultDoorbellValid: false,
    defaultDoorbell: 0,
  };
}

/** Two ITSs that need VMOVP on both, with vPE 1 mapped to PE 0. */
async function createVpeBoard(): Promise<ItsBoard> {
  const board = await createRunningBoard({ ...two, architecture: 'GICv4.0', vmovpOnAnyIts: false });
  for (const its of board.itses) mapVpe(its);
  return board;
}

function mapVpe(its: Its): void {
  its.enable(false);
  its.write64(GITS.BASER0 + 16, VALID | BigInt(its.memory(0x3_0000)) | 0x200n);
  its.enable(true);
  const vptAddress = its.board.ram(SCRATCH);
  its.run([{ command: 'VMAPP', layout: '4.0', vpeId: 1, rdBase: 0, vptSize: 15, vptAddress, valid: true }]);
}

function pair(board: ItsBoard): [Its, Its] {
  return [board.itses[0] as Its, board.itses[1] as Its];
}

describe('several ITSs', () => {
  it('5.1 each has its own registers', async () => {
    const board = await createRunningBoard(two);
    const [first, second] = pair(board);
    for (const offset of [GITS.CBASER, GITS.BASER0, GITS.BASER1]) {
      expect(first.read64(offset)).not.toBe(second.read64(offset));
    }
    first.enable(false);
    expect([first.read(GITS.CTLR) & 1, second.read(GITS.CTLR) & 1]).toEqual([0, 1]);
  });

  it('5.13 each has its own queue: a stall of one does not stop the other', async () => {
    const board = await createMappedBoard({ ...two, policy: { commandError: 'stall' } });
    const [first, second] = pair(board);
    first.post([int(0x99, 0)]);
    expect([first.stalled, second.stalled]).toEqual([true, false]);
    second.run([int(DEVICE, 0)]);
    expect(board.take(0)).toEqual([FIRST_LPI]);
  });

  it('5.13 stepped queues advance one by one', async () => {
    const board = await createRunningBoard({ ...two, policy: { commandExecution: 'stepped' } });
    const [first, second] = pair(board);
    for (const its of [first, second]) its.post([sync(0), sync(0)]);
    expect(board.machine.stepIts(1)).toBe(1);
    expect([first.creadr, second.creadr]).toEqual([0, 32]);
  });

  it('5.11 each has its own devices, events and collections', async () => {
    const board = await createRunningBoard(two);
    const [first, second] = pair(board);
    first.run([mapd(DEVICE, first.itt(0)), mapc(0, 1), mapti(DEVICE, 0, 9000, 0)]);
    expect(board.machine.sendMsi(DEVICE, 0, 1)).toBe('device-unmapped');
    second.run([mapd(DEVICE, second.itt(0)), mapc(0, 2), mapti(DEVICE, 0, 9001, 0)]);
    board.machine.sendMsi(DEVICE, 0, 0);
    board.machine.sendMsi(DEVICE, 0, 1);
    expect([board.take(1), board.take(2)]).toEqual([[9000], [9001]]);
  });

  it('5.6 each has its own GITS_STATUSR and GITS_UMSIR', async () => {
    const board = await createMappedBoard(two);
    const [first, second] = pair(board);
    board.machine.sendMsi(0x99, 7, 1);
    expect(first.read(GITS.STATUSR)).toBe(0);
    expect(second.read(GITS.STATUSR)).toBe(0x10 | (3 << 6));
    expect(second.read64(GITS.UMSIR)).toBe(0x0000_0099_0000_0007n);
  });

  it('6.4 the same LPI from two ITSs merges at its redistributor', async () => {
    const board = await createMappedBoard(two);
    board.mask(0);
    expect(board.machine.sendMsi(DEVICE, 0, 0)).toBe('pending');
    expect(board.machine.sendMsi(DEVICE, 0, 1)).toBe('coalesced');
    board.unmask(0);
    expect(board.take(0)).toEqual([FIRST_LPI]);
  });

  it('6.9 CLEAR of one ITS takes back what the other made pending', async () => {
    const board = await createMappedBoard(two);
    const [, second] = pair(board);
    board.machine.sendMsi(DEVICE, 0, 0);
    second.run([clear(DEVICE, 0)]);
    expect(board.take(0)).toEqual([]);
  });

  it('6.6 MOVI of one ITS leaves the mapping of the other', async () => {
    const board = await createMappedBoard(two);
    const [first] = pair(board);
    first.run([movi(DEVICE, 0, 3)]);
    board.machine.sendMsi(DEVICE, 0, 1);
    board.machine.sendMsi(DEVICE, 0, 0);
    expect([board.take(0), board.take(3)]).toEqual([[FIRST_LPI], [FIRST_LPI]]);
  });

  it('6.7 MOVALL moves the pending LPIs of all ITSs', async () => {
    const board = await createMappedBoard(two);
    const [first, second] = pair(board);
    board.mask(0);
    board.machine.sendMsi(DEVICE, 0, 0);
    board.machine.sendMsi(DEVICE, 1, 1);
    for (const its of [first, second]) its.run([mapc(0, 2)]);
    first.run([movall(0, 2), sync(0)]);
    board.unmask(0);
    expect([board.take(0), board.take(2)]).toEqual([[], [FIRST_LPI, FIRST_LPI + 1]]);
  });

  it('6.12 INVALL of one ITS re-reads the LPIs of all at that redistributor', async () => {
    const board = await createMappedBoard(two);
    const [first] = pair(board);
    board.machine.sendMsi(DEVICE, 0, 1);
    board.setConfig(FIRST_LPI, DISABLED);
    first.run([invall(0)]);
    expect(board.take(0)).toEqual([]);
  });

  it('6.1 the record of a command error names the ITS', async () => {
    const board = await createMappedBoard(two);
    const [, second] = pair(board);
    board.machine.takeDiagnostics();
    second.post([int(0x99, 0)]);
    expect(board.machine.takeDiagnostics()).toMatchObject([{ code: 'COMMAND_ERROR', unit: 1 }]);
  });

  it('5.11 sixteen ITSs at their stride', async () => {
    const board = await createRunningBoard({ itsCount: 16, ram: { base: 0x8000_0000, size: 0x140_0000 } });
    for (const its of board.itses) {
      const lpi = 9000 + its.number;
      its.run([mapd(its.number, its.itt(0)), mapc(0, its.number % 4), mapti(its.number, 1, lpi, 0)]);
    }
    for (const its of board.itses) {
      expect(board.machine.sendMsi(its.number, 1, its.number)).toBe('pending');
      expect(board.take(its.number % 4)).toEqual([9000 + its.number]);
    }
  });

  it('an ITS that the machine does not have is misuse of the API', async () => {
    const { machine } = await createRunningBoard(two);
    for (const its of [-1, 2, 0.5]) {
      expect(() => machine.sendMsi(0, 0, its)).toThrow(GicError);
      expect(() => machine.stepIts(its)).toThrow(GicError);
      expect(() => machine.deviceEntry(its, 0)).toThrow(GicError);
    }
  });
});

describe('6.19 an ITS that waits with VMOVP for another', () => {
  it('6.19 may be disabled and set up anew meanwhile: its new queue runs', async () => {
    const board = await createVpeBoard();
    const [first, second] = pair(board);
    const start = first.cwriter;
    first.post([vmovp(1, 2)]);
    expect(first.creadr, 'waits').toBe(start);
    first.enable(false);
    second.post([vmovp(1, 2)]);
    first.setUp();
    first.run([mapd(DEVICE, first.itt(0))]);
    expect(first.creadr).toBe(first.cwriter);
    expect(board.machine.deviceEntry(0, DEVICE)).toBeDefined();
  });

  it('6.19 may find another command in its place: that one runs', async () => {
    const board = await createVpeBoard();
    const [first, second] = pair(board);
    const start = first.cwriter;
    first.post([vmovp(1, 2)]);
    board.machine.writeMemory(first.queue + start, board.encode(mapd(DEVICE, first.itt(0))));
    second.post([vmovp(1, 2)]);
    first.write64(GITS.CWRITER, first.cwriter);
    expect(first.creadr).toBe(first.cwriter);
    expect(board.machine.deviceEntry(0, DEVICE)).toBeDefined();
    first.post([vmovp(2, 3)]);
    expect(first.creadr, 'the next VMOVP waits again').toBe(start + 32);
  });

  it('6.19 two full queues of VMOVPs release each other in turn', async () => {
    const board = await createVpeBoard();
    const [first, second] = pair(board);
    const commands = Array.from({ length: 2000 }, (_, n) => vmovp(n & 0xffff, n % 4));
    first.post(commands);
    second.post(commands);
    expect([first.creadr, second.creadr]).toEqual([first.cwriter, second.cwriter]);
    expect(board.machine.vpeEntry(0, 1)?.cpu).toBe(1999 % 4);
    expect(board.machine.vpeEntry(1, 1)?.cpu).toBe(1999 % 4);
  });
});

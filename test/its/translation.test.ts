import { describe, expect, it } from 'vitest';
import type { MachineOptions, MsiOutcome } from '../../bindings/index.ts';
import { int, mapd, mapti, unmapc } from './commands.ts';
import {
  createItsBoard,
  createMappedBoard,
  DEVICE,
  FIRST_LPI,
  GITS,
  type ItsBoard,
  SCRATCH,
} from './fixture.ts';

interface Msi {
  outcome: MsiOutcome;
  /** GITS_STATUSR.Syndrome; undefined where the mapping is not at fault. */
  syndrome?: number;
  options?: MachineOptions;
  prepare?: (board: ItsBoard) => void;
  deviceId?: number;
  eventId?: number;
}

/** Sections 5.6 and 5.11: every way in which an MSI ends, but for those that succeed. */
const drops: Msi[] = [
  { outcome: 'its-disabled', prepare: ({ its }) => its.enable(false) },
  { outcome: 'device-out-of-range', syndrome: 2, deviceId: 8192 },
  { outcome: 'device-out-of-range', syndrome: 2, deviceId: 0xffff_ffff },
  { outcome: 'device-out-of-range', syndrome: 2, deviceId: 64, options: { deviceIdBits: 6 } },
  { outcome: 'device-unmapped', syndrome: 3, deviceId: 0x11 },
  { outcome: 'event-out-of-range', syndrome: 4, eventId: 32 },
  { outcome: 'event-out-of-range', syndrome: 4, eventId: 0xffff_ffff },
  { outcome: 'event-unmapped', syndrome: 5, eventId: 31 },
  { outcome: 'collection-unmapped', syndrome: 7, prepare: ({ its }) => its.run([unmapc(0)]) },
  { outcome: 'lpis-disabled', prepare: (board) => board.setGicr(0, 0x0000, 0) },
  {
    outcome: 'intid-out-of-range',
    prepare: (board) => {
      board.setGicr(0, 0x0000, 0);
      board.enableLpis(0, 13);
      board.its.run([mapti(DEVICE, 20, 16_384, 0)]);
    },
    eventId: 20,
  },
  {
    outcome: 'intid-out-of-range',
    prepare: (board) => {
      board.setGicr(0, 0x0000, 0);
      board.enableLpis(0, 12);
    },
  },
  {
    outcome: 'table-fault',
    prepare: (board) => board.its.run([mapd(DEVICE, board.ram(0x60_0000))]),
  },
];

async function prepared({ options, prepare }: Msi): Promise<ItsBoard> {
  const board = await createMappedBoard(options);
  prepare?.(board);
  board.machine.takeDiagnostics();
  return board;
}

describe('5.11 GITS_TRANSLATER', () => {
  it('5.11 a mapped event makes its LPI pending at the PE of its collection', async () => {
    const board = await createMappedBoard();
    expect(board.machine.sendMsi(DEVICE, 3)).toBe('pending');
    expect(board.pendingAt(FIRST_LPI + 3)).toEqual([0]);
    expect(board.machine.irq(0)).toBe(true);
    expect(board.take(0)).toEqual([FIRST_LPI + 3]);
  });

  it('5.11 a second MSI before the acknowledge coalesces, one after it does not', async () => {
    const board = await createMappedBoard();
    expect(board.machine.sendMsi(DEVICE, 0)).toBe('pending');
    expect(board.machine.sendMsi(DEVICE, 0)).toBe('coalesced');
    expect(board.icc(0, 'IAR1')).toBe(FIRST_LPI);
    expect(board.machine.sendMsi(DEVICE, 0)).toBe('pending');
    board.setIcc(0, 'EOIR1', FIRST_LPI);
    expect(board.take(0)).toEqual([FIRST_LPI]);
  });

  it.each(drops.map((drop, n) => ({ ...drop, n })))('5.11 dropped: $outcome (case $n)', async (drop) => {
    const board = await prepared(drop);
    const { deviceId = DEVICE, eventId = 0, outcome } = drop;
    expect(board.machine.sendMsi(deviceId, eventId)).toBe(outcome);
    expect(board.outcomes()).toEqual({ [outcome]: 1 });
    expect(board.machine.takeDiagnostics()).toMatchObject([
      { code: 'MSI_DROPPED', unit: 0, operands: { deviceId, eventId } },
    ]);
    expect([0, 1, 2, 3].map((cpu) => board.take(cpu))).toEqual([[], [], [], []]);
  });

  it("5.11 a PE's store has no DeviceID: nothing is translated", async () => {
    const board = await createMappedBoard();
    board.its.write(GITS.TRANSLATER, 0);
    board.machine.write(board.its.address(GITS.TRANSLATER), 2, 0);
    expect(board.outcomes()).toEqual({ 'no-device-id': 2 });
    expect(board.take(0)).toEqual([]);
  });

  it('5.11 a dropped MSI is not kept: it does not fire once the cause is gone', async () => {
    const board = await createMappedBoard();
    board.its.enable(false);
    board.machine.sendMsi(DEVICE, 0);
    board.its.enable(true);
    expect(board.take(0)).toEqual([]);
  });

  it('5.11 the counters add up: total is pending, coalesced and every dropped one', async () => {
    const board = await createMappedBoard();
    const { its, machine } = board;
    let sent = 0;
    const send = (deviceId: number, eventId: number, times: number): void => {
      for (let n = 0; n < times; n++, sent++) machine.sendMsi(deviceId, eventId);
    };
    send(DEVICE, 0, 5);
    send(DEVICE, 1, 2);
    send(DEVICE, 30, 3);
    send(DEVICE, 99, 4);
    send(0x77, 0, 5);
    send(9999, 0, 6);
    its.run([unmapc(0)]);
    send(DEVICE, 0, 7);
    its.enable(false);
    send(DEVICE, 0, 8);
    const { msi } = machine.counters();
    expect(msi).toEqual({
      total: sent,
      pending: 2,
      coalesced: 5,
      dropped: {
        'event-unmapped': 3,
        'event-out-of-range': 4,
        'device-unmapped': 5,
        'device-out-of-range': 6,
        'collection-unmapped': 7,
        'its-disabled': 8,
      },
    });
  });

  it('6.8 INT commands are counted apart from MSIs', async () => {
    const board = await createMappedBoard();
    board.its.run([int(DEVICE, 0)]);
    board.machine.sendMsi(DEVICE, 0);
    const { msi, int: ints } = board.machine.counters();
    expect([msi.total, msi.coalesced, ints.total, ints.pending]).toEqual([1, 1, 1, 1]);
  });
});

describe('5.6 GITS_STATUSR and GITS_UMSIR', () => {
  const UMSI = 0x10;
  const OVERFLOW = 0x20;
  const ALL = 0x3ff;

  it('5.6 read as zero after reset', async () => {
    const { its } = await createItsBoard();
    expect([BigInt(its.read(GITS.STATUSR)), its.read64(GITS.UMSIR)]).toEqual([0n, 0n]);
  });

  it.each(drops.map((drop, n) => ({ ...drop, n })))(
    '5.6 syndrome of $outcome: $syndrome (case $n)',
    async (drop) => {
      const board = await prepared(drop);
      const { its, machine } = board;
      const { deviceId = DEVICE, eventId = 0, syndrome } = drop;
      machine.sendMsi(deviceId, eventId);
      if (syndrome === undefined) {
        expect(its.read(GITS.STATUSR)).toBe(0);
        return;
      }
      expect(its.read(GITS.STATUSR)).toBe(UMSI | (syndrome << 6));
      expect(its.read64(GITS.UMSIR)).toBe((BigInt(deviceId) << 32n) | BigInt(eventId));
    },
  );

  it('5.6 a second one while UMSI=1 sets Overflow and does not overwrite', async () => {
    const { its, machine } = await createMappedBoard();
    machine.sendMsi(0x11, 1);
    machine.sendMsi(DEVICE, 31);
    expect(its.read(GITS.STATUSR)).toBe(UMSI | OVERFLOW | (3 << 6));
    expect(its.read64(GITS.UMSIR)).toBe(0x0000_0011_0000_0001n);
  });

  it('5.6 an MSI that is delivered records nothing', async () => {
    const { its, machine } = await createMappedBoard();
    machine.sendMsi(DEVICE, 0);
    machine.sendMsi(DEVICE, 0);
    expect(its.read(GITS.STATUSR)).toBe(0);
  });

  it('5.6 all fields are cleared by writing ones; zeros change nothing', async () => {
    const { its, machine } = await createMappedBoard();
    machine.sendMsi(0x11, 1);
    machine.sendMsi(0x11, 1);
    its.write(GITS.STATUSR, 0);
    expect(its.read(GITS.STATUSR)).toBe(UMSI | OVERFLOW | (3 << 6));
    its.write(GITS.STATUSR, ALL);
    expect(its.read(GITS.STATUSR)).toBe(0);
  });

  it('5.6 Overflow can be cleared alone', async () => {
    const { its, machine } = await createMappedBoard();
    machine.sendMsi(0x11, 1);
    machine.sendMsi(0x11, 1);
    its.write(GITS.STATUSR, OVERFLOW);
    expect(its.read(GITS.STATUSR)).toBe(UMSI | (3 << 6));
  });

  it('5.6 after UMSI alone was cleared the next MSI is recorded, with its own syndrome', async () => {
    const { its, machine } = await createMappedBoard();
    machine.sendMsi(DEVICE, 31);
    its.write(GITS.STATUSR, UMSI);
    expect(its.read(GITS.STATUSR) & UMSI).toBe(0);
    machine.sendMsi(0x1222, 7);
    expect(its.read(GITS.STATUSR)).toBe(UMSI | (3 << 6));
    expect(its.read64(GITS.UMSIR)).toBe(0x0000_1222_0000_0007n);
  });

  it('5.6 access errors and unmapped MSIs are recorded side by side', async () => {
    const { its, machine } = await createMappedBoard();
    machine.sendMsi(0x11, 1);
    its.read(0x0ffc);
    expect(its.read(GITS.STATUSR)).toBe(UMSI | (3 << 6) | 1);
    its.write(GITS.STATUSR, 1);
    expect(its.read(GITS.STATUSR)).toBe(UMSI | (3 << 6));
  });

  it('5.6 without TYPER.UMSI nothing is recorded', async () => {
    const { its, machine } = await createMappedBoard({ unmappedMsiReporting: false });
    machine.sendMsi(0x11, 1);
    expect(its.read(GITS.STATUSR)).toBe(0);
    expect(its.read64(GITS.UMSIR)).toBe(0n);
  });

  it('5.6 EventID 0 of DeviceID 0 at a large ITT', async () => {
    const board = await createMappedBoard();
    board.its.run([mapd(0, board.ram(SCRATCH), 15)]);
    board.machine.sendMsi(0, 0xffff);
    expect(board.its.read(GITS.STATUSR)).toBe(UMSI | (5 << 6));
    expect(board.its.read64(GITS.UMSIR)).toBe(0xffffn);
  });
});

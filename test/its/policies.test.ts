import { describe, expect, it } from 'vitest';
import type { Policy } from '../../bindings/index.ts';
import { discard, int, inv, invall, mapc, mapd, mapti, movall, movi, sync, unmapc } from './commands.ts';
import {
  createMappedBoard,
  createRunningBoard,
  DEVICE,
  DISABLED,
  FIRST_LPI,
  GITS,
  type ItsBoard,
  VALID,
} from './fixture.ts';

const UNMAPPED = 0x99;
const OUTSIDE_RAM = 0x60_0000;

const mapped = (policy: Partial<Policy>): Promise<ItsBoard> => createMappedBoard({ policy });
const running = (policy: Partial<Policy>): Promise<ItsBoard> => createRunningBoard({ policy });

describe('5.13 policy commandError', () => {
  it.each(['ignore', 'stall', 'sei'] as const)('5.13 %s: what a bad command does', async (commandError) => {
    const board = await mapped({ commandError });
    const { its, machine } = board;
    const start = its.cwriter;
    its.post([int(UNMAPPED, 0), int(DEVICE, 0)]);
    const stalls = commandError === 'stall';
    expect(its.stalled).toBe(stalls);
    expect(its.creadr).toBe(stalls ? start : start + 64);
    expect(board.take(0)).toEqual(stalls ? [] : [FIRST_LPI]);
    expect(machine.counters().systemErrors).toBe(commandError === 'sei' ? 1 : 0);
    expect((its.read64(GITS.TYPER) >> 18n) & 1n, 'TYPER.SEIS').toBe(commandError === 'sei' ? 1n : 0n);
  });

  it.each(['ignore', 'stall', 'sei'] as const)(
    '5.13 %s: what an unknown command does',
    async (commandError) => {
      const board = await mapped({ commandError });
      board.its.post([[0xffn, 0n, 0n, 0n], int(DEVICE, 0)]);
      expect(board.its.stalled).toBe(commandError === 'stall');
      expect(board.take(0)).toEqual(commandError === 'stall' ? [] : [FIRST_LPI]);
    },
  );

  it('5.13 sei: the SEI carries the error code', async () => {
    const board = await mapped({ commandError: 'sei' });
    board.machine.takeDiagnostics();
    board.its.post([int(UNMAPPED, 0)]);
    const errors = board.machine.takeDiagnostics().filter(({ code }) => code === 'SYSTEM_ERROR');
    expect(errors).toMatchObject([{ unit: 0, operands: { error: 0x010304 } }]);
  });
});

describe('5.13 policy tableFault', () => {
  it.each(['stall', 'ignore'] as const)(
    '5.13 %s: a command whose table is outside RAM',
    async (tableFault) => {
      const board = await running({ tableFault });
      const { its, machine } = board;
      its.run([mapd(1, board.ram(OUTSIDE_RAM)), mapc(0, 0)]);
      const start = its.cwriter;
      its.post([mapti(1, 0, FIRST_LPI, 0), sync(0)]);
      expect(its.stalled).toBe(tableFault === 'stall');
      expect(its.creadr).toBe(tableFault === 'stall' ? start : start + 64);
      expect(board.diagnosed()).toContain('TABLE_FAULT');
      expect(machine.counters().commandErrors).toBe(1);
    },
  );

  it('5.13 stall: once the mapping is right a retry goes on', async () => {
    const board = await running({ tableFault: 'stall' });
    const { its } = board;
    its.run([mapd(1, board.ram(OUTSIDE_RAM)), mapc(0, 0)]);
    const start = its.cwriter;
    its.post([mapti(1, 0, FIRST_LPI, 0)]);
    board.machine.writeMemory(its.queue + start, board.encode(mapd(1, its.itt(0))));
    its.retry();
    expect([its.stalled, its.creadr]).toEqual([false, start + 32]);
    its.run([mapti(1, 0, FIRST_LPI, 0), int(1, 0)]);
    expect(board.take(0)).toEqual([FIRST_LPI]);
  });
});

describe('5.13 policy queueFault', () => {
  it.each(['stall', 'skip'] as const)('5.13 %s: a queue outside RAM', async (queueFault) => {
    const board = await running({ queueFault });
    const { its } = board;
    its.enable(false);
    its.write64(GITS.CBASER, VALID | BigInt(board.ram(OUTSIDE_RAM)));
    its.write64(GITS.CWRITER, 96);
    its.enable(true);
    expect(its.stalled).toBe(queueFault === 'stall');
    expect(its.creadr).toBe(queueFault === 'stall' ? 0 : 96);
    expect(board.diagnosed()).toContain('QUEUE_FAULT');
    its.enable(false);
    its.setUp();
    its.run([mapd(1, its.itt(0))]);
    expect(board.machine.deviceEntry(0, 1), 'usable afterwards').toBeDefined();
  });
});

describe('5.13 policies retry and stalledSticky', () => {
  it.each(['retry-bit', 'any-write'] as const)(
    '5.13 retry %s: what restarts a stalled queue',
    async (retry) => {
      const board = await mapped({ commandError: 'stall', retry });
      const { its, machine } = board;
      const start = its.cwriter;
      its.post([int(UNMAPPED, 0), int(DEVICE, 0)]);
      machine.writeMemory(its.queue + start, board.encode(sync(0)));
      its.write64(GITS.CWRITER, its.cwriter);
      expect(its.stalled).toBe(retry === 'retry-bit');
      its.retry();
      expect(its.stalled).toBe(false);
      expect(board.take(0)).toEqual([FIRST_LPI]);
    },
  );

  it.each([false, true])(
    '5.13 stalledSticky %s: Stalled after a retry that succeeds',
    async (stalledSticky) => {
      const board = await mapped({ commandError: 'stall', stalledSticky });
      const { its, machine } = board;
      const start = its.cwriter;
      its.post([int(UNMAPPED, 0), int(DEVICE, 0)]);
      machine.writeMemory(its.queue + start, board.encode(sync(0)));
      its.retry();
      expect(its.stalled).toBe(stalledSticky);
      expect(its.creadr).toBe(start + 64);
      its.run([int(DEVICE, 1)]);
      expect(board.take(0)).toEqual([FIRST_LPI, FIRST_LPI + 1]);
      its.enable(false);
      its.write64(GITS.CBASER, its.read64(GITS.CBASER));
      expect(its.stalled).toBe(false);
    },
  );
});

describe('5.8 policy creadrWritable', () => {
  it.each([false, true])('5.8 %s: a write of CREADR', async (creadrWritable) => {
    const { its } = await running({ creadrWritable });
    its.run([sync(0), sync(0)]);
    its.write64(GITS.CREADR, 0xffff_ffff_fff0_0020n);
    expect(its.creadr).toBe(creadrWritable ? 32 : 64);
  });

  it('5.8 true: commands between the new CREADR and CWRITER run', async () => {
    const board = await mapped({ creadrWritable: true });
    const { its } = board;
    const start = its.cwriter;
    its.run([int(DEVICE, 0)]);
    expect(board.take(0)).toEqual([FIRST_LPI]);
    its.write64(GITS.CREADR, start);
    its.write64(GITS.CWRITER, its.cwriter);
    expect(board.take(0)).toEqual([FIRST_LPI]);
    expect(its.creadr).toBe(its.cwriter);
  });

  it('5.8 true: a queue that stalled goes on behind the command that CREADR skips', async () => {
    const board = await mapped({ creadrWritable: true, commandError: 'stall' });
    const { its } = board;
    its.post([mapc(0, 99), int(DEVICE, 0)]);
    expect(its.stalled).toBe(true);
    its.write64(GITS.CREADR, its.creadr + 32);
    expect(its.stalled).toBe(false);
    its.write64(GITS.CWRITER, its.cwriter);
    expect(board.take(0)).toEqual([FIRST_LPI]);
  });

  it('5.8 true: a CREADR beyond the queue reads nothing beyond it', async () => {
    const board = await running({ creadrWritable: true });
    const { its, machine } = board;
    its.enable(false);
    its.write64(GITS.CBASER, VALID | BigInt(board.ram(0x60_0000 - 0x1_0000)));
    its.write64(GITS.CWRITER, 0);
    its.write64(GITS.CREADR, 0xf_ffe0);
    its.enable(true);
    its.write64(GITS.CWRITER, 32);
    expect(machine.counters().commandErrors).toBe(0);
  });
});

describe('5.2 policies of the enable', () => {
  it.each([0, 1] as const)('5.2 quiescentWhileEnabled %i', async (quiescentWhileEnabled) => {
    const { its } = await running({ quiescentWhileEnabled });
    expect(its.read(GITS.CTLR)).toBe(quiescentWhileEnabled ? 0x8000_0001 : 1);
    its.enable(false);
    expect(its.read(GITS.CTLR)).toBe(0x8000_0000);
  });

  const invalid: [string, (board: ItsBoard) => void][] = [
    ['GITS_CBASER', ({ its }) => its.write64(GITS.CBASER, 0)],
    ['GITS_BASER0', ({ its }) => its.write64(GITS.BASER0, 0)],
    ['GITS_BASER1', ({ its }) => its.write64(GITS.BASER1, 0)],
  ];

  it.each(invalid)('5.2 enableWithInvalidTables refuse: %s.Valid=0', async (_, invalidate) => {
    const board = await running({ enableWithInvalidTables: 'refuse' });
    const { its } = board;
    its.enable(false);
    invalidate(board);
    its.enable(true);
    expect(its.read(GITS.CTLR) & 1).toBe(0);
    expect(board.diagnosed()).toContain('ENABLED_WITH_INVALID_TABLES');
    its.setUp();
    expect(its.read(GITS.CTLR) & 1).toBe(1);
  });

  it.each(invalid)('5.2 enableWithInvalidTables drop-traffic: %s.Valid=0', async (_, invalidate) => {
    const board = await running({ enableWithInvalidTables: 'drop-traffic' });
    const { its } = board;
    its.enable(false);
    invalidate(board);
    its.enable(true);
    expect(its.read(GITS.CTLR) & 1).toBe(1);
    expect(board.diagnosed()).toContain('ENABLED_WITH_INVALID_TABLES');
    expect(board.machine.sendMsi(DEVICE, 0)).toMatch(/^device-/);
  });

  it('5.2 refuse: with collections in hardware GITS_BASER1 is not needed', async () => {
    const board = await createRunningBoard(
      { hardwareCollections: 4, policy: { enableWithInvalidTables: 'refuse' } },
      { collections: 0n },
    );
    expect(board.its.read(GITS.CTLR) & 1).toBe(1);
  });

  it('5.2 a valid set-up is not reported', async () => {
    const board = await running({});
    expect(board.diagnosed()).toEqual([]);
  });
});

describe('5.7 and 5.9 policy tableWriteWhileEnabled', () => {
  it.each([
    ['CBASER', GITS.CBASER],
    ['BASER0', GITS.BASER0],
    ['BASER1', GITS.BASER1],
  ])('5.9 ignore: a write of GITS_%s while Enabled=1 is ignored and reported', async (_, offset) => {
    const board = await running({ tableWriteWhileEnabled: 'ignore' });
    const { its } = board;
    its.run([sync(0)]);
    const before = its.read64(offset);
    its.write64(offset, 0);
    expect(its.read64(offset)).toBe(before);
    expect(its.creadr).toBe(32);
    expect(board.diagnosed()).toEqual(['TABLE_WRITE_WHILE_ENABLED']);
  });

  it('5.9 accept: the new table counts at once', async () => {
    const board = await mapped({ tableWriteWhileEnabled: 'accept' });
    const { its, machine } = board;
    const devices = its.read64(GITS.BASER0);
    its.write64(GITS.BASER0, devices & ~VALID);
    expect(machine.sendMsi(DEVICE, 0)).toMatch(/^device-/);
    its.write64(GITS.BASER0, devices);
    expect(machine.sendMsi(DEVICE, 0)).toBe('pending');
    expect(board.diagnosed().filter((code) => code === 'TABLE_WRITE_WHILE_ENABLED')).toHaveLength(2);
  });

  it('5.7 accept: CBASER moves the queue and resets CREADR', async () => {
    const board = await running({ tableWriteWhileEnabled: 'accept' });
    const { its } = board;
    its.run([sync(0)]);
    its.write64(GITS.CWRITER, its.cwriter);
    its.write64(GITS.CBASER, VALID | BigInt(its.itt(16)));
    expect(its.read64(GITS.CBASER)).toBe(VALID | BigInt(its.itt(16)));
  });

  it('5.13 accept: the commands of the queue that CBASER moves to run at once', async () => {
    const board = await mapped({ tableWriteWhileEnabled: 'accept' });
    const { its } = board;
    const cbaser = its.read64(GITS.CBASER);
    its.enable(false);
    its.write64(GITS.CBASER, cbaser);
    its.write64(GITS.CWRITER, its.store([int(DEVICE, 0)], 0));
    its.write64(GITS.CBASER, cbaser & ~VALID);
    its.enable(true);
    expect(board.take(0)).toEqual([]);
    its.write64(GITS.CBASER, cbaser);
    expect(board.take(0)).toEqual([FIRST_LPI]);
  });
});

describe('5.11 policy eventIdHighBits', () => {
  it.each(['drop', 'ignore-bits'] as const)(
    '5.11 %s: bits above GITS_TYPER.ID_bits',
    async (eventIdHighBits) => {
      const board = await createMappedBoard({ eventIdBits: 8, policy: { eventIdHighBits } });
      const outcome = board.machine.sendMsi(DEVICE, 0x101);
      expect(outcome).toBe(eventIdHighBits === 'drop' ? 'event-out-of-range' : 'pending');
      expect(board.take(0)).toEqual(eventIdHighBits === 'drop' ? [] : [FIRST_LPI + 1]);
      expect(board.machine.sendMsi(DEVICE, 0x1f), 'within the width, beyond nothing').toBe('event-unmapped');
    },
  );

  it('5.11 ignore-bits: the range of the ITT still counts', async () => {
    const board = await createMappedBoard({ eventIdBits: 8, policy: { eventIdHighBits: 'ignore-bits' } });
    expect(board.machine.sendMsi(DEVICE, 0x120)).toBe('event-out-of-range');
  });

  it('6.8 INT with such an EventID is out of range either way', async () => {
    const board = await createMappedBoard({ eventIdBits: 8, policy: { eventIdHighBits: 'ignore-bits' } });
    expect(board.its.errors([int(DEVICE, 0x101)])).toEqual([0x010305]);
  });
});

describe('6.4 policies of MAPTI', () => {
  it.each(['overwrite', 'ignore'] as const)('6.4 maptiRemap %s', async (maptiRemap) => {
    const board = await mapped({ maptiRemap });
    expect(board.its.errors([mapti(DEVICE, 0, 9000, 1)])).toEqual([]);
    expect(board.diagnosed()).not.toContain('COMMAND_ERROR');
    board.machine.sendMsi(DEVICE, 0);
    const overwritten = maptiRemap === 'overwrite';
    expect([board.take(0), board.take(1)]).toEqual(overwritten ? [[], [9000]] : [[FIRST_LPI], []]);
  });

  it.each(['overwrite', 'ignore'] as const)('6.4 maptiRemap %s: it is reported', async (maptiRemap) => {
    const board = await mapped({ maptiRemap });
    board.machine.takeDiagnostics();
    board.its.post([mapti(DEVICE, 0, 9000, 1), mapti(DEVICE, 20, 9001, 1)]);
    expect(board.machine.takeDiagnostics()).toMatchObject([
      { code: 'REMAPPED_EVENT', operands: { deviceId: DEVICE, eventId: 0 } },
    ]);
  });

  it.each([false, true])('6.4 maptiClearsPending %s', async (maptiClearsPending) => {
    const board = await mapped({ maptiClearsPending });
    board.mask(0);
    board.machine.sendMsi(DEVICE, 0);
    board.machine.sendMsi(DEVICE, 1);
    board.its.run([mapti(DEVICE, 20, FIRST_LPI, 0), mapti(DEVICE, 21, FIRST_LPI + 1, 1)]);
    expect(board.isPending(FIRST_LPI, 0)).toBe(!maptiClearsPending);
    expect(board.machine.counters().cleared.lpi).toBe(maptiClearsPending ? 1 : 0);
    expect(board.isPending(FIRST_LPI + 1, 0), 'another redistributor').toBe(true);
  });
});

describe('6.10 policy discardUnmappedCollection', () => {
  it.each(['unmap', 'error'] as const)('6.10 %s', async (discardUnmappedCollection) => {
    const board = await mapped({ discardUnmappedCollection });
    board.mask(0);
    board.machine.sendMsi(DEVICE, 0);
    board.its.run([unmapc(0)]);
    const errors = board.its.errors([discard(DEVICE, 0)]);
    const unmaps = discardUnmappedCollection === 'unmap';
    expect(errors.map((code) => code >> 8)).toEqual(unmaps ? [] : [0x010f]);
    board.its.run([mapc(0, 0)]);
    expect(board.machine.interruptEntry(0, DEVICE, 0) === undefined).toBe(unmaps);
    expect(board.isPending(FIRST_LPI, 0)).toBe(true);
  });
});

describe('6.6 policy moviTargetDisabled', () => {
  it.each(['keep', 'drop'] as const)(
    '6.6 %s: MOVI to a redistributor with EnableLPIs=0',
    async (moviTargetDisabled) => {
      const board = await mapped({ moviTargetDisabled });
      board.mask(0);
      board.machine.sendMsi(DEVICE, 0);
      board.setGicr(2, 0x0000, 0);
      board.its.run([movi(DEVICE, 0, 2)]);
      expect(board.pendingAt(FIRST_LPI)).toEqual(moviTargetDisabled === 'keep' ? [0] : []);
      expect(board.machine.counters().cleared.lpi).toBe(moviTargetDisabled === 'keep' ? 0 : 1);
      expect(board.machine.interruptEntry(0, DEVICE, 0)).toMatchObject({ icid: 2 });
      expect(board.diagnosed()).toContain('MOVE_TO_DISABLED_REDISTRIBUTOR');
      board.unmask(0);
      expect(board.take(0)).toEqual(moviTargetDisabled === 'keep' ? [FIRST_LPI] : []);
      expect(board.machine.checkLpiIndex(0)).toBe(0);
    },
  );

  it('6.6 nothing to move: no report', async () => {
    const board = await mapped({ moviTargetDisabled: 'keep' });
    board.setGicr(2, 0x0000, 0);
    board.its.run([movi(DEVICE, 0, 2)]);
    expect(board.diagnosed()).not.toContain('MOVE_TO_DISABLED_REDISTRIBUTOR');
  });
});

describe('6.7 policy movallTargetDisabled', () => {
  it.each(['keep', 'drop'] as const)(
    '6.7 %s: MOVALL to a redistributor with EnableLPIs=0',
    async (movallTargetDisabled) => {
      const board = await mapped({ movallTargetDisabled });
      board.mask(0);
      board.machine.sendMsi(DEVICE, 0);
      board.machine.sendMsi(DEVICE, 1);
      board.setGicr(2, 0x0000, 0);
      board.its.run([movall(0, 2)]);
      const kept = movallTargetDisabled === 'keep';
      expect(board.pendingAt(FIRST_LPI)).toEqual(kept ? [0] : []);
      expect(board.machine.counters().cleared.lpi).toBe(kept ? 0 : 2);
      expect(board.diagnosed()).toContain('MOVE_TO_DISABLED_REDISTRIBUTOR');
      board.unmask(0);
      expect(board.take(0)).toEqual(kept ? [FIRST_LPI, FIRST_LPI + 1] : []);
    },
  );
});

describe('6.12 policies of INVALL', () => {
  it.each(['redistributor', 'all'] as const)('6.12 invallScope %s', async (invallScope) => {
    const board = await mapped({ invallScope });
    board.mask(0);
    board.mask(1);
    board.its.run([mapti(DEVICE, 20, 9000, 1), int(DEVICE, 20), int(DEVICE, 0)]);
    board.setConfig(9000, DISABLED);
    board.setConfig(FIRST_LPI, DISABLED);
    board.its.run([invall(0)]);
    expect(board.machine.highestPending(0)).toBeUndefined();
    expect(board.machine.highestPending(1)?.intid).toBe(invallScope === 'all' ? undefined : 9000);
  });

  it.each([true, false])(
    '6.12 checkSyncOperands %s: INVALL and SYNC with bad operands',
    async (checkSyncOperands) => {
      const { its } = await mapped({ checkSyncOperands });
      expect(its.errors([invall(100)])).toEqual(checkSyncOperands ? [0x010d09] : []);
      expect(its.errors([invall(9000)])).toEqual(checkSyncOperands ? [0x010d03] : []);
      expect(its.errors([sync(99)])).toHaveLength(checkSyncOperands ? 1 : 0);
    },
  );

  it('6.11 INV concerns one LPI at one redistributor', async () => {
    const board = await mapped({});
    board.its.run([int(DEVICE, 0), int(DEVICE, 1)]);
    board.setConfig(FIRST_LPI, DISABLED);
    board.setConfig(FIRST_LPI + 1, DISABLED);
    board.its.run([inv(DEVICE, 0)]);
    expect(board.take(0)).toEqual([FIRST_LPI + 1]);
  });
});

describe('5.13 policy commandExecution', () => {
  it.each(['immediate', 'stepped'] as const)('5.13 %s', async (commandExecution) => {
    const board = await running({ commandExecution });
    board.its.post([sync(0), sync(0)]);
    expect(board.its.creadr).toBe(commandExecution === 'stepped' ? 0 : 64);
    expect(board.machine.stepIts(0, 5)).toBe(commandExecution === 'stepped' ? 2 : 0);
    expect(board.its.creadr).toBe(64);
  });
});

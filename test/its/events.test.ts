import { describe, expect, it } from 'vitest';
import { clear, discard, int, inv, invall, mapc, mapti, sync } from './commands.ts';
import {
  createItsBoard,
  createMappedBoard,
  createRunningBoard,
  DEVICE,
  DISABLED,
  ENABLED,
  FIRST_LPI,
} from './fixture.ts';

describe('6.0 command numbers', () => {
  const known = [0x01, 0x03, 0x04, 0x05, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f];

  it('6.0 every number that a GICv3 does not have is an error without effect', async () => {
    const board = await createMappedBoard();
    const { its, machine } = board;
    const numbers = Array.from({ length: 256 }, (_, n) => n).filter((n) => !known.includes(n));
    machine.takeDiagnostics();
    its.post(
      numbers.map((n) => [(BigInt(DEVICE) << 32n) | BigInt(n), 0n, 0x8000_0000_0001_0000n, 0n] as const),
    );
    expect(machine.counters().commandErrors).toBe(numbers.length);
    const diagnosed = machine.takeDiagnostics();
    expect(diagnosed.map(({ code }) => code)).toEqual(numbers.map(() => 'UNKNOWN_COMMAND'));
    expect(diagnosed.map(({ operands }) => operands.number)).toEqual(numbers);
    expect(machine.collectionEntry(0, 0)).toBe(0);
    expect(machine.interruptEntry(0, DEVICE, 0)).toMatchObject({ pIntid: FIRST_LPI, icid: 0 });
    expect(its.creadr).toBe(its.cwriter);
  });

  it('6.0 with PTA=1 RDbase is the address of RD_base, not of another frame of the PE', async () => {
    const board = await createRunningBoard({ physicalTargetAddresses: true });
    const address = (cpu: number, offset: number): number => board.gicrAddress(cpu, offset);
    expect(
      board.its.errors([
        mapc(0, address(0, 0)),
        mapc(1, address(3, 0)),
        mapc(2, address(0, 0x1_0000)),
        mapc(2, address(4, 0)),
        mapc(2, address(0, 0) - 0x2_0000),
        mapc(2, 0),
        sync(address(1, 0)),
      ]),
    ).toEqual(Array(4).fill(0x010902));
    expect([0, 1, 2].map((icid) => board.machine.collectionEntry(0, icid))).toEqual([0, 3, undefined]);
  });

  it('6.0 with PTA=1 MOVALL takes addresses too', async () => {
    const board = await createMappedBoard({ physicalTargetAddresses: true });
    board.mask(0);
    board.machine.sendMsi(DEVICE, 0);
    board.its.run([{ command: 'MOVALL', rdBase1: board.rdBase(0), rdBase2: board.rdBase(2) }]);
    expect(board.pendingAt(FIRST_LPI)).toEqual([2]);
  });

  it('6.0 with PTA=0 a processor number has 16 bits; higher bits must be zero', async () => {
    const board = await createRunningBoard();
    expect(board.its.errors([[0x09n, 0n, 0x8000_0001_0001_0003n, 0n]])).toEqual([0x010902]);
  });
});

describe('6.8 INT', () => {
  it('6.8 example: device 0x10, event 5', async () => {
    const board = await createMappedBoard();
    board.its.run([[0x0000_0010_0000_0003n, 0x5n, 0n, 0n]]);
    expect(board.take(0)).toEqual([8197]);
  });

  it('6.8 acts as an MSI', async () => {
    const board = await createMappedBoard();
    board.its.run([int(DEVICE, 0)]);
    expect(board.machine.highestPending(0)).toEqual({ intid: FIRST_LPI, priority: 0xa0, group: 1 });
    expect(board.machine.irq(0)).toBe(true);
    expect(board.take(0)).toEqual([FIRST_LPI]);
    expect(board.machine.irq(0)).toBe(false);
  });

  it('6.8 of a pending event coalesces', async () => {
    const board = await createMappedBoard();
    board.its.run([int(DEVICE, 0), int(DEVICE, 0)]);
    expect(board.outcomes('int')).toEqual({ pending: 1, coalesced: 1 });
    expect(board.take(0)).toEqual([FIRST_LPI]);
  });

  it('6.8 to a redistributor with EnableLPIs=0 is ignored: no error', async () => {
    const board = await createMappedBoard();
    board.setGicr(0, 0x0000, 0);
    expect(board.its.errors([int(DEVICE, 0)])).toEqual([]);
    expect(board.outcomes('int')).toEqual({ 'lpis-disabled': 1 });
    board.enableLpis(0);
    expect(board.take(0)).toEqual([]);
  });
});

describe('6.9 CLEAR', () => {
  it('6.9 example: device 0x10, event 5', async () => {
    const board = await createMappedBoard();
    board.mask(0);
    board.machine.sendMsi(DEVICE, 5);
    board.machine.sendMsi(DEVICE, 6);
    board.its.run([[0x0000_0010_0000_0004n, 0x5n, 0n, 0n]]);
    expect(board.isPending(8197, 0)).toBe(false);
    board.unmask(0);
    expect(board.take(0)).toEqual([8198]);
  });

  it('6.9 takes the interrupt back from the PE', async () => {
    const board = await createMappedBoard();
    board.its.run([int(DEVICE, 0)]);
    expect(board.machine.irq(0)).toBe(true);
    board.its.run([clear(DEVICE, 0)]);
    expect(board.machine.irq(0)).toBe(false);
    expect(board.take(0)).toEqual([]);
  });

  it('6.9 of an LPI that is not pending, or acknowledged already, has no effect', async () => {
    const board = await createMappedBoard();
    expect(board.its.errors([clear(DEVICE, 0)])).toEqual([]);
    board.machine.sendMsi(DEVICE, 0);
    expect(board.icc(0, 'IAR1')).toBe(FIRST_LPI);
    expect(board.its.errors([clear(DEVICE, 0)])).toEqual([]);
    expect(board.icc(0, 'RPR')).toBe(0xa0);
    board.setIcc(0, 'EOIR1', FIRST_LPI);
    expect(board.icc(0, 'RPR')).toBe(0xff);
  });

  it('6.9 leaves the mapping: the event can fire again', async () => {
    const board = await createMappedBoard();
    board.its.run([int(DEVICE, 0), clear(DEVICE, 0), int(DEVICE, 0)]);
    expect(board.take(0)).toEqual([FIRST_LPI]);
  });

  it('6.9 clears a disabled LPI', async () => {
    const board = await createMappedBoard();
    board.setConfig(FIRST_LPI, DISABLED);
    board.its.run([int(DEVICE, 0)]);
    expect(board.isPending(FIRST_LPI, 0)).toBe(true);
    board.its.run([clear(DEVICE, 0)]);
    expect(board.isPending(FIRST_LPI, 0)).toBe(false);
  });
});

describe('6.10 DISCARD', () => {
  it('6.10 example: device 0x10, event 5', async () => {
    const board = await createMappedBoard();
    board.its.run([[0x0000_0010_0000_000fn, 0x5n, 0n, 0n]]);
    expect(board.machine.interruptEntry(0, 0x10, 5)).toBeUndefined();
    expect(board.machine.sendMsi(0x10, 5)).toBe('event-unmapped');
  });

  it('6.10 clears the pending state', async () => {
    const board = await createMappedBoard();
    board.its.run([int(DEVICE, 0), int(DEVICE, 1), discard(DEVICE, 0)]);
    expect(board.take(0)).toEqual([FIRST_LPI + 1]);
    expect(board.pendingAt(FIRST_LPI)).toEqual([]);
  });

  it('6.10 a second DISCARD finds the event unmapped', async () => {
    const board = await createMappedBoard();
    expect(board.its.errors([discard(DEVICE, 0), discard(DEVICE, 0)])).toEqual([0x010f07]);
  });

  it('6.10 after SYNC the INTID and the event may be used again', async () => {
    const board = await createMappedBoard();
    board.its.run([discard(DEVICE, 0), sync(0), mapti(DEVICE, 20, FIRST_LPI, 1), mapti(DEVICE, 0, 9000, 2)]);
    board.machine.sendMsi(DEVICE, 20);
    board.machine.sendMsi(DEVICE, 0);
    expect([board.take(0), board.take(1), board.take(2)]).toEqual([[], [FIRST_LPI], [9000]]);
  });
});

describe('6.11 INV', () => {
  it('6.11 example: device 0x10, event 5 becomes enabled', async () => {
    const board = await createMappedBoard();
    board.setConfig(8197, DISABLED);
    board.its.run([int(DEVICE, 5)]);
    board.setConfig(8197, ENABLED);
    board.its.run([[0x0000_0010_0000_000cn, 0x5n, 0n, 0n]]);
    expect(board.take(0)).toEqual([8197]);
  });

  it('6.11 a pending LPI that is disabled stays pending and is no longer signalled', async () => {
    const board = await createMappedBoard();
    board.its.run([int(DEVICE, 0)]);
    expect(board.machine.irq(0)).toBe(true);
    board.setConfig(FIRST_LPI, DISABLED);
    board.its.run([inv(DEVICE, 0)]);
    expect(board.machine.irq(0)).toBe(false);
    expect(board.isPending(FIRST_LPI, 0)).toBe(true);
    expect(board.take(0)).toEqual([]);
  });

  it('6.11 a new priority applies to a pending LPI', async () => {
    const board = await createMappedBoard();
    board.mask(0);
    board.its.run([int(DEVICE, 0), int(DEVICE, 1)]);
    board.setConfig(FIRST_LPI + 1, 0x43);
    board.its.run([inv(DEVICE, 1)]);
    expect(board.machine.highestPending(0)).toEqual({ intid: FIRST_LPI + 1, priority: 0x40, group: 1 });
    board.unmask(0);
    expect(board.take(0)).toEqual([FIRST_LPI + 1, FIRST_LPI]);
  });

  it('6.11 applies to an LPI that fires later', async () => {
    const board = await createMappedBoard();
    board.its.run([int(DEVICE, 0)]);
    expect(board.take(0)).toEqual([FIRST_LPI]);
    board.setConfig(FIRST_LPI, DISABLED);
    board.its.run([inv(DEVICE, 0), int(DEVICE, 0)]);
    expect(board.take(0)).toEqual([]);
  });

  it('4.3 without INV the cached configuration may stay: an LPI used before is not seen disabled', async () => {
    const board = await createMappedBoard();
    board.its.run([int(DEVICE, 0)]);
    expect(board.take(0)).toEqual([FIRST_LPI]);
    board.setConfig(FIRST_LPI, DISABLED);
    board.its.run([int(DEVICE, 0)]);
    expect(board.take(0)).toEqual([FIRST_LPI]);
  });
});

describe('6.12 INVALL', () => {
  it('6.12 example: collection 3', async () => {
    const board = await createMappedBoard();
    board.its.run([mapti(DEVICE, 20, 9000, 3), int(DEVICE, 20)]);
    board.setConfig(9000, DISABLED);
    board.its.run([[0x0dn, 0n, 0x3n, 0n]]);
    expect(board.take(3)).toEqual([]);
    board.setConfig(9000, ENABLED);
    board.its.run([invall(3)]);
    expect(board.take(3)).toEqual([9000]);
  });

  it('6.12 re-reads all LPIs of the redistributor of the collection', async () => {
    const board = await createMappedBoard();
    board.mask(0);
    board.its.run([0, 1, 2, 3].map((event) => int(DEVICE, event)));
    [0x83, DISABLED, 0x23, 0xe3].forEach((byte, event) => {
      board.setConfig(FIRST_LPI + event, byte);
    });
    board.its.run([invall(0)]);
    board.unmask(0);
    expect(board.take(0)).toEqual([FIRST_LPI + 2, FIRST_LPI, FIRST_LPI + 3]);
    expect(board.isPending(FIRST_LPI + 1, 0)).toBe(true);
  });
});

describe('6.13 SYNC', () => {
  it('6.13 example: RD 2', async () => {
    const { its } = await createRunningBoard();
    expect(its.errors([[0x05n, 0n, 0x2_0000n, 0n]])).toEqual([]);
    expect(its.creadr).toBe(32);
  });

  it('6.13 an RDbase that names no redistributor is an error', async () => {
    const { its } = await createRunningBoard();
    expect(its.errors([sync(3), sync(4), sync(0xffff)])).toHaveLength(2);
  });

  it('5.13 after SYNC the effects of all earlier commands are visible', async () => {
    const board = await createMappedBoard();
    board.its.run([mapti(DEVICE, 20, 9000, 1), int(DEVICE, 20), sync(1)]);
    expect(board.its.creadr).toBe(board.its.cwriter);
    expect(board.take(1)).toEqual([9000]);
  });
});

describe('6.0 a machine without an ITS', () => {
  it('6.0 has no GITS frames', async () => {
    const board = await createItsBoard({ itsCount: 0 });
    const { gits } = board.machine.config.addressMap;
    board.machine.write(gits, 4, 1);
    expect(board.machine.read(gits, 4)).toBe(0);
    expect(() => board.machine.sendMsi(0, 0)).toThrow(/an ITS/);
  });
});

import { describe, expect, it } from 'vitest';
import { int, mapc, mapd, mapi, mapti, unmapc, unmapd } from './commands.ts';
import {
  createMappedBoard,
  createRunningBoard,
  DEVICE,
  FIRST_LPI,
  type ItsBoard,
  SCRATCH,
} from './fixture.ts';

const EXAMPLES = { ram: { base: 0x8_0000_0000, size: 0x60_0000 } };

function clearItt(board: ItsBoard, slot: number): void {
  board.machine.writeMemory(board.its.itt(slot), new Uint8Array(0x1000));
}

describe('6.2 MAPD', () => {
  it('6.2 example: device 0x10, 32 events, ITT 0x8_0010_0000; and its unmapping', async () => {
    const board = await createRunningBoard(EXAMPLES);
    board.its.run([[0x0000_0010_0000_0008n, 0x4n, 0x8000_0008_0010_0000n, 0n]]);
    expect(board.machine.deviceEntry(0, 0x10)).toEqual({ ittAddress: 0x8_0010_0000, size: 4 });
    board.its.run([[0x0000_0010_0000_0008n, 0n, 0n, 0n]]);
    expect(board.machine.deviceEntry(0, 0x10)).toBeUndefined();
  });

  it.each([0, 1, 2, 7, 8, 15])('6.2 Size %i gives 2^(Size+1) events', async (size) => {
    const board = await createRunningBoard();
    const { its } = board;
    const events = 2 ** (size + 1);
    its.run([mapc(0, 0), mapd(1, board.ram(SCRATCH), size), mapti(1, events - 1, FIRST_LPI, 0)]);
    expect(board.machine.sendMsi(1, events - 1)).toBe('pending');
    expect(board.machine.sendMsi(1, events)).toBe('event-out-of-range');
    expect(its.errors([mapti(1, events, FIRST_LPI, 0)])).toEqual([0x010a05]);
  });

  it('6.2 the ITT takes no more memory than its events times ITT_entry_size', async () => {
    const board = await createRunningBoard({ ittEntryBytes: 8 });
    const { its } = board;
    its.run([
      mapd(1, board.ram(SCRATCH), 1),
      ...[0, 1, 2, 3].map((event) => mapti(1, event, 9000 + event, 0)),
    ]);
    const memory = board.machine.readMemory(board.ram(SCRATCH), 64);
    expect(memory.subarray(32).every((byte) => byte === 0)).toBe(true);
    expect(memory.subarray(0, 32).some((byte) => byte !== 0)).toBe(true);
  });

  it('6.2 an ITT is aligned to 256 bytes only', async () => {
    const board = await createRunningBoard();
    board.its.run([mapc(0, 0), mapd(1, board.ram(SCRATCH + 0x100), 1), mapti(1, 0, FIRST_LPI, 0)]);
    expect(board.machine.sendMsi(1, 0)).toBe('pending');
    expect(board.machine.readMemory(board.ram(SCRATCH), 0x100).every((byte) => byte === 0)).toBe(true);
  });

  it('6.2 remapping a device to a new ITT loses the old events', async () => {
    const board = await createMappedBoard();
    board.its.run([mapd(DEVICE, board.its.itt(1))]);
    expect(board.machine.sendMsi(DEVICE, 0)).toBe('event-unmapped');
    board.its.run([mapti(DEVICE, 0, 9000, 0)]);
    expect(board.machine.sendMsi(DEVICE, 0)).toBe('pending');
    expect(board.take(0)).toEqual([9000]);
  });

  it('6.2 remapping a device with fewer events', async () => {
    const board = await createMappedBoard();
    clearItt(board, 0);
    board.its.run([mapd(DEVICE, board.its.itt(0), 0), mapti(DEVICE, 1, 9000, 0)]);
    expect(board.machine.sendMsi(DEVICE, 1)).toBe('pending');
    expect(board.machine.sendMsi(DEVICE, 2)).toBe('event-out-of-range');
  });

  it('6.2 V=0: later MSIs are discarded, what is pending stays pending', async () => {
    const board = await createMappedBoard();
    board.machine.sendMsi(DEVICE, 0);
    board.its.run([unmapd(DEVICE)]);
    expect(board.machine.sendMsi(DEVICE, 1)).toBe('device-unmapped');
    expect(board.take(0)).toEqual([FIRST_LPI]);
  });

  it('6.2 V=0 of a device that is not mapped has no effect and is no error', async () => {
    const board = await createMappedBoard();
    expect(board.its.errors([unmapd(77)])).toEqual([]);
    expect(board.machine.sendMsi(DEVICE, 0)).toBe('pending');
  });

  it('6.2 V=0 ignores Size', async () => {
    const board = await createMappedBoard({ eventIdBits: 10 });
    expect(board.its.errors([{ ...unmapd(DEVICE), size: 31 } as ReturnType<typeof unmapd>])).toEqual([]);
    expect(board.machine.deviceEntry(0, DEVICE)).toBeUndefined();
  });

  it('6.2 devices do not share events', async () => {
    const board = await createMappedBoard();
    board.its.run([mapd(0x11, board.its.itt(1)), mapti(0x11, 0, 9000, 1)]);
    expect(board.machine.sendMsi(0x11, 1)).toBe('event-unmapped');
    board.machine.sendMsi(DEVICE, 0);
    board.machine.sendMsi(0x11, 0);
    expect([board.take(0), board.take(1)]).toEqual([[FIRST_LPI], [9000]]);
  });

  it('6.2 a device whose ITT is outside RAM is mapped; its events fault', async () => {
    const board = await createRunningBoard({ policy: { tableFault: 'ignore' } });
    const ittAddress = board.ram(0x60_0000);
    expect(board.its.errors([mapd(1, ittAddress)])).toEqual([]);
    expect(board.machine.sendMsi(1, 0)).toBe('table-fault');
    expect(board.machine.deviceEntry(0, 1)).toEqual({ ittAddress, size: 4 });
  });
});

describe('6.3 MAPC', () => {
  it('6.3 example: ICID 3 to PE 2, RDbase a processor number', async () => {
    const board = await createRunningBoard();
    board.its.run([[0x09n, 0n, 0x8000_0000_0002_0003n, 0n]]);
    expect(board.machine.collectionEntry(0, 3)).toBe(2);
  });

  it('6.3 example: ICID 3 to the RD_base 0x080C_0000 with PTA=1', async () => {
    const board = await createRunningBoard({
      physicalTargetAddresses: true,
      addressMap: { gicd: 0x0700_0000, gicr: 0x0808_0000, gits: 0x0900_0000 },
    });
    board.its.run([[0x09n, 0n, 0x8000_0000_080c_0003n, 0n]]);
    expect(board.machine.collectionEntry(0, 3)).toBe(2);
  });

  it('6.3 V=0: interrupts of the collection are dropped until it is mapped again', async () => {
    const board = await createMappedBoard();
    board.its.run([unmapc(0)]);
    expect(board.machine.sendMsi(DEVICE, 0)).toBe('collection-unmapped');
    board.its.run([mapc(0, 2)]);
    expect(board.take(2), 'not kept for later').toEqual([]);
    expect(board.machine.sendMsi(DEVICE, 0)).toBe('pending');
    expect(board.take(2)).toEqual([FIRST_LPI]);
  });

  it('6.3 V=0 ignores RDbase', async () => {
    const board = await createMappedBoard();
    expect(board.its.errors([unmapc(0, 0xffff)])).toEqual([]);
    expect(board.machine.collectionEntry(0, 0)).toBeUndefined();
  });

  it('6.3 V=0 of a collection that is not mapped is no error', async () => {
    const { its } = await createRunningBoard();
    expect(its.errors([unmapc(9)])).toEqual([]);
  });

  it('6.3 remapping a collection to another RD does not move pending state', async () => {
    const board = await createMappedBoard();
    board.machine.sendMsi(DEVICE, 0);
    board.its.run([mapc(0, 3)]);
    expect(board.pendingAt(FIRST_LPI)).toEqual([0]);
    board.machine.sendMsi(DEVICE, 1);
    expect([board.take(0), board.take(3)]).toEqual([[FIRST_LPI], [FIRST_LPI + 1]]);
  });

  it('6.3 several collections may target one RD', async () => {
    const board = await createMappedBoard();
    board.its.run([mapc(1, 0), mapti(DEVICE, 20, 9000, 1)]);
    board.machine.sendMsi(DEVICE, 20);
    board.machine.sendMsi(DEVICE, 0);
    expect(board.take(0)).toEqual([FIRST_LPI, 9000]);
  });
});

describe('6.4 MAPTI', () => {
  it('6.4 example: device 0x10, event 5 to LPI 8197 of collection 3', async () => {
    const board = await createRunningBoard();
    board.its.run([mapd(0x10, board.its.itt(0)), mapc(3, 1)]);
    board.its.run([[0x0000_0010_0000_000an, 0x0000_2005_0000_0005n, 0x3n, 0n]]);
    expect(board.machine.interruptEntry(0, 0x10, 5)).toMatchObject({ pIntid: 8197, icid: 3 });
    board.machine.sendMsi(0x10, 5);
    expect(board.take(1)).toEqual([8197]);
  });

  it('6.4 the collection need not be mapped yet', async () => {
    const board = await createMappedBoard();
    expect(board.its.errors([mapti(DEVICE, 20, 9000, 99)])).toEqual([]);
    expect(board.machine.sendMsi(DEVICE, 20)).toBe('collection-unmapped');
    board.its.run([mapc(99, 1)]);
    expect(board.machine.sendMsi(DEVICE, 20)).toBe('pending');
  });

  it('6.4 does not change pending state', async () => {
    const board = await createMappedBoard();
    board.mask(0);
    board.machine.sendMsi(DEVICE, 0);
    board.its.run([mapti(DEVICE, 20, FIRST_LPI, 0), mapti(DEVICE, 21, 9000, 0)]);
    expect([board.isPending(FIRST_LPI, 0), board.isPending(9000, 0)]).toEqual([true, false]);
  });

  it('6.4 two events of one LPI merge', async () => {
    const board = await createMappedBoard();
    board.its.run([mapti(DEVICE, 20, FIRST_LPI, 0)]);
    board.mask(0);
    expect(board.machine.sendMsi(DEVICE, 0)).toBe('pending');
    expect(board.machine.sendMsi(DEVICE, 20)).toBe('coalesced');
    board.unmask(0);
    expect(board.take(0)).toEqual([FIRST_LPI]);
  });

  it('6.4 the lowest and the highest LPI can be mapped', async () => {
    const board = await createMappedBoard();
    board.its.run([mapti(DEVICE, 20, 8192, 0), mapti(DEVICE, 21, 65_535, 0)]);
    expect(board.machine.sendMsi(DEVICE, 21)).toBe('pending');
    expect(board.take(0)).toEqual([65_535]);
  });
});

describe('6.5 MAPI', () => {
  it('6.5 example: device 0x10, event 8200 to LPI 8200 of collection 3', async () => {
    const board = await createRunningBoard();
    const { its } = board;
    its.run([mapd(0x10, board.ram(SCRATCH), 13), mapc(3, 1)]);
    its.run([[0x0000_0010_0000_000bn, 0x2008n, 0x3n, 0n]]);
    expect(board.machine.interruptEntry(0, 0x10, 8200)).toMatchObject({ pIntid: 8200, icid: 3 });
    expect(its.errors([int(0x10, 8200)])).toEqual([]);
    expect(board.take(1)).toEqual([8200]);
  });

  it('6.5 EventID itself must be an LPI', async () => {
    const board = await createMappedBoard();
    const { its } = board;
    its.run([mapd(1, board.ram(SCRATCH), 15)]);
    const errors = its.errors([mapi(1, 8191, 0), mapi(1, 8192, 0), mapi(1, 65_535, 0), mapi(1, 0, 0)]);
    expect(errors).toHaveLength(2);
    for (const code of errors) expect(code >> 8).toBe(0x010b);
    expect([8191, 8192, 65_535, 0].map((event) => board.machine.sendMsi(1, event))).toEqual([
      'event-unmapped',
      'pending',
      'pending',
      'event-unmapped',
    ]);
  });
});

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { MachineOptions } from '../../bindings/index.ts';
import {
  clear,
  discard,
  int,
  inv,
  invall,
  mapc,
  mapd,
  mapi,
  mapti,
  movall,
  movi,
  sync,
  unmapc,
} from './commands.ts';
import { type Command, createMappedBoard, DEVICE, FIRST_LPI, type ItsBoard, SCRATCH } from './fixture.ts';

interface Case {
  name: string;
  code: number;
  command: Command | ((board: ItsBoard) => Command);
  options?: MachineOptions;
}

/** The table of 64 KiB has room for 8192 devices and 8192 collections. */
const BEYOND = 8192;
const UNMAPPED_DEVICE = 0x99;
const BEYOND_ITT = 32;
const UNMAPPED_EVENT = 31;

/** The codes of an event's lookup, which these commands have in common. */
const lookups = (
  [
    ['MOVI', 0x01_0100, (device, event) => movi(device, event, 1)],
    ['INT', 0x01_0300, int],
    ['CLEAR', 0x01_0500, clear],
    ['DISCARD', 0x01_0f00, discard],
    ['INV', 0x01_0c00, inv],
  ] as [string, number, (deviceId: number, eventId: number) => Command][]
).flatMap(([command, base, make]): Case[] => [
  { name: `${command} DEVICE_OOR: beyond the table`, code: base + 1, command: make(BEYOND, 0) },
  {
    name: `${command} DEVICE_OOR: beyond Devbits`,
    code: base + 1,
    command: make(64, 0),
    options: { deviceIdBits: 6 },
  },
  { name: `${command} UNMAPPED_DEVICE`, code: base + 4, command: make(UNMAPPED_DEVICE, 0) },
  { name: `${command} ID_OOR: beyond the ITT`, code: base + 5, command: make(DEVICE, BEYOND_ITT) },
  { name: `${command} ID_OOR: all EventID bits set`, code: base + 5, command: make(DEVICE, 0xffff_ffff) },
  { name: `${command} UNMAPPED_INTERRUPT`, code: base + 7, command: make(DEVICE, UNMAPPED_EVENT) },
]);

const cases: Case[] = [
  {
    name: 'MAPD DEVICE_OOR: DeviceID beyond the table',
    code: 0x010801,
    command: ({ its }) => mapd(BEYOND, its.itt(1)),
  },
  {
    name: 'MAPD DEVICE_OOR: DeviceID beyond Devbits',
    code: 0x010801,
    command: ({ its }) => mapd(64, its.itt(1)),
    options: { deviceIdBits: 6 },
  },
  {
    name: 'MAPD DEVICE_OOR: unmapping out of range',
    code: 0x010801,
    command: { command: 'MAPD', deviceId: 0xffff_ffff, size: 0, ittAddress: 0, valid: false },
  },
  {
    name: 'MAPD ITTSIZE_OOR: Size beyond ID_bits',
    code: 0x010802,
    command: ({ its }) => mapd(1, its.itt(1), 16),
  },
  {
    name: 'MAPD ITTSIZE_OOR: the largest Size',
    code: 0x010802,
    command: ({ its }) => mapd(1, its.itt(1), 31),
    options: { eventIdBits: 31 },
  },
  { name: 'MAPC PROCNUM_OOR', code: 0x010902, command: mapc(1, 4) },
  { name: 'MAPC PROCNUM_OOR: the highest processor number', code: 0x010902, command: mapc(1, 0xffff) },
  { name: 'MAPC COLLECTION_OOR: beyond the table', code: 0x010903, command: mapc(BEYOND, 0) },
  {
    name: 'MAPC COLLECTION_OOR: beyond CIDbits',
    code: 0x010903,
    command: mapc(16, 0),
    options: { collectionIdBits: 4 },
  },
  { name: 'MAPC COLLECTION_OOR: unmapping out of range', code: 0x010903, command: unmapc(BEYOND) },
  { name: 'MAPTI DEVICE_OOR', code: 0x010a01, command: mapti(BEYOND, 0, 9000, 0) },
  { name: 'MAPTI COLLECTION_OOR', code: 0x010a03, command: mapti(DEVICE, 20, 9000, BEYOND) },
  { name: 'MAPTI UNMAPPED_DEVICE', code: 0x010a04, command: mapti(UNMAPPED_DEVICE, 0, 9000, 0) },
  { name: 'MAPTI ID_OOR', code: 0x010a05, command: mapti(DEVICE, BEYOND_ITT, 9000, 0) },
  { name: 'MAPTI PHYSICALID_OOR: below the LPIs', code: 0x010a06, command: mapti(DEVICE, 20, 8191, 0) },
  { name: 'MAPTI PHYSICALID_OOR: 1023', code: 0x010a06, command: mapti(DEVICE, 20, 1023, 0) },
  { name: 'MAPTI PHYSICALID_OOR: beyond IDbits', code: 0x010a06, command: mapti(DEVICE, 20, 65_536, 0) },
  {
    name: 'MAPTI PHYSICALID_OOR: all pINTID bits set',
    code: 0x010a06,
    command: mapti(DEVICE, 20, 0xffff_ffff, 0),
  },
  { name: 'MAPI DEVICE_OOR', code: 0x010b01, command: mapi(BEYOND, 8192, 0) },
  { name: 'MAPI UNMAPPED_DEVICE', code: 0x010b04, command: mapi(UNMAPPED_DEVICE, 8192, 0) },
  { name: 'MAPI ID_OOR', code: 0x010b05, command: mapi(DEVICE, 8192, 0) },
  ...lookups,
  { name: 'MOVI COLLECTION_OOR', code: 0x010103, command: movi(DEVICE, 0, BEYOND) },
  { name: 'MOVI UNMAPPED_COLLECTION', code: 0x010109, command: movi(DEVICE, 0, 100) },
  { name: 'INVALL COLLECTION_OOR', code: 0x010d03, command: invall(BEYOND) },
  { name: 'INVALL UNMAPPED_COLLECTION', code: 0x010d09, command: invall(100) },
  { name: 'MOVALL PROCNUM_OOR: the source', code: 0x010e01, command: movall(4, 0) },
  { name: 'MOVALL PROCNUM_OOR: the destination', code: 0x010e01, command: movall(0, 4) },
  { name: 'MOVALL PROCNUM_OOR: both the same', code: 0x010e01, command: movall(0xffff, 0xffff) },
];

const hex6 = (code: number): string => `0x0${code.toString(16).toUpperCase()}`;

/** Everything that a command could change, but for the queue. */
function state(board: ItsBoard): unknown {
  const { machine, its } = board;
  const digest = (address: number, length: number): string =>
    createHash('sha1').update(machine.readMemory(address, length)).digest('hex');
  return {
    devices: digest(its.deviceTable, 0x1_0000),
    collections: digest(its.collectionTable, 0x1_0000),
    itts: digest(its.itt(0), 0x2000),
    pending: [0, 1, 2, 3].map((cpu) => digest(board.pendingTable(cpu), 0x2000)),
    highest: [0, 1, 2, 3].map((cpu) => machine.highestPending(cpu)),
  };
}

describe('6.1 error codes', () => {
  it.each(cases.map((one) => ({ ...one, hex: hex6(one.code) })))(
    '6.1 $name $hex',
    async ({ code, command, options }) => {
      const board = await createMappedBoard(options);
      const { its, machine } = board;
      board.mask(0);
      machine.sendMsi(DEVICE, 1);
      const before = state(board);
      const offset = its.cwriter;
      const bad = typeof command === 'function' ? command(board) : command;
      machine.takeDiagnostics();
      its.post([bad]);
      expect(machine.takeDiagnostics()).toMatchObject([
        { code: 'COMMAND_ERROR', unit: 0, operands: { offset, error: code } },
      ]);
      expect(state(board), 'nothing changed').toEqual(before);
      expect(its.creadr, 'the queue went on').toBe(its.cwriter);
      expect(machine.counters().commandErrors).toBe(1);
      its.run([int(DEVICE, 0)]);
      expect(board.isPending(FIRST_LPI, 0)).toBe(true);
    },
  );

  it('6.1 MAPI COLLECTION_OOR 0x010B03', async () => {
    const board = await createMappedBoard();
    board.its.run([mapd(1, board.ram(SCRATCH), 15)]);
    expect(board.its.errors([mapi(1, 9000, BEYOND)])).toEqual([0x010b03]);
    expect(board.machine.sendMsi(1, 9000)).toBe('event-unmapped');
  });

  it('6.1 MOVI UNMAPPED_COLLECTION 0x010109: the current collection is unmapped', async () => {
    const board = await createMappedBoard();
    board.its.run([unmapc(0)]);
    expect(board.its.errors([movi(DEVICE, 0, 1)])).toEqual([0x010109]);
    expect(board.machine.interruptEntry(0, DEVICE, 0)).toMatchObject({ icid: 0 });
  });

  it.each([
    ['INT', 0x0103, int],
    ['CLEAR', 0x0105, clear],
    ['INV', 0x010c, inv],
  ] as const)(
    '6.8, 6.9, 6.11 %s of an event whose collection is unmapped is an error',
    async (_, base, make) => {
      const board = await createMappedBoard();
      board.mask(0);
      board.machine.sendMsi(DEVICE, 0);
      board.its.run([unmapc(0)]);
      const errors = board.its.errors([make(DEVICE, 0)]);
      expect(errors).toHaveLength(1);
      expect((errors[0] ?? 0) >> 8).toBe(base);
      expect(board.isPending(FIRST_LPI, 0)).toBe(true);
    },
  );

  it('6.8 INT reports an unmapped collection as 0x010307, having no own code', async () => {
    const board = await createMappedBoard();
    expect(board.its.errors([unmapc(0), int(DEVICE, 0)])).toEqual([0x010307]);
  });

  it.each([
    ['CLEAR', 0x01_0507, clear, undefined],
    ['INV', 0x01_0c07, inv, undefined],
    ['DISCARD', 0x01_0f07, discard, 'error'],
  ] as const)(
    '6.1 %s reports an unmapped collection as an unmapped interrupt',
    async (_, code, make, choice) => {
      const policy = choice && { discardUnmappedCollection: choice };
      const board = await createMappedBoard({ ...(policy && { policy }) });
      expect(board.its.errors([unmapc(0), make(DEVICE, 0)])).toEqual([code]);
    },
  );

  it('6.8 INT to a redistributor whose pending table is not in RAM is no command error', async () => {
    const board = await createMappedBoard();
    board.setGicr(0, 0x0000, 0);
    board.setGicr64(0, 0x0078, 0x1_0000n);
    board.setGicr(0, 0x0000, 1);
    expect(board.its.errors([int(DEVICE, 0)])).toEqual([]);
    expect(board.its.stalled).toBe(false);
  });

  it('6.1 the record names the DeviceID and the EventID', async () => {
    const board = await createMappedBoard();
    board.machine.takeDiagnostics();
    board.its.post([int(0x1234, 0x5678)]);
    expect(board.machine.takeDiagnostics()).toMatchObject([
      {
        code: 'COMMAND_ERROR',
        spec: '6.1',
        operands: { error: 0x010304, deviceId: 0x1234, eventId: 0x5678 },
      },
    ]);
  });

  it('6.1 of several bad commands each leaves its record, in order', async () => {
    const board = await createMappedBoard();
    expect(
      board.its.errors([int(UNMAPPED_DEVICE, 0), sync(0), mapc(0, 9), discard(DEVICE, 31), movall(9, 9)]),
    ).toEqual([0x010304, 0x010902, 0x010f07, 0x010e01]);
  });
});

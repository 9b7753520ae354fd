import { describe, expect, it } from 'vitest';
import { createMachine, type EngineBuild, GicError, type Machine } from '../bindings/index.ts';
import { Board, createOpenBoard, RAM } from './support/gic.ts';

type Bad = readonly [string, (machine: Machine) => unknown, string, unknown, RegExp];

/** A call that TypeScript would not let a caller write. */
const untyped = (value: unknown): never => value as never;

const cpuRange = /0 to 3/;
const calls: readonly Bad[] = [
  ['read of 3 bytes', (m) => m.read(RAM.base, untyped(3)), 'size', 3, /1, 2, 4 or 8/],
  ['write of 0 bytes', (m) => m.write(RAM.base, untyped(0), 0), 'size', 0, /1, 2, 4 or 8/],
  ['read below address 0', (m) => m.read(-4, 4), 'address', -4, /from 0/],
  ['read of an address beyond 2^52', (m) => m.read(2 ** 52, 4), 'address', 2 ** 52, /from 0 to/],
  ['read that runs beyond 2^52', (m) => m.read(2 ** 52 - 4, 8), 'address', 2 ** 52 - 4, /from 0 to/],
  ['read of half an address', (m) => m.read(0.5, 4), 'address', 0.5, /integer/],
  ['read of no address', (m) => m.read(Number.NaN, 4), 'address', Number.NaN, /integer/],
  ['write below address 0', (m) => m.write(-1, 4, 0), 'address', -1, /from 0/],
  ['write of a byte of 256', (m) => m.write(RAM.base, 1, 256), 'value', 256, /0 to 255/],
  ['write of a halfword of 65536', (m) => m.write(RAM.base, 2, 65_536), 'value', 65_536, /0 to 65535/],
  ['write of a word of 2^32', (m) => m.write(RAM.base, 4, 2 ** 32), 'value', 2 ** 32, /0 to 4294967295/],
  ['write of a negative word', (m) => m.write(RAM.base, 4, -1), 'value', -1, /from 0/],
  ['write of half a number', (m) => m.write(RAM.base, 4, 1.5), 'value', 1.5, /integer/],
  ['write of an inexact doubleword', (m) => m.write(RAM.base, 8, 2 ** 53), 'value', 2 ** 53, /from 0 to/],
  [
    'write of a word bigint of 33 bits',
    (m) => m.write(RAM.base, 4, 1n << 32n),
    'value',
    1n << 32n,
    /32 bits/,
  ],
  ['write of a bigint of 65 bits', (m) => m.write(RAM.base, 8, 1n << 64n), 'value', 1n << 64n, /64 bits/],
  ['write of a negative bigint', (m) => m.write(RAM.base, 8, -1n), 'value', -1n, /64 bits/],
  ['write of a string', (m) => m.write(RAM.base, 4, untyped('1')), 'value', '1', /./],
  ['sendMsi of DeviceID -1', (m) => m.sendMsi(-1, 0), 'deviceId', -1, /0 to 4294967295/],
  ['sendMsi of DeviceID 2^32', (m) => m.sendMsi(2 ** 32, 0), 'deviceId', 2 ** 32, /0 to 4294967295/],
  ['sendMsi of EventID -1', (m) => m.sendMsi(0, -1), 'eventId', -1, /0 to 4294967295/],
  ['sendMsi of EventID 2^32', (m) => m.sendMsi(0, 2 ** 32), 'eventId', 2 ** 32, /0 to 4294967295/],
  ['sendMsi to ITS 1', (m) => m.sendMsi(0, 0, 1), 'its', 1, /0 to 0/],
  ['sendMsi to ITS -1', (m) => m.sendMsi(0, 0, -1), 'its', -1, /0 to 0/],
  ['setSpi of a PPI', (m) => m.setSpi(31, true), 'intid', 31, /32 to 287/],
  ['setSpi beyond the SPIs', (m) => m.setSpi(288, true), 'intid', 288, /32 to 287/],
  ['setSpi of an Extended SPI that is not there', (m) => m.setSpi(4096, true), 'intid', 4096, /32 to 287/],
  ['setSpi of an LPI', (m) => m.setSpi(8192, true), 'intid', 8192, /32 to 287/],
  ['setSpi of half an INTID', (m) => m.setSpi(40.5, true), 'intid', 40.5, /32 to 287/],
  ['setPpi of an SGI', (m) => m.setPpi(0, 15, true), 'intid', 15, /16 to 31/],
  ['setPpi of an SPI', (m) => m.setPpi(0, 32, true), 'intid', 32, /16 to 31/],
  ['setPpi of an Extended PPI that is not there', (m) => m.setPpi(0, 1056, true), 'intid', 1056, /16 to 31/],
  ['setPpi at PE 4', (m) => m.setPpi(4, 20, true), 'cpu', 4, cpuRange],
  ['readSystemRegister at PE -1', (m) => m.readSystemRegister(-1, 'ICC_IAR1_EL1'), 'cpu', -1, cpuRange],
  ['readSystemRegister at PE 4', (m) => m.readSystemRegister(4, 'ICC_IAR1_EL1'), 'cpu', 4, cpuRange],
  ['writeSystemRegister at PE 4', (m) => m.writeSystemRegister(4, 'ICC_PMR_EL1', 0), 'cpu', 4, cpuRange],
  ['writeSystemRegister of -1', (m) => m.writeSystemRegister(0, 'ICC_PMR_EL1', -1), 'value', -1, /from 0/],
  [
    'writeSystemRegister of 65 bits',
    (m) => m.writeSystemRegister(0, 'ICC_PMR_EL1', 1n << 64n),
    'value',
    1n << 64n,
    /64 bits/,
  ],
  ['readMemory below RAM', (m) => m.readMemory(RAM.base - 1, 1), 'address', RAM.base - 1, /from/],
  [
    'readMemory behind RAM',
    (m) => m.readMemory(RAM.base + RAM.size, 1),
    'address',
    RAM.base + RAM.size,
    /from/,
  ],
  [
    'readMemory over the end of RAM',
    (m) => m.readMemory(RAM.base + 1, RAM.size),
    'address',
    RAM.base + 1,
    /from/,
  ],
  [
    'readMemory of more than RAM',
    (m) => m.readMemory(RAM.base, RAM.size + 1),
    'length',
    RAM.size + 1,
    /from 0/,
  ],
  ['readMemory of -1 bytes', (m) => m.readMemory(RAM.base, -1), 'length', -1, /from 0/],
  ['writeMemory below RAM', (m) => m.writeMemory(0, new Uint8Array(4)), 'address', 0, /from/],
  [
    'writeMemory over the end of RAM',
    (m) => m.writeMemory(RAM.base + RAM.size - 2, Uint8Array.of(9, 9, 9)),
    'address',
    RAM.base + RAM.size - 2,
    /from/,
  ],
  ['highestPending of PE 4', (m) => m.highestPending(4), 'cpu', 4, cpuRange],
  ['irq of PE 4', (m) => m.irq(4), 'cpu', 4, cpuRange],
  ['fiq of PE -1', (m) => m.fiq(-1), 'cpu', -1, cpuRange],
  ['irq of half a PE', (m) => m.irq(0.5), 'cpu', 0.5, cpuRange],
  ['resetCpuInterface of PE 4', (m) => m.resetCpuInterface(4), 'cpu', 4, cpuRange],
  ['checkLpiIndex of PE 4', (m) => m.checkLpiIndex(4), 'cpu', 4, cpuRange],
  ['stepIts of ITS 1', (m) => m.stepIts(1), 'its', 1, /0 to 0/],
  ['stepIts of 0 commands', (m) => m.stepIts(0, 0), 'commands', 0, /from 1/],
  ['deviceEntry of ITS 1', (m) => m.deviceEntry(1, 0), 'its', 1, /0 to 0/],
  ['deviceEntry of DeviceID -1', (m) => m.deviceEntry(0, -1), 'deviceId', -1, /from 0/],
  ['collectionEntry of ITS 1', (m) => m.collectionEntry(1, 0), 'its', 1, /0 to 0/],
  ['collectionEntry of ICID 2^32', (m) => m.collectionEntry(0, 2 ** 32), 'icid', 2 ** 32, /from 0/],
  ['interruptEntry of ITS 1', (m) => m.interruptEntry(1, 0, 0), 'its', 1, /0 to 0/],
  ['interruptEntry of EventID 1.5', (m) => m.interruptEntry(0, 0, 1.5), 'eventId', 1.5, /from 0/],
];

/** Something is pending, something active, something in RAM: what a call that fails must leave alone. */
async function busyBoard(): Promise<Board> {
  const board = await createOpenBoard();
  board.configure(40, { edge: true });
  board.configure(41, { priority: 0x40, edge: true });
  board.setLine(41, true);
  board.icc(0, 'IAR1');
  board.setLine(40, true);
  board.machine.writeMemory(RAM.base, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  board.machine.writeMemory(RAM.base + RAM.size - 4, Uint8Array.of(1, 2, 3, 4));
  return board;
}

function memoryOf(machine: Machine): Buffer {
  return Buffer.from(new Uint8Array(machine.memory.buffer).slice());
}

describe('arguments out of range', () => {
  it.each(calls)(
    '%s is rejected, naming argument, value and range; nothing changes',
    async (_call, call, field, value, expected) => {
      const board = await busyBoard();
      const before = memoryOf(board.machine);
      let thrown: unknown;
      try {
        call(board.machine);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(GicError);
      const error = thrown as GicError;
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', field, value });
      expect(error.expected).toMatch(expected);
      expect(error.message).toBe(`${field}: ${shown(value)} is not allowed; expected ${error.expected}`);
      expect(memoryOf(board.machine).equals(before)).toBe(true);
    },
  );

  function shown(value: unknown): string {
    if (typeof value === 'bigint') return value < 0n ? String(value) : `0x${value.toString(16)}`;
    return typeof value === 'string' ? JSON.stringify(value) : String(value);
  }
});

describe('names', () => {
  it.each(['ICC_IAR2_EL1', 'IAR1', 'icc_iar1_el1', '', 'toString'])(
    'the system register %j does not exist',
    async (name) => {
      const { machine } = await busyBoard();
      for (const call of [
        () => machine.readSystemRegister(0, name),
        () => machine.writeSystemRegister(0, name, 0),
      ]) {
        expect(call).toThrow(GicError);
        expect(call).toThrow(expect.objectContaining({ code: 'UNKNOWN_NAME', field: 'name', value: name }));
      }
    },
  );

  it('a build that does not exist is rejected', async () => {
    const call = createMachine({}, 'threads' as EngineBuild);
    await expect(call).rejects.toMatchObject({ name: 'GicError', field: 'build', value: 'threads' });
  });
});

describe('machines that lack something', () => {
  it('without an ITS every ITS number is out of range, and the message says so', async () => {
    const machine = await createMachine({ itsCount: 0, ram: RAM });
    expect(() => machine.sendMsi(0, 0)).toThrow(
      expect.objectContaining({ field: 'its', value: 0, expected: 'a machine with an ITS' }),
    );
  });

  it('the ranges of Extended SPIs and PPIs are told where there are some', async () => {
    const { machine } = new Board(await createMachine({ extendedSpis: 32, extendedPpis: 32, ram: RAM }));
    expect(() => machine.setSpi(4128, true)).toThrow(/32 to 287 or 4096 to 4127/);
    expect(() => machine.setPpi(0, 1088, true)).toThrow(/16 to 31 or 1056 to 1087/);
  });
});

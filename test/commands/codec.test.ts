import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeCommand,
  decodeDoublewords,
  encodeCommand,
  encodeDoublewords,
} from '../../bindings/commands/codec.ts';
import { type CommandOptions, type ItsCommand, maskOf } from '../../bindings/commands/command.ts';
import { commandDefinitions, type Field, vmapp41Fields } from '../../bindings/commands/definitions.ts';
import { commandProblems } from '../../bindings/commands/problems.ts';
import { anyCommand } from './arbitrary.ts';

const optionsFor = (command: ItsCommand, physicalTargetAddresses: boolean): CommandOptions => ({
  physicalTargetAddresses,
  ...(command.command === 'VMAPP' && { vmappLayout: command.layout }),
});

describe('round trip', () => {
  it.each([false, true])('of every command that fits, with PTA %s', (pta) => {
    fc.assert(
      fc.property(anyCommand(pta), fc.nat(64), (command, offset) => {
        const options = optionsFor(command, pta);
        const queue = new Uint8Array(offset + 32);
        queue.set(encodeCommand(command, options), offset);
        expect(decodeCommand(queue, offset, options)).toEqual(command);
        expect(decodeCommand(new DataView(queue.buffer), offset, options)).toEqual(command);
      }),
      { numRuns: 1000 },
    );
  });

  it('drops nothing but reserved bits of any doublewords', () => {
    const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const first = fc
      .tuple(word, fc.constantFrom(...Object.values(commandDefinitions)))
      .map(([bits, { number }]) => (bits & ~0xffn) | BigInt(number));
    fc.assert(
      fc.property(first, word, word, word, (a, b, c, d) => {
        const once = encodeDoublewords(decodeDoublewords([a, b, c, d]));
        expect(encodeDoublewords(decodeDoublewords(once))).toEqual(once);
        for (const [index, before] of [a, b, c, d].entries()) expect(once[index]! & ~before).toBe(0n);
        expect(commandProblems(once).filter((problem) => /reserved|aligned/.test(problem))).toEqual([]);
      }),
    );
  });
});

describe('field tables', () => {
  const tables: [string, Readonly<Record<string, Field>>][] = [
    ...Object.entries(commandDefinitions).map(
      ([name, { fields }]): [string, Readonly<Record<string, Field>>] => [name, fields],
    ),
    ['VMAPP of GICv4.1', vmapp41Fields],
  ];

  it.each(tables)('%s has no two fields on one bit', (_, fields) => {
    const taken = [0xffn, 0n, 0n, 0n];
    for (const field of Object.values(fields)) {
      expect(taken[field.doubleword]! & maskOf(field)).toBe(0n);
      taken[field.doubleword]! |= maskOf(field);
    }
  });

  it.each(tables)('%s names only its own flags as conditions', (_, fields) => {
    for (const { onlyIf } of Object.values(fields)) {
      if (onlyIf !== undefined) expect(fields[onlyIf]?.kind).toBe('flag');
    }
  });
});

describe('a processor number out of range', () => {
  it('survives a round trip', () => {
    const command: ItsCommand = { command: 'SYNC', rdBase: 0xf_ffff_ffff };
    expect(encodeDoublewords(command)[2]).toBe(0x000f_ffff_ffff_0000n);
    expect(decodeCommand(encodeCommand(command))).toEqual(command);
  });
});

describe('encodeCommand refuses', () => {
  const mapti = { command: 'MAPTI', deviceId: 1, eventId: 2, pIntid: 8192, icid: 3 } as const;
  const mapd = { command: 'MAPD', deviceId: 1, size: 4, ittAddress: 0x1000, valid: true } as const;
  const sync = { command: 'SYNC', rdBase: 0 } as const;
  const vsgi = {
    command: 'VSGI',
    vpeId: 0,
    vIntid: 0,
    enable: true,
    group: 0,
    priority: 0,
    clear: false,
  } as const;

  const refused: [string, ItsCommand, CommandOptions, string, string][] = [
    ['a DeviceID of 33 bits', { ...mapti, deviceId: 2 ** 32 }, {}, 'MAPTI.deviceId', 'from 0 to 4294967295'],
    ['a negative EventID', { ...mapti, eventId: -1 }, {}, 'MAPTI.eventId', 'an integer from 0'],
    ['a fraction', { ...mapti, pIntid: 8192.5 }, {}, 'MAPTI.pIntid', 'an integer'],
    ['an ICID of 17 bits', { ...mapti, icid: 0x1_0000 }, {}, 'MAPTI.icid', 'from 0 to 65535'],
    ['a Size of 6 bits', { ...mapd, size: 32 }, {}, 'MAPD.size', 'from 0 to 31'],
    ['an unaligned ITT', { ...mapd, ittAddress: 0x1080 }, {}, 'MAPD.ittAddress', 'a multiple of 256'],
    ['an ITT above 52 bits', { ...mapd, ittAddress: 2 ** 52 }, {}, 'MAPD.ittAddress', 'to 4503599627370240'],
    ['an RDbase of 37 bits', { ...sync, rdBase: 2 ** 36 }, {}, 'SYNC.rdBase', 'from 0 to 68719476735'],
    [
      'an unaligned RD_base address',
      { ...sync, rdBase: 0x8000 },
      { physicalTargetAddresses: true },
      'SYNC.rdBase',
      'a multiple of 65536',
    ],
    ['a priority with low bits', { ...vsgi, priority: 0xa8 }, {}, 'VSGI.priority', 'a multiple of 16'],
    ['a group of two bits', { ...vsgi, group: 2 }, {}, 'VSGI.group', 'from 0 to 1'],
    ['a flag that is a number', { ...mapd, valid: 1 as never }, {}, 'MAPD.valid', 'true or false'],
    ['a missing field', { command: 'INVALL' } as never, {}, 'INVALL.icid', 'from 0 to 65535'],
    [
      'UNKNOWN with a known number',
      { command: 'UNKNOWN', number: 8, raw: [8n, 0n, 0n, 0n] },
      {},
      'UNKNOWN.number',
      'this is MAPD',
    ],
    [
      'UNKNOWN whose number is not in DW0',
      { command: 'UNKNOWN', number: 2, raw: [0x30n, 0n, 0n, 0n] },
      {},
      'UNKNOWN.raw',
      'bits [7:0]',
    ],
    [
      'UNKNOWN with a word of 65 bits',
      { command: 'UNKNOWN', number: 2, raw: [2n, 2n ** 64n, 0n, 0n] },
      {},
      'UNKNOWN.raw',
      'unsigned 64-bit',
    ],
  ];

  it.each(refused)('%s', (_, command, options, field, expected) => {
    expect(() => encodeCommand(command, options)).toThrowError(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        field,
        expected: expect.stringContaining(expected),
      }),
    );
  });

  it('a command that does not exist', () => {
    expect(() => encodeCommand({ command: 'VINT' } as never)).toThrowError(
      expect.objectContaining({ code: 'UNKNOWN_NAME', field: 'command', value: 'VINT' }),
    );
  });
});

describe('decodeCommand', () => {
  it.each([
    ['bytes that are too few', 31, 0],
    ['an offset that leaves too few', 64, 33],
    ['a negative offset', 64, -1],
  ])('refuses %s', (_, length, offset) => {
    expect(() => decodeCommand(new Uint8Array(length), offset)).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it('keeps all bits of a number that no command has', () => {
    expect(decodeDoublewords([0x1234_0030n, 1n, 2n, 3n])).toEqual({
      command: 'UNKNOWN',
      number: 0x30,
      raw: [0x1234_0030n, 1n, 2n, 3n],
    });
  });
});

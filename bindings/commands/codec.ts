import { GicError, requireInteger } from '../errors.ts';
import {
  type CommandOptions,
  type Doublewords,
  fieldsOf,
  type ItsCommand,
  maskOf,
  shiftOf,
} from './command.ts';
import { commandDefinitions, commandOfNumber, type Field } from './definitions.ts';

/** Bytes of a command in the queue. */
export const commandBytes = 32;

type Value = number | boolean;

/**
 * The command in the 32 bytes at `offset`. Reserved bits are dropped; a number without a command becomes `UNKNOWN`
 * with all its bits. Throws a `GicError` INVALID_ARGUMENT when the bytes end before the command does.
 */
export function decodeCommand(
  bytes: Uint8Array | DataView,
  offset = 0,
  options: CommandOptions = {},
): ItsCommand {
  return decodeDoublewords(doublewordsAt(bytes, offset), options);
}

/** `decodeCommand` for a command that is at hand as its four doublewords. */
export function decodeDoublewords(words: Doublewords, options: CommandOptions = {}): ItsCommand {
  const number = Number(words[0] & 0xffn);
  const name = commandOfNumber.get(number);
  if (name === undefined) return { command: 'UNKNOWN', number, raw: words };
  const layout = options.vmappLayout ?? '4.0';
  const values: Record<string, Value> = {};
  for (const [property, field] of Object.entries(fieldsOf(name, layout))) {
    values[property] = extract(words, field, options);
  }
  // The table that the values follow is the one that the type of the command derives from.
  return { command: name, ...(name === 'VMAPP' && { layout }), ...values } as ItsCommand;
}

/** The four doublewords of the command at `offset`. */
export function doublewordsAt(bytes: Uint8Array | DataView, offset = 0): Doublewords {
  requireInteger('INVALID_ARGUMENT', 'offset', offset, 0, Math.max(0, bytes.byteLength - commandBytes));
  requireInteger(
    'INVALID_ARGUMENT',
    'bytes.byteLength',
    bytes.byteLength,
    commandBytes,
    Number.MAX_SAFE_INTEGER,
  );
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, commandBytes);
  const word = (index: number): bigint => view.getBigUint64(8 * index, true);
  return [word(0), word(1), word(2), word(3)];
}

/**
 * The 32 bytes of a command. Throws a `GicError`: UNKNOWN_NAME for a command that does not exist, INVALID_ARGUMENT
 * for a property that is missing or does not fit its field.
 */
export function encodeCommand(command: ItsCommand, options: CommandOptions = {}): Uint8Array {
  const bytes = new Uint8Array(commandBytes);
  const view = new DataView(bytes.buffer);
  encodeDoublewords(command, options).forEach((word, index) => {
    view.setBigUint64(8 * index, word, true);
  });
  return bytes;
}

/** `encodeCommand` as four doublewords. */
export function encodeDoublewords(command: ItsCommand, options: CommandOptions = {}): Doublewords {
  if (typeof command !== 'object' || command === null) {
    throw new GicError('INVALID_ARGUMENT', 'command', command, 'an ITS command');
  }
  if (command.command === 'UNKNOWN') return checkRaw(command.number, command.raw);
  const name = command.command;
  if (!Object.hasOwn(commandDefinitions, name)) {
    throw new GicError(
      'UNKNOWN_NAME',
      'command',
      name,
      `one of ${Object.keys(commandDefinitions).join(', ')}`,
    );
  }
  const layout = command.command === 'VMAPP' ? command.layout : undefined;
  const values = command as unknown as Readonly<Record<string, unknown>>;
  const words: [bigint, bigint, bigint, bigint] = [BigInt(commandDefinitions[name].number), 0n, 0n, 0n];
  for (const [property, field] of Object.entries(fieldsOf(name, layout))) {
    words[field.doubleword] |= insert(values[property], `${name}.${property}`, field, options);
  }
  return words;
}

function extract(words: Doublewords, field: Field, options: CommandOptions): Value {
  const bits = (words[field.doubleword] & maskOf(field)) >> BigInt(field.low);
  return field.kind === 'flag' ? bits === 1n : Number(bits) * 2 ** shiftOf(field, options);
}

function insert(value: unknown, name: string, field: Field, options: CommandOptions): bigint {
  if (field.kind === 'flag') {
    if (typeof value !== 'boolean') throw new GicError('INVALID_ARGUMENT', name, value, 'true or false');
    return value ? maskOf(field) : 0n;
  }
  const unit = 2 ** shiftOf(field, options);
  const highest = (2 ** (field.high - field.low + 1) - 1) * unit;
  if (typeof value !== 'number' || !Number.isInteger(value / unit) || value < 0 || value > highest) {
    const form = unit === 1 ? 'an integer' : `a multiple of ${unit}`;
    throw new GicError('INVALID_ARGUMENT', name, value, `${form} from 0 to ${highest}`);
  }
  return BigInt(value / unit) << BigInt(field.low);
}

function checkRaw(number: number, raw: Doublewords): Doublewords {
  requireInteger('INVALID_ARGUMENT', 'UNKNOWN.number', number, 0, 0xff);
  const known = commandOfNumber.get(number);
  if (known !== undefined) {
    throw new GicError(
      'INVALID_ARGUMENT',
      'UNKNOWN.number',
      number,
      `a number without a command; this is ${known}`,
    );
  }
  if (raw.length !== 4 || raw.some((word) => BigInt.asUintN(64, word) !== word)) {
    throw new GicError('INVALID_ARGUMENT', 'UNKNOWN.raw', raw.join(', '), 'four unsigned 64-bit integers');
  }
  if ((raw[0] & 0xffn) !== BigInt(number)) {
    throw new GicError(
      'INVALID_ARGUMENT',
      'UNKNOWN.raw',
      raw[0],
      `a first doubleword with ${number} in bits [7:0]`,
    );
  }
  return raw;
}

import { GicError } from '../errors.ts';
import { commandBytes, doublewordsAt } from './codec.ts';
import type { Doublewords } from './command.ts';

/** A command as it stands in a queue. */
export interface QueueSlot {
  /** Bytes from the start of the queue. */
  readonly offset: number;
  readonly words: Doublewords;
}

/**
 * The commands in a dump of a queue: the bytes themselves, or text. Text is either doublewords with `0x` (at least
 * one of the file), four a command, or the bytes of memory as hexadecimal digits; `#` starts a comment. `name` is the
 * file's; a name in `.bin` is never text. Throws a `GicError` INVALID_INPUT for anything but whole commands.
 */
export function readQueueDump(contents: Uint8Array, name: string): QueueSlot[] {
  const text = name.endsWith('.bin') ? undefined : hexText(contents);
  if (text === undefined) return slotsOf(contents, name);
  return /\b0x/i.test(text) ? slotsOfDoublewords(text, name) : slotsOf(bytesOf(text, name), name);
}

function hexText(contents: Uint8Array): string | undefined {
  const text = Buffer.from(contents).toString('latin1').replace(/#.*/g, '');
  return /^[0-9a-fx\s,]*$/i.test(text) ? text : undefined;
}

function slotsOf(bytes: Uint8Array, name: string): QueueSlot[] {
  if (bytes.length % commandBytes !== 0) {
    throw new GicError('INVALID_INPUT', name, `${bytes.length} bytes`, `a multiple of ${commandBytes} bytes`);
  }
  return Array.from({ length: bytes.length / commandBytes }, (_, slot) => ({
    offset: slot * commandBytes,
    words: doublewordsAt(bytes, slot * commandBytes),
  }));
}

function slotsOfDoublewords(text: string, name: string): QueueSlot[] {
  const words = tokens(text).map(({ token, line }) => parseDoubleword(token, `${name}:${line}`));
  if (words.length % 4 !== 0) {
    throw new GicError(
      'INVALID_INPUT',
      name,
      `${words.length} doublewords`,
      'four doublewords for each command',
    );
  }
  return Array.from({ length: words.length / 4 }, (_, slot) => ({
    offset: slot * commandBytes,
    words: words.slice(4 * slot, 4 * slot + 4) as unknown as Doublewords,
  }));
}

function bytesOf(text: string, name: string): Uint8Array {
  const pairs = tokens(text).map(({ token, line }) => {
    if (!/^([0-9a-f]{2})+$/i.test(token)) {
      throw new GicError('INVALID_INPUT', `${name}:${line}`, token, 'hexadecimal digits in pairs');
    }
    return token;
  });
  return Buffer.from(pairs.join(''), 'hex');
}

/** A 64-bit word in hexadecimal, with or without `0x`. `place` names it in the `GicError` INVALID_INPUT. */
export function parseDoubleword(token: string, place: string): bigint {
  if (!/^(0x)?[0-9a-f]{1,16}$/i.test(token)) {
    throw new GicError('INVALID_INPUT', place, token, 'a doubleword of 1 to 16 hexadecimal digits');
  }
  return BigInt(`0x${token.replace(/^0x/i, '')}`);
}

function tokens(text: string): { token: string; line: number }[] {
  return text.split('\n').flatMap((line, index) =>
    line
      .split(/[\s,]+/)
      .filter(Boolean)
      .map((token) => ({ token, line: index + 1 })),
  );
}

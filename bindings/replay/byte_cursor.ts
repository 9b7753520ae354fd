import type { Value } from './events.ts';

export const NEWLINE = 0x0a;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const LETTER_A = 0x61;

/**
 * A place in a block of text bytes, with the readers that both recording formats need. A block ends with a newline,
 * which is part of no number and no word, so no reader runs past it.
 */
export class ByteCursor {
  bytes: Uint8Array = new Uint8Array();
  at = 0;

  /** The unsigned hexadecimal digits that follow `0x`; -1 where there are none or more than 16. */
  hexadecimal(): Value {
    if (this.bytes[this.at] !== DIGIT_0 || ((this.bytes[this.at + 1] as number) | 0x20) !== 0x78) return -1;
    const first = this.at + 2;
    let value = 0;
    let at = first;
    for (let digit = digitAt(this.bytes, at); digit >= 0; digit = digitAt(this.bytes, ++at)) {
      value = value * 16 + digit;
    }
    this.at = at;
    const digits = at - first;
    if (digits === 0 || digits > 16) return -1;
    // Thirteen digits are 52 bits: exact in a double.
    return digits <= 13 ? value : this.#wide(first, at);
  }

  /** A decimal integer with an optional minus sign; NaN where there is none. */
  decimal(): number {
    let at = this.at;
    const negative = this.bytes[at] === 0x2d;
    if (negative) at++;
    const first = at;
    let value = 0;
    for (let byte = this.bytes[at] as number; byte >= DIGIT_0 && byte <= DIGIT_9; ) {
      value = value * 10 + (byte - DIGIT_0);
      byte = this.bytes[++at] as number;
    }
    this.at = at;
    if (at === first) return Number.NaN;
    return negative ? -value : value;
  }

  #wide(first: number, end: number): Value {
    const high = hexOf(this.bytes, first, end - 8);
    const low = hexOf(this.bytes, end - 8, end);
    return high < 2 ** 21 ? high * 2 ** 32 + low : (BigInt(high) << 32n) | BigInt(low);
  }
}

/** The canonical string of each word that a recording repeats, found without making a string. */
export class Words {
  readonly #byHash = new Map<number, string>();

  constructor(words: Iterable<string>) {
    for (const word of words) {
      let hash = 0;
      for (let i = 0; i < word.length; i++) hash = stirred(hash, word.charCodeAt(i));
      this.#byHash.set(hash, word);
    }
  }

  /** The word of `hash` (see `stirred`) if it is what stands at `[start, end)`, else a new string. */
  get(hash: number, bytes: Uint8Array, start: number, end: number): string {
    const word = this.#byHash.get(hash);
    return word !== undefined && spells(bytes, start, end, word) ? word : latin1(bytes, start, end);
  }
}

/** The hash of a word that is one byte longer than the word of `hash`. */
export function stirred(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0;
}

/** Characters made at once: a call takes only so many arguments. */
const LATIN1_STEP = 1 << 12;

export function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += LATIN1_STEP) {
    text += String.fromCharCode(...bytes.subarray(at, Math.min(at + LATIN1_STEP, end)));
  }
  return text;
}

function spells(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word.charCodeAt(i)) return false;
  return true;
}

function digitAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] as number;
  if (byte <= DIGIT_9) return byte - DIGIT_0;
  const letter = (byte | 0x20) - LETTER_A;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

function hexOf(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 16 + digitAt(bytes, at);
  return value;
}

import { GicError } from '../errors.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** Reads the members of one JSON object of a file, each checked, with errors that name file, place and member. */
export class JsonReader {
  private constructor(
    private readonly place: string,
    private readonly object: JsonObject,
  ) {}

  /** Throws a `GicError` INVALID_INPUT unless `value` is an object; `place` says in messages where it stands. */
  static of(place: string, value: unknown): JsonReader {
    if (!isObject(value)) throw new GicError('INVALID_INPUT', place, kindOf(value), 'a JSON object');
    return new JsonReader(place, value);
  }

  has(name: string): boolean {
    return this.object[name] !== undefined;
  }

  string(name: string): string {
    const value = this.object[name];
    return typeof value === 'string' ? value : this.refuse(name, 'a string');
  }

  strings(name: string): string[] {
    return this.array(name).map((value, index) =>
      typeof value === 'string' ? value : this.refuse(`${name}[${index}]`, 'a string', value),
    );
  }

  array(name: string): readonly unknown[] {
    const value = this.object[name];
    return Array.isArray(value) ? value : this.refuse(name, 'an array');
  }

  child(name: string): JsonReader {
    return JsonReader.of(`${this.place}: ${name}`, this.object[name]);
  }

  /** One of `allowed`. */
  choice<Choice extends string | number>(name: string, allowed: readonly Choice[]): Choice {
    const found = allowed.find((choice) => choice === this.object[name]);
    return found ?? this.refuse(name, `one of ${allowed.join(', ')}`);
  }

  /** An unsigned integer of up to `bits` bits, written as a number or as a decimal or `0x` string. */
  unsigned(name: string, bits: number): bigint {
    const value = this.object[name];
    const isInteger = typeof value === 'number' && Number.isSafeInteger(value);
    const isNumeral = typeof value === 'string' && /^(0x[0-9a-f]+|[0-9]+)$/i.test(value);
    const expected = `an unsigned integer of at most ${bits} bits`;
    if (!isInteger && !isNumeral) return this.refuse(name, expected);
    const integer = BigInt(value);
    return BigInt.asUintN(bits, integer) === integer ? integer : this.refuse(name, expected);
  }

  /** `unsigned` for values of up to 52 bits. */
  number(name: string, bits = 32): number {
    return Number(this.unsigned(name, bits));
  }

  address(name: string): number {
    return this.number(name, 52);
  }

  /** Bytes written as an even number of hexadecimal digits, in memory order. */
  bytes(name: string): Uint8Array {
    const text = this.string(name);
    if (!/^([0-9a-f]{2})*$/i.test(text)) return this.refuse(name, 'an even number of hexadecimal digits');
    return Uint8Array.from({ length: text.length / 2 }, (_, n) =>
      Number.parseInt(text.slice(2 * n, 2 * n + 2), 16),
    );
  }

  /** Throws the error for a member at fault. */
  refuse(name: string, expected: string, value = this.object[name]): never {
    const shown = typeof value === 'object' ? kindOf(value) : value;
    throw new GicError('INVALID_INPUT', `${this.place}: ${name}`, shown, expected);
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

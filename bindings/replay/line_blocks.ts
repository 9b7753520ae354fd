import { GicError } from '../errors.ts';
import { NEWLINE } from './byte_cursor.ts';

/** No line of a recording is nearly as long; without a limit a file without newlines would fill the memory. */
const LONGEST_LINE = 1 << 24;

/** The text of a recording as blocks of whole lines: each ends with a newline. `name` is the recording's, for errors. */
export async function* lineBlocks(name: string, text: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of text) {
    const block = rest.length === 0 ? chunk : joined(rest, chunk);
    const end = block.lastIndexOf(NEWLINE) + 1;
    if (end > 0) yield block.subarray(0, end);
    rest = block.subarray(end);
    if (rest.length > LONGEST_LINE) {
      throw new GicError('INVALID_INPUT', name, rest.length, `lines of at most ${LONGEST_LINE} bytes`);
    }
  }
  if (rest.length > 0) yield joined(rest, Uint8Array.of(NEWLINE));
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

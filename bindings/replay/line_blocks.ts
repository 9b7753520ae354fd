import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { GicError } from '../errors.ts';
import { fileSize } from '../files.ts';
import { NEWLINE } from './byte_cursor.ts';

const BLOCK_BYTES = 1 << 18;
/** No line of a recording is nearly as long; without a limit a file without newlines would fill the memory. */
const LONGEST_LINE = 1 << 24;

/** A recording as it comes from the disk: blocks of whole lines, decompressed where they are gzip data. */
export class LineBlocks {
  /** Bytes of the file, compressed if it is. */
  readonly size: number;
  #bytesRead = 0;

  /** Throws a `GicError` for a directory, or what the operating system says about a file that cannot be opened. */
  constructor(readonly file: string) {
    this.size = fileSize(file);
  }

  /** Bytes of the file read so far, compressed if it is. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Each block ends with a newline. Throws a `GicError` INVALID_INPUT for bad gzip data. */
  async *blocks(): AsyncGenerator<Uint8Array> {
    const compressed = isGzip(this.file);
    const file = createReadStream(this.file, { highWaterMark: BLOCK_BYTES });
    const text = compressed ? file.pipe(createGunzip({ chunkSize: BLOCK_BYTES })) : file;
    file.on('error', (error) => text.destroy(error));
    try {
      yield* this.#wholeLines(text, () => {
        this.#bytesRead = file.bytesRead;
      });
    } catch (error) {
      if (compressed && isZlibError(error)) {
        throw new GicError('INVALID_INPUT', this.file, error.message, 'whole gzip data');
      }
      throw error;
    } finally {
      file.destroy();
    }
  }

  async *#wholeLines(text: AsyncIterable<Buffer>, onChunk: () => void): AsyncGenerator<Uint8Array> {
    let rest: Uint8Array = new Uint8Array();
    for await (const chunk of text) {
      onChunk();
      const block = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const end = block.lastIndexOf(NEWLINE) + 1;
      if (end > 0) yield block.subarray(0, end);
      rest = block.subarray(end);
      if (rest.length > LONGEST_LINE) {
        throw new GicError('INVALID_INPUT', this.file, rest.length, `lines of at most ${LONGEST_LINE} bytes`);
      }
    }
    if (rest.length > 0) yield Buffer.concat([rest, Uint8Array.of(NEWLINE)]);
  }
}

function isGzip(file: string): boolean {
  const descriptor = openSync(file, 'r');
  try {
    const magic = new Uint8Array(2);
    readSync(descriptor, magic, 0, 2, 0);
    return magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    closeSync(descriptor);
  }
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^Z_|^ERR_/.test(String(error.code));
}

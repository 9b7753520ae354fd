// Where recordings and dumps come from, in Node. In the modules for browsers, open_recording_web.ts stands in its place.
import { closeSync, createReadStream, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { GicError } from '../errors.ts';
import { fileSize } from '../files.ts';
import { BlobSource, isGzip, type RecordingSource } from './source.ts';

const CHUNK_BYTES = 1 << 18;

/** A file by its path, or a blob. Throws what the operating system says about a file that cannot be opened. */
export async function openRecording(file: string | Blob): Promise<RecordingSource> {
  return typeof file === 'string' ? new FileSource(file) : new BlobSource(file);
}

/** The contents of a file among the dumps of a directory. */
export function readDump(directory: string, file: string): Uint8Array {
  return readFileSync(join(directory, file));
}

class FileSource implements RecordingSource {
  readonly size: number;
  #bytesRead = 0;

  constructor(readonly name: string) {
    this.size = fileSize(name);
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  async *text(): AsyncGenerator<Uint8Array> {
    const compressed = isGzip(firstBytes(this.name));
    const file = createReadStream(this.name, { highWaterMark: CHUNK_BYTES });
    const text = compressed ? file.pipe(createGunzip({ chunkSize: CHUNK_BYTES })) : file;
    file.on('error', (error) => text.destroy(error));
    try {
      for await (const chunk of text) {
        this.#bytesRead = file.bytesRead;
        yield chunk;
      }
    } catch (error) {
      if (compressed && isZlibError(error)) {
        throw new GicError('INVALID_INPUT', this.name, error.message, 'whole gzip data');
      }
      throw error;
    } finally {
      file.destroy();
    }
  }
}

function firstBytes(path: string): Uint8Array {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(2);
    readSync(descriptor, bytes, 0, 2, 0);
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^Z_|^ERR_/.test(String(error.code));
}

import { createReadStream, readFileSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip, gunzipSync } from 'node:zlib';
import { GicError } from './errors.ts';

/** Bytes of a file. Throws a `GicError` INVALID_INPUT for a directory, or what `statSync` throws. */
export function fileSize(file: string): number {
  const status = statSync(file);
  if (status.isDirectory()) throw new GicError('INVALID_INPUT', file, 'directory', 'a file');
  return status.size;
}

/**
 * The contents of a file, decompressed when its name ends in `.gz`. Throws a `GicError` INVALID_INPUT for bad gzip
 * data and for a directory, or what `readFileSync` throws.
 */
export function readContents(file: string): Buffer {
  fileSize(file);
  const bytes = readFileSync(file);
  if (!file.endsWith('.gz')) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw badGzip(file, error);
  }
}

/**
 * The lines of a text file of any size, decompressed as they are read when its name ends in `.gz`. `onRead` learns
 * how many bytes of the file have been read so far. Throws as `readContents` does.
 */
export async function* readLines(file: string, onRead?: (bytes: number) => void): AsyncGenerator<string> {
  fileSize(file);
  const input = createReadStream(file);
  // The errors of either stream end the loop below, so the callback has none to report.
  const text = file.endsWith('.gz') ? pipeline(input, createGunzip(), () => {}) : input;
  text.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of text) {
      onRead?.(input.bytesRead);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (error) {
    throw isZlibError(error) ? badGzip(file, error) : error;
  }
  if (rest !== '') yield rest;
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

function badGzip(file: string, error: unknown): GicError {
  return new GicError('INVALID_INPUT', file, error instanceof Error ? error.message : error, 'gzip data');
}

// Where recordings come from, in a browser.
import { GicError } from '../errors.ts';
import { BlobSource, type RecordingSource } from './source.ts';

/** What a URL has, or a blob such as a file that the user chose. Throws a `GicError` when the server does not have it. */
export async function openRecording(file: string | Blob): Promise<RecordingSource> {
  if (typeof file !== 'string') return new BlobSource(file);
  const response = await fetch(file);
  if (!response.ok) {
    throw new GicError('INVALID_INPUT', file, response.status, 'the URL of a recording');
  }
  return new BlobSource(await response.blob(), file);
}

/** Throws: a page has no directories. */
export function readDump(directory: string): never {
  throw new GicError('UNSUPPORTED_HOST', 'finalDirectory', directory, 'Node, which can read directories');
}

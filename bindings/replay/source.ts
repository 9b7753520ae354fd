import { GicError } from '../errors.ts';

/** The bytes of a recording. */
export interface RecordingSource {
  /** What errors and reports call it. */
  readonly name: string;
  /** Bytes in all, compressed where they are. */
  readonly size: number;
  /** Bytes read so far, compressed where they are. */
  readonly bytesRead: number;
  /** Its text, decompressed where it is gzip data. Throws a `GicError` INVALID_INPUT where that is damaged. */
  text(): AsyncIterable<Uint8Array>;
}

/** Whether data that begins so is gzip data. */
export function isGzip(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

/** A recording in memory, or a file that a user chose in a page. */
export class BlobSource implements RecordingSource {
  readonly name: string;
  readonly size: number;
  #bytesRead = 0;
  readonly #blob: Blob;

  constructor(blob: Blob, name = 'name' in blob ? String(blob.name) : 'recording') {
    this.name = name;
    this.size = blob.size;
    this.#blob = blob;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  async *text(): AsyncGenerator<Uint8Array> {
    const compressed = isGzip(new Uint8Array(await this.#blob.slice(0, 2).arrayBuffer()));
    const bytes = this.#counted(this.#blob.stream());
    const reader = (compressed ? bytes.pipeThrough(new DecompressionStream('gzip')) : bytes).getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read().catch((error) => this.#damaged(error));
        if (done) return;
        yield value;
      }
    } finally {
      // Without waiting: it may be the reader who failed, and nobody is left to be told.
      reader.cancel().catch(() => {});
    }
  }

  #counted(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
    const counter = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (chunk, controller) => {
        this.#bytesRead += chunk.length;
        controller.enqueue(chunk);
      },
    });
    return stream.pipeThrough(counter);
  }

  #damaged(error: unknown): never {
    const found = error instanceof Error ? error.message : error;
    throw new GicError('INVALID_INPUT', this.name, found, 'whole gzip data, or text');
  }
}

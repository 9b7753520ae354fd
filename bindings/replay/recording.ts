import { CaptureParser } from './capture_reader.ts';
import type { CaptureEvent } from './events.ts';
import type { ExclusionId } from './exclusions.ts';
import { lineBlocks } from './line_blocks.ts';
import { openRecording } from './open_recording.ts';
import { QemuLogParser } from './qemu_log.ts';
import type { RecordingSource } from './source.ts';

/** This project's `.jsonl`, or what QEMU's `-trace 'gicv3_*'` wrote. */
export type RecordingFormat = 'capture' | 'qemu-log';

const OPEN_BRACE = 0x7b;
const SPACE = 0x20;

/** Recorded traffic in the capture format (`.jsonl`) or as QEMU's `-trace` wrote it. The contents tell which. */
export class Recording {
  readonly #source: RecordingSource;
  #parser: CaptureParser | QemuLogParser | undefined;

  private constructor(source: RecordingSource) {
    this.#source = source;
  }

  /**
   * Opens a recording, plain or gzip: a path in Node, a URL in a browser, or a blob. Throws what the operating system
   * says about a file that cannot be opened, and a `GicError` INVALID_INPUT for what a server does not have.
   */
  static async open(file: string | Blob): Promise<Recording> {
    return new Recording(await openRecording(file));
  }

  /** The name of the file. */
  get file(): string {
    return this.#source.name;
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#source.size;
  }

  /** Bytes of the file read so far. */
  get bytesRead(): number {
    return this.#source.bytesRead;
  }

  /** Known once the first event is there; an empty file is a capture without events. */
  get format(): RecordingFormat {
    return this.#parser instanceof QemuLogParser ? 'qemu-log' : 'capture';
  }

  /** Lines that are no events, by the reason. */
  get skipped(): ReadonlyMap<ExclusionId, number> {
    return this.#parser instanceof QemuLogParser ? this.#parser.skipped : new Map();
  }

  /**
   * Hands the events on in order; at most one block of the file is in memory. Yields after each block, so that the
   * caller can wait for something or stop. Throws a `GicError` INVALID_INPUT that names file and line for a line
   * that is not what the format says.
   */
  async *read(onEvent: (event: CaptureEvent) => void): AsyncGenerator<void> {
    for await (const block of lineBlocks(this.file, this.#source.text())) {
      this.#parser ??= isCapture(block) ? new CaptureParser(this.file) : new QemuLogParser(this.file);
      this.#parser.parse(block, onEvent);
      yield;
    }
  }
}

function isCapture(block: Uint8Array): boolean {
  return block.find((byte) => byte > SPACE) === OPEN_BRACE;
}

import { GicError } from '../errors.ts';
import type { GicHardware } from '../hardware.ts';
import { hex } from './event_text.ts';
import type { CaptureEvent } from './events.ts';
import { readDump } from './open_recording.ts';
import type { FoundMismatch, Tally } from './report.ts';

/** Dumps are made of a machine that was stopped: a pause of this many nanoseconds, and few events behind it. */
const PAUSE = 500_000_000;
const TAIL_EVENTS = 16;

interface Dump {
  readonly file: string;
  readonly address: number;
  readonly contents: Uint8Array;
}

export interface FinalMemoryOptions {
  /** Compare before the event of this line, instead of at the end or at a last long pause shortly before. */
  readonly finalAt?: number;
  /** The recording lacks the contents of the property table: do not compare it. */
  readonly propertiesUnknown?: boolean;
}

/**
 * Compares the property and pending tables in memory with the dumps of a recording, which a file `meta.json` lists.
 * Throws a `GicError` INVALID_INPUT for a directory without one.
 */
export class FinalMemory {
  readonly #hardware: GicHardware;
  readonly #tally: Tally;
  readonly #finalAt: number | undefined;
  readonly #dumps: Dump[] = [];
  #lastTime = 0;
  #eventsSincePause = 0;
  #snapshot: Uint8Array[] | undefined;

  constructor(hardware: GicHardware, tally: Tally, directory: string, options: FinalMemoryOptions = {}) {
    this.#hardware = hardware;
    this.#tally = tally;
    this.#finalAt = options.finalAt;
    for (const { file, address, kind } of readDumpList(directory)) {
      if (kind === 'prop' && options.propertiesUnknown) tally.skip('property-table');
      else if (/^(v?prop|pend\d+|vpt\d+)$/.test(kind)) {
        this.#dumps.push({ file, address, contents: readDump(directory, file) });
      } else tally.skip(exclusionOf(kind));
    }
  }

  /** To be called before an event is played. */
  approach({ line, time }: CaptureEvent): void {
    if (this.#finalAt === undefined) {
      if (time - this.#lastTime >= PAUSE) {
        this.#snapshot = this.#read();
        this.#eventsSincePause = 0;
      }
      this.#lastTime = time;
      this.#eventsSincePause++;
    } else if (line >= this.#finalAt) {
      this.#snapshot ??= this.#read();
      this.#eventsSincePause++;
    }
  }

  /** Compares. To be called when everything has been played. */
  finish(line: number, onMismatch: (found: FoundMismatch) => void): void {
    const early = this.#finalAt !== undefined || this.#eventsSincePause <= TAIL_EVENTS;
    const snapshot = (early && this.#snapshot) || this.#read();
    if (snapshot === this.#snapshot) this.#tally.skip('final-events', this.#eventsSincePause);
    this.#dumps.forEach(({ file, address, contents }, index) => {
      this.#tally.check('final-memory');
      const memory = snapshot[index] ?? new Uint8Array();
      const at = contents.findIndex((byte, offset) => byte !== memory[offset]);
      if (at < 0) return;
      const register = `${file} at ${hex(address + at)}`;
      const expected = hex(contents[at] ?? 0);
      onMismatch({ line, kind: 'final-memory', register, expected, got: hex(memory[at] ?? 0) });
    });
  }

  #read(): Uint8Array[] {
    return this.#dumps.map(({ address, contents }) => this.#hardware.readMemory(address, contents.length));
  }
}

function exclusionOf(kind: string): 'queue-dump' | 'private-format' {
  return kind === 'cmdq' ? 'queue-dump' : 'private-format';
}

interface ListedDump {
  readonly file: string;
  readonly address: number;
  readonly kind: string;
}

function readDumpList(directory: string): ListedDump[] {
  const path = `${directory}/meta.json`;
  const text = new TextDecoder().decode(readDump(directory, 'meta.json'));
  let dumps: unknown;
  try {
    dumps = JSON.parse(text)?.dumps;
  } catch {
    dumps = undefined;
  }
  if (typeof dumps !== 'object' || dumps === null) {
    throw new GicError('INVALID_INPUT', path, text.slice(0, 80), 'a JSON object with `dumps`');
  }
  return Object.entries(dumps).map(([file, dump]: [string, unknown]) => {
    const { pa, kind } = { pa: undefined, kind: undefined, ...(typeof dump === 'object' ? dump : {}) };
    const address = typeof pa === 'string' ? Number(pa) : Number.NaN;
    if (!Number.isSafeInteger(address) || typeof kind !== 'string' || !/^[\w.-]+$/.test(file)) {
      throw new GicError('INVALID_INPUT', `${path}: dumps.${file}`, dump, 'a file name with `pa` and `kind`');
    }
    return { file, address, kind };
  });
}

import { GicError } from '../errors.ts';
import { readLines } from '../files.ts';
import { parseDoubleword, type QueueSlot } from './queue_dump.ts';

/**
 * The ITS commands of a recording (`.jsonl` or `.jsonl.gz`, an event a line) in the order they were executed, read
 * as a stream. Throws a `GicError` INVALID_INPUT that names the line of what is not such an event.
 */
export async function* readCapturedCommands(
  file: string,
  onRead?: (bytes: number) => void,
): AsyncGenerator<QueueSlot> {
  let number = 0;
  for await (const line of readLines(file, onRead)) {
    number++;
    const place = `${file}:${number}`;
    const text = line.trim();
    if (text === '') continue;
    if (!text.startsWith('{') || !text.endsWith('}')) throw notAnEvent(place, text);
    // Most events are of other devices; only those that can be commands are worth parsing.
    if (!text.includes('"cmd"')) continue;
    const slot = commandEvent(text, place);
    if (slot) yield slot;
  }
}

function commandEvent(text: string, place: string): QueueSlot | undefined {
  const { dev, qoff, raw } = parseObject(text, place);
  if (dev !== 'cmd') return undefined;
  if (!Array.isArray(raw) || raw.length !== 4) {
    throw new GicError('INVALID_INPUT', `${place}: raw`, raw, 'four doublewords in hexadecimal');
  }
  const word = (index: number): bigint => parseDoubleword(String(raw[index]), `${place}: raw[${index}]`);
  return {
    offset: Number(parseDoubleword(String(qoff), `${place}: qoff`)),
    words: [word(0), word(1), word(2), word(3)],
  };
}

function parseObject(text: string, place: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    throw notAnEvent(place, text);
  }
}

function notAnEvent(place: string, text: string): GicError {
  const shown = text.length > 40 ? `${text.slice(0, 40)}...` : text;
  return new GicError('INVALID_INPUT', place, shown, 'one JSON object a line');
}

// A machine as a file:
//
//   0   "GICV4SAV"
//   8   version of the format, 32 bits, little-endian as all numbers
//   12  bytes that follow
//   16  gzip data of: bytes of the heading (32 bits); the heading, JSON; the pages of each run, one run after the other
import type { MachineOptions } from '../config.ts';
import type { Engine, EngineBuild } from '../engine.ts';
import { loadEngine } from '../engine_loading.ts';
import { GicError } from '../errors.ts';
import { Machine } from '../machine.ts';
import { compress, decompress } from './gzip.ts';
import { type PageRun, Snapshot, STATE_PAGE } from './snapshot.ts';
import { stateFormat } from './state_format.ts';

const MAGIC = 'GICV4SAV';
/** Version of the file's format. What is in the pages has a version of its own: `stateFormat`. */
const VERSION = 1;
const PREFIX_BYTES = 16;

interface Heading {
  readonly stateFormat: string;
  readonly config: MachineOptions;
  readonly digest: string;
  readonly endPage: number;
  /** First page and number of pages. */
  readonly runs: readonly (readonly [number, number])[];
}

/** A machine as the contents of a file, compressed: about as many bytes as there is state that is not zero, or fewer. */
export async function saveMachine(machine: Machine): Promise<Uint8Array> {
  const { config, runs, endPage } = machine.snapshot();
  const heading: Heading = {
    stateFormat: stateFormat(machine.module),
    config,
    digest: machine.digest(),
    endPage,
    runs: runs.map(({ firstPage, bytes }) => [firstPage, bytes.length / STATE_PAGE]),
  };
  const text = new TextEncoder().encode(JSON.stringify(heading, encodeWide));
  const length = new Uint8Array(Uint32Array.of(text.length).buffer);
  const body = await compress(joined([length, text, ...runs.map(({ bytes }) => bytes)]));
  const prefix = new Uint8Array(PREFIX_BYTES);
  new TextEncoder().encodeInto(MAGIC, prefix);
  const view = new DataView(prefix.buffer);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, body.length, true);
  return joined([prefix, body]);
}

/**
 * The machine that `saveMachine` saved, in the build that is asked for, whichever saved it. Throws a `GicError`
 * INVALID_INPUT that names what does not fit: `save.magic`, `save.version`, `save.length` (it is cut short or continues),
 * `save.stateFormat` (another version of the engine), `save.config`, or `save.contents` (changed since).
 */
export async function loadMachine(bytes: Uint8Array, build: EngineBuild = 'single'): Promise<Machine> {
  const body = await readBody(bytes);
  const { heading, pagesAt } = readHeading(body);
  const engine = await loadEngine(build);
  const machine = newMachine(engine, heading);
  machine.restore(new Snapshot(machine.config, readRuns(heading, body, pagesAt), heading.endPage));
  const digest = machine.digest();
  if (digest !== heading.digest) throw refusal('contents', `digest ${digest}`, `digest ${heading.digest}`);
  return machine;
}

async function readBody(bytes: Uint8Array): Promise<Uint8Array> {
  const magic = new TextDecoder().decode(bytes.slice(0, MAGIC.length));
  if (magic !== MAGIC) throw refusal('magic', magic, `a saved machine, which begins with ${MAGIC}`);
  if (bytes.length < PREFIX_BYTES) throw refusal('length', bytes.length, `at least ${PREFIX_BYTES} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(8, true);
  if (version !== VERSION) throw refusal('version', version, `version ${VERSION}`);
  const expected = PREFIX_BYTES + view.getUint32(12, true);
  if (bytes.length !== expected) throw refusal('length', bytes.length, `${expected} bytes`);
  try {
    return await decompress(bytes.subarray(PREFIX_BYTES));
  } catch (error) {
    throw refusal('contents', error instanceof Error ? error.message : error, 'gzip data as it was saved');
  }
}

function readHeading(body: Uint8Array): { heading: Heading; pagesAt: number } {
  try {
    const pagesAt = 4 + new DataView(body.buffer, body.byteOffset).getUint32(0, true);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body.slice(4, pagesAt));
    const heading = JSON.parse(text, decodeWide) as Heading;
    const pages = heading.runs.reduce((sum, [, count]) => sum + count, 0);
    if (body.length !== pagesAt + pages * STATE_PAGE) throw new Error(`${body.length} bytes`);
    return { heading, pagesAt };
  } catch (error) {
    throw refusal('contents', error instanceof Error ? error.message : error, 'a heading and its pages');
  }
}

function newMachine(engine: Engine, heading: Heading): Machine {
  const format = stateFormat(engine.module);
  if (heading.stateFormat !== format) throw refusal('stateFormat', heading.stateFormat, format);
  const machine = createFrom(engine, heading.config);
  const endPage = machine.engine.stateEndPage() >>> 0;
  if (heading.endPage !== endPage) throw refusal('config', `${heading.endPage} pages`, `${endPage} pages`);
  return machine;
}

function createFrom(engine: Engine, config: MachineOptions): Machine {
  try {
    return new Machine(engine, config);
  } catch (error) {
    if (error instanceof GicError) throw refusal(`config.${error.field}`, error.value, error.expected);
    throw error;
  }
}

function readRuns({ runs, endPage }: Heading, body: Uint8Array, pagesAt: number): PageRun[] {
  let at = pagesAt;
  let next = 0;
  return runs.map(([firstPage, count]) => {
    if (firstPage < next || count < 1 || firstPage + count > endPage) {
      throw refusal('contents', [firstPage, count], `pages from ${next} to ${endPage}`);
    }
    next = firstPage + count;
    const bytes = body.subarray(at, at + count * STATE_PAGE);
    at += bytes.length;
    return { firstPage, bytes };
  });
}

function refusal(what: string, value: unknown, expected: string): GicError {
  return new GicError('INVALID_INPUT', `save.${what}`, value, expected);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** JSON has no 64-bit integers: they become objects with one member. */
function encodeWide(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? { wide: `0x${value.toString(16)}` } : value;
}

function decodeWide(_: string, value: unknown): unknown {
  const isWide = typeof value === 'object' && value !== null && 'wide' in value;
  return isWide ? BigInt((value as { wide: string }).wide) : value;
}

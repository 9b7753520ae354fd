import type { MachineConfig } from '../config.ts';
import type { EngineExports } from '../engine.ts';
import { GicError } from '../errors.ts';

/** Bytes that are copied together. */
export const STATE_PAGE = 4096;

/** Consecutive pages of a machine's memory. */
export interface PageRun {
  readonly firstPage: number;
  readonly bytes: Uint8Array;
}

/** A machine as it was. `Machine.snapshot` takes one; it does not change, and any number of machines can go back to it. */
export class Snapshot {
  /** Of the machine that it was taken of. */
  readonly config: MachineConfig;
  /**
   * What was not zero, in ascending order.
   *
   * @internal
   */
  readonly runs: readonly PageRun[];
  /**
   * The first page after the state.
   *
   * @internal
   */
  readonly endPage: number;

  constructor(config: MachineConfig, runs: readonly PageRun[], endPage: number) {
    this.config = config;
    this.runs = runs;
    this.endPage = endPage;
  }

  /** Bytes of memory that it takes. */
  get bytes(): number {
    return this.runs.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}

/** Copies the pages that are not all zero. */
export function copyState(
  engine: EngineExports,
  memory: WebAssembly.Memory,
  config: MachineConfig,
): Snapshot {
  const endPage = engine.stateEndPage() >>> 0;
  const runs: PageRun[] = [];
  for (let page = engine.nextUsedPage(0) >>> 0; page < endPage; ) {
    const end = engine.nextUnusedPage(page) >>> 0;
    const bytes = new Uint8Array((end - page) * STATE_PAGE);
    bytes.set(new Uint8Array(memory.buffer, page * STATE_PAGE, bytes.length));
    runs.push({ firstPage: page, bytes });
    page = engine.nextUsedPage(end) >>> 0;
  }
  return new Snapshot(config, runs, endPage);
}

/** Makes a machine's memory what it was, and what was not used then zero. */
export function putBack(
  snapshot: Snapshot,
  engine: EngineExports,
  memory: WebAssembly.Memory,
  config: MachineConfig,
): void {
  const different = firstDifference(snapshot.config, config);
  if (different !== undefined) {
    const [field, value, expected] = different;
    throw new GicError(
      'INVALID_ARGUMENT',
      `snapshot.config.${field}`,
      value,
      `${expected}, as this machine has`,
    );
  }
  let page = 0;
  for (const { firstPage, bytes } of snapshot.runs) {
    engine.clearStatePages(page, firstPage);
    new Uint8Array(memory.buffer, firstPage * STATE_PAGE, bytes.length).set(bytes);
    page = firstPage + bytes.length / STATE_PAGE;
  }
  engine.clearStatePages(page, snapshot.endPage);
}

/** The first field in which two configurations differ: its name, and both values as text. */
function firstDifference(a: MachineConfig, b: MachineConfig): [string, string, string] | undefined {
  if (a === b) return undefined;
  for (const name of Object.keys(b) as (keyof MachineConfig)[]) {
    const [ours, theirs] = [text(a[name]), text(b[name])];
    if (ours !== theirs) return [name, ours, theirs];
  }
  return undefined;
}

function text(value: unknown): string {
  return JSON.stringify(sorted(value), (_, member) =>
    typeof member === 'bigint' ? `0x${member.toString(16)}` : member,
  );
}

/** The members of an object in the order of their names, which is all that two equal ones may differ in. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

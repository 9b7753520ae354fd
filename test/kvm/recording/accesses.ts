import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** One line of the recording: an access of a PE to a register, or the level of its virtual timer's PPI. */
export interface Access {
  /** Line, from 1. It also serves as the time: lines are in order, and no two are at the same time. */
  readonly at: number;
  readonly cpu: number;
  /** `r ICH_ELRSR_EL2`, `w ICH_LR0_EL2`, `line`. */
  readonly what: string;
  readonly value: bigint;
}

/** The lines of a recording in the format of test/fixtures/kvm/README.md. */
export function readAccesses(file: string): Access[] {
  const values = new Map<string, bigint>();
  const lines = gunzipSync(readFileSync(file)).toString('latin1').trimEnd().split('\n');
  return lines.map((line, n) => {
    const end = line.lastIndexOf(' ');
    const text = line.slice(end + 1);
    const value = values.get(text) ?? BigInt(text);
    values.set(text, value);
    return { at: n + 1, cpu: Number(line[0]), what: line.slice(2, end), value };
  });
}

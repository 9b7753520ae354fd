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
  // There are a few hundred different ones.
  const known = new Map<string, { what: string; value: bigint }>();
  const lines = gunzipSync(readFileSync(file)).toString('latin1').trimEnd().split('\n');
  return lines.map((line, n) => {
    const text = line.slice(2);
    let access = known.get(text);
    if (!access) {
      const end = text.lastIndexOf(' ');
      access = { what: text.slice(0, end), value: BigInt(text.slice(end + 1)) };
      known.set(text, access);
    }
    return { at: n + 1, cpu: Number(line[0]), what: access.what, value: access.value };
  });
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A file that exists while the test runs. */
export function temporaryFile(name: string, contents: string | Uint8Array): string {
  const directory = mkdtempSync(join(tmpdir(), 'gicv4-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, name);
  writeFileSync(file, contents);
  return file;
}

import { CommanderError } from 'commander';
import { GicError } from '../errors.ts';

/** Prints the one JSON document of a `--json` run; 64-bit values become hexadecimal strings. */
export function printJson(document: unknown): void {
  const text = JSON.stringify(document, (_, value) =>
    typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
  );
  process.stdout.write(`${text}\n`);
}

/** Prints one line of a result for people. */
export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Makes the exit code of this run 1: it worked, and a check that it was asked to make failed. */
export function failCheck(): void {
  process.exitCode = 1;
}

/**
 * Says on one line of stderr what was wrong with the command line or an input file, and where.
 * Returns the exit code: 2, or 0 for help that was asked for. Any other error is a defect and thrown on.
 */
export function reportError(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    return report(error.message.replace(/^error: /, ''));
  }
  if (error instanceof GicError) return report(error.message);
  if (isSystemError(error)) return report(error.message);
  throw error;
}

function report(message: string): number {
  process.stderr.write(`gicv4: ${message.trim().replace(/\s*\n\s*/g, ' ')}\n`);
  return 2;
}

/** A refusal of the operating system, such as ENOENT, whose message names the path; or of zlib. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'errno' in error && 'code' in error;
}

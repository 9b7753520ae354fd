import { vi } from 'vitest';
import { runCli } from '../../bindings/cli/program.ts';

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. */
export async function run(...args: string[]): Promise<Run> {
  const written = { out: '', err: '' };
  const capture = (to: 'out' | 'err') => (chunk: string | Uint8Array) => {
    written[to] += chunk;
    return true;
  };
  const out = vi.spyOn(process.stdout, 'write').mockImplementation(capture('out'));
  const err = vi.spyOn(process.stderr, 'write').mockImplementation(capture('err'));
  try {
    const code = await runCli(args);
    return { code, ...written };
  } finally {
    out.mockRestore();
    err.mockRestore();
    process.exitCode = undefined;
  }
}

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgress } from '../../bindings/cli/progress.ts';

const { isTTY } = process.stderr;
let written = '';

beforeEach(() => {
  written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    written += chunk;
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  process.stderr.isTTY = isTTY;
});

function runTask(terminal: boolean, durationMs: number): string {
  process.stderr.isTTY = terminal;
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  const progress = createProgress('task', 100);
  progress.update(10);
  clock.mockReturnValue(durationMs);
  progress.update(50);
  progress.stop();
  return written;
}

describe('a progress bar', () => {
  it('appears on a terminal once a task has taken a second', () => {
    expect(runTask(true, 1000)).toMatch(/task \[.*\] 50%/);
  });

  it('does not appear before', () => {
    expect(runTask(true, 999)).toBe('');
  });

  it('does not appear where stderr is no terminal', () => {
    expect(runTask(false, 60_000)).toBe('');
  });
});

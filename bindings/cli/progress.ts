import { Presets, SingleBar } from 'cli-progress';

const patienceMs = 1000;

/** Progress of one long task. */
export interface Progress {
  /** Tells that `done` of the total is done. */
  update(done: number): void;
  /** Removes the bar. */
  stop(): void;
}

/** A progress bar on stderr that appears once the task has taken a second, and only on a terminal. */
export function createProgress(label: string, total: number): Progress {
  if (!process.stderr.isTTY) return { update() {}, stop() {} };
  const started = performance.now();
  const bar = new SingleBar(
    {
      format: `${label} [{bar}] {percentage}%`,
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
    },
    Presets.rect,
  );
  return {
    update(done) {
      if (bar.isActive) bar.update(done);
      else if (performance.now() - started >= patienceMs) bar.start(total, done);
    },
    stop() {
      if (bar.isActive) bar.stop();
    },
  };
}

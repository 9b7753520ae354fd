import { cpus } from 'node:os';

/** What a measurement ran on. */
export function thisHost(): { node: string; cpu: string } {
  return { node: process.version, cpu: cpus()[0]?.model.trim() ?? 'unknown' };
}

/** The same for people. */
export function hostText(): string {
  const { node, cpu } = thisHost();
  return `Node ${node}, ${cpu}`;
}

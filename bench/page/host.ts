import { spawnSync } from 'node:child_process';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { findQemu } from '../../test/qemu/installed.ts';
import { root } from '../player/engines.ts';

/** Where and with what something was measured. */
export interface Host {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly os: string;
  };
  /** By name; undefined tools are not installed. */
  readonly versions: Readonly<Record<string, string>>;
  readonly commit: string;
}

/** This host, and what is checked out. */
export function thisHost(): Host {
  const processors = cpus();
  const qemu = findQemu();
  return {
    machine: {
      cpu: processors[0]?.model.trim() ?? 'unknown',
      cores: processors.length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      os: `${type()} ${release()}, ${arch()}`,
    },
    versions: {
      'Node.js': process.version,
      V8: process.versions.v8,
      gcc: firstLine('gcc', '-dumpfullversion'),
      wabt: firstLine('wasm2c', '--version'),
      QEMU: 'problem' in qemu ? 'not installed' : qemu.version,
    },
    commit: commit(),
  };
}

/** The commit that is checked out; with a mark where what is measured differs from it. */
function commit(): string {
  const name = firstLine('git', '-C', root, 'rev-parse', '--short=12', 'HEAD');
  const measured = [
    'assembly',
    'bench',
    'bindings',
    'scripts',
    'asconfig.json',
    ':!bench/RESULTS.md',
    ':!bench/results',
  ];
  const { stdout } = spawnSync('git', ['-C', root, 'status', '--porcelain', '--', ...measured], {
    encoding: 'utf8',
  });
  return stdout ? `${name}, with changes` : name;
}

function firstLine(tool: string, ...args: readonly string[]): string {
  const { status, stdout } = spawnSync(tool, args, { encoding: 'utf8' });
  return status === 0 ? (stdout.split('\n')[0] ?? '').trim() : 'not installed';
}

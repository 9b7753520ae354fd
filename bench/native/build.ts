import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchModule, root } from '../player/engines.ts';

const FLAGS = ['-O3', '-march=native', '-w'];
/** Where Debian's wabt keeps the runtime of what it translates. */
const RUNTIME = '/usr/share/wabt/wasm2c';
/** Where the driver's memory stands: known when it is compiled, so that no access has to load the address first. */
const MEMORY_BASE = '0x100000000000ull';

/** What is missing here to build native code; undefined for nothing. */
export function missingTools(): string | undefined {
  const missing = [
    ['wasm2c', 'wabt'],
    ['gcc', 'gcc'],
  ].filter(([tool]) => spawnSync(tool as string, ['--version']).error !== undefined);
  if (missing.length === 0) return undefined;
  const names = missing.map(([tool]) => tool).join(' and ');
  return `No ${names} here (Debian: apt-get install ${missing.map(([, name]) => name).join(' ')}).`;
}

/** Translates the bench build without SIMD to C and compiles it with the driver; the program. */
export function buildDriver(): string {
  const folder = join(root, 'build/native');
  mkdirSync(folder, { recursive: true });
  const source = join(folder, 'engine.c');
  run('wasm2c', [benchModule('bench-plain'), '-n', 'engine', '-o', source]);
  writeFileSync(source, withKnownMemory(readFileSync(source, 'utf8')));
  const program = join(folder, 'driver');
  run('gcc', [
    ...FLAGS,
    `-DMEMORY_BASE=${MEMORY_BASE}`,
    `-I${folder}`,
    `-I${RUNTIME}`,
    join(root, 'bench/native/driver.c'),
    source,
    join(RUNTIME, 'wasm-rt-impl.c'),
    '-lm',
    '-o',
    program,
  ]);
  return program;
}

/** The translation with loads and stores at MEMORY_BASE. */
function withKnownMemory(source: string): string {
  const known = source.replaceAll('&mem->data[addr]', '(u8*)MEMORY_BASE + addr');
  if (known === source)
    throw new Error('this wasm2c writes loads and stores otherwise than the bench expects');
  return known;
}

function run(tool: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(tool, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${stderr}`);
}

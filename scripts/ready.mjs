// Makes a checkout ready to run: installs dependencies when they are missing and builds what is older than its sources,
// nothing more; with the argument `bench`, what the benchmarks need too. Everything it prints goes to stderr, so that
// `--json` output stays clean.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function run(what, command, args) {
  process.stderr.write(`gicv4: ${what}\n`);
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.status !== 0) {
    process.stderr.write(`gicv4: ${what} failed (${[command, ...args].join(' ')})\n`);
    process.exit(done.status ?? 1);
  }
}

function newest(path) {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function outdated(output, sources) {
  const path = join(root, output);
  if (!existsSync(path)) return true;
  const built = statSync(path).mtimeMs;
  return sources.some((source) => newest(join(root, source)) > built);
}

const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const packages = Object.keys({ ...dependencies, ...devDependencies });
if (packages.some((name) => !existsSync(join(root, 'node_modules', name)))) {
  // Not `npm ci`: it refuses a lock file that lacks the optional packages of platforms that a registry does not have.
  run('installing dependencies', 'npm', [
    'install',
    '--no-save',
    '--include=dev',
    '--no-progress',
    '--loglevel=error',
  ]);
}
const forBench = process.argv[2] === 'bench';
const builds = ['single', 'shared', 'fuzz', ...(forBench ? ['bench', 'bench-plain'] : [])];
const stale = builds.filter((build) => outdated(`build/gic.${build}.wasm`, ['assembly', 'asconfig.json']));
if (stale.length > 0) {
  run('building the engine', process.execPath, ['scripts/build-engine.mjs', ...stale]);
}
if (
  outdated('dist/bindings/index.js', [
    ...['bindings', 'examples', 'assembly/abi.ts'],
    ...['tsconfig.json', 'tsconfig.build.json'],
  ])
) {
  run('building the bindings', process.execPath, [
    'node_modules/typescript/bin/tsc',
    '-p',
    'tsconfig.build.json',
  ]);
}
if (
  outdated('dist/browser/index.js', [
    ...['bindings', 'assembly/abi.ts', 'scripts/build-browser.mjs'],
    ...['build/gic.single.wasm', 'build/gic.shared.wasm'],
  ])
) {
  run('building the modules for browsers', process.execPath, ['scripts/build-browser.mjs']);
}
if (
  forBench &&
  outdated('dist/bench/results.js', [
    ...['bindings', 'bench', 'test/reference', 'test/qemu'],
    ...['assembly/abi.ts', 'assembly/bench'],
  ])
) {
  run('building the benchmarks', process.execPath, [
    'node_modules/typescript/bin/tsc',
    '-p',
    'bench/tsconfig.json',
  ]);
}

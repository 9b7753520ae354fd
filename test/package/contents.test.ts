import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Folder, pack, root } from './installation.ts';

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const { bin, exports } = JSON.parse(read('package.json')) as Manifest;
const targets = [
  ...Object.values(bin),
  ...Object.values(exports).flatMap((target) =>
    typeof target === 'string' ? target : Object.values(target),
  ),
].map((path) => posix.normalize(path));

/** Paths of what a folder of the checkout holds. */
const filesOf = (name: string): string[] => readdirSync(join(root, name)).map((file) => `${name}/${file}`);

const folder = new Folder();
const { tarball, files } = pack(folder);
afterAll(() => folder.remove());
const packed = new Set(files.map(({ path }) => path));

/** What a module or a declaration file imports, or names by `new URL`, of its own package. */
function references(path: string): string[] {
  const pattern = /(?:from|import|import\(|new URL\()\s*["'](\.[^"']+)["']/g;
  return [...read(path).matchAll(pattern)].map(([, name = '']) => {
    const target = posix.join(posix.dirname(path), name);
    return path.endsWith('.d.ts') ? target.replace(/\.ts$/, '.d.ts') : target;
  });
}

/** A declaration file stands beside each module, also where nothing is left of it. */
const holdsTypesOnly = (path: string): boolean => /^\s*export \{\};\s*$/.test(read(path));

const modules = [...packed].filter((path) => /\.(js|d\.ts)$/.test(path));

describe('the package', () => {
  it.each(targets)('has %s', (path) => {
    expect(packed).toContain(path);
  });

  it('has what its modules and its declarations refer to', () => {
    const missing = modules.flatMap((path) =>
      references(path)
        .filter((target) => !packed.has(target))
        .map((target) => `${path}: ${target}`),
    );
    expect(missing).toEqual([]);
  });

  it('has no module that neither an entry nor the command line uses', () => {
    const used = new Set(targets.filter((path) => path.endsWith('.js')));
    // A set that grows while it is gone through goes on.
    for (const path of used)
      for (const target of references(path)) if (target.endsWith('.js')) used.add(target);
    expect(
      modules.filter((path) => path.endsWith('.js') && !used.has(path) && !holdsTypesOnly(path)),
    ).toEqual([]);
  });

  it('has nothing else but the engines, two recordings, the license, the README, guides and examples', () => {
    const others = [...packed].filter((path) => !modules.includes(path));
    expect(others.sort()).toEqual([
      'LICENSE',
      'README.md',
      'build/gic.fuzz.wasm',
      'build/gic.shared.wasm',
      'build/gic.single.wasm',
      ...filesOf('docs'),
      ...filesOf('examples'),
      'package.json',
      'test/fixtures/captures/linux-6.1-boot.jsonl.gz',
      'test/fixtures/captures/linux-6.1-kvm-direct-injection-excerpt.jsonl.gz',
    ]);
  });

  it('has modules for browsers that ask for nothing but each other', () => {
    const browser = modules.filter((path) => path.startsWith('dist/browser/'));
    expect(browser.length).toBeGreaterThan(5);
    const foreign = browser.flatMap((path) =>
      [
        ...read(path).matchAll(
          /^\s*(?:import|export)\b[^'"]*["']([^"'.][^"']*)["']|\bimport\(|\bprocess\.|\bBuffer\./gm,
        ),
      ].map(([found]) => `${path}: ${found}`),
    );
    expect(foreign).toEqual([]);
  });
});

describe('linters of packages find nothing', () => {
  it.each([
    ['publint', '--strict', tarball],
    ['attw', tarball, '--profile', 'esm-only', '--exclude-entrypoints', 'gic.shared.wasm', 'gic.single.wasm'],
  ])('%s', (tool, ...args) => {
    const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin', tool), args, {
      encoding: 'utf8',
    });
    expect(status, stdout + stderr).toBe(0);
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const read = (path: string): Buffer => readFileSync(join(root, path));
const json = (path: string): unknown => JSON.parse(read(path).toString());

interface PackageJson {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly files: readonly string[];
}

const manifest = json('package.json') as PackageJson;

/** Whether a path is what an entry of `files` names: a file, a folder, or a pattern. */
function matches(path: string, entry: string): boolean {
  const pattern = entry.split('*').map((part) => part.replace(/[.+]/g, '\\$&'));
  return new RegExp(`^${pattern.join('[^/]*')}(/|$)`).test(path);
}

/** Every file of the checkout that is, or could be, committed. */
const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(root, path)));

describe('package-lock.json', () => {
  const packages = Object.entries((json('package-lock.json') as { packages: object }).packages);

  it('names no place to download from: the registry is that of whoever installs', () => {
    expect(packages.length).toBeGreaterThan(10);
    const fixed = packages.filter(([, entry]) => 'resolved' in (entry as object));
    expect(fixed.map(([path]) => path)).toEqual([]);
    expect(read('package-lock.json').toString()).not.toMatch(/\.tgz|registry\./);
  });

  it('says of every package what its contents must be', () => {
    const unchecked = packages.filter(([path, entry]) => path !== '' && !('integrity' in (entry as object)));
    expect(unchecked.map(([path]) => path)).toEqual([]);
  });
});

describe('committed files', () => {
  // Made of parts, so that this file does not name such a path itself.
  const localPath = new RegExp(
    ['work', 'tmp', 'home', 'root'].map((name) => `[\\s"'\`(=]/${name}/`).join('|'),
  );

  it('are found', () => {
    expect(files).toContain('package.json');
    expect(files.length).toBeGreaterThan(100);
  });

  it('name no path of the machine that they were written on', () => {
    expect(localPath.test(['see ', 'work', 'main'].join('/')), 'the search finds one').toBe(true);
    const naming = files.filter((path) => {
      const bytes = path.endsWith('.gz') ? gunzipSync(read(path)) : read(path);
      return localPath.test(bytes.toString('latin1'));
    });
    expect(naming).toEqual([]);
  });
});

describe('package.json', () => {
  const targets = [
    ...Object.values(manifest.bin).map((path) => posix.normalize(path)),
    ...Object.values(manifest.exports)
      .flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
      .map((path) => posix.normalize(path)),
  ];
  const { compilerOptions, include } = json('tsconfig.build.json') as {
    compilerOptions: { outDir: string };
    include: string[];
  };
  const engine = json('asconfig.json') as { targets: Record<string, { outFile: string }> };
  const modules = Object.values(engine.targets).map(({ outFile }) => outFile);

  it.each(targets)('%s is a file that stands in the checkout or that a build makes', (path) => {
    if (path.endsWith('.wasm')) {
      expect(modules).toContain(path);
    } else if (path.startsWith(`${compilerOptions.outDir}/`)) {
      const source = path.slice(compilerOptions.outDir.length + 1).replace(/(\.d\.ts|\.js)$/, '.ts');
      expect(files).toContain(source);
      expect(include.some((folder) => source.startsWith(`${folder}/`))).toBe(true);
    } else {
      expect(files).toContain(path);
    }
  });

  it.each(targets)('%s is in the package', (path) => {
    const packed = manifest.files.some((entry) => matches(path, entry));
    expect(packed || path === 'package.json').toBe(true);
  });

  it('packs nothing that does not exist', () => {
    for (const entry of manifest.files) {
      const made =
        entry.startsWith(`${compilerOptions.outDir}/`) || modules.some((path) => matches(path, entry));
      expect(made || files.some((path) => matches(path, entry)), entry).toBe(true);
    }
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (path: string): Buffer => readFileSync(join(root, path));
const json = (path: string): unknown => JSON.parse(read(path).toString());

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

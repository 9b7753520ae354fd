import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const root = join(import.meta.dirname, '../..');

/** Runs one of npm's commands and returns what it prints. */
const npm = (cwd: string, ...args: string[]): string =>
  execFileSync('npm', [...args, '--loglevel=error', '--no-audit', '--no-fund', '--no-update-notifier'], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** A new folder, removed when the tests of the file are over. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'gicv4-'));

  write(name: string, text: string): string {
    const path = join(this.path, name);
    writeFileSync(path, text);
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export interface PackedFile {
  readonly path: string;
  readonly size: number;
}

/** Packs the package as it was last built into a folder: the path of the tarball, and what is in it. */
export function pack(folder: Folder): { tarball: string; files: readonly PackedFile[] } {
  const output = npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder.path);
  const [{ filename, files }] = JSON.parse(output);
  return { tarball: join(folder.path, filename), files };
}

/** Installs a tarball as a user does; the reason if the registry does not answer, which dependencies come from. */
export function install(folder: Folder, tarball: string): string | undefined {
  folder.write('package.json', '{ "private": true, "type": "module" }');
  try {
    npm(folder.path, 'install', '--prefer-offline', '--fetch-retries=0', tarball);
    return undefined;
  } catch (error) {
    const text = String((error as { stderr: unknown }).stderr);
    if (/\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENOTCACHED)\b/.test(text)) {
      return 'the registry cannot be reached';
    }
    throw error;
  }
}

/** Runs a program with this Node in a folder and returns the lines that it prints. */
export async function runNode(folder: Folder, ...args: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder.path });
  return stdout.trimEnd().split('\n');
}

/** The first example of the README, and what its comments say that it prints. */
export function readmeExample(): { code: string; printed: readonly string[] } {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const code = /^```js\n(.*?)^```$/ms.exec(readme)?.[1];
  if (code === undefined) throw new Error('README.md has no example');
  const printed = [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text = '']) => text);
  if (printed.length === 0) throw new Error('the example of README.md does not tell what it prints');
  return { code, printed };
}

import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** Installs packages in a new folder as a user does; the reason if the registry does not answer. */
export function install(folder: Folder, ...packages: string[]): string | undefined {
  folder.write('package.json', '{ "private": true, "type": "module" }');
  try {
    npm(folder.path, 'install', '--prefer-offline', '--fetch-retries=0', ...packages);
    return undefined;
  } catch (error) {
    const text = String((error as { stderr: unknown }).stderr);
    if (/\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENOTCACHED)\b/.test(text)) {
      return 'the registry cannot be reached';
    }
    throw error;
  }
}

/** Runs a program in a folder with this Node, or another one, and returns the lines that it prints. */
export async function runNode(folder: Folder, args: string[], node = process.execPath): Promise<string[]> {
  const { stdout } = await promisify(execFile)(node, args, { cwd: folder.path });
  return stdout.trimEnd().split('\n');
}

export interface Example {
  readonly code: string;
  /** What its comments say that it prints. */
  readonly printed: readonly string[];
}

/** The README and the guides, by their paths. */
export const guides: readonly string[] = [
  'README.md',
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
];

/** The examples of the README and the guides, in their order. */
export function guideExamples(): Example[] {
  return guides.flatMap((path) =>
    [...readFileSync(join(root, path), 'utf8').matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => {
      const printed = [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text = '']) => text);
      if (printed.length === 0) throw new Error(`an example of ${path} does not tell what it prints`);
      return { code, printed };
    }),
  );
}

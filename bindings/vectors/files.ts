import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { GicError } from '../errors.ts';
import { readContents } from '../files.ts';
import { parseVector } from './parse.ts';
import type { Vector } from './vector.ts';

/** The vector in a `.json` or `.json.gz` file. Throws a `GicError` INVALID_INPUT, or what `readFileSync` throws. */
export function readVectorFile(file: string): Vector {
  return parseVector(readContents(file).toString('utf8'), file);
}

/** Files as they are, and for each directory the `.json` and `.json.gz` files in it, by name. */
export function findVectorFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => /\.json(\.gz)?$/.test(name));
    if (names.length === 0)
      throw new GicError('INVALID_INPUT', path, 'directory', 'one with .json or .json.gz files');
    return names.sort().map((name) => join(path, name));
  });
}

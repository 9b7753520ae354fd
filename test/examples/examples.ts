import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const folder = join(import.meta.dirname, '../../examples');

export interface ExampleFile {
  readonly name: string;
  readonly source: string;
  /** The lines that its last comment says it prints; undefined where it says nothing. */
  readonly promised: readonly string[] | undefined;
}

/** The files of `examples/`. */
export const exampleFiles: readonly ExampleFile[] = readdirSync(folder).map((file) => {
  const source = readFileSync(join(folder, file), 'utf8');
  const promised = /\n\/\* Prints:\n(.*)\n\*\/\n$/s.exec(source)?.[1]?.split('\n');
  return { name: basename(file, '.ts'), source, promised };
});

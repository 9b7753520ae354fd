// Runs an example of examples/, or lists them.
//
//   npm run example [NAME]
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const names = readdirSync(join(root, 'examples')).map((file) => file.replace(/\.ts$/, ''));
const [name] = process.argv.slice(2);

if (names.includes(name)) await import(`../dist/examples/${name}.js`);
else {
  for (const each of names) {
    const title = readFileSync(join(root, 'examples', `${each}.ts`), 'utf8')
      .split('\n', 1)[0]
      .slice(3);
    process.stdout.write(`${each}: ${title}\n`);
  }
  process.exitCode = name === undefined ? 0 : 2;
}

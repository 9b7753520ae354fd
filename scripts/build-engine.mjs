// Builds the engine from one source into its two modules, `shared` (threads) and `single`, and checks that
// each imports nothing but its memory and has neither a data segment nor a start function: any number of
// instances can then be made on one memory without one disturbing another.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { stateFormat, withSection } from './state-format.mjs';
import { moduleProblems } from './wasm-sections.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

const targets = process.argv.length > 2 ? process.argv.slice(2) : ['single', 'shared'];
for (const target of targets) {
  const { error, stderr } = await asc.main(['--config', 'asconfig.json', '--target', target]);
  process.stderr.write(stderr.toString());
  if (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
  const file = join(root, `build/gic.${target}.wasm`);
  writeFileSync(file, withSection(readFileSync(file), 'gicv4.state', stateFormat(root)));
  const problems = moduleProblems(readFileSync(file));
  if (target !== 'debug' && problems.length > 0) {
    process.stderr.write(`gic.${target}.wasm: ${problems.join('; ')}\n`);
    process.exit(1);
  }
}

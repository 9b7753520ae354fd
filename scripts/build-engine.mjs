// Builds the engine from one source into its modules: `single`, `shared` (threads), and `fuzz`, which is instrumented.
// It checks that each imports nothing but its memory and has neither a data segment nor a start function: any number of
// instances can then be made on one memory without one disturbing another.
//
//   node scripts/build-engine.mjs [TARGET...]
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildEngine } from './engine-builder.mjs';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));

const targets = process.argv.length > 2 ? process.argv.slice(2) : ['single', 'shared', 'fuzz'];
for (const target of targets) {
  try {
    await buildEngine(target);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

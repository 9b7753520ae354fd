import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';
import { inlineHardware } from './inline.mjs';
import { instrument } from './instrument.mjs';
import { stateFormat, withSection } from './state-format.mjs';
import { moduleProblems } from './wasm-sections.mjs';

/** What a target compiles besides the entries of asconfig.json. */
const furtherEntries = {
  fuzz: ['assembly/fuzz/index.ts'],
  bench: ['assembly/bench/index.ts'],
  'bench-plain': ['assembly/bench/index.ts'],
};

/**
 * Builds one module of the engine, in the root of the checkout, with asconfig.json's options for the target. `patches`
 * change sources as the compiler reads them: each is {file, find, replace}, and `find` must occur once.
 */
export async function buildEngine(target, { patches = [], outFile = `build/gic.${target}.wasm` } = {}) {
  const further = furtherEntries[target] ?? [];
  const sources = new PatchedSources(patches);
  const { error, stderr } = await asc.main(
    [...further, '--config', 'asconfig.json', '--target', target, '--outFile', outFile],
    { readFile: (path, folder) => sources.read(path, folder) },
  );
  process.stderr.write(stderr.toString());
  if (error) throw error;
  sources.requireAllRead();
  const compiled = readFileSync(outFile);
  const bytes = finish(target, compiled);
  writeFileSync(outFile, withSection(bytes, 'gicv4.state', stateFormat('.')));
  const problems = moduleProblems(readFileSync(outFile));
  if (target !== 'debug' && problems.length > 0) throw new Error(`${outFile}: ${problems.join('; ')}`);
}

/** What is done with a module once it is compiled. */
function finish(target, compiled) {
  if (target === 'debug') return compiled;
  if (target === 'fuzz') return instrument(compiled);
  const { targets } = JSON.parse(readFileSync('asconfig.json', 'utf8'));
  return inlineHardware(compiled, targets[target].enable);
}

class PatchedSources {
  #waiting;

  constructor(patches) {
    this.patches = patches;
    this.#waiting = new Set(patches);
  }

  read(path, folder) {
    const full = join(folder, path);
    if (!existsSync(full)) return null;
    let text = readFileSync(full, 'utf8');
    for (const patch of this.patches.filter(({ file }) => file === path)) {
      const { find, replace } = patch;
      if (text.split(find).length !== 2) throw new Error(`${path}: ${JSON.stringify(find)} must occur once`);
      text = text.replace(find, () => replace);
      this.#waiting.delete(patch);
    }
    return text;
  }

  requireAllRead() {
    for (const { file } of this.#waiting)
      throw new Error(`${file} was not compiled, so its patch did nothing`);
  }
}

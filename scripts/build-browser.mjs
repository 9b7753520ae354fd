// Makes the modules for browsers in dist/browser: without what only Node has, and without imports by name, so that a
// page and its workers can load them as they are. They share what they have in common.
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = join(root, 'dist/browser');
const source = (path) => join(root, 'bindings', path);

/** Files that ask Node for something, and what stands in their place in a browser. */
const replacements = new Map(
  ['engine_files', 'replay/open_recording', 'worker/threads'].map((path) => [
    source(`${path}.ts`),
    source(`${path}_web.ts`),
  ]),
);

const forBrowsers = {
  name: 'for-browsers',
  async resolveId(specifier, importer) {
    const resolved = await this.resolve(specifier, importer, { skipSelf: true });
    return replacements.get(resolved?.id) ?? resolved;
  },
  load(id) {
    return id === source('engine_bytes.ts') ? { code: engineBytes(), moduleType: 'js' } : undefined;
  },
};

/** The module of `bindings/engine_bytes.ts`, with the bytes of both builds in it. */
function engineBytes() {
  const texts = ['single', 'shared'].map((build) => {
    const bytes = readFileSync(join(root, `build/gic.${build}.wasm`));
    return `${build}: '${bytes.toString('base64')}'`;
  });
  return `const texts = { ${texts.join(', ')} };
export function engineBytes(build) {
  return Uint8Array.from(atob(texts[build]), (character) => character.charCodeAt(0));
}`;
}

const bundle = await rolldown({
  input: {
    index: source('index.ts'),
    inline: source('inline.ts'),
    trace: source('replay/index.ts'),
    vectors: source('vectors/index.ts'),
    worker: source('worker/index.ts'),
    worker_thread: source('worker/thread.ts'),
  },
  platform: 'browser',
  external: /^node:/,
  plugins: [forBrowsers],
});
rmSync(output, { recursive: true, force: true });
const { output: files } = await bundle.write({ dir: output, format: 'es', chunkFileNames: '[name].js' });
await bundle.close();

const problems = files.flatMap(({ fileName, imports = [], dynamicImports = [] }) =>
  [...imports, ...dynamicImports]
    .filter((name) => !files.some((file) => file.fileName === name))
    .map((name) => `${fileName} imports ${name}, which no browser has`),
);
if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exit(1);
}

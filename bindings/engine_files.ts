// Where the engine's modules are, in Node. In the modules for browsers, engine_files_web.ts stands in its place.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { EngineBuild } from './engine.ts';

/** Reads and compiles the module of a build. */
export async function compileFile(build: EngineBuild): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(moduleUrl(build)));
}

/** The same without a promise. */
export function compileFileSync(build: EngineBuild): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(moduleUrl(build)));
}

/** The modules stand beside `dist` in the package, and beside `bindings` in a checkout. */
function moduleUrl(build: EngineBuild): URL {
  const inDist = import.meta.url.includes('/dist/bindings/');
  return new URL(`${inDist ? '../../' : '../'}build/gic.${build}.wasm`, import.meta.url);
}

// Where the engine's modules are, in a browser.
import type { EngineBuild } from './engine.ts';
import { GicError } from './errors.ts';

/** Relative to the modules for browsers, in `dist/browser`. Spelled out, so that bundlers find the files. */
const urls: Readonly<Record<EngineBuild, () => URL>> = {
  single: () => new URL('../../build/gic.single.wasm', import.meta.url),
  shared: () => new URL('../../build/gic.shared.wasm', import.meta.url),
};

const OTHER_WAYS = 'that file there, its bytes as `module`, or the entry `gicv4/inline`, which has them';

/** Fetches and compiles the module of a build. Throws a `GicError` when the server does not have it. */
export async function compileFile(build: EngineBuild): Promise<WebAssembly.Module> {
  const url = urls[build]();
  const response = await fetch(url);
  if (!response.ok) throw new GicError('INVALID_INPUT', url.href, response.status, OTHER_WAYS);
  const bytes = await response.arrayBuffer();
  try {
    // Not compileStreaming: it refuses what a server sends as another type than application/wasm.
    return await WebAssembly.compile(bytes);
  } catch (error) {
    // Development servers answer a path that they do not know with their start page.
    throw new GicError('INVALID_INPUT', url.href, (error as Error).message, OTHER_WAYS);
  }
}

/** Throws: a page cannot fetch without a promise. */
export function compileFileSync(build: EngineBuild): never {
  throw new GicError(
    'UNSUPPORTED_HOST',
    'module',
    undefined,
    `gic.${build}.wasm, compiled or as bytes, or a call of loadEngine before that has compiled it; ` +
      'the entry `gicv4/inline` needs neither',
  );
}

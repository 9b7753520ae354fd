import { readFileSync } from 'node:fs';
import type { EngineBuild } from './engine.ts';

/** The module of a build. In the modules for browsers a file with the bytes in its text stands in the place of this one. */
export function engineBytes(build: EngineBuild): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`../build/gic.${build}.wasm`, import.meta.url)));
}

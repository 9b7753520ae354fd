import { readFile } from 'node:fs/promises';
import type { Engine } from '../engine.ts';
import { GicError } from '../errors.ts';
import { Fuzzer } from './fuzzer.ts';

/** The module stands beside `dist` in the package, and beside `bindings` in a checkout. */
function moduleUrl(): URL {
  const inDist = import.meta.url.includes('/dist/bindings/');
  return new URL(`${inDist ? '../../../' : '../../'}build/gic.fuzz.wasm`, import.meta.url);
}

/**
 * A fuzzer on the fuzz build of this package, or on another module of it: a file, or what was compiled of it. Throws a
 * `GicError` INVALID_INPUT for a file that is no WebAssembly module, or what `readFile` throws.
 */
export async function createFuzzer(module?: string | WebAssembly.Module): Promise<Fuzzer> {
  const compiled = module instanceof WebAssembly.Module ? module : await compile(module ?? moduleUrl());
  const engine: Engine = { build: 'single', module: compiled };
  return new Fuzzer(engine);
}

async function compile(file: string | URL): Promise<WebAssembly.Module> {
  const bytes = await readFile(file);
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw new GicError('INVALID_INPUT', String(file), (error as Error).message, 'a WebAssembly module');
  }
}

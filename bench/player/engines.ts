import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Engine } from '../../bindings/engine.ts';

/** The root of the checkout, from `dist/bench/player`. */
export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A bench build: with the features of the shipped build `single`, or with none of them. */
export function loadBenchEngine(name: 'bench' | 'bench-plain'): Engine {
  return { build: 'single', module: new WebAssembly.Module(readFileSync(benchModule(name))) };
}

export function benchModule(name: 'bench' | 'bench-plain'): string {
  return `${root}/build/gic.${name}.wasm`;
}

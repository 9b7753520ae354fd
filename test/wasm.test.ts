import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { moduleProblems } from '../scripts/wasm-sections.mjs';

const GZIP_LIMIT = 64 * 1024;

const built = ['single', 'shared', 'fuzz'] as const;
const bytesOf = (build: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(`../build/gic.${build}.wasm`, import.meta.url)));

describe.each(built)('gic.%s.wasm', (build) => {
  it('imports its memory and nothing else, has no data segment and no start function', () => {
    expect(moduleProblems(bytesOf(build))).toEqual([]);
  });

  it('takes exactly one memory', () => {
    const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytesOf(build)));
    expect(imports).toEqual([expect.objectContaining({ module: 'env', name: 'memory', kind: 'memory' })]);
  });

  it('is below 64 KiB gzipped', () => {
    expect(gzipSync(bytesOf(build), { level: 9 }).length).toBeLessThan(GZIP_LIMIT);
  });
});

// Modules by hand: a header, then sections of an id, a length and contents.

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const TYPE = 1;
const IMPORT = 2;
const FUNCTION = 3;
const MEMORY = 5;
const START = 8;
const CODE = 10;
const DATA = 11;

const section = (id: number, ...contents: number[]): number[] => [id, contents.length, ...contents];
const name = (text: string): number[] => [text.length, ...Buffer.from(text)];

/** One function type without parameters and results. */
const type = section(TYPE, 1, 0x60, 0, 0);
const memoryImport = [...name('env'), ...name('memory'), 0x02, 0x00, 1];
const functionImport = [...name('env'), ...name('abort'), 0x00, 0];
/** One function with an empty body. */
const emptyFunction = { declared: section(FUNCTION, 1, 0), body: section(CODE, 1, 2, 0, 0x0b) };
/** One active segment: the byte 42 at address 0. */
const data = section(DATA, 1, 0, 0x41, 0, 0x0b, 1, 42);

const wasm = (...sections: number[][]): Uint8Array<ArrayBuffer> =>
  new Uint8Array([...HEADER, ...sections.flat()]);

describe('the check of a built module', () => {
  it('accepts one that imports its memory only', () => {
    const { declared, body } = emptyFunction;
    expect(moduleProblems(wasm(type, section(IMPORT, 1, ...memoryImport), declared, body))).toEqual([]);
  });

  it('accepts a data section without segments', () => {
    const empty = section(DATA, 0);
    expect(moduleProblems(wasm(type, section(IMPORT, 1, ...memoryImport), empty))).toEqual([]);
  });

  it.each<[string, Uint8Array<ArrayBuffer>, RegExp[]]>([
    ['a data segment', wasm(section(IMPORT, 1, ...memoryImport), data), [/data segment/]],
    [
      'a start function',
      wasm(
        type,
        section(IMPORT, 1, ...memoryImport),
        emptyFunction.declared,
        section(START, 0),
        emptyFunction.body,
      ),
      [/start function/],
    ],
    [
      'an imported function',
      wasm(type, section(IMPORT, 2, ...memoryImport, ...functionImport)),
      [/env\.abort \(function\)/],
    ],
    ['a memory of its own', wasm(section(MEMORY, 1, 0, 1)), [/does not import its memory/]],
    [
      'all of it',
      wasm(type, section(IMPORT, 1, ...functionImport), section(MEMORY, 1, 0, 1), section(START, 0), data),
      [/start function/, /data segment/, /env\.abort/, /does not import its memory/],
    ],
  ])('catches %s', (_, bytes, problems) => {
    expect(WebAssembly.validate(bytes), 'a module that is valid otherwise').toBe(true);
    const found = moduleProblems(bytes);
    expect(found).toHaveLength(problems.length);
    problems.forEach((problem, n) => {
      expect(found[n]).toMatch(problem);
    });
  });
});

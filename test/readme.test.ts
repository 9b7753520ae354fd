import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as gicv4 from '../bindings/index.ts';
import { guideExamples, guides, root } from './package/installation.ts';

const library: Readonly<Record<string, unknown>> = gicv4;
const importLine = /^import \{ (.*) \} from 'gicv4';\n/;
/** Those of the main entry; the installed package runs all of them (test/package/installed.test.ts). */
const examples = guideExamples().filter(({ code }) => importLine.test(code));

describe('the examples of the README and the guides', () => {
  it('are there', () => {
    expect(examples.length).toBeGreaterThan(5);
  });

  it.each(examples)('print what their comments say: %#', async ({ code, printed }) => {
    const names = importLine.exec(code)?.[1]?.split(', ') ?? [];
    expect(names.length).toBeGreaterThan(0);
    const lines: string[] = [];
    const recorder = { log: (...values: unknown[]) => lines.push(values.join(' ')) };
    const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
    const imported = names.map((name) => library[name]);
    await new AsyncFunction(...names, 'console', code.replace(importLine, ''))(...imported, recorder);
    expect(lines).toEqual(printed);
  });
});

/** Where a file refers to others of the repository. */
const links = guides.flatMap((path) =>
  [...readFileSync(join(root, path), 'utf8').matchAll(/\]\(([^)#:]+)\)/g)].map(([, target = '']) => ({
    path,
    target,
  })),
);

it.each(links)('$path: $target exists', ({ path, target }) => {
  expect(existsSync(join(root, dirname(path), target))).toBe(true);
});

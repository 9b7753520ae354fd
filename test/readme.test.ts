import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as gicv4 from '../bindings/index.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const library: Readonly<Record<string, unknown>> = gicv4;
const importLine = /^import \{ (.*) \} from 'gicv4';\n/;
/** Those of the main entry; the installed package runs all of them (test/package/installed.test.ts). */
const examples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)]
  .map(([, code]) => code as string)
  .filter((code) => importLine.test(code));

describe("the README's examples", () => {
  it('are there', () => {
    expect(examples.length).toBeGreaterThan(1);
  });

  it.each(examples)('print what their comments say: %#', async (code) => {
    const names = importLine.exec(code)?.[1]?.split(', ') ?? [];
    expect(names.length).toBeGreaterThan(0);
    const printed: string[] = [];
    const recorder = { log: (...values: unknown[]) => printed.push(values.join(' ')) };
    const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
    const imported = names.map((name) => library[name]);
    await new AsyncFunction(...names, 'console', code.replace(importLine, ''))(...imported, recorder);
    const promised = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text]) => text);
    expect(promised.length).toBeGreaterThan(0);
    expect(printed).toEqual(promised);
  });
});

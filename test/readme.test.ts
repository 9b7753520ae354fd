import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createMachine } from '../bindings/index.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it("the README's example prints what its comments say", async () => {
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  const body = code.replace("import { createMachine } from 'gicv4';\n", '');
  expect(body).not.toBe(code);
  const printed: string[] = [];
  const recorder = { log: (...values: unknown[]) => printed.push(values.join(' ')) };
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  await new AsyncFunction('createMachine', 'console', body)(createMachine, recorder);
  const promised = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text]) => text);
  expect(promised.length).toBeGreaterThan(1);
  expect(printed).toEqual(promised);
});

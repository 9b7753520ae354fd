import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { exampleFiles } from './examples.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs an example in this process and returns what it prints. */
async function linesOf(name: string): Promise<string[]> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import(`../../examples/${name}.ts`);
  return log.mock.calls.flatMap((values) => values.join(' ').split('\n'));
}

describe('the examples', () => {
  it.each(exampleFiles)('$name is in the table of the README', ({ name }) => {
    expect(readme.includes(`npm run example ${name}`)).toBe(true);
  });

  it.each(exampleFiles)('$name prints what its last comment says', async ({ name, promised }) => {
    const printed = await linesOf(name);
    if (promised) expect(printed).toEqual(promised);
    // Of these tables, test/kvm/timer_scenarios.test.ts checks each field.
    else expect(printed.filter((line) => line.startsWith('A guest that')).length).toBe(4);
  });
});

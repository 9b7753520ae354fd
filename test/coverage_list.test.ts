import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const list = readFileSync(new URL('README.md', import.meta.url), 'utf8');
const named = [...list.matchAll(/`(test\/[^`]+\.ts|\d\d-[a-z0-9-]+-s1)`/g)].map(
  (match) => match[1] as string,
);

describe('test/README.md', () => {
  it.each([...new Set(named)])('%s exists', (name) => {
    const path = name.startsWith('test/') ? `../${name}` : `fixtures/vectors/${name}.json.gz`;
    expect(existsSync(new URL(path, import.meta.url))).toBe(true);
  });
});

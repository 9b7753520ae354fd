import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`bindings/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    // Examples import the package by its name; here that is its sources.
    alias: [
      { find: /^gicv4$/, replacement: source('index.ts') },
      { find: /^gicv4\/trace$/, replacement: source('replay/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/property_seed.ts'],
    testTimeout: 60_000,
  },
});

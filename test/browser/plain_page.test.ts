import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium, runPage } from './chromium.ts';
import { type ServerOptions, StaticServer } from './server.ts';

const root = join(import.meta.dirname, '../..');
const DELIVERED = { outcome: 'pending', intid: 8197 };
const needsIsolation = {
  code: 'UNSUPPORTED_HOST',
  message: expect.stringContaining('cross-origin isolated'),
};

describe.runIf(hasChromium)('a page without a bundler', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  const run = async (options: ServerOptions): Promise<Record<string, unknown>> => {
    const server = await StaticServer.start(root, options);
    try {
      const { result } = await runPage(browser, server.url('/test/browser/pages/plain.html'));
      return result;
    } finally {
      await server.stop();
    }
  };

  it('that is cross-origin isolated gets the build with threads', async () => {
    const shared = { build: 'shared', ...DELIVERED };
    const single = { build: 'single', ...DELIVERED };
    expect(await run({ isolated: true })).toMatchObject({
      isolated: true,
      threadsPossible: true,
      syncBeforeLoad: { code: 'UNSUPPORTED_HOST', message: expect.stringContaining('gicv4/inline') },
      loaded: shared,
      syncAfterLoad: shared,
      single,
      shared,
      fromBytes: single,
      inMemory: single,
      inline: shared,
      inlineShared: shared,
      disposed: { code: 'DISPOSED' },
      replay: { mismatches: 0 },
      vector: { failed: 0 },
    });
  });

  it('that is not isolated gets the build without, and one clear error where it wants the other', async () => {
    const single = { build: 'single', ...DELIVERED };
    const result = await run({});
    expect(result).toMatchObject({
      isolated: false,
      threadsPossible: false,
      loaded: single,
      syncAfterLoad: single,
      single,
      shared: needsIsolation,
      fromBytes: single,
      inMemory: single,
      inline: single,
      inlineShared: needsIsolation,
      replay: { mismatches: 0 },
    });
    expect((result.replay as { checked: number }).checked).toBeGreaterThan(50);
  });

  it('does not mind a server that does not know the type of WebAssembly', async () => {
    expect(await run({ wasmType: 'application/octet-stream' })).toMatchObject({ loaded: DELIVERED });
  });
});

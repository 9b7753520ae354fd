import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium, runPage } from './chromium.ts';
import { StaticServer } from './server.ts';

const root = join(import.meta.dirname, '../..');
const DELIVERED = { outcome: 'pending', intid: 8197 };

describe.runIf(hasChromium)('a machine in a worker of a page', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  const run = async (isolated: boolean): Promise<Record<string, unknown>> => {
    const server = await StaticServer.start(root, { isolated });
    try {
      const { result } = await runPage(browser, server.url('/test/browser/pages/worker.html'));
      return result;
    } finally {
      await server.stop();
    }
  };

  const common = {
    delivered: DELIVERED,
    whileItsIsOff: 'its-disabled',
    unknownProgram: { code: 'UNKNOWN_NAME', message: expect.stringContaining('program: "nothing"') },
    badArgument: { code: 'INVALID_ARGUMENT', message: expect.stringContaining('cpu: 7') },
    badOptions: { code: 'INVALID_CONFIG', message: expect.stringContaining('cpus: 0') },
    disposed: [{ code: 'DISPOSED' }, { code: 'DISPOSED' }],
    stray: [expect.stringContaining('gone astray'), expect.stringContaining('gone astray')],
    missing: expect.stringContaining('could not be loaded'),
  };

  it('is seen by the page while the worker runs it, where the page is cross-origin isolated', async () => {
    const result = await run(true);
    expect(result).toMatchObject({
      ...common,
      build: 'shared',
      shared: 'shared',
      injected: { page: 1000, worker: 1000, irq: true },
      watched: {
        whileRunning: true,
        counts: 20,
        irq: true,
        pendingByte: 1 << 5,
        highestPending: { intid: 8197, priority: 0xa0, group: 1 },
        kinds: expect.arrayContaining(['acknowledged', 'lpi-pending', 'msi', 'priority-dropped']),
      },
    });
    const { delivered, acknowledged } = result.watched as Record<string, number>;
    // One more was delivered before.
    expect(acknowledged).toBe((delivered as number) + 1);
  });

  it('answers calls where the page is not isolated, and has no view', async () => {
    expect(await run(false)).toMatchObject({
      ...common,
      build: 'single',
      shared: { code: 'UNSUPPORTED_HOST', message: expect.stringContaining('cross-origin isolated') },
      view: { code: 'UNSUPPORTED_HOST', message: expect.stringContaining('"shared"') },
    });
  });
});

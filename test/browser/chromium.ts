import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const candidates = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'];
const executablePath = candidates.find((path) => path !== undefined && existsSync(path));

/** Whether there is a browser to test in. */
export const hasChromium = executablePath !== undefined;

if (!hasChromium) {
  process.stderr.write(
    'Tests in Chromium are skipped: it is not installed. On Debian and Ubuntu `apt-get install chromium` installs it; ' +
      'one that is elsewhere is named by the environment variable CHROMIUM.\n',
  );
}

export function launchChromium(): Promise<Browser> {
  // The sandbox does not work for root, which containers run as; their /dev/shm is small.
  const args = process.getuid?.() === 0 ? ['--no-sandbox', '--disable-dev-shm-usage'] : [];
  return chromium.launch({ ...(executablePath !== undefined && { executablePath }), args });
}

/** What a page did until it set `globalThis.result`. */
export interface PageRun {
  readonly page: Page;
  // biome-ignore lint/suspicious/noExplicitAny: each page has a result of its own.
  readonly result: any;
  /** Lines that it logged. */
  readonly lines: readonly string[];
}

/** Opens a page and waits until it has set `globalThis.result`. Rejects when a script of it throws. */
export async function runPage(browser: Browser, url: string): Promise<PageRun> {
  const page = await browser.newPage();
  const lines: string[] = [];
  page.on('console', (message) => lines.push(message.text()));
  const failed = new Promise<never>((_, reject) => page.on('pageerror', reject));
  await Promise.race([page.goto(url), failed]);
  const done = await Promise.race([
    page.waitForFunction('globalThis.result', null, { timeout: 20_000 }),
    failed,
  ]);
  return { page, result: await done.jsonValue(), lines };
}

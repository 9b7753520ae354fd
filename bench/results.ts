/**
 * Measures everything that the results page shows, or some sections of it, keeps the raw numbers in bench/results and
 * writes bench/RESULTS.md of all that is kept there.
 *
 *     npm run bench:results -- [--only NAME,...] [--page]
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { thisHost } from './page/host.ts';
import { resultsPage, type StoredResults, type StoredSection } from './page/page.ts';
import { namedSections, type SectionDefinition, sectionDefinitions } from './page/sections.ts';
import { root } from './player/engines.ts';
import type { Section } from './section.ts';

/** A section that takes longer hangs. */
const LIMIT_SECONDS = 300;
const folder = join(root, 'bench/results');
const names = sectionDefinitions.map(({ name }) => name);

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: names.join(',') },
    page: { type: 'boolean', default: false },
  },
});

try {
  const selected = values.page ? [] : namedSections(values.only);
  const failed = await measureAll(selected);
  writeFileSync(join(root, 'bench/RESULTS.md'), resultsPage(readStored()));
  if (failed) process.exitCode = 1;
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  tell(error.message);
  process.exitCode = 2;
}

/** Whether any section failed. Its numbers of an earlier run stay, if there are any. */
async function measureAll(definitions: readonly SectionDefinition[]): Promise<boolean> {
  mkdirSync(folder, { recursive: true });
  let failed = false;
  for (const definition of definitions) {
    const module = join(root, 'dist/bench', definition.module);
    const started = performance.now();
    tell(`${definition.name} ...`);
    try {
      const result = await run(module, definition.args ?? []);
      const seconds = Math.round((performance.now() - started) / 1000);
      const stored: StoredSection = { host: thisHost(), date: new Date().toISOString(), seconds, result };
      const path = join(folder, `${definition.name}.json`);
      // What could not be measured here leaves the numbers of another host as they are.
      if (result.rows.length > 0 || !existsSync(path))
        writeFileSync(path, `${JSON.stringify(stored, null, 2)}\n`);
      tell(`${definition.name}: ${result.problem ?? `${result.rows.length} rows`}, ${seconds} s`);
    } catch (error) {
      failed = true;
      tell(`${definition.name}: ${(error as Error).message}`);
    }
  }
  return failed;
}

/** Runs a section's module by itself, so that none is compiled for what another one did. */
function run(module: string, args: readonly string[]): Promise<Section> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [module, '--json', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: LIMIT_SECONDS * 1000,
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code !== 0) reject(new Error(signal ? `stopped after ${LIMIT_SECONDS} s` : `exit code ${code}`));
      else resolve(JSON.parse(out) as Section);
    });
  });
}

function readStored(): StoredResults {
  const found = names.map((name) => [name, join(folder, `${name}.json`)] as const);
  return Object.fromEntries(
    found
      .filter(([, path]) => existsSync(path))
      .map(([name, path]) => [name, JSON.parse(readFileSync(path, 'utf8')) as StoredSection]),
  );
}

function tell(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

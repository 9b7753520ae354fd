import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium, runPage } from '../browser/chromium.ts';
import { StaticServer } from '../browser/server.ts';
import { exampleFiles } from '../examples/examples.ts';
import { Folder, guideExamples, install, pack, root, runNode } from './installation.ts';

const folder = new Folder();
const examples = guideExamples();
const printed = examples.flatMap((example) => example.printed);
// One of the files of examples/ uses fast-check.
const cannotInstall = install(folder, pack(folder).tarball, 'fast-check');
if (cannotInstall) process.stderr.write(`Tests of the installed package are skipped: ${cannotInstall}.\n`);
afterAll(() => folder.remove());

const DONE = 'globalThis.result = true;';
const page = (...head: string[]): string =>
  `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:">${head.join('')}`;

/** Compiles files of a folder. */
function compile(folder: Folder, files: readonly string[], options: object) {
  const compilerOptions = {
    ...{ target: 'ES2022', lib: ['ES2022', 'DOM'], module: 'NodeNext', strict: true, skipLibCheck: false },
    ...options,
  };
  folder.write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  return spawnSync(process.execPath, [tsc, '-p', folder.path], { encoding: 'utf8' });
}

/** Puts the examples into files, and returns their names. */
const writeExamples = (): string[] =>
  examples.map(({ code }, n) => {
    folder.write(`example${n}.js`, code);
    return `example${n}.js`;
  });

describe.skipIf(cannotInstall)('the package, installed from its tarball, in Node', () => {
  it.each(examples)('runs the examples of the README and the guides: $printed', async (example) => {
    folder.write('example.js', example.code);
    expect(await runNode(folder, ['example.js'])).toEqual(example.printed);
  });

  it('compiles and runs the files of examples/', async () => {
    const files = exampleFiles.map(({ name, source }) => folder.write(`${name}.ts`, source));
    const { status, stdout } = compile(folder, files, {
      ...{ types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
    });
    expect([status, stdout]).toEqual([0, '']);
    for (const { name, promised } of exampleFiles) {
      const printed = await runNode(folder, [`${name}.js`]);
      if (promised) expect(printed).toEqual(promised);
      else expect(printed.length).toBeGreaterThan(10);
    }
  }, 180_000);

  it('runs them, and the files of examples/ as they are, in the newest Node that npm has', async (context) => {
    const newest = new Folder();
    try {
      // npm's `node` is a script that installs the one of these that fits.
      const build = `node-${process.platform}-${process.arch}`;
      const cannot = install(newest, `${build}@latest`);
      if (cannot) context.skip(cannot);
      const node = join(newest.path, 'node_modules', build, 'bin/node');
      for (const example of examples) {
        folder.write('example.js', example.code);
        expect(await runNode(folder, ['example.js'], node)).toEqual(example.printed);
      }
      for (const { name, source, promised } of exampleFiles) {
        folder.write(`${name}.ts`, source);
        const printed = await runNode(folder, [`${name}.ts`], node);
        if (promised) expect(printed).toEqual(promised);
      }
    } finally {
      newest.remove();
    }
  }, 180_000);

  it('has every entry', async () => {
    folder.write(
      'entries.js',
      `import { createMachineSync, Machine } from 'gicv4';
import * as inline from 'gicv4/inline';
import { replayFile } from 'gicv4/trace';
import { parseVector } from 'gicv4/vectors';
import { startWorker } from 'gicv4/worker';
import manifest from 'gicv4/package.json' with { type: 'json' };
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bytes = (build) => readFileSync(fileURLToPath(import.meta.resolve(\`gicv4/gic.\${build}.wasm\`)));
const kinds = ['single', 'shared'].map((build) =>
  createMachineSync({}, { module: bytes(build) }).memory.buffer.constructor.name,
);
console.log(kinds.join(' '));
console.log(createMachineSync() instanceof Machine, (await inline.createMachine({ cpus: 7 })).cpus, manifest.name);
console.log(typeof parseVector);
const gic = await startWorker({ cpus: 3 });
console.log(gic.build, gic.view.cpus, await gic.call('irq', 2));
gic.dispose();
const { mismatches, checked } = await replayFile(process.argv[2]);
console.log(mismatches, checked > 0);
`,
    );
    const recording = join(root, 'test/fixtures/captures/kut-ipi.jsonl.gz');
    expect(await runNode(folder, ['--no-warnings', 'entries.js', recording])).toEqual([
      'ArrayBuffer SharedArrayBuffer',
      'true 7 gicv4',
      'function',
      'shared 3 false',
      '0 true',
    ]);
  });

  it('has the command line, and recordings for it', async () => {
    const cli = join('node_modules', 'gicv4', 'dist', 'bindings', 'cli', 'main.js');
    const [boot, kvm] = await runNode(folder, [cli, 'replay', '--bundled', '--quiet']);
    expect(boot).toMatch(/linux-6\.1-boot.* 0 mismatches$/);
    expect(kvm).toMatch(/linux-6\.1-kvm.* 0 mismatches$/);
  });

  it('has types, which need neither those of Node nor any other', () => {
    const types = folder.write(
      'types.ts',
      `import { createMachine, type Machine } from 'gicv4';
import { createMachineSync } from 'gicv4/inline';
import { replayFile, type ReplayReport } from 'gicv4/trace';
import { runVector } from 'gicv4/vectors';
import { serveMachine, startWorker } from 'gicv4/worker';

const gic: Machine = await createMachine({ cpus: 2 }, { build: 'single' });
export const intid: number = gic.cpu(0).acknowledge();
export const report: ReplayReport = await replayFile(new Blob([]));
export const worker = await startWorker({ cpus: 2 });
export const outcome: string = await worker.call('sendMsi', 1, 2);
export const names = [createMachineSync, runVector, serveMachine];
`,
    );
    const { status, stdout } = compile(folder, [types], { types: [], noEmit: true });
    expect([status, stdout]).toEqual([0, '']);
  });
});

describe.skipIf(cannotInstall || !hasChromium)('the package, installed from its tarball, in Chromium', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  const linesOf = async (served: string, path: string): Promise<readonly string[]> => {
    const server = await StaticServer.start(served, { isolated: true });
    try {
      return (await runPage(browser, server.url(path))).lines;
    } finally {
      await server.stop();
    }
  };

  it('runs the examples of the README and the guides in a page without a bundler', async () => {
    const browserModules = '/node_modules/gicv4/dist/browser';
    const imports = { gicv4: `${browserModules}/index.js`, 'gicv4/worker': `${browserModules}/worker.js` };
    const scripts = writeExamples().map((file) => `await import('./${file}');`);
    folder.write(
      'plain.html',
      page(
        `<script type="importmap">${JSON.stringify({ imports })}</script>`,
        `<script type="module">${scripts.join('')}${DONE}</script>`,
      ),
    );
    expect(await linesOf(folder.path, '/plain.html')).toEqual(printed);
  });

  it('runs the examples of the README and the guides, and other workers, in a page that Vite built', async () => {
    folder.write('index.html', page('<script type="module" src="main.js"></script>'));
    folder.write(
      'driver.js',
      `import { serveMachine } from 'gicv4/worker';\nserveMachine({ cpus: (gic) => gic.cpus });\n`,
    );
    folder.write(
      'main.js',
      `${writeExamples()
        .map((file) => `import './${file}';`)
        .join('\n')}
import { createMachineSync } from 'gicv4/inline';
import { startWorker } from 'gicv4/worker';

console.log('inline', createMachineSync({ cpus: 3 }).cpus);
const gic = await startWorker({ cpus: 4 });
console.log('worker', await gic.call('irq', 3), gic.view.cpus);
const worker = new Worker(new URL('./driver.js', import.meta.url), { type: 'module' });
console.log('driver', await (await startWorker({ cpus: 5 }, { worker })).run('cpus'));
${DONE}
`,
    );
    await build({ root: folder.path, configFile: false, logLevel: 'warn', build: { target: 'esnext' } });
    expect(await linesOf(join(folder.path, 'dist'), '/index.html')).toEqual([
      ...printed,
      'inline 3',
      'worker false 4',
      'driver 5',
    ]);
  });
});

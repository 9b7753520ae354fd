import { Command } from 'commander';
import type { MachineOptions } from '../config.ts';
import { createMachine } from '../create_machine.ts';
import type { GicHardware } from '../hardware.ts';
import { findVectorFiles, readVectorFile } from '../vectors/files.ts';
import { machineOptionsOf } from '../vectors/machine_options.ts';
import { quirkReasons } from '../vectors/quirks.ts';
import { runVector, type VectorFailure, type VectorResult } from '../vectors/runner.ts';
import { failCheck, printJson, printLine } from './output.ts';
import { createProgress } from './progress.ts';

interface FileResult extends VectorResult {
  readonly file: string;
}

interface Options {
  readonly json?: true;
  readonly skipQuirk?: readonly string[];
}

const failuresShown = 5;

/** Nothing here needs shared memory, and the build without is faster. */
const singleThreaded = (options: MachineOptions): Promise<GicHardware> => createMachine(options, 'single');

/** `gicv4 vectors`: runs conformance vectors, each on a fresh machine that `createHardware` makes. */
export function vectorsCommand(
  createHardware: (options: MachineOptions) => Promise<GicHardware> = singleThreaded,
): Command {
  return new Command('vectors')
    .description('run conformance vectors and compare every expected result')
    .argument('<path...>', 'vector files (.json, .json.gz), or directories of them')
    .option('--skip-quirk <tag>', 'do not compare the reads with this quirk tag (repeatable)', append)
    .option('--json', 'print one JSON document')
    .action(async (paths: string[], { json, skipQuirk = [] }: Options) => {
      const skipQuirks = new Set([...Object.keys(quirkReasons), ...skipQuirk]);
      const files = findVectorFiles(paths);
      const progress = createProgress('vectors', files.length);
      const results: FileResult[] = [];
      try {
        for (const file of files) {
          const vector = readVectorFile(file);
          const hardware = await createHardware(machineOptionsOf(vector));
          results.push({ file, ...runVector(vector, hardware, { skipQuirks }) });
          progress.update(results.length);
        }
      } finally {
        progress.stop();
      }
      const totals = addUp(results);
      if (json) printJson({ files: results, ...totals });
      else printResults(results, totals);
      if (totals.failed > 0) failCheck();
    });
}

function append(tag: string, tags: readonly string[] = []): string[] {
  return [...tags, tag];
}

type Totals = Pick<VectorResult, 'passed' | 'failed' | 'skipped'>;

function addUp(results: readonly VectorResult[]): Totals {
  const skipped: Record<string, number> = {};
  let passed = 0;
  let failed = 0;
  for (const result of results) {
    passed += result.passed;
    failed += result.failed;
    for (const [tag, count] of Object.entries(result.skipped)) skipped[tag] = (skipped[tag] ?? 0) + count;
  }
  return { passed, failed, skipped };
}

function printResults(results: readonly FileResult[], totals: Totals): void {
  for (const result of results) {
    const verdict = result.failed > 0 ? 'FAIL' : result.passed > 0 ? 'ok  ' : 'skip';
    printLine(`${verdict} ${result.file}: ${countsText(result)}`);
    for (const failure of result.failures.slice(0, failuresShown))
      printLine(`       ${failureText(failure)}`);
    const hidden = result.failures.length - failuresShown;
    if (hidden > 0) printLine(`       and ${hidden} more`);
  }
  printLine(`${results.length} vectors: ${countsText(totals)}`);
}

function countsText({ passed, failed, skipped }: Totals): string {
  const skips = Object.entries(skipped).map(([tag, count]) => `, ${count} skipped (${tag})`);
  return `${passed} passed, ${failed} failed${skips.join('')}`;
}

function failureText(failure: VectorFailure): string {
  const { step, op, what, quirk, cpu, register, address, expected, got, mask } = failure;
  const place = register === undefined ? address : `CPU ${cpu} ${register}`;
  const words = [`step ${step}:`, op, place, what && `(${what})`, quirk && `[${quirk}]`].filter(Boolean);
  return `${words.join(' ')}: expected ${expected}, got ${got}${mask === undefined ? '' : `, mask ${mask}`}`;
}

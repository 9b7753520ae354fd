import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { Campaign, type Crash } from '../fuzz/campaign.ts';
import type { Fuzzer } from '../fuzz/fuzzer.ts';
import { inputText } from '../fuzz/input_text.ts';
import { createFuzzer } from '../fuzz/load.ts';
import { failureWith, minimize } from '../fuzz/minimize.ts';
import { failCheck, printJson, printLine } from './output.ts';
import { createProgress } from './progress.ts';

interface Options {
  readonly time: number;
  readonly seed: number;
  readonly corpus?: string;
  readonly crashes: string;
  readonly replay?: string;
  readonly minimize?: true;
  readonly module?: string;
  readonly json?: true;
}

/** Inputs between two looks at the clock. */
const BATCH = 256;

/** `gicv4 fuzz`: a fuzz campaign, or one input again. */
export function fuzzCommand(): Command {
  const command = new Command('fuzz')
    .description(
      'try random register accesses, commands and interrupts on the fuzz build, and check what follows',
    )
    .option('--time <seconds>', 'how long to try', parseNumber, 60)
    .option('--seed <number>', 'where the random numbers begin', parseNumber, 1)
    .option('--corpus <folder>', 'begin with the inputs there, and leave there those that led somewhere new')
    .option('--crashes <folder>', 'where inputs that fail are written', 'crashes')
    .option('--replay <file>', 'perform one input, tell its operations and how it fails')
    .option('--minimize', 'with --replay: cut the input down to what it needs, in place')
    .option('--module <file>', 'another fuzz build of the engine')
    .option('--json', 'print one JSON document');
  return command.action(async (options: Options) => {
    const fuzzer = await createFuzzer(options.module);
    if (options.replay !== undefined) replay(fuzzer, options.replay, options);
    else campaign(fuzzer, options);
  });
}

function replay(fuzzer: Fuzzer, file: string, options: Options): void {
  const given = readFileSync(file);
  const input = options.minimize ? minimize(fuzzer, given) : given;
  if (options.minimize) writeFileSync(file, input);
  const failure = failureWith(fuzzer, input);
  const operations = inputText(input);
  if (options.json) {
    printJson({ file, operations, failure: failure && { kind: failure.kind, message: failure.message } });
  } else {
    for (const line of operations) printLine(line);
    printLine(failure ? failure.message : 'nothing failed');
  }
  if (failure) failCheck();
}

function campaign(fuzzer: Fuzzer, options: Options): void {
  const run = new Campaign(fuzzer, { seed: options.seed, corpus: readCorpus(options.corpus) });
  const started = performance.now();
  const milliseconds = options.time * 1000;
  const progress = createProgress('fuzz', milliseconds);
  let elapsed = 0;
  try {
    while (elapsed < milliseconds) {
      run.run(BATCH);
      elapsed = performance.now() - started;
      progress.update(Math.min(elapsed, milliseconds));
    }
    run.checkRestored();
  } finally {
    progress.stop();
  }
  const crashes = run.crashes.map((crash) => ({ ...crash, file: writeInput(options.crashes, crash) }));
  if (options.corpus !== undefined) {
    for (const input of run.corpus) writeInput(options.corpus, { kind: 'input', input });
  }
  tell(run, elapsed / 1000, crashes, options);
}

function tell(
  run: Campaign,
  seconds: number,
  crashes: readonly (Crash & { file: string })[],
  options: Options,
): void {
  const { executions, corpus, fuzzer } = run;
  const { edges, seen } = fuzzer.coverage();
  if (options.json) {
    const told = crashes.map(({ kind, message, execution, file }) => ({ kind, message, execution, file }));
    printJson({
      executions,
      seconds,
      seed: options.seed,
      edges: seen,
      edgesOfBuild: edges,
      corpus: corpus.length,
      crashes: told,
    });
  } else {
    const rate = Math.round(executions / seconds).toLocaleString('en-US');
    printLine(`${executions} executions in ${seconds.toFixed(1)} s, ${rate} a second`);
    printLine(`${seen} of ${edges} edges, ${corpus.length} inputs in the corpus`);
    for (const { message, file } of crashes) printLine(`${message}\n  gicv4 fuzz --replay ${file}`);
    if (crashes.length === 0) printLine('nothing failed');
  }
  if (crashes.length > 0) failCheck();
}

function readCorpus(folder: string | undefined): Buffer[] {
  if (folder === undefined) return [];
  mkdirSync(folder, { recursive: true });
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map(({ name }) => readFileSync(join(folder, name)));
}

/** Writes an input under a name that follows from what it is. */
function writeInput(folder: string, { kind, input }: { kind: string; input: Uint8Array }): string {
  mkdirSync(folder, { recursive: true });
  const hash = createHash('sha256').update(input).digest('hex').slice(0, 16);
  const file = join(folder, `${kind}-${hash}`);
  writeFileSync(file, input);
  return file;
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < 1 || value > 0x7fff_ffff) {
    throw new InvalidArgumentError('It must be an integer from 1 to 2147483647.');
  }
  return value;
}

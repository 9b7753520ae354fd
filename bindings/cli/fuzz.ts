import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { Campaign, type Crash } from '../fuzz/campaign.ts';
import type { Fuzzer } from '../fuzz/fuzzer.ts';
import { inputText } from '../fuzz/input_text.ts';
import { createFuzzer } from '../fuzz/load.ts';
import { measureFuzzing } from '../fuzz/measure.ts';
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
  readonly bench?: true;
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
    .option('--bench', 'measure how many inputs a second a campaign performs, and where the time goes')
    .option('--module <file>', 'another fuzz build of the engine')
    .option('--json', 'print one JSON document');
  return command.action(async (options: Options) => {
    const fuzzer = await createFuzzer(options.module);
    if (options.bench) bench(fuzzer, options);
    else if (options.replay !== undefined) replay(fuzzer, options.replay, options);
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

function bench(fuzzer: Fuzzer, options: Options): void {
  const measured = measureFuzzing(fuzzer, options.time, options.seed);
  if (options.json) {
    printJson(measured);
    return;
  }
  const rate = (value: number): string => Math.round(value).toLocaleString('en-US').padStart(9);
  printLine(`inputs of ${measured.operations.toFixed(1)} operations`);
  printLine(`${rate(measured.perSecond)} a second by the clock`);
  printLine(`${rate(measured.perCpuSecond)} a second of processor time`);
  printLine(`${rate(measured.perSecondAtBest)} a second in the fastest tenth of the batches`);
  for (const [part, ns] of Object.entries(measured.nsOf)) printLine(`${rate(ns)} ns ${part}`);
  const { best, median } = measured.restoreOf20Pages;
  printLine(`20 dirty pages restored in ${best.toFixed(2)} us, median ${median.toFixed(2)} us`);
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

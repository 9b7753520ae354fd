import { Command, InvalidArgumentError } from 'commander';
import type { BenchCase } from '../bench/case.ts';
import { benchCases } from '../bench/cases/index.ts';
import { fullEffort, type Measurement, measureCase } from '../bench/measure.ts';
import { loadEngine } from '../engine_loading.ts';
import { Machine } from '../machine.ts';
import { hostText, thisHost } from './host.ts';
import { lpiStressCommand } from './lpi_stress.ts';
import { printJson, printLine } from './output.ts';
import { createProgress } from './progress.ts';

interface Options {
  readonly filter?: string;
  readonly json?: true;
  readonly time: number;
}

/** `gicv4 bench`: the speed table. */
export function benchCommand(): Command {
  const command = new Command('bench')
    .description('measure the speed of the engine on this machine')
    .option('--filter <text>', 'only the cases whose names contain this text')
    .option('--time <ms>', 'milliseconds to measure each case for', parseTime, fullEffort.time)
    .option('--json', 'print one JSON document');
  command.addCommand(lpiStressCommand());
  return command.action(async ({ filter = '', json, time }: Options) => {
    const selected = casesWith(filter);
    if (selected.length === 0) {
      command.error(`error: no case has "${filter}" in its name`, { exitCode: 2 });
    }
    const results = await measureAll(selected, time);
    if (json) printJson({ ...thisHost(), cases: results });
    else printTable(results);
  });
}

/** The cases whose names contain a text, in any case of letters. */
function casesWith(text: string): BenchCase[] {
  return benchCases.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()));
}

async function measureAll(selected: readonly BenchCase[], time: number): Promise<Measurement[]> {
  const engine = await loadEngine('single');
  const progress = createProgress('bench', selected.length);
  const results: Measurement[] = [];
  try {
    for (const benchCase of selected) {
      results.push(
        measureCase(benchCase, (options) => new Machine(engine, options), { ...fullEffort, time }),
      );
      progress.update(results.length);
    }
  } finally {
    progress.stop();
  }
  return results;
}

function printTable(results: readonly Measurement[]): void {
  printLine(`${hostText()}, medians`);
  const width = Math.max(...results.map(({ name }) => name.length));
  printLine(`${'case'.padEnd(width)}  ${'ns/op'.padStart(12)}  ${'ops/s'.padStart(12)}  margin`);
  for (const { name, nsPerOp, opsPerSecond, marginPercent } of results) {
    const columns = [
      name.padEnd(width),
      grouped(nsPerOp, nsPerOp < 1000 ? 1 : 0).padStart(12),
      grouped(opsPerSecond, 0).padStart(12),
      `±${marginPercent.toFixed(1)} %`,
    ];
    printLine(columns.join('  '));
  }
}

function grouped(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function parseTime(text: string): number {
  const time = Number(text);
  if (!/^[0-9]+$/.test(text) || time < 1 || time > 60_000) {
    throw new InvalidArgumentError('It must be an integer from 1 to 60000.');
  }
  return time;
}

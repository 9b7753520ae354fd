import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type MachineOptions, presets } from '../config.ts';
import { GicError } from '../errors.ts';
import type { GicHardware } from '../hardware.ts';
import { type Policy, resolvePolicy } from '../policy.ts';
import { exclusions } from '../replay/exclusions.ts';
import type { MachineOverrides } from '../replay/machine_inference.ts';
import { type ReplayOptions, replayFile } from '../replay/replay.ts';
import type { ReplayReport } from '../replay/report.ts';
import { reportLines } from '../replay/report_text.ts';
import { failCheck, printJson, printLine } from './output.ts';
import { createProgress } from './progress.ts';

interface Options {
  readonly json?: true;
  readonly bundled?: true;
  readonly quiet?: true;
  readonly limit: number;
  readonly final?: string;
  readonly finalAt?: number;
  readonly preset?: NonNullable<MachineOptions['preset']>;
  readonly cpus?: number;
  readonly architecture?: NonNullable<MachineOptions['architecture']>;
  readonly its: boolean;
  readonly ramBase?: number;
  readonly ramSize?: number;
  readonly policy: Readonly<Record<string, string>>;
}

/** `gicv4 replay`: plays recordings, each on a fresh machine, which `createHardware` makes where given. */
export function replayCommand(createHardware?: (options: MachineOptions) => Promise<GicHardware>): Command {
  return new Command('replay')
    .description('play recorded GIC traffic and compare every recorded result')
    .argument('[file...]', "captures (.jsonl, .jsonl.gz) or logs of QEMU's -trace 'gicv3_*', plain or gzip")
    .option('--bundled', 'replay the bundled recordings: a boot of Linux 6.1, and KVM with direct injection')
    .option('--limit <count>', 'list this many mismatches of a file', parseCount, 10)
    .option(
      '--final <directory>',
      'compare the tables in final memory with the dumps that its meta.json lists',
    )
    .option('--final-at <line>', 'the dumps were made before this line', parseCount)
    .addOption(new Option('--preset <name>', 'what nothing recorded tells').choices(Object.keys(presets)))
    .option('--cpus <count>', 'number of PEs, not as inferred', parseCount)
    .addOption(
      new Option('--architecture <version>', 'GIC architecture, not as inferred').choices([
        'GICv3',
        'GICv4.0',
        'GICv4.1',
      ]),
    )
    .option('--no-its', 'the machine has no ITS')
    .option('--ram-base <address>', 'where the RAM window starts', parseBytes)
    .option('--ram-size <bytes>', 'size of the RAM window; K, M and G are understood', parseBytes)
    .option('--policy <name=value>', 'a choice of the implementation (repeatable)', collectPolicy, {})
    .option('--quiet', 'one line a file')
    .option('--json', 'print one JSON document')
    .action(async (given: string[], options: Options, command: Command) => {
      const files = options.bundled ? [...bundledRecordings.map(bundledFile), ...given] : given;
      if (files.length === 0) command.error("error: missing argument 'file' (or --bundled)", { exitCode: 2 });
      const machine = overridesOf(options);
      const reports: ReplayReport[] = [];
      for (const file of files) {
        const report = await replayWithProgress(file, machine, options, createHardware);
        reports.push(report);
        if (!options.json) print(report, options);
      }
      if (options.json) printJson({ files: reports, exclusions });
      if (reports.some(({ mismatches }) => mismatches > 0)) failCheck();
    });
}

async function replayWithProgress(
  file: string,
  machine: MachineOverrides,
  { limit, final, finalAt }: Options,
  createHardware: ReplayOptions['createHardware'],
): Promise<ReplayReport> {
  let progress: ReturnType<typeof createProgress> | undefined;
  try {
    return await replayFile(file, {
      machine,
      limit,
      ...(createHardware && { createHardware }),
      ...(final !== undefined && { finalDirectory: final }),
      ...(finalAt !== undefined && { finalAt }),
      onProgress(done, total) {
        progress ??= createProgress('replay', total);
        progress.update(done);
      },
    });
  } finally {
    progress?.stop();
  }
}

function print(report: ReplayReport, { quiet }: Options): void {
  if (!quiet) {
    for (const line of reportLines(report)) printLine(line);
    return;
  }
  const { file, events, checked, mismatches, stopped } = report;
  const end = stopped ? `, stopped at line ${stopped.line}` : '';
  printLine(`${file}: ${events} events, ${checked} compared, ${mismatches} mismatches${end}`);
}

function overridesOf(options: Options): MachineOverrides {
  const { preset, cpus, architecture, its, ramBase, ramSize, policy } = options;
  return {
    ...(preset !== undefined && { preset }),
    ...(cpus !== undefined && { cpus }),
    ...(architecture !== undefined && { architecture }),
    ...(!its && { its: false }),
    ...(ramBase !== undefined && { ramBase }),
    ...(ramSize !== undefined && { ramSize }),
    policy: policyOf(policy),
  };
}

/** Texts become what they stand for; the check that names exist and values fit is the machine's. */
function policyOf(given: Readonly<Record<string, string>>): Partial<Policy> {
  const values: Readonly<Record<string, unknown>> = { true: true, false: false, 0: 0, 1: 1 };
  const policy = Object.fromEntries(
    Object.entries(given).map(([name, text]) => [name, values[text] ?? text]),
  );
  resolvePolicy(presets['qemu-virt'].policy, policy);
  return policy;
}

function collectPolicy(text: string, policies: Readonly<Record<string, string>>): Record<string, string> {
  const [, name, value] = /^(\w+)=([\w-]+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('It must be name=value.');
  return { ...policies, [name]: value };
}

function parseCount(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError('It must be an integer from 1.');
  return Number(text);
}

function parseBytes(text: string): number {
  const [, digits, unit] = /^(0x[0-9a-f]+|[0-9]+)([KMG]?)$/i.exec(text) ?? [];
  if (digits === undefined)
    throw new InvalidArgumentError('It must be an integer, with K, M or G if wanted.');
  const shift = ['', 'K', 'M', 'G'].indexOf((unit ?? '').toUpperCase()) * 10;
  return Number(digits) * 2 ** shift;
}

const bundledRecordings = ['linux-6.1-boot.jsonl.gz', 'linux-6.1-kvm-direct-injection-excerpt.jsonl.gz'];

/** The sources and what they are compiled to stand at different depths of the package. */
function bundledFile(name: string): string {
  const path = `test/fixtures/captures/${name}`;
  const candidates = ['../../', '../../../'].map((up) => fileURLToPath(new URL(up + path, import.meta.url)));
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined)
    throw new GicError('INVALID_INPUT', '--bundled', path, 'a package with its recordings');
  return found;
}

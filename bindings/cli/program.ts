import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { benchCommand } from './bench.ts';
import { decodeCommand } from './decode.ts';
import { fuzzCommand } from './fuzz.ts';
import { reportError } from './output.ts';
import { replayCommand } from './replay.ts';
import { vectorsCommand } from './vectors.ts';

/**
 * Runs the command line `args` (without the program's own name).
 * Resolves to the exit code: 0 success, 1 a check failed, 2 bad usage or input, which one line on stderr names.
 */
export async function runCli(args: readonly string[]): Promise<number> {
  process.exitCode = 0;
  try {
    if (args.length === 0) throw usageError('no command given; gicv4 --help lists them');
    await createProgram().parseAsync(args, { from: 'user' });
    return Number(process.exitCode);
  } catch (error) {
    return reportError(error);
  }
}

function createProgram(): Command {
  const { version, description } = createRequire(import.meta.url)('gicv4/package.json');
  const program = new Command('gicv4')
    .description(description)
    .version(version)
    .helpCommand(false)
    // An option behind a subcommand is the subcommand's.
    .enablePositionalOptions()
    .exitOverride()
    // Errors are reported in one place, on one line.
    .configureOutput({ outputError: () => {} });
  for (const command of [replayCommand(), vectorsCommand(), decodeCommand(), benchCommand(), fuzzCommand()]) {
    program.addCommand(command.copyInheritedSettings(program));
    for (const part of command.commands) part.copyInheritedSettings(program);
  }
  return program;
}

function usageError(message: string): CommanderError {
  return new CommanderError(2, 'gicv4.usage', message);
}

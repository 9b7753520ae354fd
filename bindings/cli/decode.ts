import { statSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { readCapturedCommands } from '../commands/capture.ts';
import { decodeDoublewords } from '../commands/codec.ts';
import type { CommandOptions, ItsCommand, VmappLayout } from '../commands/command.ts';
import { commandProblems } from '../commands/problems.ts';
import { type QueueSlot, readQueueDump } from '../commands/queue_dump.ts';
import { doublewordText, formatCommand } from '../commands/text.ts';
import { CommandTrial } from '../commands/trial.ts';
import { readContents } from '../files.ts';
import { printJson, printLine } from './output.ts';
import { createProgress } from './progress.ts';

interface Options {
  readonly json?: true;
  readonly pta?: true;
  readonly vmappLayout: VmappLayout;
  readonly limit?: number;
  readonly all?: true;
}

/** One disassembled command. */
interface DecodedCommand {
  readonly offset: number;
  readonly command: ItsCommand['command'];
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly problems: readonly string[];
  readonly outcome: string;
}

/** `gicv4 decode`: disassembles an ITS command queue, checks its operands and tries it on an ITS of our own. */
export function decodeCommand(): Command {
  return new Command('decode')
    .description('disassemble an ITS command queue')
    .argument('<file>', 'bytes of a queue, hexadecimal text, or a recording (.jsonl, .jsonl.gz)')
    .addOption(
      new Option('--vmapp-layout <version>', 'VMAPP as in GICv4.0 or 4.1')
        .choices(['4.0', '4.1'])
        .default('4.0'),
    )
    .option('--pta', 'RDbase is a physical address (GITS_TYPER.PTA=1), not a processor number')
    .option('--limit <count>', 'stop after this many commands', parseCount)
    .option('--all', 'list empty (all-zero) slots of a dump too')
    .option('--json', 'print one JSON document')
    .addHelpText('after', hexHelp)
    .action(async (file: string, options: Options) => {
      const commands: DecodedCommand[] = [];
      const totals = { commands: 0, withProblems: 0, failing: 0, emptySlots: 0 };
      const encoding: CommandOptions = {
        vmappLayout: options.vmappLayout,
        physicalTargetAddresses: options.pta === true,
      };
      const trial = await CommandTrial.create(encoding);
      for await (const slot of slotsOf(file, options)) {
        if (totals.commands === options.limit) break;
        if (slot === 'empty') {
          totals.emptySlots++;
          continue;
        }
        const decoded = decode(slot, encoding, trial);
        totals.commands++;
        if (decoded.problems.length > 0) totals.withProblems++;
        if (decoded.outcome !== 'ok') totals.failing++;
        if (options.json) commands.push(decoded);
        else printCommand(decoded);
      }
      if (options.json) printJson({ file, commands, emptySlots: totals.emptySlots });
      else printTotals(totals);
    });
}

const hexHelp = `
Hexadecimal text is either doublewords with 0x, four a command, or bytes in memory order.
A # starts a comment.

Lines with ! tell what is wrong with a command by itself. Lines with = tell what does not succeed
where the commands are run, in their order, by an ITS with 256 PEs, 32-bit DeviceIDs, 16-bit EventIDs
and 18-bit INTIDs that has nothing mapped at first.`;

/** The commands of a file; a slot of a dump that holds nothing but zeros was most likely never written. */
async function* slotsOf(file: string, options: Options): AsyncGenerator<QueueSlot | 'empty'> {
  if (!/\.jsonl(\.gz)?$/.test(file)) {
    for (const slot of readQueueDump(readContents(file), file.replace(/\.gz$/, ''))) {
      yield options.all || slot.words.some((word) => word !== 0n) ? slot : 'empty';
    }
    return;
  }
  // Text is printed while it is read, which shows the progress by itself.
  const progress = options.json && createProgress('decode', statSync(file).size);
  try {
    yield* readCapturedCommands(file, (bytes) => progress?.update(bytes));
  } finally {
    progress?.stop();
  }
}

function decode({ offset, words }: QueueSlot, options: CommandOptions, trial: CommandTrial): DecodedCommand {
  const command = decodeDoublewords(words, options);
  const { command: name, ...fields } = command;
  return {
    offset,
    command: name,
    text: formatCommand(command, options),
    fields: command.command === 'UNKNOWN' ? { ...fields, raw: words.map(doublewordText) } : fields,
    problems: commandProblems(words, options),
    outcome: trial.outcomeOf(words),
  };
}

function printCommand({ offset, text, problems, outcome }: DecodedCommand): void {
  printLine(`0x${offset.toString(16).padStart(6, '0')}  ${text}`);
  for (const problem of problems) printLine(`          ! ${problem}`);
  if (outcome !== 'ok') printLine(`          = ${outcome}`);
}

function printTotals(totals: {
  commands: number;
  withProblems: number;
  failing: number;
  emptySlots: number;
}): void {
  const { commands, withProblems, failing, emptySlots } = totals;
  const empty = emptySlots > 0 ? `, ${emptySlots} empty slots not shown` : '';
  printLine(`${commands} commands, ${withProblems} with problems, ${failing} failing${empty}`);
}

function parseCount(text: string): number {
  if (!/^[1-9][0-9]*$/.test(text)) throw new InvalidArgumentError('It must be an integer from 1.');
  return Number(text);
}

import { decodeDoublewords } from './codec.ts';
import { type CommandOptions, type Doublewords, fieldsOf, maskOf, shiftOf } from './command.ts';
import type { Field, OperandRule } from './definitions.ts';
import { doublewordText } from './text.ts';

const commandNumberMask = 0xffn;
const noDoorbell = 1023;
const lowestLpi = 8192;

/**
 * What is wrong with a command by itself, without knowing the state of the ITS: an unknown number, operands that
 * no ITS can accept, unaligned addresses, reserved bits that are set. Empty when nothing is.
 */
export function commandProblems(words: Doublewords, options: CommandOptions = {}): string[] {
  const command = decodeDoublewords(words, options);
  if (command.command === 'UNKNOWN') return [`command number 0x${command.number.toString(16)} is unknown`];
  const layout = command.command === 'VMAPP' ? command.layout : undefined;
  const fields = Object.values(fieldsOf(command.command, layout));
  const values = command as unknown as Readonly<Record<string, number | boolean>>;
  const operands = Object.entries(fieldsOf(command.command, layout)).flatMap(([property, field]) => {
    if (field.onlyIf !== undefined && !values[field.onlyIf]) return [];
    return operandProblem(Number(values[property]), field, options) ?? [];
  });
  return [...operands, ...reservedBitProblems(words, fields, options)];
}

function operandProblem(value: number, field: Field, options: CommandOptions): string | undefined {
  if (field.kind === 'rdBase' && !options.physicalTargetAddresses && value > 0xffff) {
    return `${field.label} ${value} is not a 16-bit processor number`;
  }
  return field.rule && ruleProblem[field.rule](value, field.label);
}

const ruleProblem: Record<OperandRule, (value: number, label: string) => string | undefined> = {
  lpi: (value, label) =>
    value < lowestLpi ? `${label} ${value} is not an LPI (below ${lowestLpi})` : undefined,
  doorbell: (value, label) =>
    value < lowestLpi && value !== noDoorbell
      ? `${label} ${value} is neither an LPI nor ${noDoorbell} (no doorbell)`
      : undefined,
  vptSize: (value, label) =>
    value < 13 ? `${label} ${value} leaves no room for a vLPI (below 13)` : undefined,
};

function reservedBitProblems(
  words: Doublewords,
  fields: readonly Field[],
  options: CommandOptions,
): string[] {
  return words.flatMap((word, index) => {
    const own = fields.filter((field) => field.doubleword === index);
    let reserved = own.reduce((bits, field) => bits & ~maskOf(field), word);
    if (index === 0) reserved &= ~commandNumberMask;
    const problems: string[] = [];
    for (const field of own) {
      const isAddress =
        field.kind === 'address' || (field.kind === 'rdBase' && options.physicalTargetAddresses);
      const below = isAddress ? reserved & ((1n << BigInt(field.low)) - 1n) : 0n;
      if (below === 0n) continue;
      const address = (word & maskOf(field)) | below;
      problems.push(
        `${field.label} 0x${address.toString(16)} is not aligned to ${2 ** shiftOf(field, options)} bytes`,
      );
      reserved &= ~below;
    }
    if (reserved !== 0n) problems.push(`reserved bits of DW${index} are set: ${doublewordText(reserved)}`);
    return problems;
  });
}

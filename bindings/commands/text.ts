import { type CommandOptions, fieldsOf, type ItsCommand } from './command.ts';
import type { Field } from './definitions.ts';

/**
 * A command on one line with the Arm manual's names, such as `MAPTI DeviceID 0x10, EventID 0x5, pINTID 8197, ICID 3`.
 * `options.physicalTargetAddresses` writes an RDbase as the address that it then is.
 */
export function formatCommand(command: ItsCommand, options: CommandOptions = {}): string {
  if (command.command === 'UNKNOWN') {
    return `UNKNOWN ${hex(command.number)}: ${command.raw.map(doublewordText).join(' ')}`;
  }
  const layout = command.command === 'VMAPP' ? command.layout : undefined;
  const values = command as unknown as Readonly<Record<string, number | boolean>>;
  const operands = Object.entries(fieldsOf(command.command, layout)).map(
    ([property, field]) => `${field.label} ${valueText(values[property] ?? 0, field, options)}`,
  );
  return `${command.command} ${operands.join(', ')}`;
}

/** A 64-bit word at full width. */
export function doublewordText(word: bigint): string {
  return `0x${word.toString(16).padStart(16, '0')}`;
}

function valueText(value: number | boolean, field: Field, options: CommandOptions): string {
  const number = Number(value);
  const isAddress = field.kind === 'rdBase' && options.physicalTargetAddresses;
  return field.radix === 'hex' || isAddress ? hex(number) : String(number);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

import { type CommandName, commandDefinitions, type Field, vmapp41Fields } from './definitions.ts';

/** The four little-endian 64-bit words of a command, DW0 (which holds the command number) first. */
export type Doublewords = readonly [bigint, bigint, bigint, bigint];

/** What the encoding of commands depends on besides the command. */
export interface CommandOptions {
  /** GITS_TYPER.PTA: RDbase properties are physical addresses (true) or processor numbers (false, the default). */
  readonly physicalTargetAddresses?: boolean;
  /** GITS_TYPER.VMAPP: how the bits of a VMAPP are read, as in GICv4.0 (the default) or GICv4.1. */
  readonly vmappLayout?: VmappLayout;
}

export type VmappLayout = '4.0' | '4.1';

type Values<Fields> = {
  [Name in keyof Fields]: Fields[Name] extends Field<'flag'> ? boolean : number;
};

type PlainCommand = {
  [Name in Exclude<CommandName, 'VMAPP'>]: { command: Name } & Values<
    (typeof commandDefinitions)[Name]['fields']
  >;
}[Exclude<CommandName, 'VMAPP'>];

type VmappCommand =
  | ({ command: 'VMAPP'; layout: '4.0' } & Values<(typeof commandDefinitions)['VMAPP']['fields']>)
  | ({ command: 'VMAPP'; layout: '4.1' } & Values<typeof vmapp41Fields>);

/** A command whose number the architecture does not define. */
export interface UnknownCommand {
  command: 'UNKNOWN';
  /** DW0[7:0]. */
  number: number;
  raw: Doublewords;
}

/**
 * An ITS command as data: the properties of each are the fields that `commandDefinitions` lists for it, with Arm's
 * meaning (so `size` is the number of bits minus one), and addresses whole.
 */
export type ItsCommand = PlainCommand | VmappCommand | UnknownCommand;

/** The fields of a command's encoding by property name, in the order of its text. */
export function fieldsOf(
  name: CommandName,
  layout: VmappLayout | undefined,
): Readonly<Record<string, Field>> {
  return name === 'VMAPP' && layout === '4.1' ? vmapp41Fields : commandDefinitions[name].fields;
}

/** The power of two by which a field's bits are scaled in its property. */
export function shiftOf(field: Field, options: CommandOptions): number {
  return field.kind === 'rdBase' && options.physicalTargetAddresses ? field.low : field.shift;
}

/** The bits of its doubleword that a field takes. */
export function maskOf({ high, low }: Pick<Field, 'high' | 'low'>): bigint {
  return ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
}

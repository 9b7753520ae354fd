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

/** How the bits of a VMAPP are read. */
export type VmappLayout = '4.0' | '4.1';

type Values<Fields> = {
  [Name in keyof Fields]: Fields[Name] extends Field<'flag'> ? boolean : number;
};

/**
 * A command other than VMAPP: its name, and its operands under these names.
 *
 * - MAPD: deviceId, size, ittAddress, valid
 * - MAPC: icid, rdBase, valid
 * - MAPTI: deviceId, eventId, pIntid, icid
 * - MAPI: deviceId, eventId, icid
 * - MOVI: deviceId, eventId, icid
 * - DISCARD, INT, CLEAR, INV: deviceId, eventId
 * - INVALL: icid
 * - MOVALL: rdBase1, rdBase2
 * - SYNC: rdBase
 * - VMAPTI: deviceId, eventId, vpeId, vIntid, doorbell
 * - VMAPI: deviceId, eventId, vpeId, doorbell
 * - VMOVI: deviceId, eventId, vpeId, doorbellValid, doorbell
 * - VMOVP: vpeId, rdBase, sequenceNumber, itsList, defaultDoorbellValid, defaultDoorbell
 * - VSGI: vpeId, vIntid, enable, group, priority, clear
 * - VSYNC, VINVALL, INVDB: vpeId
 */
export type PlainCommand = {
  [Name in Exclude<CommandName, 'VMAPP'>]: {
    /** The mnemonic. */
    command: Name;
  } & Values<(typeof commandDefinitions)[Name]['fields']>;
}[Exclude<CommandName, 'VMAPP'>];

/**
 * VMAPP with its operands: vpeId, rdBase, vptSize, vptAddress and valid, and in the layout of GICv4.1 vconfAddress,
 * defaultDoorbell, alloc and ptz.
 */
export type VmappCommand =
  | ({
      /** VMAPP. */
      command: 'VMAPP';
      /** As GICv4.0 has it. */
      layout: '4.0';
    } & Values<(typeof commandDefinitions)['VMAPP']['fields']>)
  | ({
      /** VMAPP. */
      command: 'VMAPP';
      /** As GICv4.1 has it. */
      layout: '4.1';
    } & Values<typeof vmapp41Fields>);

/** A command whose number the architecture does not define. */
export interface UnknownCommand {
  /** UNKNOWN. */
  command: 'UNKNOWN';
  /** DW0[7:0]. */
  number: number;
  /** All of it. */
  raw: Doublewords;
}

/**
 * An ITS command as data. Operands have Arm's meaning (so `size` is the number of bits minus one), addresses are whole,
 * single bits are booleans, and `rdBase` is a PE's number, or with GITS_TYPER.PTA the address of its redistributor.
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

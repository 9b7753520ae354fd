import { type CommandName, commandDefinitions } from './definitions.ts';

/** Arm's mnemonic for why an ITS refuses a command. */
export type CommandErrorReason = keyof typeof reasonTexts;

/** One architected command error, as an SEI of the ITS reports it. */
export interface CommandError {
  /** 0x01_CC_EE: CC the command, EE the reason. */
  readonly code: number;
  /** The command that was refused. */
  readonly command: CommandName;
  /** Why. */
  readonly reason: CommandErrorReason;
  /** Command and reason in one name, such as `MAPD_DEVICE_OOR`. */
  readonly name: string;
  /** Why, in words. */
  readonly text: string;
}

const reasonTexts = {
  DEVICE_OOR: 'the DeviceID is out of range',
  ITTSIZE_OOR: 'Size exceeds the EventID bits of the ITS',
  PROCNUM_OOR: 'an RDbase names no redistributor',
  COLLECTION_OOR: 'the ICID is out of range',
  UNMAPPED_DEVICE: 'the device is not mapped',
  ID_OOR: 'the EventID is out of range of the device',
  PHYSICALID_OOR: 'the pINTID is not an LPI that is implemented',
  UNMAPPED_INTERRUPT: 'the event is not mapped',
  UNMAPPED_COLLECTION: 'the collection is not mapped',
} as const;

type Reasons = Readonly<Record<number, CommandErrorReason>>;

const eventLookup: Reasons = { 1: 'DEVICE_OOR', 4: 'UNMAPPED_DEVICE', 5: 'ID_OOR' };
const mappedEvent: Reasons = { ...eventLookup, 7: 'UNMAPPED_INTERRUPT' };

/** EE of each command that has architected codes; the codes of SYNC and of the GICv4 commands are not published. */
const reasons: Partial<Record<CommandName, Reasons>> = {
  MAPD: { 1: 'DEVICE_OOR', 2: 'ITTSIZE_OOR' },
  MAPC: { 2: 'PROCNUM_OOR', 3: 'COLLECTION_OOR' },
  MAPTI: { ...eventLookup, 3: 'COLLECTION_OOR', 6: 'PHYSICALID_OOR' },
  MAPI: { ...eventLookup, 3: 'COLLECTION_OOR' },
  MOVI: { ...mappedEvent, 3: 'COLLECTION_OOR', 9: 'UNMAPPED_COLLECTION' },
  INT: mappedEvent,
  CLEAR: mappedEvent,
  DISCARD: mappedEvent,
  INV: mappedEvent,
  INVALL: { 3: 'COLLECTION_OOR', 9: 'UNMAPPED_COLLECTION' },
  MOVALL: { 1: 'PROCNUM_OOR' },
};

/** CC is the command's number, except that CLEAR has 0x05. */
function commandByte(command: CommandName): number {
  return command === 'CLEAR' ? 0x05 : commandDefinitions[command].number;
}

/** The architected command errors by code. */
export const commandErrors: ReadonlyMap<number, CommandError> = new Map(
  (Object.entries(reasons) as [CommandName, Reasons][]).flatMap(([command, ofCommand]) =>
    Object.entries(ofCommand).map(([reasonByte, reason]): [number, CommandError] => {
      const code = 0x01_0000 | (commandByte(command) << 8) | Number(reasonByte);
      return [code, { code, command, reason, name: `${command}_${reason}`, text: reasonTexts[reason] }];
    }),
  ),
);

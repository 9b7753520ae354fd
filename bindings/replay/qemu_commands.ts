import type { ItsCommand } from '../commands/command.ts';
import type { CommandName } from '../commands/definitions.ts';
import type { QemuFields } from './events.ts';

/** QEMU's name of an operand, and the power of two by which QEMU divides it. */
type Operand = readonly [name: string, shift?: number];

const deviceId: Operand = ['DeviceID'];
const eventId: Operand = ['EventID'];
const icid: Operand = ['ICID'];
const rdBase: Operand = ['RDbase'];
const vpeId: Operand = ['vPEID'];
const doorbell: Operand = ['Dbell_pINTID'];
const valid: Operand = ['V'];

/** The operands that QEMU's trace events tell of each command; SYNC, INVALL and VSYNC are traced without theirs. */
const operands: Partial<Record<CommandName, Readonly<Record<string, Operand>>>> = {
  MOVI: { deviceId, eventId, icid },
  INT: { deviceId, eventId },
  CLEAR: { deviceId, eventId },
  SYNC: {},
  MAPD: { deviceId, size: ['Size'], ittAddress: ['ITT_addr', 8], valid },
  MAPC: { icid, rdBase, valid },
  MAPTI: { deviceId, eventId, icid, pIntid: ['pINTID'] },
  MAPI: { deviceId, eventId, icid },
  INV: { deviceId, eventId },
  INVALL: {},
  MOVALL: { rdBase1: ['RDbase1'], rdBase2: ['RDbase2'] },
  DISCARD: { deviceId, eventId },
  VMOVI: { deviceId, eventId, vpeId, doorbellValid: ['D'], doorbell },
  VMOVP: { vpeId, rdBase },
  VSYNC: {},
  VMAPP: { vpeId, rdBase, valid, vptAddress: ['VPT_addr', 16], vptSize: ['VPT_size'] },
  VMAPTI: { deviceId, eventId, vpeId, vIntid: ['vINTID'], doorbell },
  VMAPI: { deviceId, eventId, vpeId, doorbell },
  VINVALL: { vpeId },
};

const flags = new Set(['valid', 'doorbellValid']);

/** Commands whose operands QEMU's trace events lack. */
export const commandsWithoutOperands: ReadonlySet<string> = new Set(['SYNC', 'INVALL', 'VSYNC']);

/** Values of the operands that a trace leaves out: they have no effect in the recorded hardware. */
const untold: Partial<Record<CommandName, Readonly<Record<string, number | boolean>>>> = {
  SYNC: { rdBase: 0 },
  INVALL: { icid: 0 },
  VSYNC: { vpeId: 0 },
  VMOVP: { sequenceNumber: 0, itsList: 0, defaultDoorbellValid: false, defaultDoorbell: 0 },
};

/** The command that QEMU traced as `name`; undefined where the name or an operand is unknown. */
export function commandOfQemu(name: string, fields: QemuFields): ItsCommand | undefined {
  if (name === 'UNKNOWN') {
    const { command: number = 0 } = fields;
    return { command: 'UNKNOWN', number, raw: [BigInt(number), 0n, 0n, 0n] };
  }
  if (!isTraced(name)) return undefined;
  const values: Record<string, number | boolean> = { ...untold[name] };
  for (const [property, operand] of Object.entries(operands[name] ?? {})) {
    const value = operandValue(property, operand, fields);
    if (value === undefined) return undefined;
    values[property] = value;
  }
  // The table of operands has the properties of the command's type, which the encoder checks once more.
  return { command: name, ...(name === 'VMAPP' && { layout: '4.0' }), ...values } as ItsCommand;
}

/** The first operand in which a decoded command and QEMU's decoding of it differ; undefined where none does. */
export function differenceFromQemu(
  command: ItsCommand,
  name: string,
  fields: QemuFields,
): { operand: string; qemu: string; decoded: string } | undefined {
  if (command.command === 'UNKNOWN' && !isTraced(name)) return undefined;
  if (command.command !== name) return { operand: 'command', qemu: name, decoded: command.command };
  const values: Readonly<Record<string, unknown>> = { ...command };
  for (const [property, operand] of Object.entries((isTraced(name) && operands[name]) || {})) {
    if (fields[operand[0]] === undefined) continue;
    const told = operandValue(property, operand, fields);
    if (told !== values[property]) {
      return { operand: operand[0], qemu: String(told), decoded: String(values[property]) };
    }
  }
  return undefined;
}

function isTraced(name: string): name is CommandName {
  return Object.hasOwn(operands, name);
}

function operandValue(
  property: string,
  [name, shift = 0]: Operand,
  fields: QemuFields,
): number | boolean | undefined {
  const told = fields[name];
  if (told === undefined) return undefined;
  return flags.has(property) ? told !== 0 : told * 2 ** shift;
}

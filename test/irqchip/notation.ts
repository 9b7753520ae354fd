import type { DriverAction } from '../../bindings/index.ts';

/** Short names of command operands, by the Arm manual's names. */
const operands: Readonly<Record<string, string>> = {
  DeviceID: 'd',
  EventID: 'e',
  pINTID: 'p',
  ICID: 'c',
  RDbase: 'rd',
  vPEID: 'vpe',
  vINTID: 'v',
  Dbell_pINTID: 'db',
  Default_Doorbell: 'default',
  SequenceNumber: 'seq',
  ITSList: 'list',
  Size: 'size',
  VPT_size: 'bits',
  ITT_addr: 'itt',
  VPT_addr: 'vpt',
  VCONF_ADDR: 'vconf',
};

/** Numbers that have a name in a log, such as the LPI of a doorbell, which is as the allocator chose. */
export type Names = ReadonlyMap<number, string>;

const hex = (value: bigint | number) => value.toString(16);

function command(text: string, names: Names): string {
  const [name, ...words] = text.replaceAll(',', '').split(' ');
  const fields: string[] = [];
  for (let n = 0; n < words.length; n += 2)
    fields.push(operand(words[n] as string, words[n + 1] as string, names));
  return [name, ...fields].join(' ');
}

function operand(label: string, text: string, names: Names): string {
  const value = Number(text);
  const name = operands[label] ?? label;
  if (/addr$/i.test(label)) return `${name}=${names.get(value) ?? (value ? 'table' : '0')}`;
  if (/INTID$|Doorbell$/.test(label)) return `${name}=${names.get(value) ?? value}`;
  return `${name}=${['d', 'list', 'Priority'].includes(name) ? `0x${hex(value)}` : value}`;
}

/** Registers whose value is the INTID that is meant. */
const ofIntids = ['INVLPIR', 'SETLPIR', 'CLRLPIR'];
const ADDRESS = 0x000f_ffff_ffff_0000n;

/** A register; an address in [51:16] that has a name stands beside the other bits. */
function register(name: string, value: bigint, names: Names): string {
  const intid = ofIntids.includes(name) ? names.get(Number(value)) : undefined;
  const table = names.get(Number(value & ADDRESS));
  const number = table ? `0x${hex(value & ~ADDRESS)}|${table}` : `0x${hex(value)}`;
  return `${name}=${intid ?? number}`;
}

/** Who acts, and what it does. */
function parts(action: DriverAction, names: Names): [actor: string, text: string] {
  switch (action.kind) {
    case 'command':
      return [`ITS${action.its}: `, command(action.text, names)];
    case 'its-write':
      return [`ITS${action.its}: `, `[0x${hex(action.offset)}]=0x${hex(action.value)}`];
    case 'rd-write':
      return [`RD${action.cpu}: `, register(action.register.replace('GICR_', ''), action.value, names)];
    case 'rd-poll':
      return [`RD${action.cpu}: `, `poll ${action.register.replace('GICR_', '')}`];
    case 'config':
      return ['', `PCFG[${names.get(action.intid) ?? action.intid}]=0x${hex(action.value)}`];
    case 'virtual-config':
      return ['', `VCFG(${action.vm})[${action.vIntid}]=0x${hex(action.value)}`];
  }
}

/**
 * A log with a line for each posting on a queue, a register access with its wait, or a configuration byte:
 *
 * `ITS0: MAPTI d=0x10 e=3 p=lpi c=1; SYNC rd=1` is one posting on ITS 0's queue,
 * `RD1: INVLPIR=lpi; poll SYNCR` a write to redistributor 1 and a busy wait,
 * `RD0: VPENDBASER=0xe000000000000780|vpt0` a register with the address of a table,
 * `PCFG[lpi]=0xa3` and `VCFG(0)[8300]=0x42` a byte of the physical table and of the virtual one of VM 0.
 */
export function notation(log: readonly DriverAction[], names: Names = new Map()): string[] {
  const lines: string[] = [];
  for (const action of log) {
    const [actor, text] = parts(action, names);
    const last = lines.length - 1;
    const goesOn =
      /^(SYNC|VSYNC|poll) /.test(text) && lines[last]?.startsWith(actor) && !lines[last]?.includes(';');
    if (goesOn) lines[last] += `; ${text}`;
    else lines.push(actor + text);
  }
  return lines;
}

/** The lines of a golden log, without its indentation. */
export function golden(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

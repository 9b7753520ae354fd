import { decodeDoublewords } from '../commands/codec.ts';
import type { Doublewords, ItsCommand } from '../commands/command.ts';
import { formatCommand } from '../commands/text.ts';

/** One thing that the driver did to the hardware. */
export type DriverAction =
  | {
      /** A command in the queue of an ITS. */
      readonly kind: 'command';
      /** The ITS, from 0. */
      readonly its: number;
      /** The command as data. */
      readonly command: ItsCommand;
      /** The command as `formatCommand` writes it. */
      readonly text: string;
    }
  | {
      /** A write of a redistributor's register. */
      readonly kind: 'rd-write';
      /** The PE, from 0. */
      readonly cpu: number;
      /** Its architectural name. */
      readonly register: string;
      /** What was written. */
      readonly value: bigint;
    }
  | {
      /** A wait until a redistributor's register shows that something is done. */
      readonly kind: 'rd-poll';
      /** The PE, from 0. */
      readonly cpu: number;
      /** Its architectural name. */
      readonly register: string;
    }
  | {
      /** A store to the configuration byte of an LPI. */
      readonly kind: 'config';
      /** The LPI. */
      readonly intid: number;
      /** Priority in [7:2], enable bit in [0]. */
      readonly value: number;
    }
  | {
      /** A store to the configuration byte of a VLPI, in the table of a VM. */
      readonly kind: 'virtual-config';
      /** `Vm.index`. */
      readonly vm: number;
      /** The VLPI. */
      readonly vIntid: number;
      /** Priority in [7:2], enable bit in [0]. */
      readonly value: number;
    }
  | {
      /** A write of an ITS's register. */
      readonly kind: 'its-write';
      /** The ITS, from 0. */
      readonly its: number;
      /** Offset from GITS_CTLR. */
      readonly offset: number;
      /** What was written. */
      readonly value: bigint;
    };

/** GICR registers by their offset from RD_base. */
const registers: ReadonlyMap<number, string> = new Map([
  [0x0000, 'CTLR'],
  [0x0014, 'WAKER'],
  [0x0040, 'SETLPIR'],
  [0x0048, 'CLRLPIR'],
  [0x0070, 'PROPBASER'],
  [0x0078, 'PENDBASER'],
  [0x00a0, 'INVLPIR'],
  [0x00b0, 'INVALLR'],
  [0x00c0, 'SYNCR'],
  [0x2_0070, 'VPROPBASER'],
  [0x2_0078, 'VPENDBASER'],
  [0x2_0080, 'VSGIR'],
  [0x2_0088, 'VSGIPENDR'],
]);

function registerOf(offset: bigint): string {
  return `GICR_${registers.get(Number(offset)) ?? `0x${offset.toString(16)}`}`;
}

/** The action of a log record: its kind, the PE, ITS or VM, and four doublewords. */
export function decodeAction(
  kind: number,
  unit: number,
  words: Doublewords,
  vmappLayout: '4.0' | '4.1',
): DriverAction {
  const [a, b] = words;
  switch (kind) {
    case 1: {
      const command = decodeDoublewords(words, { vmappLayout });
      return { kind: 'command', its: unit, command, text: formatCommand(command) };
    }
    case 2:
      return { kind: 'rd-write', cpu: unit, register: registerOf(a), value: b };
    case 3:
      return { kind: 'rd-poll', cpu: unit, register: registerOf(a) };
    case 4:
      return { kind: 'config', intid: Number(a), value: Number(b) };
    case 5:
      return { kind: 'virtual-config', vm: unit, vIntid: Number(a), value: Number(b) };
    default:
      return { kind: 'its-write', its: unit, offset: Number(a), value: b };
  }
}

/** A line for people: `ITS0: MAPTI DeviceID 0x10, ...`, `RD1: GICR_INVLPIR = 0x2000`, `CFG[8192] = 0xa3`. */
export function actionText(action: DriverAction): string {
  switch (action.kind) {
    case 'command':
      return `ITS${action.its}: ${action.text}`;
    case 'rd-write':
      return `RD${action.cpu}: ${action.register} = 0x${action.value.toString(16)}`;
    case 'rd-poll':
      return `RD${action.cpu}: poll ${action.register}`;
    case 'config':
      return `CFG[${action.intid}] = 0x${action.value.toString(16)}`;
    case 'virtual-config':
      return `VCFG(${action.vm})[${action.vIntid}] = 0x${action.value.toString(16)}`;
    case 'its-write':
      return `ITS${action.its}: [0x${action.offset.toString(16)}] = 0x${action.value.toString(16)}`;
  }
}

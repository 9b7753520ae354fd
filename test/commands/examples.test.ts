import { describe, expect, it } from 'vitest';
import { decodeDoublewords, encodeCommand, encodeDoublewords } from '../../bindings/commands/codec.ts';
import type { CommandOptions, Doublewords, ItsCommand } from '../../bindings/commands/command.ts';
import { commandProblems } from '../../bindings/commands/problems.ts';
import { formatCommand } from '../../bindings/commands/text.ts';

interface Example {
  readonly section: string;
  readonly words: Doublewords;
  readonly command: ItsCommand;
  readonly text: string;
  readonly options?: CommandOptions;
}

const event = { deviceId: 0x10, eventId: 5 };
const eventText = 'DeviceID 0x10, EventID 0x5';
const layout41: CommandOptions = { vmappLayout: '4.1' };

const examples: Example[] = [
  {
    section: '6.2 MAPD, map',
    words: [0x0000_0010_0000_0008n, 4n, 0x8000_0008_0010_0000n, 0n],
    command: { command: 'MAPD', deviceId: 0x10, size: 4, ittAddress: 0x8_0010_0000, valid: true },
    text: 'MAPD DeviceID 0x10, Size 4, ITT_addr 0x800100000, V 1',
  },
  {
    section: '6.2 MAPD, unmap',
    words: [0x0000_0010_0000_0008n, 0n, 0n, 0n],
    command: { command: 'MAPD', deviceId: 0x10, size: 0, ittAddress: 0, valid: false },
    text: 'MAPD DeviceID 0x10, Size 0, ITT_addr 0x0, V 0',
  },
  {
    section: '6.3 MAPC, processor number',
    words: [9n, 0n, 0x8000_0000_0002_0003n, 0n],
    command: { command: 'MAPC', icid: 3, rdBase: 2, valid: true },
    text: 'MAPC ICID 3, RDbase 2, V 1',
  },
  {
    section: '6.3 MAPC, physical target address',
    words: [9n, 0n, 0x8000_0000_080c_0003n, 0n],
    command: { command: 'MAPC', icid: 3, rdBase: 0x080c_0000, valid: true },
    text: 'MAPC ICID 3, RDbase 0x80c0000, V 1',
    options: { physicalTargetAddresses: true },
  },
  {
    section: '6.4 MAPTI',
    words: [0x0000_0010_0000_000an, 0x0000_2005_0000_0005n, 3n, 0n],
    command: { command: 'MAPTI', ...event, pIntid: 8197, icid: 3 },
    text: `MAPTI ${eventText}, pINTID 8197, ICID 3`,
  },
  {
    section: '6.5 MAPI',
    words: [0x0000_0010_0000_000bn, 0x2008n, 3n, 0n],
    command: { command: 'MAPI', deviceId: 0x10, eventId: 8200, icid: 3 },
    text: 'MAPI DeviceID 0x10, EventID 0x2008, ICID 3',
  },
  {
    section: '6.6 MOVI',
    words: [0x0000_0010_0000_0001n, 5n, 4n, 0n],
    command: { command: 'MOVI', ...event, icid: 4 },
    text: `MOVI ${eventText}, ICID 4`,
  },
  {
    section: '6.7 MOVALL',
    words: [0x0en, 0n, 0x2_0000n, 0x4_0000n],
    command: { command: 'MOVALL', rdBase1: 2, rdBase2: 4 },
    text: 'MOVALL RDbase1 2, RDbase2 4',
  },
  {
    section: '6.8 INT',
    words: [0x0000_0010_0000_0003n, 5n, 0n, 0n],
    command: { command: 'INT', ...event },
    text: `INT ${eventText}`,
  },
  {
    section: '6.9 CLEAR',
    words: [0x0000_0010_0000_0004n, 5n, 0n, 0n],
    command: { command: 'CLEAR', ...event },
    text: `CLEAR ${eventText}`,
  },
  {
    section: '6.10 DISCARD',
    words: [0x0000_0010_0000_000fn, 5n, 0n, 0n],
    command: { command: 'DISCARD', ...event },
    text: `DISCARD ${eventText}`,
  },
  {
    section: '6.11 INV',
    words: [0x0000_0010_0000_000cn, 5n, 0n, 0n],
    command: { command: 'INV', ...event },
    text: `INV ${eventText}`,
  },
  {
    section: '6.12 INVALL',
    words: [0x0dn, 0n, 3n, 0n],
    command: { command: 'INVALL', icid: 3 },
    text: 'INVALL ICID 3',
  },
  {
    section: '6.13 SYNC',
    words: [5n, 0n, 0x2_0000n, 0n],
    command: { command: 'SYNC', rdBase: 2 },
    text: 'SYNC RDbase 2',
  },
  {
    section: '6.14 VMAPP of GICv4.0, map',
    words: [0x29n, 0x0000_0007_0000_0000n, 0x8000_0000_0001_0000n, 0x0000_0008_8000_000fn],
    command: {
      command: 'VMAPP',
      layout: '4.0',
      vpeId: 7,
      rdBase: 1,
      vptSize: 15,
      vptAddress: 0x8_8000_0000,
      valid: true,
    },
    text: 'VMAPP vPEID 7, RDbase 1, VPT_size 15, VPT_addr 0x880000000, V 1',
  },
  {
    section: '6.14 VMAPP of GICv4.0, unmap',
    words: [0x29n, 0x0000_0007_0000_0000n, 0n, 0n],
    command: {
      command: 'VMAPP',
      layout: '4.0',
      vpeId: 7,
      rdBase: 0,
      vptSize: 0,
      vptAddress: 0,
      valid: false,
    },
    text: 'VMAPP vPEID 7, RDbase 0, VPT_size 0, VPT_addr 0x0, V 0',
  },
  {
    section: '6.15 VMAPP of GICv4.1, map',
    words: [0x0000_0008_9000_0329n, 0x0000_0007_0000_2328n, 0x8000_0000_0001_0000n, 0x0000_0008_8000_000fn],
    command: {
      command: 'VMAPP',
      layout: '4.1',
      vpeId: 7,
      rdBase: 1,
      vptSize: 15,
      vptAddress: 0x8_8000_0000,
      valid: true,
      alloc: true,
      ptz: true,
      vconfAddress: 0x8_9000_0000,
      defaultDoorbell: 9000,
    },
    text: 'VMAPP vPEID 7, RDbase 1, VPT_size 15, VPT_addr 0x880000000, V 1, Alloc 1, PTZ 1, VCONF_ADDR 0x890000000, Default_Doorbell 9000',
    options: layout41,
  },
  {
    section: '6.15 VMAPP of GICv4.1, last unmap',
    words: [0x129n, 0x0000_0007_0000_0000n, 0n, 0n],
    command: {
      command: 'VMAPP',
      layout: '4.1',
      vpeId: 7,
      rdBase: 0,
      vptSize: 0,
      vptAddress: 0,
      valid: false,
      alloc: true,
      ptz: false,
      vconfAddress: 0,
      defaultDoorbell: 0,
    },
    text: 'VMAPP vPEID 7, RDbase 0, VPT_size 0, VPT_addr 0x0, V 0, Alloc 1, PTZ 0, VCONF_ADDR 0x0, Default_Doorbell 0',
    options: layout41,
  },
  {
    section: '6.16 VMAPTI, with a doorbell',
    words: [0x0000_0010_0000_002an, 0x0000_0007_0000_0005n, 0x0000_2328_0000_2001n, 0n],
    command: { command: 'VMAPTI', ...event, vpeId: 7, vIntid: 8193, doorbell: 9000 },
    text: `VMAPTI ${eventText}, vPEID 7, vINTID 8193, Dbell_pINTID 9000`,
  },
  {
    section: '6.16 VMAPTI, without a doorbell',
    words: [0x0000_0010_0000_002an, 0x0000_0007_0000_0005n, 0x0000_03ff_0000_2001n, 0n],
    command: { command: 'VMAPTI', ...event, vpeId: 7, vIntid: 8193, doorbell: 1023 },
    text: `VMAPTI ${eventText}, vPEID 7, vINTID 8193, Dbell_pINTID 1023`,
  },
  {
    section: '6.17 VMAPI',
    words: [0x0000_0010_0000_002bn, 0x0000_0007_0000_2001n, 0x0000_2328_0000_0000n, 0n],
    command: { command: 'VMAPI', deviceId: 0x10, eventId: 8193, vpeId: 7, doorbell: 9000 },
    text: 'VMAPI DeviceID 0x10, EventID 0x2001, vPEID 7, Dbell_pINTID 9000',
  },
  {
    section: '6.18 VMOVI',
    words: [0x0000_0010_0000_0021n, 0x0000_0008_0000_0005n, 0x0000_2329_0000_0001n, 0n],
    command: { command: 'VMOVI', ...event, vpeId: 8, doorbellValid: true, doorbell: 9001 },
    text: `VMOVI ${eventText}, vPEID 8, D 1, Dbell_pINTID 9001`,
  },
  {
    section: '6.19 VMOVP of GICv4.0',
    words: [0x0000_0012_0000_0022n, 0x0000_0007_0000_0003n, 0x4_0000n, 0n],
    command: {
      command: 'VMOVP',
      vpeId: 7,
      rdBase: 4,
      sequenceNumber: 0x12,
      itsList: 3,
      defaultDoorbellValid: false,
      defaultDoorbell: 0,
    },
    text: 'VMOVP vPEID 7, RDbase 4, SequenceNumber 0x12, ITSList 0x3, DB 0, Default_Doorbell 0',
  },
  {
    section: '6.19 VMOVP of GICv4.1',
    words: [0x22n, 0x0000_0007_0000_0000n, 0x8000_0000_0004_0000n, 0x2328n],
    command: {
      command: 'VMOVP',
      vpeId: 7,
      rdBase: 4,
      sequenceNumber: 0,
      itsList: 0,
      defaultDoorbellValid: true,
      defaultDoorbell: 9000,
    },
    text: 'VMOVP vPEID 7, RDbase 4, SequenceNumber 0x0, ITSList 0x0, DB 1, Default_Doorbell 9000',
  },
  {
    section: '6.20 VINVALL',
    words: [0x2dn, 0x0000_0007_0000_0000n, 0n, 0n],
    command: { command: 'VINVALL', vpeId: 7 },
    text: 'VINVALL vPEID 7',
  },
  {
    section: '6.21 VSYNC',
    words: [0x25n, 0x0000_0007_0000_0000n, 0n, 0n],
    command: { command: 'VSYNC', vpeId: 7 },
    text: 'VSYNC vPEID 7',
  },
  {
    section: '6.22 VSGI, configure',
    words: [0x0000_0005_00a0_0523n, 0x0000_0007_0000_0000n, 0n, 0n],
    command: { command: 'VSGI', vpeId: 7, vIntid: 5, enable: true, group: 1, priority: 0xa0, clear: false },
    text: 'VSGI vPEID 7, vINTID 5, Enable 1, Group 1, Priority 0xa0, Clear 0',
  },
  {
    section: '6.22 VSGI, clear',
    words: [0x0000_0005_0000_0223n, 0x0000_0007_0000_0000n, 0n, 0n],
    command: { command: 'VSGI', vpeId: 7, vIntid: 5, enable: false, group: 0, priority: 0, clear: true },
    text: 'VSGI vPEID 7, vINTID 5, Enable 0, Group 0, Priority 0x0, Clear 1',
  },
  {
    section: '6.23 INVDB',
    words: [0x2en, 0x0000_0007_0000_0000n, 0n, 0n],
    command: { command: 'INVDB', vpeId: 7 },
    text: 'INVDB vPEID 7',
  },
];

describe.each(examples)('section $section', ({ words, command, text, options = {} }) => {
  it('decodes to its fields', () => {
    expect(decodeDoublewords(words, options)).toEqual(command);
  });

  it('encodes to its doublewords', () => {
    expect(encodeDoublewords(command, options)).toEqual(words);
  });

  it('is written as in the manual', () => {
    expect(formatCommand(command, options)).toBe(text);
  });

  it('has no problems', () => {
    expect(commandProblems(words, options)).toEqual([]);
  });
});

it('stands in memory with its least significant byte first', () => {
  const bytes = encodeCommand({ command: 'MAPTI', deviceId: 0x0102_0304, eventId: 5, pIntid: 8197, icid: 3 });
  expect(Buffer.from(bytes).toString('hex')).toBe(
    '0a00000004030201050000000520000003000000000000000000000000000000',
  );
});

import { expect, it } from 'vitest';
import { encodeDoublewords } from '../../bindings/commands/codec.ts';
import type { CommandOptions, Doublewords, ItsCommand } from '../../bindings/commands/command.ts';
import { commandProblems } from '../../bindings/commands/problems.ts';

const event = { deviceId: 1, eventId: 2 };

it.each<[string, ItsCommand, string[]]>([
  [
    'a pINTID below 8192',
    { command: 'MAPTI', ...event, pIntid: 8191, icid: 0 },
    ['pINTID 8191 is not an LPI (below 8192)'],
  ],
  [
    '1023 as pINTID',
    { command: 'MAPTI', ...event, pIntid: 1023, icid: 0 },
    ['pINTID 1023 is not an LPI (below 8192)'],
  ],
  [
    'an EventID of MAPI that is no LPI',
    { command: 'MAPI', ...event, icid: 0 },
    ['EventID 2 is not an LPI (below 8192)'],
  ],
  [
    'a vINTID and a doorbell below 8192',
    { command: 'VMAPTI', ...event, vpeId: 0, vIntid: 40, doorbell: 1022 },
    ['vINTID 40 is not an LPI (below 8192)', 'Dbell_pINTID 1022 is neither an LPI nor 1023 (no doorbell)'],
  ],
  [
    'a doorbell that VMOVI does not look at',
    { command: 'VMOVI', ...event, vpeId: 0, doorbellValid: false, doorbell: 5 },
    [],
  ],
  [
    'a doorbell that VMOVI looks at',
    { command: 'VMOVI', ...event, vpeId: 0, doorbellValid: true, doorbell: 5 },
    ['Dbell_pINTID 5 is neither an LPI nor 1023 (no doorbell)'],
  ],
  [
    'a processor number above 16 bits',
    { command: 'MAPC', icid: 0, rdBase: 0x1_0001, valid: true },
    ['RDbase 65537 is not a 16-bit processor number'],
  ],
  ['any RDbase where MAPC unmaps', { command: 'MAPC', icid: 0, rdBase: 0x1_0001, valid: false }, []],
  [
    'a virtual pending table without vLPIs',
    { command: 'VMAPP', layout: '4.0', vpeId: 0, rdBase: 0, vptSize: 12, vptAddress: 0, valid: true },
    ['VPT_size 12 leaves no room for a vLPI (below 13)'],
  ],
])('%s', (_, command, problems) => {
  expect(commandProblems(encodeDoublewords(command))).toEqual(problems);
});

it.each<[string, Doublewords, CommandOptions, string[]]>([
  ['an unknown number', [0x30n, 0n, 0n, 0n], {}, ['command number 0x30 is unknown']],
  [
    'an ITT that is not aligned',
    [8n, 4n, 0x8000_0000_0010_0080n, 0n],
    {},
    ['ITT_addr 0x100080 is not aligned to 256 bytes'],
  ],
  [
    'a VPT that is not aligned, beside its size',
    [0x29n, 0n, 1n << 63n, 0x802fn],
    {},
    ['VPT_addr 0x8020 is not aligned to 65536 bytes'],
  ],
  [
    'an RD_base that is not aligned',
    [5n, 0n, 0x080a_1000n, 0n],
    { physicalTargetAddresses: true },
    ['RDbase 0x80a1000 is not aligned to 65536 bytes'],
  ],
  [
    'reserved bits',
    [0x0000_0001_0000_ff03n, 1n << 32n, 0n, 1n],
    {},
    [
      'reserved bits of DW0 are set: 0x000000000000ff00',
      'reserved bits of DW1 are set: 0x0000000100000000',
      'reserved bits of DW3 are set: 0x0000000000000001',
    ],
  ],
  [
    'Alloc where VMAPP is as in GICv4.0',
    [0x129n, 0n, 0n, 0n],
    {},
    ['reserved bits of DW0 are set: 0x0000000000000100'],
  ],
  ['Alloc where VMAPP is as in GICv4.1', [0x129n, 0n, 0n, 0n], { vmappLayout: '4.1' }, []],
])('%s', (_, words, options, problems) => {
  expect(commandProblems(words, options)).toEqual(problems);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeCommand } from '../../bindings/commands/codec.ts';
import { run } from './run.ts';

const directory = mkdtempSync(join(tmpdir(), 'gicv4-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, contents: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, contents);
  return path;
}

const mapti = encodeCommand({ command: 'MAPTI', deviceId: 0x10, eventId: 5, pIntid: 8197, icid: 3 });
const sync = encodeCommand({ command: 'SYNC', rdBase: 2 });
const empty = new Uint8Array(32);
const queue = Buffer.concat([mapti, empty, sync, empty, empty]);

const decodedMapti = {
  offset: 0,
  command: 'MAPTI',
  text: 'MAPTI DeviceID 0x10, EventID 0x5, pINTID 8197, ICID 3',
  fields: { deviceId: 16, eventId: 5, pIntid: 8197, icid: 3 },
  problems: [],
  outcome: 'MAPTI_UNMAPPED_DEVICE',
};
const decodedSync = {
  offset: 64,
  command: 'SYNC',
  text: 'SYNC RDbase 2',
  fields: { rdBase: 2 },
  problems: [],
  outcome: 'ok',
};

async function json(...args: string[]) {
  const { code, out, err } = await run('decode', '--json', ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

describe('a queue as bytes', () => {
  const dump = file('cmdq.bin', queue);

  it('is disassembled to JSON', async () => {
    expect(await json(dump)).toEqual({ file: dump, commands: [decodedMapti, decodedSync], emptySlots: 3 });
  });

  it('is disassembled to text', async () => {
    expect(await run('decode', dump)).toEqual({
      code: 0,
      out: [
        '0x000000  MAPTI DeviceID 0x10, EventID 0x5, pINTID 8197, ICID 3',
        '          = MAPTI_UNMAPPED_DEVICE',
        '0x000040  SYNC RDbase 2',
        '2 commands, 0 with problems, 1 failing, 3 empty slots not shown',
        '',
      ].join('\n'),
      err: '',
    });
  });

  it('may be compressed', async () => {
    expect((await json(file('cmdq.bin.gz', gzipSync(queue)))).commands).toEqual([decodedMapti, decodedSync]);
  });

  it('shows empty slots when told to', async () => {
    const { commands, emptySlots } = await json('--all', dump);
    expect(emptySlots).toBe(0);
    expect(commands).toHaveLength(5);
    expect(commands[1]).toEqual({
      offset: 32,
      command: 'UNKNOWN',
      text: `UNKNOWN 0x0: ${Array(4).fill('0x0000000000000000').join(' ')}`,
      fields: { number: 0, raw: Array(4).fill('0x0000000000000000') },
      problems: ['command number 0x0 is unknown'],
      outcome: 'UNKNOWN_COMMAND',
    });
  });

  it('stops at the limit', async () => {
    expect((await json('--limit', '1', dump)).commands).toEqual([decodedMapti]);
  });

  it('must hold whole commands', async () => {
    const { code, err } = await run('decode', file('short.bin', queue.subarray(0, 40)));
    expect(code).toBe(2);
    expect(err).toMatch(/short\.bin: "40 bytes".*a multiple of 32 bytes\n$/);
  });
});

describe('a queue as text', () => {
  it('of doublewords, with comments', async () => {
    const text = `# from the manual
0x000000100000000A 0x0000200500000005 0x0000000000000003 0 # MAPTI
0x0, 0x0, 0x0, 0x0
0x05 0
0x20000 0`;
    expect((await json(file('queue.txt', text))).commands).toEqual([decodedMapti, decodedSync]);
  });

  it('of bytes in memory order', async () => {
    const digits = queue.toString('hex').replace(/.{50}/g, '$&\n');
    expect((await json(file('queue.hex', digits))).commands).toEqual([decodedMapti, decodedSync]);
  });

  it.each([
    ['a doubleword that is too long', '0x1 0x2\n0x12345678123456781 0', /:2: "0x12345678123456781"/],
    ['a doubleword missing', '0x5 0 0x20000', /"3 doublewords".*four doublewords/],
    ['half a byte', '05 0\n', /:1: "0".*in pairs/],
    ['half a command', '05000000', /"4 bytes".*a multiple of 32/],
  ])('is refused with %s', async (_, text, message) => {
    const { code, out, err } = await run('decode', '--json', file('bad.txt', text));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });
});

describe('a recording', () => {
  const event = (qoff: string, raw: string[]) =>
    JSON.stringify({ t: 1, dev: 'cmd', name: 'any', qoff, raw, f: {} });
  const other = '{"t":0,"dev":"its","op":"w","off":"0x88","size":8,"val":"0x20"}';
  const lines = [
    other,
    event('0x0', ['0x100000000a', '0x200500000005', '0x3', '0x0']),
    '{"t":2,"dev":"range","tbl":"cmd","pa":"0x1","len":1}',
    event('0x40', ['0x5', '0x0', '0x20000', '0x0']),
  ];

  it.each([
    ['plain', 'trace.jsonl', `${lines.join('\n')}\n`],
    ['without a last newline', 'cut.jsonl', lines.join('\n')],
    ['with CRLF', 'crlf.jsonl', lines.join('\r\n')],
    ['compressed', 'trace.jsonl.gz', gzipSync(lines.join('\n'))],
  ])('%s gives its commands', async (_, name, contents) => {
    expect((await json(file(name, contents))).commands).toEqual([decodedMapti, decodedSync]);
  });

  it.each([
    ['a line that is no event', [other, 'not JSON'], /bad\.jsonl:2: "not JSON"/],
    ['a line that is broken JSON', [other, other, '{"dev":"cmd",}'], /bad\.jsonl:3: /],
    [
      'a command of three words',
      [event('0x0', ['0x1', '0x2', '0x3'])],
      /bad\.jsonl:1: raw: .*four doublewords/,
    ],
    ['a word that is no number', [event('0x0', ['0x1', '0x2', '0x3', 'x'])], /bad\.jsonl:1: raw\[3\]: "x"/],
    [
      'a command without its place',
      ['{"dev":"cmd","raw":["0x5","0","0","0"]}'],
      /bad\.jsonl:1: qoff: "undefined"/,
    ],
  ])('is refused with %s', async (_, bad, message) => {
    const { code, out, err } = await run('decode', '--json', file('bad.jsonl', bad.join('\n')));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });

  it.each([
    ['is not', Buffer.from('no gzip data')],
    ['is cut off', gzipSync(lines.join('\n')).subarray(0, 60)],
  ])('is refused where gzip data %s', async (_, contents) => {
    const { code, err } = await run('decode', file('broken.jsonl.gz', contents));
    expect(code).toBe(2);
    expect(err).toMatch(/^gicv4: [^\n]*broken\.jsonl\.gz: [^\n]*expected gzip data\n$/);
  });

  it('shows a command of zeros, which was executed', async () => {
    const { commands, emptySlots } = await json(
      file('zero.jsonl', event('0x0', ['0x0', '0x0', '0x0', '0x0'])),
    );
    expect(emptySlots).toBe(0);
    expect(commands).toMatchObject([{ command: 'UNKNOWN', problems: ['command number 0x0 is unknown'] }]);
  });
});

describe('problems', () => {
  const text = file('problems.txt', '0x000000010000000a 0x0000002000000000 0 0\n0x5 0 0x20000 0x1');

  it('are in the JSON', async () => {
    const { commands } = await json(text);
    expect(commands.map(({ problems }: { problems: string[] }) => problems)).toEqual([
      ['pINTID 32 is not an LPI (below 8192)'],
      ['reserved bits of DW3 are set: 0x0000000000000001'],
    ]);
  });

  it('are in the text', async () => {
    const { code, out } = await run('decode', text);
    expect(code).toBe(0);
    expect(out).toContain('\n          ! pINTID 32 is not an LPI (below 8192)\n');
    expect(out).toMatch(/^2 commands, 2 with problems, 1 failing$/m);
  });
});

describe('options of the encoding', () => {
  const vmapp = file(
    'vmapp.txt',
    '0x0000000890000329 0x0000000700002328 0x8000000000010000 0x000000088000000F',
  );

  it('--vmapp-layout 4.1 reads VMAPP as GICv4.1 does', async () => {
    const [plain] = (await json(vmapp)).commands;
    expect(plain.problems).not.toEqual([]);
    const [decoded] = (await json('--vmapp-layout', '4.1', vmapp)).commands;
    expect(decoded).toMatchObject({
      fields: { layout: '4.1', alloc: true, defaultDoorbell: 9000 },
      problems: [],
    });
  });

  it('--pta reads RDbase as an address', async () => {
    const [decoded] = (await json('--pta', file('pta.txt', '0x5 0 0x80a0000 0'))).commands;
    expect(decoded).toMatchObject({
      text: 'SYNC RDbase 0x80a0000',
      fields: { rdBase: 0x80a_0000 },
      problems: [],
    });
  });
});

describe('outcomes: the commands run, in their order, on an ITS with nothing mapped at first', () => {
  const mapd = (ittAddress: number) =>
    encodeCommand({ command: 'MAPD', deviceId: 0xabcd_0010, size: 2, ittAddress, valid: true });
  const mapc = encodeCommand({ command: 'MAPC', icid: 3, rdBase: 1, valid: true });
  const map = (eventId: number) =>
    encodeCommand({ command: 'MAPTI', deviceId: 0xabcd_0010, eventId, pIntid: 8200, icid: 3 });
  const int = (eventId: number) => encodeCommand({ command: 'INT', deviceId: 0xabcd_0010, eventId });

  async function outcomes(name: string, commands: Uint8Array[], ...args: string[]): Promise<string[]> {
    const decoded = await json(...args, file(name, Buffer.concat(commands)));
    return decoded.commands.map(({ outcome }: { outcome: string }) => outcome);
  }

  it('name the architected error', async () => {
    const queue = [map(7), mapd(0x4_0000_0000), map(8), map(7), int(7), mapc, int(7), int(6)];
    expect(await outcomes('outcomes.bin', queue)).toEqual([
      'MAPTI_UNMAPPED_DEVICE',
      'ok',
      'MAPTI_ID_OOR',
      'ok',
      'INT_UNMAPPED_INTERRUPT',
      'ok',
      'ok',
      'INT_UNMAPPED_INTERRUPT',
    ]);
  });

  it('keep what a table holds when its device is mapped again', async () => {
    const queue = [mapc, mapd(0x1_0000), map(1), mapd(0x2_0000), int(1), mapd(0x1_0000), int(1)];
    expect((await outcomes('again.bin', queue)).map((outcome) => outcome === 'ok')).toEqual([
      ...Array(4).fill(true),
      false,
      true,
      true,
    ]);
  });

  it('know vPEs in both layouts of VMAPP', async () => {
    for (const layout of ['4.0', '4.1'] as const) {
      const vmapp = encodeCommand({
        command: 'VMAPP',
        layout,
        vpeId: 7,
        rdBase: 2,
        vptSize: 15,
        vptAddress: 0x9_0000_0000,
        valid: true,
        alloc: true,
        ptz: true,
        vconfAddress: 0x9_1000_0000,
        defaultDoorbell: 8210,
      });
      const vinvall = (vpeId: number) => encodeCommand({ command: 'VINVALL', vpeId });
      const found = await outcomes('vpe.bin', [vmapp, vinvall(7), vinvall(8)], '--vmapp-layout', layout);
      expect([found[0], found[1], found[2] === 'ok']).toEqual(['ok', 'ok', false]);
    }
  });
});

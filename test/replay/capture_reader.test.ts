import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GicError } from '../../bindings/errors.ts';
import { parseCapture } from './fake_gic.ts';

function one(line: string): object | undefined {
  return parseCapture(`${line}\n`)[0];
}

describe('CaptureParser', () => {
  it.each([
    [
      '{"t":0,"dev":"its","op":"r","off":"0x8","size":8,"val":"0x1f0001efb1"}',
      { kind: 'register-read', block: 'GITS', cpu: -1, offset: 8, size: 8, value: 0x1f0001efb1 },
    ],
    ['{"t":5,"dev":"redist","cpu":3,"op":"w","off":"0x78","size":8,"val":"0x8000000000425d0780"}', undefined],
    [
      '{"t":5,"dev":"redist","cpu":3,"op":"w","off":"0x78","size":8,"val":"0x40000000425d0780"}',
      { kind: 'register-write', block: 'GICR', cpu: 3, offset: 0x78, value: 0x4000_0000_425d_0780n },
    ],
    [
      '{"t":5,"dev":"dist","op":"badr","off":"0xc","size":4}',
      { kind: 'refused-read', block: 'GICD', offset: 12, size: 4 },
    ],
    [
      '{"t":5,"dev":"its","op":"badw","off":"0x8","size":4,"val":"0xffffffff"}',
      { kind: 'refused-write', block: 'GITS', value: 0xffff_ffff },
    ],
    ['{"t":5,"dev":"dist","op":"line","irq":79,"level":1}', { kind: 'spi-line', intid: 79, level: true }],
    [
      '{"t":5,"dev":"redist","op":"line","irq":27,"level":0,"cpu":2}',
      { kind: 'ppi-line', intid: 27, level: false, cpu: 2 },
    ],
    ['{"t":5,"dev":"redist","cpu":1,"op":"sgipend","irq":3}', { kind: 'sgi-arrival', cpu: 1, intid: 3 }],
    [
      '{"t":5,"dev":"translate","op":"w","off":"0x40","size":4,"val":"0x4","devid":"0x10"}',
      { kind: 'msi', deviceId: 0x10, eventId: 4 },
    ],
    [
      '{"t":5,"dev":"cpuif","cpu":0,"op":"iar","reg":"ICC_IAR1","val":"0x1b"}',
      { kind: 'acknowledge', interface: 'ICC', register: 'ICC_IAR1_EL1', value: 27 },
    ],
    [
      '{"t":5,"dev":"cpuif","cpu":0,"op":"dir","reg":"ICC_DIR","val":"0x1b"}',
      { kind: 'system-write', register: 'ICC_DIR_EL1', value: 27 },
    ],
    [
      '{"t":5,"dev":"cpuif","cpu":0,"op":"r","reg":"ICC_CTLR_EL3","val":"0x1"}',
      { kind: 'system-read', register: 'ICC_CTLR_EL3' },
    ],
    [
      '{"t":5,"dev":"ich","cpu":0,"op":"w","reg":"ICH_LR0_EL2","val":"0x90a0020000000022"}',
      { kind: 'system-write', interface: 'ICH', register: 'ICH_LR0_EL2', value: 0x90a0_0200_0000_0022n },
    ],
    [
      '{"t":5,"dev":"ich","cpu":0,"op":"r","reg":"ICH_ELRSR","val":"0xe"}',
      { kind: 'system-read', register: 'ICH_ELRSR_EL2' },
    ],
    [
      '{"t":5,"dev":"cpuif","cpu":0,"op":"sgi","irq":1,"irm":1,"aff":"0x0","list":"0xe"}',
      { kind: 'sgi-request', intid: 1, allOthers: true, cluster: 0, targetList: 0xe },
    ],
    [
      '{"t":5,"dev":"hppi","cpu":0,"irq":8200,"grp":2,"prio":160}',
      { kind: 'pending', cpu: 0, intid: 8200, group: 1, priority: 160 },
    ],
    ['{"t":5,"dev":"wire","cpu":0,"fiq":0,"irq":1}', { kind: 'wires', fiq: false, irq: true }],
    [
      '{"t":5,"dev":"vhppi","cpu":0,"lr":-1,"vlpi":8196,"grp":2,"prio":160}',
      { kind: 'virtual-pending', winner: -1, vlpi: 8196, group: 1, priority: 160 },
    ],
    [
      '{"t":5,"dev":"mem","op":"w","cpu":0,"tbl":"prop","pa":"0x40340003","size":1,"val":"0xa3","lpi":8195}',
      { kind: 'memory-store', table: 'prop', address: 0x4034_0003, size: 1, value: 0xa3 },
    ],
    [
      '{"t":5,"dev":"range","tbl":"prop","pa":"0x40340000","len":"0x2000","snap":"2000*00"}',
      { kind: 'memory-range', table: 'prop', address: 0x4034_0000, length: 0x2000, contents: '2000*00' },
    ],
    [
      '{"t":5,"dev":"cmd","name":"MAPD","qoff":"0x20","raw":["0x200000008","0x7","0x800000004033f000","0x0"],"f":{"DeviceID":"0x2","V":"1"}}',
      {
        kind: 'command',
        name: 'MAPD',
        offset: 32,
        raw: [0x2_0000_0008n, 7n, 0x8000_0000_4033_f000n, 0n],
        fields: { DeviceID: 2, V: 1 },
      },
    ],
    [
      '{"t":5,"dev":"tbl","op":"w","tbl":"cte","f":{"ICID":"0x3","valid":"1","RDBase":"0x3"}}',
      { kind: 'table-write', table: 'collection', fields: { ICID: 3, valid: 1, RDBase: 3 } },
    ],
    ['{"t":5,"dev":"qemulog","msg":"a \\"b\\""}', { kind: 'message', text: 'a "b"' }],
  ])('%s', (line, expected) => {
    if (expected === undefined) expect(() => one(line)).toThrow(GicError);
    else expect(one(line)).toMatchObject(expected);
  });

  it('keeps 64-bit values exact on both sides of 2^53', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (value) => {
        const line = `{"t":0,"dev":"its","op":"r","off":"0x8","size":8,"val":"0x${value.toString(16)}"}`;
        const expected = value < 2n ** 53n ? Number(value) : value;
        expect(one(line)).toMatchObject({ value: expected });
      }),
    );
  });

  it('reads the same from any spacing and order of keys', () => {
    const fields = { t: 7, dev: 'redist', cpu: 2, op: 'r', off: '0x10', size: 4, val: '0xab' };
    const keys = Object.keys(fields) as (keyof typeof fields)[];
    const plain = one(JSON.stringify(fields));
    fc.assert(
      fc.property(fc.shuffledSubarray(keys, { minLength: keys.length }), fc.boolean(), (order, spaced) => {
        const shuffled = Object.fromEntries(order.map((key) => [key, fields[key]]));
        const text = JSON.stringify(shuffled, null, spaced ? 1 : 0).replaceAll('\n', ' ');
        expect(one(text)).toEqual(plain);
      }),
    );
  });

  it('ignores keys that it does not know, and empty lines', () => {
    const events = parseCapture(
      '\n{"t":5,"dev":"wire","cpu":0,"fiq":0,"irq":1,"note":"hello","deep":{"a":[1]}}\n\n{"t":6,"dev":"qemulog","msg":""}\n',
    );
    expect(events).toMatchObject([
      { kind: 'wires', line: 2 },
      { kind: 'message', line: 4 },
    ]);
  });

  it('numbers a PE that is told by its affinity', () => {
    expect(one('{"t":5,"dev":"wire","cpu":258,"fiq":0,"irq":1}')).toMatchObject({ cpu: 18 });
  });

  it.each([
    ['no JSON', '{"t":5,'],
    ['no object', '[1,2]'],
    ['an unknown device', '{"t":5,"dev":"uart","op":"w"}'],
    ['an unknown operation', '{"t":5,"dev":"its","op":"x","off":"0x0","size":4,"val":"0x0"}'],
    ['a missing field', '{"t":5,"dev":"its","op":"w","off":"0x0","size":4}'],
    ['an access of three bytes', '{"t":5,"dev":"its","op":"w","off":"0x0","size":3,"val":"0x0"}'],
    [
      'a number in the place of a hexadecimal string',
      '{"t":5,"dev":"its","op":"w","off":0,"size":4,"val":"0x0"}',
    ],
    ['a value of 17 digits', '{"t":5,"dev":"its","op":"w","off":"0x0","size":8,"val":"0x11112222333344445"}'],
    ['a priority beyond 8 bits', '{"t":5,"dev":"hppi","cpu":0,"irq":1,"grp":2,"prio":256}'],
    ['a negative PE', '{"t":5,"dev":"wire","cpu":-1,"fiq":0,"irq":1}'],
    ['no time', '{"dev":"wire","cpu":0,"fiq":0,"irq":1}'],
    [
      'a command of three doublewords',
      '{"t":5,"dev":"cmd","name":"SYNC","qoff":"0x0","raw":["0x5","0x0","0x0"],"f":{}}',
    ],
    ['bytes that are no text', '\u0000\u0001\u0002'],
  ])('refuses %s, naming file and line', (_, line) => {
    let error: unknown;
    try {
      parseCapture(`{"t":0,"dev":"wire","cpu":0,"fiq":0,"irq":0}\n${line}\n`, 'bad.jsonl');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(GicError);
    expect(error).toMatchObject({ code: 'INVALID_INPUT', field: 'bad.jsonl:2' });
  });

  it('throws nothing but a GicError, whatever it is given', () => {
    const token = fc.constantFrom(
      ...[
        '{',
        '}',
        '"',
        ':',
        ',',
        '[',
        ']',
        '\\',
        '0x',
        '-',
        '1',
        'dev',
        'hppi',
        'cpu',
        't',
        'its',
        'val',
        ' ',
      ],
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 30 }), (tokens) => {
        try {
          one(tokens.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(GicError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

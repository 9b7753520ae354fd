import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../bindings/config.ts';
import { findVectorFiles, readVectorFile } from '../../bindings/vectors/files.ts';
import { machineOptionsOf } from '../../bindings/vectors/machine_options.ts';
import { parseVector } from '../../bindings/vectors/parse.ts';

const minimal = { name: 'some', machine: {}, steps: [] as object[] };
const parse = (vector: object) => parseVector(JSON.stringify(vector), 'some.json');

const inputError = (field: string, expected: string) =>
  expect.objectContaining({ code: 'INVALID_INPUT', field, expected: expect.stringContaining(expected) });

describe('parseVector refuses', () => {
  it('what is not JSON', () => {
    expect(() => parseVector('{"name":', 'some.json')).toThrowError(
      inputError('some.json', 'a JSON document'),
    );
  });

  it.each<[string, object, string, string]>([
    ['an array', [], 'some.json', 'a JSON object'],
    ['a vector without a name', { machine: {}, steps: [] }, 'some.json: name', 'a string'],
    ['a vector without a machine', { name: 'a', steps: [] }, 'some.json: machine', 'a JSON object'],
    ['a vector without steps', { name: 'a', machine: {} }, 'some.json: steps', 'an array'],
    [
      'an unknown architecture',
      { ...minimal, machine: { arch: 'GICv2' } },
      'some.json: machine: arch',
      'one of GICv3',
    ],
  ])('%s', (_, vector, field, expected) => {
    expect(() => parse(vector)).toThrowError(inputError(field, expected));
  });

  it.each<[string, unknown, string, string]>([
    ['that is no object', 7, '', 'a JSON object'],
    ['of an unknown op', { op: 'writew', addr: '0x0', val: '0x0' }, ': op', 'one of writeb'],
    ['without an address', { op: 'writel', val: '0x0' }, ': addr', 'at most 52 bits'],
    ['with a negative address', { op: 'writel', addr: -4, val: '0x0' }, ': addr', 'at most 52 bits'],
    ['with words for an address', { op: 'writel', addr: 'GICD', val: '0x0' }, ': addr', 'at most 52 bits'],
    [
      'with an address of 53 bits',
      { op: 'writel', addr: '0x10000000000000', val: '0x0' },
      ': addr',
      '52 bits',
    ],
    ['with a value that is too wide', { op: 'writeb', addr: '0x0', val: '0x100' }, ': val', 'at most 8 bits'],
    [
      'with a mask that is too wide',
      { op: 'readl', addr: 0, expect: 0, mask: '0x100000000' },
      ': mask',
      '32 bits',
    ],
    ['with half a byte', { op: 'write', addr: '0x0', hex: '0a1' }, ': hex', 'an even number'],
    [
      'with a size that is not that of its bytes',
      { op: 'read', addr: 0, size: 3, expecthex: '00' },
      ': size',
      '1',
    ],
    [
      'with commands that are no strings',
      { op: 'write', addr: 0, hex: '', cmds: [1] },
      ': cmds[0]',
      'a string',
    ],
    ['with a third level', { op: 'spi_line', intid: 40, level: 2 }, ': level', 'one of 0, 1'],
    ['at EL3', { op: 'sysreg_read', cpu: 0, reg: 'ICC_IAR1_EL1', expect: 0, el: 3 }, ': el', 'one of 1, 2'],
  ])('a step %s', (_, step, place, expected) => {
    const vector = { ...minimal, steps: [{ op: 'note', text: 'fine' }, step] };
    expect(() => parse(vector)).toThrowError(inputError(`some.json: step 1${place}`, expected));
  });
});

describe('machineOptionsOf', () => {
  it('is the recorded machine', () => {
    const machine = {
      cpus: 2,
      arch: 'GICv3',
      ram_base: '0x40000000',
      ram_size: '0x10000000',
      gicd: '0x8000000',
      gits: '0x8080000',
      gicr: '0x80a0000',
      num_spis: 128,
      intid_bits: 15,
      devbits: 14,
      eventid_bits: 13,
      collection_bits: 12,
      PTA: 0,
      pri_bits: 5,
    };
    expect(resolveConfig(machineOptionsOf(parse({ ...minimal, machine })))).toMatchObject({
      architecture: 'GICv3',
      cpus: 2,
      spis: 128,
      intidBits: 15,
      deviceIdBits: 14,
      eventIdBits: 13,
      collectionIdBits: 12,
      priorityBits: 5,
      physicalTargetAddresses: false,
      ram: { base: 0x4000_0000, size: 0x1000_0000 },
      addressMap: { gicd: 0x800_0000, gits: 0x808_0000, gicr: 0x80a_0000 },
      ittEntryBytes: 12,
    });
  });

  it('is qemu-virt with a GICv4.0 where the vector says nothing', () => {
    const config = resolveConfig(machineOptionsOf(parse(minimal)));
    expect(config).toEqual(resolveConfig({ preset: 'qemu-virt', architecture: 'GICv4.0' }));
  });
});

describe('vector files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gicv4-'));
  const file = (name: string) => join(directory, name);

  beforeAll(() => {
    writeFileSync(file('b.json'), JSON.stringify({ ...minimal, name: 'plain' }));
    writeFileSync(file('a.json.gz'), gzipSync(JSON.stringify({ ...minimal, name: 'compressed' })));
    writeFileSync(file('notes.txt'), 'no vector');
    writeFileSync(file('broken.gz'), 'no gzip data');
    mkdirSync(file('empty'));
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  it('are found in directories by their names', () => {
    expect(findVectorFiles([directory, file('notes.txt')])).toEqual([
      file('a.json.gz'),
      file('b.json'),
      file('notes.txt'),
    ]);
  });

  it('are read plain and compressed', () => {
    expect(readVectorFile(file('a.json.gz')).name).toBe('compressed');
    expect(readVectorFile(file('b.json')).name).toBe('plain');
  });

  it('name themselves when they are not what they claim', () => {
    expect(() => readVectorFile(file('broken.gz'))).toThrowError(inputError(file('broken.gz'), 'gzip data'));
    expect(() => readVectorFile(file('notes.txt'))).toThrowError(
      inputError(file('notes.txt'), 'a JSON document'),
    );
    expect(() => readVectorFile(file('none.json'))).toThrowError(/ENOENT.*none\.json/);
  });

  it('are missed in a directory without any', () => {
    expect(() => findVectorFiles([file('empty')])).toThrowError(inputError(file('empty'), '.json'));
  });
});

import { GicError } from '../errors.ts';
import { JsonReader } from './json_reader.ts';
import type { ExceptionLevel, Expectation, Step, Vector, VectorMachine } from './vector.ts';

const accessBits = { writeb: 8, writel: 32, writeq: 64, readb: 8, readl: 32, readq: 64 } as const;

/** Bytes of the access of a step. */
export function accessSize(op: keyof typeof accessBits): 1 | 4 | 8 {
  return (accessBits[op] / 8) as 1 | 4 | 8;
}

const exceptionLevels: readonly ExceptionLevel[] = [1, 2];

/**
 * The vector in the JSON text of a file. `file` names it in errors: a `GicError` INVALID_INPUT names the file, the
 * step by its index from 0, and the field at fault.
 */
export function parseVector(text: string, file: string): Vector {
  const vector = JsonReader.of(file, parseJson(text, file));
  return {
    name: vector.string('name'),
    description: vector.has('desc') ? vector.string('desc') : '',
    level: vector.has('level') ? vector.number('level') : 0,
    machine: parseMachine(vector.child('machine')),
    steps: vector
      .array('steps')
      .map((step, index) => parseStep(JsonReader.of(`${file}: step ${index}`, step))),
  };
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new GicError(
      'INVALID_INPUT',
      file,
      error instanceof Error ? error.message : error,
      'a JSON document',
    );
  }
}

function parseMachine(machine: JsonReader): VectorMachine {
  const number = <Name extends keyof VectorMachine>(name: Name, member: string, bits = 32) =>
    machine.has(member) ? { [name]: machine.number(member, bits) } : {};
  return {
    ...(machine.has('arch') && { arch: machine.choice('arch', ['GICv3', 'GICv4.0']) }),
    ...number('cpus', 'cpus'),
    ...number('ramBase', 'ram_base', 52),
    ...number('ramSize', 'ram_size', 52),
    ...number('gicd', 'gicd', 52),
    ...number('gicr', 'gicr', 52),
    ...number('gits', 'gits', 52),
    ...number('spis', 'num_spis'),
    ...number('intidBits', 'intid_bits'),
    ...number('deviceIdBits', 'devbits'),
    ...number('eventIdBits', 'eventid_bits'),
    ...number('collectionIdBits', 'collection_bits'),
    ...number('priorityBits', 'pri_bits'),
    ...(machine.has('PTA') && { physicalTargetAddresses: machine.choice('PTA', [0, 1]) === 1 }),
  };
}

function parseStep(step: JsonReader): Step {
  const op = step.choice('op', stepOps);
  return stepParsers[op](step, op as never);
}

type Parser<Op extends Step['op']> = (step: JsonReader, op: Op) => Step;

const stepParsers: { readonly [Op in Step['op']]: Parser<Op> } = {
  writeb: parseWrite,
  writel: parseWrite,
  writeq: parseWrite,
  readb: parseRead,
  readl: parseRead,
  readq: parseRead,
  write: (step, op) => ({
    op,
    address: step.address('addr'),
    bytes: step.bytes('hex'),
    commands: step.has('cmds') ? step.strings('cmds') : [],
  }),
  memset: (step, op) => ({
    op,
    address: step.address('addr'),
    size: step.number('size'),
    value: step.number('val', 8),
  }),
  read: (step, op) => {
    const expect = step.bytes('expecthex');
    if (step.has('size') && step.number('size') !== expect.length)
      step.refuse('size', `${expect.length} as expecthex`);
    return {
      op,
      address: step.address('addr'),
      expect,
      ...(step.has('first_intid') && { firstIntid: step.number('first_intid') }),
      ...expectation(step),
    };
  },
  msi: (step, op) => ({ op, deviceId: step.number('devid'), eventId: step.number('data') }),
  spi_line: (step, op) => ({ op, intid: step.number('intid'), level: level(step) }),
  ppi_line: (step, op) => ({ op, cpu: step.number('cpu'), intid: step.number('intid'), level: level(step) }),
  sysreg_write: (step, op) => ({
    op,
    cpu: step.number('cpu'),
    register: step.string('reg'),
    value: step.unsigned('val', 64),
    el: step.choice('el', exceptionLevels),
  }),
  sysreg_read: (step, op) => ({
    op,
    cpu: step.number('cpu'),
    register: step.string('reg'),
    expect: step.unsigned('expect', 64),
    ...mask(step, 64),
    el: step.choice('el', exceptionLevels),
    ...expectation(step),
  }),
  note: (step, op) => ({ op, text: step.string('text') }),
};

const stepOps = Object.keys(stepParsers) as Step['op'][];

function parseWrite(step: JsonReader, op: 'writeb' | 'writel' | 'writeq'): Step {
  return { op, address: step.address('addr'), value: step.unsigned('val', accessBits[op]) };
}

function parseRead(step: JsonReader, op: 'readb' | 'readl' | 'readq'): Step {
  return {
    op,
    address: step.address('addr'),
    expect: step.unsigned('expect', accessBits[op]),
    ...mask(step, accessBits[op]),
    ...expectation(step),
  };
}

function mask(step: JsonReader, bits: number): { mask?: bigint } {
  return step.has('mask') ? { mask: step.unsigned('mask', bits) } : {};
}

function expectation(step: JsonReader): Expectation {
  return {
    ...(step.has('what') && { what: step.string('what') }),
    ...(step.has('quirk') && { quirk: step.string('quirk') }),
  };
}

function level(step: JsonReader): boolean {
  return step.choice('level', [0, 1]) === 1;
}

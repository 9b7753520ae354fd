import { describe, expect, it } from 'vitest';
import {
  architecturePolicy,
  createMachine,
  GicError,
  type MachineOptions,
  presets,
  qemuPolicy,
  resolveConfig,
} from '../bindings/index.ts';
import { hex } from './support/gic.ts';

/** The error of a call that must throw a `GicError`. */
async function errorOf(call: () => unknown): Promise<GicError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof GicError) return error;
    throw error;
  }
  throw new Error('no error was thrown');
}

/** Options that TypeScript would not let a caller write. */
const untyped = (options: Record<string, unknown>): MachineOptions => options as MachineOptions;

interface Range {
  readonly field: keyof MachineOptions;
  readonly good: readonly number[];
  readonly bad: readonly number[];
  /** What the message says is expected. */
  readonly expected: RegExp;
  /** Other fields that make the good values fit. */
  readonly besides?: MachineOptions;
}

const ranges: readonly Range[] = [
  { field: 'cpus', good: [1, 512], bad: [0, 513, -1, 1.5, Number.NaN], expected: /1 to 512/ },
  { field: 'itsCount', good: [0, 16], bad: [-1, 17], expected: /0 to 16/ },
  { field: 'deviceIdBits', good: [1, 32], bad: [0, 33], expected: /1 to 32/ },
  { field: 'eventIdBits', good: [1, 32], bad: [0, 33], expected: /1 to 32/ },
  { field: 'collectionIdBits', good: [1, 16], bad: [0, 17], expected: /1 to 16/ },
  {
    field: 'intidBits',
    good: [10, 14, 22],
    bad: [9, 11, 13, 23],
    expected: /10.*14 to 22|10 to 22/,
    besides: { itsCount: 0 },
  },
  {
    field: 'spis',
    good: [0, 32, 960, 988],
    bad: [-32, 1, 33, 987, 989, 992, 1024],
    expected: /multiple of 32 up to 960, or 988|0 to 988/,
  },
  {
    field: 'extendedSpis',
    good: [0, 32, 1024],
    bad: [-32, 33, 1056],
    expected: /multiple of 32 from 0 to 1024|0 to 1024/,
  },
  { field: 'extendedPpis', good: [0, 32, 64], bad: [-32, 1, 96], expected: /0, 32 or 64/ },
  { field: 'priorityBits', good: [4, 8], bad: [3, 9, 4.5], expected: /4 to 8/ },
  {
    field: 'preemptionBits',
    good: [4, 7],
    bad: [3, 8],
    expected: /4 to 7/,
    besides: { priorityBits: 8 },
  },
  { field: 'preemptionBits', good: [4, 5], bad: [6], expected: /4 to 5/, besides: { priorityBits: 5 } },
  {
    field: 'storedPriorityBits',
    good: [5, 8],
    bad: [4, 9],
    expected: /5 to 8/,
    besides: { priorityBits: 5 },
  },
  { field: 'commonLpiAffinity', good: [0, 3], bad: [-1, 4], expected: /0 to 3/ },
  { field: 'hardwareCollections', good: [0, 255], bad: [-1, 256], expected: /0 to 255/ },
  {
    field: 'tableEntryBytes',
    good: [8, 16, 32],
    bad: [0, 7, 12, 40],
    expected: /multiple of 8 from 8 to 32|8 to 32/,
  },
  { field: 'ittEntryBytes', good: [8, 12, 16], bad: [7, 17], expected: /8 to 16/ },
];

describe.each(ranges)('configuration field $field', ({ field, good, bad, expected, besides }) => {
  it.each(good)('accepts %d', (value) => {
    expect(resolveConfig({ ...besides, [field]: value })[field as 'cpus']).toBe(value);
  });

  it.each(bad)('rejects %d, naming field, value and range', async (value) => {
    const error = await errorOf(() => createMachine({ ...besides, [field]: value }));
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', field, value });
    expect(error.expected).toMatch(expected);
    expect(error.message).toContain(field);
    expect(error.message).toContain(String(value));
    expect(error.message).toContain(error.expected);
  });

  it.each(['4', null, {}, true])('rejects %j, which is not a number', async (value) => {
    const error = await errorOf(() => createMachine(untyped({ ...besides, [field]: value })));
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', field, value });
  });
});

const switches = [
  'oneOfN',
  'messageBasedSpis',
  'rangeSelector',
  'directLpi',
  'physicalTargetAddresses',
  'indirectTables',
  'statusRegisters',
  'unmappedMsiReporting',
] as const;

describe.each(switches)('configuration field %s', (field) => {
  it.each([true, false])('accepts %s', (value) => {
    expect(resolveConfig({ [field]: value })[field]).toBe(value);
  });

  it.each([1, 'yes', null])('rejects %j', async (value) => {
    const error = await errorOf(() => createMachine(untyped({ [field]: value })));
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', field, value });
  });
});

describe('configuration fields that depend on others', () => {
  const cases: readonly (readonly [string, Record<string, unknown>, string, unknown])[] = [
    ['an architecture that does not exist', { architecture: 'GICv2' }, 'architecture', 'GICv2'],
    ['an ITS without LPIs', { intidBits: 10, itsCount: 1 }, 'itsCount', 1],
    ['fewer affinities than PEs', { cpus: 3, affinities: [0, 1] }, 'affinities', 2],
    ['more affinities than PEs', { cpus: 1, affinities: [0, 1] }, 'affinities', 2],
    ['an affinity twice', { cpus: 3, affinities: [0, 1, 0] }, 'affinities[2]', 0],
    ['an affinity beyond 32 bits', { cpus: 2, affinities: [0, 2 ** 32] }, 'affinities[1]', 2 ** 32],
    ['a negative affinity', { cpus: 1, affinities: [-1] }, 'affinities[0]', -1],
    ['Aff0 above 15 without the range selector', { cpus: 1, affinities: [16] }, 'affinities[0]', 16],
    [
      'a RAM base that is not 64 KiB aligned',
      { ram: { base: 0x8000_1000, size: 0x1_0000 } },
      'ram.base',
      0x8000_1000,
    ],
    ['a negative RAM base', { ram: { base: -0x1_0000, size: 0x1_0000 } }, 'ram.base', -0x1_0000],
    [
      'RAM that ends beyond 2^52',
      { ram: { base: 2 ** 52 - 0x1_0000, size: 0x2_0000 } },
      'ram.base',
      2 ** 52 - 0x1_0000,
    ],
    ['no RAM', { ram: { base: 0x8000_0000, size: 0 } }, 'ram.size', 0],
    ['RAM of half a page', { ram: { base: 0x8000_0000, size: 0x8000 } }, 'ram.size', 0x8000],
    ['RAM that is no object', { ram: 5 }, 'ram', 5],
    ['an unknown part of RAM', { ram: { sise: 1 } }, 'ram.sise', 1],
    ['policies that are no object', { policy: 7 }, 'policy', 7],
    [
      'a distributor that is not 64 KiB aligned',
      { addressMap: { gicd: 0x0800_1000 } },
      'addressMap.gicd',
      0x0800_1000,
    ],
    ['a distributor inside RAM', { addressMap: { gicd: 0x8000_0000 } }, 'addressMap.gicd', 0x8000_0000],
    [
      'redistributors beyond 2^52',
      { addressMap: { gicr: 2 ** 52 - 0x2_0000 } },
      'addressMap.gicr',
      2 ** 52 - 0x2_0000,
    ],
    [
      'redistributors that run into the ITS',
      { addressMap: { gicr: 0x08ff_0000 } },
      'addressMap.gits',
      0x0900_0000,
    ],
    ['an ITS that is not an address', { addressMap: { gits: Number.NaN } }, 'addressMap.gits', Number.NaN],
    [
      'ITSs that overlap',
      { itsCount: 2, addressMap: { gitsStride: 0x1_0000 } },
      'addressMap.gitsStride',
      0x1_0000,
    ],
    [
      'a GICR_TYPER for fewer PEs',
      { cpus: 2, identification: { GICR_TYPER: [0n] } },
      'identification.GICR_TYPER',
      1,
    ],
  ];
  it.each(cases)('rejects %s', async (_what, options, field, value) => {
    const error = await errorOf(() => createMachine(untyped(options)));
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', field, value });
    expect(error.expected).not.toBe('');
    expect(error.message).toContain(field);
  });

  it.each([
    ['GICD_TYPER', 2 ** 32],
    ['GICD_IIDR', -1],
    ['GICR_IIDR', 1.5],
    ['GITS_IIDR', 2 ** 32],
    ['PIDR2', 0x100],
    ['ICC_CTLR_EL1', -1],
    ['GITS_TYPER', 1n << 64n],
    ['GICR_TYPER', [0n, 0n, 0n, -1n]],
  ])('rejects an identification register %s that does not fit', async (name, value) => {
    const error = await errorOf(() => createMachine(untyped({ identification: { [name]: value } })));
    expect(error.code).toBe('INVALID_CONFIG');
    expect(error.field).toContain(`identification.${name}`);
  });

  it('more memory than WebAssembly can address is an error of its own, told before anything is made', async () => {
    const size = 4096 * 2 ** 20;
    const error = await errorOf(() => createMachine({ ram: { base: 0x8000_0000, size } }));
    expect(error).toMatchObject({ code: 'OUT_OF_MEMORY', field: 'ram.size', value: size });
    expect(error.expected).toMatch(/at most \d+ bytes/);
  });
});

describe('names', () => {
  const cases: readonly (readonly [string, Record<string, unknown>, Partial<GicError>])[] = [
    ['preset', { preset: 'gic-700' }, { code: 'UNKNOWN_NAME', field: 'preset', value: 'gic-700' }],
    ['field', { cpu: 4 }, { code: 'INVALID_CONFIG', field: 'cpu', value: 4 }],
    ['address', { addressMap: { gicc: 0 } }, { code: 'INVALID_CONFIG', field: 'addressMap.gicc', value: 0 }],
    [
      'identification register',
      { identification: { GICD_PIDR7: 0 } },
      { code: 'INVALID_CONFIG', field: 'identification.GICD_PIDR7', value: 0 },
    ],
    ['policy', { policy: { tieBrake: 0 } }, { code: 'INVALID_CONFIG', field: 'policy.tieBrake', value: 0 }],
  ];
  it.each(cases)('an unknown %s is rejected', async (_what, options, expected) => {
    expect(await errorOf(() => createMachine(untyped(options)))).toMatchObject(expected);
  });

  it('an unknown preset is answered with the known ones', async () => {
    const { expected } = await errorOf(() => createMachine(untyped({ preset: '' })));
    for (const name of Object.keys(presets)) expect(expected).toContain(name);
  });

  it.each(Object.keys(architecturePolicy))(
    'policy %s: a choice that does not exist is answered with those that do',
    async (name) => {
      const error = await errorOf(() => createMachine(untyped({ policy: { [name]: 'perhaps' } })));
      expect(error).toMatchObject({ code: 'INVALID_CONFIG', field: `policy.${name}`, value: 'perhaps' });
      const known = architecturePolicy[name as keyof typeof architecturePolicy];
      expect(error.expected).toContain(JSON.stringify(known));
    },
  );
});

describe('defaults', () => {
  it('PEs are numbered in clusters of 16', () => {
    const { affinities } = resolveConfig({ cpus: 512 });
    expect([0, 15, 16, 511].map((cpu) => hex(affinities[cpu] ?? -1))).toEqual([
      '0x0',
      '0xf',
      '0x100',
      '0x1f0f',
    ]);
  });

  it('fields given as undefined take the default', () => {
    expect(resolveConfig(untyped({ cpus: undefined, policy: undefined }))).toEqual(resolveConfig());
  });

  it.each([
    [4, 4, 4],
    [5, 5, 5],
    [7, 7, 7],
    [8, 7, 8],
  ])(
    '%i priority bits imply %i for preemption and %i stored',
    (priorityBits, preemptionBits, storedPriorityBits) => {
      expect(resolveConfig({ priorityBits })).toMatchObject({ preemptionBits, storedPriorityBits });
    },
  );

  it('a preset and what differs from it', () => {
    const config = resolveConfig({
      preset: 'qemu-virt',
      cpus: 2,
      addressMap: { gicr: 0x2000_0000 },
      policy: { tieBreak: 'highest-intid' },
    });
    expect(config.cpus).toBe(2);
    expect(config.addressMap).toEqual({ ...presets['qemu-virt'].addressMap, gicr: 0x2000_0000 });
    expect(config.policy).toEqual({ ...qemuPolicy, tieBreak: 'highest-intid' });
  });

  it('members that are not given, or undefined, are the preset’s', () => {
    const options = {
      ram: { size: 0x10_0000 },
      dirtyReads: { scheduleIn: 3 },
      timerPpis: { virtual: 20 },
      addressMap: { gicd: undefined },
      policy: { tieBreak: undefined },
    };
    const config = resolveConfig(untyped(options));
    const { ram, dirtyReads, timerPpis, addressMap, policy } = presets.architecture;
    expect(config).toMatchObject({ addressMap, policy, ram: { base: ram.base, size: 0x10_0000 } });
    expect(config.dirtyReads).toEqual({ ...dirtyReads, scheduleIn: 3 });
    expect(config.timerPpis).toEqual({ ...timerPpis, virtual: 20 });
  });

  it.each([
    { architecture: 'GICv4.1', itsCount: 1, gicr: 0x080b_0000, gitsStride: 0x3_0000 },
    { architecture: 'GICv4.0', itsCount: 2, gicr: 0x080c_0000, gitsStride: 0x2_0000 },
    { architecture: 'GICv3', itsCount: 1, gicr: 0x080a_0000, gitsStride: 0x2_0000 },
  ] as const)(
    'qemu-virt makes room for $itsCount ITSs of $architecture below the redistributors',
    async ({ gicr, gitsStride, ...rest }) => {
      const machine = await createMachine({ preset: 'qemu-virt', ...rest });
      expect(machine.config.addressMap).toMatchObject({ gicr, gitsStride });
    },
  );

  it('what the caller gave is not changed, and the presets are not shared', () => {
    const options: MachineOptions = {
      policy: { tieBreak: 'highest-intid' },
      addressMap: { gits: 0x0a00_0000 },
    };
    const copy = structuredClone(options);
    const config = resolveConfig(options);
    config.addressMap.gicd = 0;
    config.policy.commandError = 'stall';
    expect(options).toEqual(copy);
    expect(resolveConfig().addressMap.gicd).not.toBe(0);
    expect(resolveConfig().policy).toEqual(architecturePolicy);
  });
});

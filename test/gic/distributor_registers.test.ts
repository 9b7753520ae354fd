import { describe, expect, it } from 'vitest';
import type { MachineOptions } from '../../bindings/index.ts';
import { type BitArray, createBoard, hex } from '../support/gic.ts';

const ALL = 0xffff_ffff;

/** Bit 7 of GICD_CTLR, E1NWF, may be implemented or not. */
const CTLR_CHECKED = ~0x80;

describe('2.2 GICD_CTLR', () => {
  it.each([
    ['reset: DS and ARE read as one, both groups are disabled', undefined, 0x50],
    ['EnableGrp0', 0x01, 0x51],
    ['EnableGrp1', 0x02, 0x52],
    ['all ones: RWP, nASSGIreq and reserved bits read as zero', ALL, 0x53],
    ['all zeros: DS and ARE cannot be cleared', 0, 0x50],
  ] as const)('2.2 %s', async (_rule, written, expected) => {
    const board = await createBoard();
    if (written !== undefined) board.setGicd(0x0000, written);
    expect(board.gicd(0x0000) & CTLR_CHECKED).toBe(expected);
  });

  it('2.2 clearing a group enable recalls an interrupt that was signalled but not acknowledged', async () => {
    const board = (await createBoard()).open();
    board.configure(40, { edge: true });
    board.setLine(40, true);
    expect(board.machine.irq(0)).toBe(true);
    board.setGicd(0x0000, 1);
    expect(board.machine.irq(0)).toBe(false);
    expect(board.icc(0, 'IAR1')).toBe(1023);
    expect(board.state(40)).toBe('pending');
  });
});

describe('2.3 GICD_TYPER', () => {
  const cases: readonly (readonly [string, MachineOptions, number, number])[] = [
    ['ITLinesNumber of 256 SPIs', { spis: 256 }, 0x1f, 8],
    ['ITLinesNumber without SPIs', { spis: 0 }, 0x1f, 0],
    ['ITLinesNumber of all 988 SPIs', { spis: 988 }, 0x1f, 31],
    ['CPUNumber is zero as affinity routing is always on', { cpus: 8 }, 0xe0, 0],
    ['ESPI and ESPI_range of 64 Extended SPIs', { extendedSpis: 64 }, 0xf800_0100, 0x0800_0100],
    ['ESPI and ESPI_range of 1024 Extended SPIs', { extendedSpis: 1024 }, 0xf800_0100, 0xf800_0100],
    ['no Extended SPIs', {}, 0xf800_0100, 0],
    ['NMI and SecurityExtn are zero', {}, 0x600, 0],
    ['num_LPIs zero: the number follows from IDbits', {}, 0xf800, 0],
    ['MBIS with message-based SPIs', { messageBasedSpis: true }, 0x1_0000, 0x1_0000],
    ['MBIS without', { messageBasedSpis: false }, 0x1_0000, 0],
    ['LPIS and IDbits of 16-bit INTIDs', { intidBits: 16 }, 0xfa_0000, 0x7a_0000],
    ['LPIS and IDbits of 22-bit INTIDs', { intidBits: 22 }, 0xfa_0000, 0xaa_0000],
    ['IDbits of 10-bit INTIDs, no LPIs', { intidBits: 10, itsCount: 0 }, 0xfa_0000, 0x48_0000],
    ['DVIS is zero in GICv3', {}, 0x4_0000, 0],
    ['DVIS in GICv4.0', { architecture: 'GICv4.0' }, 0x4_0000, 0x4_0000],
    ['A3V: Aff3 is supported', {}, 0x100_0000, 0x100_0000],
    ['No1N without 1-of-N', { oneOfN: false }, 0x200_0000, 0x200_0000],
    ['No1N with 1-of-N', { oneOfN: true }, 0x200_0000, 0],
    ['RSS with the range selector', { rangeSelector: true }, 0x400_0000, 0x400_0000],
    ['RSS without', { rangeSelector: false }, 0x400_0000, 0],
    [
      'the example of the reference: 288 INTIDs, LPIs, DVIS, A3V, No1N',
      { architecture: 'GICv4.0', spis: 256, oneOfN: false, messageBasedSpis: false },
      ALL,
      0x037e_0008,
    ],
    ['as given', { identification: { GICD_TYPER: 0x1234_5678 } }, ALL, 0x1234_5678],
  ];
  it.each(cases)('2.3 %s', async (_rule, options, mask, expected) => {
    const board = await createBoard(options);
    expect((board.gicd(0x0004) & mask) >>> 0).toBe(expected);
  });
});

describe('2.1 identification registers', () => {
  it.each([
    ['PIDR4', 0xffd0, 0x44],
    ['CIDR0', 0xfff0, 0x0d],
    ['CIDR1', 0xfff4, 0xf0],
    ['CIDR2', 0xfff8, 0x05],
    ['CIDR3', 0xfffc, 0xb1],
  ])('2.1 GICD_%s', async (_name, offset, expected) => {
    expect((await createBoard()).gicd(offset)).toBe(expected);
  });

  it.each([
    ['GICv3', 0x3b],
    ['GICv4.0', 0x4b],
  ] as const)(
    '2.1 PIDR2 of %s: ArchRev, JEDEC and DES_1, in every frame with an identification block',
    async (architecture, expected) => {
      const board = await createBoard({ architecture });
      expect(board.gicd(0xffe8)).toBe(expected);
      expect(board.gicr(1, 0xffe8)).toBe(expected);
      expect(board.machine.read(board.machine.config.addressMap.gits + 0xffe8, 4)).toBe(expected);
    },
  );

  it('2.1 GICD_IIDR tells the implementer, or what the configuration says', async () => {
    expect((await createBoard()).gicd(0x0008) & 0xfff).toBe(0x43b);
    const given = await createBoard({ identification: { GICD_IIDR: 0x0201_743b } });
    expect(given.gicd(0x0008)).toBe(0x0201_743b);
  });

  it('2.4 GICD_TYPER2 is RES0 before GICv4.1', async () => {
    const board = await createBoard({ architecture: 'GICv4.0' });
    board.setGicd(0x000c, ALL);
    expect(board.gicd(0x000c)).toBe(0);
  });

  it.each([
    ['TYPER', 0x0004],
    ['IIDR', 0x0008],
    ['PIDR4', 0xffd0],
    ['PIDR0', 0xffe0],
    ['PIDR2', 0xffe8],
    ['CIDR0', 0xfff0],
  ])('2.1 GICD_%s is read-only', async (_name, offset) => {
    const board = await createBoard();
    const before = board.gicd(offset);
    board.setGicd(offset, ~before >>> 0);
    expect(board.gicd(offset)).toBe(before);
    expect(board.diagnosed()).toEqual(['WRITE_OF_READ_ONLY']);
  });
});

const pairs: readonly (readonly [BitArray, BitArray])[] = [
  ['ISENABLER', 'ICENABLER'],
  ['ISPENDR', 'ICPENDR'],
  ['ISACTIVER', 'ICACTIVER'],
];

describe.each(pairs)('2.1 GICD_%s<n> and GICD_%s<n>', (set, clear) => {
  it.each([32, 63, 64, 287])(
    `2.1 ${set}, ${clear}: written ones set and clear, zeros do nothing, both read the state of %i`,
    async (intid) => {
      const board = await createBoard();
      const setAddress = board.bitWord(set, intid);
      const clearAddress = board.bitWord(clear, intid);
      const bit = (1 << (intid % 32)) >>> 0;
      expect(board.machine.read(setAddress, 4)).toBe(0);
      board.machine.write(setAddress, 4, bit);
      board.machine.write(setAddress, 4, 0);
      expect([board.machine.read(setAddress, 4), board.machine.read(clearAddress, 4)]).toEqual([bit, bit]);
      board.machine.write(clearAddress, 4, 0);
      board.machine.write(clearAddress, 4, ~bit >>> 0);
      expect(board.machine.read(clearAddress, 4)).toBe(bit);
      board.machine.write(clearAddress, 4, bit);
      expect([board.machine.read(setAddress, 4), board.machine.read(clearAddress, 4)]).toEqual([0, 0]);
    },
  );
});

it('2.1 GICD_IGROUPR<n> is a plain register of one bit an INTID', async () => {
  const board = await createBoard();
  board.setGicd(0x0084, 0xa5a5_0001);
  board.setGicd(0x0088, ALL);
  expect([board.gicd(0x0084), board.gicd(0x0088)]).toEqual([0xa5a5_0001, ALL]);
  board.setGicd(0x0084, 0);
  expect([board.gicd(0x0084), board.gicd(0x0088)]).toEqual([0, ALL]);
});

describe('2.7 GICD_ICFGR<n>', () => {
  it('2.7 bit [2x+1] is the trigger, bit [2x] is RES0', async () => {
    const board = await createBoard();
    board.setGicd(0x0c08, ALL);
    expect(board.gicd(0x0c08)).toBe(0xaaaa_aaaa);
    board.setGicd(0x0c08, 0x0000_000d);
    expect(board.gicd(0x0c08)).toBe(0x0000_0008);
    expect(board.gicd(0x0c0c)).toBe(0);
  });

  it.each([32, 47, 48, 287])('2.7 the bits of INTID %i decide how its wire is taken', async (intid) => {
    const board = await createBoard();
    board.setEdge(intid, true);
    board.setLine(intid, true);
    board.setLine(intid, false);
    expect(board.state(intid)).toBe('pending');
    board.setBit('ICPENDR', intid);
    board.setEdge(intid, false);
    board.setLine(intid, true);
    board.setLine(intid, false);
    expect(board.state(intid)).toBe('inactive');
  });
});

describe('2.1 GICD_IPRIORITYR<n>', () => {
  it('2.1 has a byte for each INTID, accessible as bytes and as words', async () => {
    const board = await createBoard({ priorityBits: 8 });
    board.setGicd(0x0428, 0x4433_2211);
    expect([40, 41, 42, 43].map((intid) => board.machine.read(board.gicdAddress(0x400 + intid), 1))).toEqual([
      0x11, 0x22, 0x33, 0x44,
    ]);
    board.machine.write(board.gicdAddress(0x042a), 1, 0xab);
    expect(board.gicd(0x0428)).toBe(0x44ab_2211);
  });

  it.each([4, 5, 6, 7, 8])('1.4 with %i priority bits the low bits are RAZ/WI', async (priorityBits) => {
    const board = await createBoard({ priorityBits });
    board.setGicd(0x0428, ALL);
    const byte = (0xff << (8 - priorityBits)) & 0xff;
    expect(board.gicd(0x0428)).toBe(byte * 0x0101_0101);
  });

  it('1.4 the distributor may store more priority bits than the CPU interface has', async () => {
    const board = await createBoard({ priorityBits: 5, storedPriorityBits: 8 });
    board.setGicd(0x0428, 0xffa7_0301);
    expect(board.gicd(0x0428)).toBe(0xffa7_0301);
  });
});

describe('2.1 INTIDs that are not implemented', () => {
  const registers = {
    IGROUPR: 0x0080,
    ISENABLER: 0x0100,
    ICENABLER: 0x0180,
    ISPENDR: 0x0200,
    ICPENDR: 0x0280,
    ISACTIVER: 0x0300,
    ICACTIVER: 0x0380,
  };
  const wide = { IPRIORITYR: [0x0400, 8], ICFGR: [0x0c00, 2] } as const;
  const words = (intid: number): (readonly [string, number])[] => [
    ...Object.entries(registers).map(([name, at]) => [name, at + 4 * (intid >> 5)] as const),
    ...Object.entries(wide).map(([name, [at, bits]]) => [name, at + 4 * ((intid * bits) >> 5)] as const),
  ];

  it.each(words(96))('2.1 GICD_%s<n> beyond 64 SPIs is RAZ/WI', async (_name, offset) => {
    const board = await createBoard({ spis: 64 });
    board.setGicd(offset, ALL);
    expect(board.gicd(offset)).toBe(0);
  });

  it.each(words(0))(
    '2.1 GICD_%s<n> of SGIs and PPIs is RAZ/WI with affinity routing',
    async (_name, offset) => {
      const board = await createBoard();
      for (const cpu of [0, 1]) board.setBit('ISENABLER', 20, cpu);
      board.setGicd(offset, ALL);
      expect(board.gicd(offset)).toBe(0);
      expect([0, 1].map((cpu) => board.bit('ISENABLER', 20, cpu))).toEqual([true, true]);
    },
  );

  it('2.6 GICD_IROUTER<n> beyond 64 SPIs is RAZ/WI', async () => {
    const board = await createBoard({ spis: 64 });
    board.setGicd64(0x6000 + 8 * 96, 1n);
    expect(board.gicd64(0x6000 + 8 * 96)).toBe(0n);
  });

  it('1.1 the highest SPI is 1019: the bits of 1020-1023 are RAZ/WI', async () => {
    const board = await createBoard({ spis: 988 });
    for (const offset of Object.values(registers)) board.setGicd(offset + 4 * 31, ALL);
    const setters = ['IGROUPR', 'ISENABLER', 'ISPENDR', 'ISACTIVER'] as const;
    for (const name of setters) board.setGicd(registers[name] + 4 * 31, ALL);
    expect(setters.map((name) => hex(board.gicd(registers[name] + 4 * 31)))).toEqual(
      setters.map(() => '0xfffffff'),
    );
    board.setGicd(0x0c00 + 4 * 63, ALL);
    expect(board.gicd(0x0c00 + 4 * 63)).toBe(0x00aa_aaaa);
    expect(board.gicd64(0x7fd8)).toBe(0n);
    board.setGicd64(0x7fd8, 2n);
    expect(board.gicd64(0x7fd8)).toBe(2n);
  });
});

it.each([
  ['GICD_ITARGETSR0', 0x0800],
  ['GICD_ITARGETSR10', 0x0828],
  ['GICD_IGRPMODR1', 0x0d04],
  ['GICD_NSACR2', 0x0e08],
  ['GICD_SGIR', 0x0f00],
  ['GICD_CPENDSGIR0', 0x0f10],
  ['GICD_SPENDSGIR3', 0x0f2c],
  ['GICD_SETSPI_SR', 0x0050],
  ['GICD_CLRSPI_SR', 0x0058],
  ['GICD_INMIR1 without FEAT_GICv3_NMI', 0x0f84],
  ['GICD_IGROUPR0E without Extended SPIs', 0x1000],
  ['GICD_IPRIORITYR0E without Extended SPIs', 0x2000],
  ['GICD_IROUTER0E without Extended SPIs', 0x8000],
  ['GICD_IROUTER31, which is of a PPI', 0x60f8],
  ['a reserved location', 0x0060],
] as const)('2.1 %s is RAZ/WI with one Security state', async (_name, offset) => {
  const board = (await createBoard()).open();
  board.configure(40, { edge: true });
  board.setGicd(offset, 40);
  board.setGicd(offset, ALL);
  expect(board.gicd(offset)).toBe(0);
  expect(board.state(40)).toBe('inactive');
  expect([0, 1, 2, 3].some((cpu) => board.machine.irq(cpu) || board.machine.fiq(cpu))).toBe(false);
});

import { describe, expect, it } from 'vitest';
import type { MachineOptions } from '../../bindings/index.ts';
import { createBoard } from '../support/gic.ts';

const ALL = 0xffff_ffff;
const CTLR = 0x0000;

describe('3.2 GICR_CTLR', () => {
  const DPG0 = 1 << 24;
  const DPG1NS = 1 << 25;
  const cases: readonly (readonly [string, MachineOptions, number, number, number])[] = [
    ['reset: LPIs off, nothing in progress', {}, 0x8700_0009, 0, 0],
    ['IR and CES tell of direct LPI registers and a clearable EnableLPIs', {}, 0x6, 0, 0x6],
    ['IR is zero without direct LPI registers', { directLpi: false }, 0x4, 0, 0],
    ['CES is zero where EnableLPIs cannot be cleared', { policy: { enableLpisClearable: false } }, 0x2, 0, 0],
    [
      'DPG0 and DPG1NS are writable, DPG1S is not with one Security state',
      {},
      0x0700_0000,
      ALL,
      DPG0 | DPG1NS,
    ],
    ['the DPG bits are RAZ/WI without 1-of-N', { oneOfN: false }, 0x0700_0000, ALL, 0],
    ['UWP and RWP are read-only', {}, 0x8000_0008, ALL, 0],
    ['EnableLPIs is RES0 without LPIs', { intidBits: 10, itsCount: 0 }, 0x1, ALL, 0],
    ['EnableLPIs is writable with LPIs', {}, 0x1, ALL, 1],
    ['reserved bits are zero', {}, 0x78ff_fff0, ALL, 0],
  ];
  it.each(cases)('3.2 %s', async (_rule, options, mask, written, expected) => {
    const board = await createBoard(options);
    if (written) board.setGicr(1, CTLR, written);
    expect((board.gicr(1, CTLR) & mask) >>> 0).toBe(expected);
  });

  it('3.2 each redistributor has its own', async () => {
    const board = await createBoard();
    board.setGicr(2, CTLR, DPG0);
    expect([0, 1, 2, 3].map((cpu) => board.gicr(cpu, CTLR) & DPG0)).toEqual([0, 0, DPG0, 0]);
  });
});

describe('3.3 GICR_TYPER', () => {
  const plain: MachineOptions = { directLpi: false, oneOfN: false };
  const example = { ...plain, cpus: 3, affinities: [0, 1, 2] };
  const all = 0xffff_ffff_ffff_ffffn;
  const cases: readonly (readonly [string, MachineOptions, number, bigint, bigint])[] = [
    [
      'the example of the reference: PE 2, affinity 0.0.0.2, last, GICv3',
      example,
      2,
      all,
      0x0000_0002_0000_0211n,
    ],
    [
      'Affinity_Value',
      { ...example, affinities: [0, 0x1234_560f, 2] },
      1,
      0xffff_ffff_0000_0000n,
      0x1234_560f_0000_0000n,
    ],
    ['Processor_Number', {}, 3, 0x00ff_ff00n, 0x0300n],
    ['Last is zero but for the highest redistributor', {}, 2, 0x10n, 0n],
    ['Last', {}, 3, 0x10n, 0x10n],
    ['PPInum without Extended PPIs', {}, 0, 0xf800_0000n, 0n],
    ['PPInum of INTIDs up to 1087', { extendedPpis: 32 }, 0, 0xf800_0000n, 0x0800_0000n],
    ['PPInum of INTIDs up to 1119', { extendedPpis: 64 }, 0, 0xf800_0000n, 0x1000_0000n],
    ['VSGI, RVPEID and MPAM are zero before GICv4.1', { architecture: 'GICv4.0' }, 0, 0x0400_00c0n, 0n],
    ['CommonLPIAff', { commonLpiAffinity: 2 }, 0, 0x0300_0000n, 0x0200_0000n],
    ['DPGS with 1-of-N', { oneOfN: true }, 0, 0x20n, 0x20n],
    ['DPGS without', plain, 0, 0x20n, 0n],
    ['DirectLPI', { directLpi: true }, 0, 0x8n, 0x8n],
    ['DirectLPI is zero without LPIs', { directLpi: true, intidBits: 10, itsCount: 0 }, 0, 0x8n, 0n],
    ['VLPIS and Dirty are zero in GICv3', {}, 0, 0x6n, 0n],
    ['VLPIS in GICv4.0', { architecture: 'GICv4.0' }, 0, 0x2n, 0x2n],
    ['PLPIS with LPIs', {}, 0, 0x1n, 0x1n],
    ['PLPIS without', { intidBits: 10, itsCount: 0 }, 0, 0x1n, 0n],
  ];
  it.each(cases)('3.3 %s', async (_rule, options, cpu, mask, expected) => {
    const board = await createBoard(options);
    expect(board.gicr64(cpu, 0x0008) & mask).toBe(expected);
  });

  it('3.3 is what the configuration says it is', async () => {
    const GICR_TYPER = [0x11n, 0x1234_5678_9abc_def0n, 0x33n, 0x44n];
    const board = await createBoard({ identification: { GICR_TYPER } });
    expect([0, 1, 2, 3].map((cpu) => board.gicr64(cpu, 0x0008))).toEqual(GICR_TYPER);
  });

  it('3.1 is read-only', async () => {
    const board = await createBoard();
    const before = board.gicr64(0, 0x0008);
    board.setGicr64(0, 0x0008, ~before & 0xffff_ffff_ffff_ffffn);
    expect(board.gicr64(0, 0x0008)).toBe(before);
    expect(board.diagnosed()).toEqual(['WRITE_OF_READ_ONLY']);
  });
});

describe('0 the frames of a redistributor', () => {
  it.each([
    ['GICv3', 0x2_0000],
    ['GICv4.0', 0x4_0000],
  ] as const)('0 %s: redistributors follow each other at their stride', async (architecture, stride) => {
    const { machine } = await createBoard({ architecture });
    for (const cpu of [0, 1, 2, 3]) {
      const base = machine.config.addressMap.gicr + cpu * stride;
      expect(machine.read(base + 0x000c, 4)).toBe(cpu);
      machine.write(base + 0x1_0100, 4, 1 << cpu);
      expect(machine.read(base + 0x1_0100, 4)).toBe(1 << cpu);
    }
  });
});

describe('3.1 RD_base', () => {
  it('3.1 GICR_IIDR tells the implementer, or what the configuration says', async () => {
    expect((await createBoard()).gicr(0, 0x0004) & 0xfff).toBe(0x43b);
    const given = await createBoard({ identification: { GICR_IIDR: 0x0201_743b } });
    expect(given.gicr(1, 0x0004)).toBe(0x0201_743b);
  });

  it.each([
    ['CIDR0', 0xfff0, 0x0d],
    ['CIDR1', 0xfff4, 0xf0],
    ['CIDR2', 0xfff8, 0x05],
    ['CIDR3', 0xfffc, 0xb1],
    ['PIDR4', 0xffd0, 0x44],
  ])('2.1 GICR_%s', async (_name, offset, expected) => {
    const board = await createBoard();
    expect(board.gicr(2, offset)).toBe(expected);
    board.setGicr(2, offset, 0);
    expect(board.gicr(2, offset)).toBe(expected);
  });

  it.each([
    ['MPAMIDR without MPAM', 0x0018],
    ['PARTIDR without MPAM', 0x001c],
    ['a reserved location', 0x0100],
  ])('3.1 %s is RAZ/WI', async (_name, offset) => {
    const board = await createBoard();
    board.setGicr(0, offset, ALL);
    expect(board.gicr(0, offset)).toBe(0);
  });

  it.each([
    ['PROPBASER', 0x0070],
    ['PENDBASER', 0x0078],
    ['SETLPIR', 0x0040],
    ['INVLPIR', 0x00a0],
    ['SYNCR', 0x00c0],
  ])('3.1 GICR_%s is reserved without LPIs', async (_name, offset) => {
    const board = await createBoard({ intidBits: 10, itsCount: 0 });
    board.setGicr(0, offset, ALL);
    expect(board.gicr(0, offset)).toBe(0);
    expect(board.diagnosed()).toEqual(['RESERVED_REGISTER', 'RESERVED_REGISTER']);
  });
});

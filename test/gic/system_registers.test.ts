import { describe, expect, it } from 'vitest';
import { type MachineOptions, systemRegisters } from '../../bindings/index.ts';
import { createBoard, createOpenBoard } from '../support/gic.ts';

/** Section 8.1: op1, CRn, CRm, op2 of each physical register; op0 is 3. */
const encodings: readonly (readonly [string, number, number, number, number])[] = [
  ['ICC_PMR_EL1', 0, 4, 6, 0],
  ['ICC_IAR0_EL1', 0, 12, 8, 0],
  ['ICC_EOIR0_EL1', 0, 12, 8, 1],
  ['ICC_HPPIR0_EL1', 0, 12, 8, 2],
  ['ICC_BPR0_EL1', 0, 12, 8, 3],
  ['ICC_AP0R0_EL1', 0, 12, 8, 4],
  ['ICC_AP0R1_EL1', 0, 12, 8, 5],
  ['ICC_AP0R2_EL1', 0, 12, 8, 6],
  ['ICC_AP0R3_EL1', 0, 12, 8, 7],
  ['ICC_AP1R0_EL1', 0, 12, 9, 0],
  ['ICC_AP1R1_EL1', 0, 12, 9, 1],
  ['ICC_AP1R2_EL1', 0, 12, 9, 2],
  ['ICC_AP1R3_EL1', 0, 12, 9, 3],
  ['ICC_DIR_EL1', 0, 12, 11, 1],
  ['ICC_RPR_EL1', 0, 12, 11, 3],
  ['ICC_SGI1R_EL1', 0, 12, 11, 5],
  ['ICC_ASGI1R_EL1', 0, 12, 11, 6],
  ['ICC_SGI0R_EL1', 0, 12, 11, 7],
  ['ICC_IAR1_EL1', 0, 12, 12, 0],
  ['ICC_EOIR1_EL1', 0, 12, 12, 1],
  ['ICC_HPPIR1_EL1', 0, 12, 12, 2],
  ['ICC_BPR1_EL1', 0, 12, 12, 3],
  ['ICC_CTLR_EL1', 0, 12, 12, 4],
  ['ICC_SRE_EL1', 0, 12, 12, 5],
  ['ICC_IGRPEN0_EL1', 0, 12, 12, 6],
  ['ICC_IGRPEN1_EL1', 0, 12, 12, 7],
  ['ICC_SRE_EL2', 4, 12, 9, 5],
];

describe('8.1 encodings', () => {
  it.each(encodings)('8.1 %s is S3_%i_C%i_C%i_%i', (name, ...encoding) => {
    const definition = systemRegisters.find((register) => register.name === name);
    expect(definition?.encoding).toEqual([3, ...encoding]);
  });

  it('8.1 no two registers share an encoding; ICV registers have those of the ICC registers', () => {
    const own = systemRegisters.filter(({ name }) => !name.startsWith('ICV_'));
    const all = own.map(({ encoding }) => encoding.join());
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('8.2 ICC_PMR_EL1', () => {
  it.each([
    [4, 0xf0],
    [5, 0xf8],
    [6, 0xfc],
    [7, 0xfe],
    [8, 0xff],
  ])('8.2 with %i priority bits all ones read %i', async (priorityBits, expected) => {
    const board = await createBoard({ priorityBits, storedPriorityBits: 8 });
    board.setIcc(0, 'PMR', 0xffff_ffff);
    expect(board.icc(0, 'PMR')).toBe(expected);
    board.setIcc(0, 'PMR', 0);
    expect(board.icc(0, 'PMR')).toBe(0);
  });
});

describe('8.2 ICC_IGRPEN0_EL1 and ICC_IGRPEN1_EL1', () => {
  it.each(['IGRPEN0', 'IGRPEN1'])('8.2 %s has bit 0 only', async (name) => {
    const board = await createBoard();
    board.setIcc(0, name, 0xffff_fffe);
    expect([board.icc(0, 'IGRPEN0'), board.icc(0, 'IGRPEN1')]).toEqual([0, 0]);
    board.setIcc(0, name, 0xffff_ffff);
    expect(board.icc(0, name)).toBe(1);
    expect(board.icc(0, 'IGRPEN0') + board.icc(0, 'IGRPEN1')).toBe(1);
  });
});

describe('8.2 ICC_BPR0_EL1 and ICC_BPR1_EL1', () => {
  it('8.2 reset to the minimum, and have bits [2:0]', async () => {
    const board = await createBoard();
    expect([board.icc(0, 'BPR0'), board.icc(0, 'BPR1')]).toEqual([2, 3]);
    for (const name of ['BPR0', 'BPR1']) {
      board.setIcc(0, name, 0xffff_fffe);
      expect(board.icc(0, name)).toBe(6);
    }
  });
});

describe('8.2 ICC_CTLR_EL1', () => {
  const cases: readonly (readonly [string, MachineOptions, number, number])[] = [
    ['the example of the reference: A3V, 5 priority bits, 16-bit INTIDs', {}, 0xf_ff80, 0x8400],
    ['PRIbits of 4 bits', { priorityBits: 4 }, 0x0700, 0x0300],
    ['PRIbits of 8 bits', { priorityBits: 8 }, 0x0700, 0x0700],
    ['IDbits is 1 (24 bits) beyond 16-bit INTIDs', { intidBits: 20 }, 0x3800, 0x0800],
    ['IDbits is 0 (16 bits) without LPIs', { intidBits: 10, itsCount: 0 }, 0x3800, 0],
    ['SEIS is zero', {}, 0x4000, 0],
    ['RSS with the range selector', { rangeSelector: true }, 0x4_0000, 0x4_0000],
    ['RSS without', { rangeSelector: false }, 0x4_0000, 0],
    ['ExtRange with Extended SPIs', { extendedSpis: 32 }, 0x8_0000, 0x8_0000],
    ['ExtRange with Extended PPIs', { extendedPpis: 32 }, 0x8_0000, 0x8_0000],
    ['ExtRange without', {}, 0x8_0000, 0],
    ['as given', { identification: { ICC_CTLR_EL1: 0x8c00 } }, 0xf_ff80, 0x8c00],
  ];
  it.each(cases)('8.2 %s', async (_rule, options, mask, expected) => {
    const board = await createBoard(options);
    expect(board.icc(0, 'CTLR') & mask).toBe(expected);
    board.setIcc(0, 'CTLR', 0xffff_ffff);
    expect(board.icc(0, 'CTLR') & mask, 'read-only').toBe(expected);
    board.setIcc(0, 'CTLR', 0);
    expect(board.icc(0, 'CTLR') & mask, 'read-only').toBe(expected);
  });

  it.each([0, 1, 2, 3])('8.2 CBPR and EOImode keep %i', async (value) => {
    const board = await createBoard();
    board.setIcc(1, 'CTLR', value);
    expect([board.icc(0, 'CTLR') & 3, board.icc(1, 'CTLR') & 3]).toEqual([0, value]);
  });
});

describe('8.2 ICC_SRE', () => {
  it('8.2 ICC_SRE_EL1 is RAO/WI: SRE, DFB, DIB', async () => {
    const board = await createBoard();
    for (const value of [0, 0xffff_ffff]) {
      board.setIcc(0, 'SRE', value);
      expect(board.icc(0, 'SRE')).toBe(7);
    }
  });

  it('8.2 ICC_SRE_EL2 has SRE, DFB and DIB fixed too', async () => {
    const { machine } = await createBoard();
    machine.writeSystemRegister(0, 'ICC_SRE_EL2', 0);
    expect(machine.readSystemRegister(0, 'ICC_SRE_EL2') & 7n).toBe(7n);
  });
});

describe('8.1 access rules', () => {
  it.each(['IAR0', 'IAR1', 'HPPIR0', 'HPPIR1', 'RPR'])('8.2 ICC_%s_EL1 is read-only', async (name) => {
    const board = await createOpenBoard();
    board.configure(40, { group: name.endsWith('0') ? 0 : 1 });
    board.setBit('ISPENDR', 40);
    board.setIcc(0, name, 0);
    expect(board.diagnosed()).toEqual(['WRITE_OF_READ_ONLY']);
    expect(board.state(40)).toBe('pending');
    expect(board.icc(0, 'RPR')).toBe(0xff);
  });

  it.each(['EOIR0', 'EOIR1', 'DIR'])('8.2 ICC_%s_EL1 is write-only', async (name) => {
    const board = await createBoard();
    expect(board.icc(0, name)).toBe(0);
    expect(board.diagnosed()).toEqual(['READ_OF_WRITE_ONLY']);
  });

  it('8.2 each PE has its own registers', async () => {
    const board = await createBoard();
    for (const [name, value] of Object.entries({
      PMR: 0x80,
      IGRPEN0: 1,
      IGRPEN1: 1,
      BPR0: 5,
      BPR1: 6,
      AP1R0: 4,
    })) {
      const others = [0, 1, 3].map((cpu) => board.icc(cpu, name));
      board.setIcc(2, name, value);
      expect(board.icc(2, name)).toBe(value);
      expect([0, 1, 3].map((cpu) => board.icc(cpu, name))).toEqual(others);
    }
  });
});

import { describe, expect, it } from 'vitest';
import type { MachineOptions } from '../../bindings/index.ts';
import { type Board, createBoard, SGI_FRAME } from '../support/gic.ts';

const RRD = 1;
const WRD = 2;
const RWOD = 4;
const WROD = 8;

type Size = 1 | 2 | 4 | 8;

/** A frame with a STATUSR: base address and the offset of STATUSR. */
const frames = {
  GICD: (board: Board) => ({ base: board.gicdAddress(0), status: board.gicdAddress(0x0010) }),
  GICR: (board: Board) => ({ base: board.gicrAddress(1, 0), status: board.gicrAddress(1, 0x0010) }),
} as const;
type FrameName = keyof typeof frames;

const badSizes: readonly (readonly [FrameName, string, number, Size])[] = [
  ['GICD', 'a byte of GICD_CTLR', 0x0000, 1],
  ['GICD', 'a halfword of GICD_CTLR', 0x0000, 2],
  ['GICD', 'a doubleword of GICD_CTLR', 0x0000, 8],
  ['GICD', 'a byte of GICD_ISENABLER1', 0x0104, 1],
  ['GICD', 'a doubleword of GICD_ISENABLER2', 0x0108, 8],
  ['GICD', 'a halfword of GICD_IPRIORITYR10', 0x0428, 2],
  ['GICD', 'a doubleword of GICD_IPRIORITYR10', 0x0428, 8],
  ['GICD', 'a misaligned word of GICD_IPRIORITYR10', 0x042a, 4],
  ['GICD', 'a misaligned word of GICD_ISENABLER1', 0x0106, 4],
  ['GICD', 'a halfword of GICD_IROUTER40', 0x6140, 2],
  ['GICD', 'a misaligned doubleword of GICD_IROUTER40', 0x6144, 8],
  ['GICD', 'a byte of GICD_SETSPI_NSR', 0x0040, 1],
  ['GICR', 'a byte of GICR_CTLR', 0x0000, 1],
  ['GICR', 'a doubleword of GICR_CTLR', 0x0000, 8],
  ['GICR', 'a halfword of GICR_WAKER', 0x0014, 2],
  ['GICR', 'a misaligned doubleword of GICR_PROPBASER', 0x0074, 8],
  ['GICR', 'a byte of GICR_PENDBASER', 0x0078, 1],
  ['GICR', 'a byte of GICR_ISENABLER0', SGI_FRAME + 0x0100, 1],
  ['GICR', 'a halfword of GICR_IPRIORITYR4', SGI_FRAME + 0x0410, 2],
  ['GICR', 'a misaligned word of GICR_ICFGR1', SGI_FRAME + 0x0c05, 4],
];

describe('0 access sizes', () => {
  it.each(badSizes)(
    '0 %s: %s is RAZ/WI, diagnosed and recorded in STATUSR',
    async (name, _what, offset, size) => {
      const board = await createBoard();
      const { base, status } = frames[name](board);
      // Something to read, where the registers take it.
      for (const word of [0x0104, 0x0108, 0x0428, 0x042c]) board.setGicd(word, 0xf8f8_f8f8);
      for (const word of [0x0100, 0x0410, 0x0c04]) board.setGicr(1, SGI_FRAME + word, 0xf8f8_f8f8);
      board.setGicr64(1, 0x0070, 0x0000_0008_6000_078fn);
      board.setGicr64(1, 0x0078, 0x0000_0008_7000_0780n);
      board.setGicd64(0x6140, 1n);
      const aligned = base + (offset & ~3);
      const before = board.machine.read(aligned, 4);
      board.machine.takeDiagnostics();
      board.machine.write(status, 4, 0xf);

      expect(BigInt(board.machine.read(base + offset, size))).toBe(0n);
      expect(board.machine.read(status, 4)).toBe(RRD);
      board.machine.write(base + offset, size, size === 8 ? 0xffff_ffff_ffff_ffffn : 2 ** (8 * size) - 1);
      expect(board.machine.read(status, 4)).toBe(RRD | WRD);
      expect(board.diagnosed()).toEqual(['BAD_ACCESS_SIZE', 'BAD_ACCESS_SIZE']);
      expect(board.machine.read(aligned, 4)).toBe(before);
    },
  );

  it.each([
    ['GICD_IROUTER40', (board: Board) => board.gicdAddress(0x6140), 0x0000_0055_0012_0304n],
    ['GICR_PROPBASER', (board: Board) => board.gicrAddress(1, 0x0070), 0x0000_0008_6000_078fn],
    ['GICR_PENDBASER', (board: Board) => board.gicrAddress(1, 0x0078), 0x0700_0008_7000_0780n],
  ] as const)('0 %s takes one 64-bit access or two independent 32-bit accesses', async (_name, at, value) => {
    const board = await createBoard();
    const address = at(board);
    const low = Number(value & 0xffff_ffffn);
    const high = Number(value >> 32n);
    board.machine.write(address, 8, value);
    expect(board.machine.read(address, 8)).toBe(value);
    expect([board.machine.read(address, 4), board.machine.read(address + 4, 4)]).toEqual([low, high]);
    board.machine.write(address + 4, 4, 0);
    expect(board.machine.read(address, 8)).toBe(BigInt(low));
    board.machine.write(address + 4, 4, high);
    board.machine.write(address, 4, 0);
    expect(board.machine.read(address, 8)).toBe(BigInt(high) << 32n);
    board.machine.write(address, 4, low);
    expect(board.machine.read(address, 8)).toBe(value);
    expect(board.diagnosed()).not.toContain('BAD_ACCESS_SIZE');
  });

  it('0 GICR_TYPER is readable as a doubleword and as two words', async () => {
    const board = await createBoard({ affinities: [0, 0x0102_0304, 2, 3] });
    const typer = board.gicr64(1, 0x0008);
    expect(typer >> 32n).toBe(0x0102_0304n);
    expect([board.gicr(1, 0x0008), board.gicr(1, 0x000c)]).toEqual([
      Number(typer & 0xffff_ffffn),
      0x0102_0304,
    ]);
  });
});

describe('0 STATUSR', () => {
  const accesses: readonly (readonly [string, FrameName, number, 'read' | 'write', number, string])[] = [
    ['RRD: read of a reserved location', 'GICD', 0x0060, 'read', RRD, 'RESERVED_REGISTER'],
    ['WRD: write of a reserved location', 'GICD', 0x0060, 'write', WRD, 'RESERVED_REGISTER'],
    ['RWOD: read of a write-only register', 'GICD', 0x0040, 'read', RWOD, 'READ_OF_WRITE_ONLY'],
    ['WROD: write of a read-only register', 'GICD', 0x0004, 'write', WROD, 'WRITE_OF_READ_ONLY'],
    ['RRD: read of a reserved location', 'GICR', 0x0030, 'read', RRD, 'RESERVED_REGISTER'],
    ['WRD: write of a reserved location', 'GICR', 0x0030, 'write', WRD, 'RESERVED_REGISTER'],
    ['RWOD: read of a write-only register', 'GICR', 0x0040, 'read', RWOD, 'READ_OF_WRITE_ONLY'],
    ['WROD: write of a read-only register', 'GICR', 0x0008, 'write', WROD, 'WRITE_OF_READ_ONLY'],
  ];
  it.each(accesses)('2.1 %s (%s_STATUSR)', async (_rule, name, offset, kind, bit, code) => {
    const board = await createBoard();
    const { base, status } = frames[name](board);
    expect(board.machine.read(status, 4)).toBe(0);
    if (kind === 'read') expect(board.machine.read(base + offset, 4)).toBe(0);
    else board.machine.write(base + offset, 4, 0xffff_ffff);
    expect(board.machine.read(status, 4)).toBe(bit);
    expect(board.diagnosed()).toEqual([code]);
  });

  it.each(['GICD', 'GICR'] as const)(
    '2.1 each bit of %s_STATUSR is cleared by writing 1 to it',
    async (name) => {
      const board = await createBoard();
      const { base, status } = frames[name](board);
      board.machine.read(base + 0x0038, 4);
      board.machine.write(base + 0x0038, 4, 0);
      board.machine.read(base + 0x0040, 4);
      board.machine.write(base + 0x0008, 4, 0);
      expect(board.machine.read(status, 4)).toBe(0xf);
      let left = 0xf;
      for (const bit of [RWOD, RRD, WROD, WRD]) {
        board.machine.write(status, 4, 0);
        expect(board.machine.read(status, 4)).toBe(left);
        board.machine.write(status, 4, bit);
        left &= ~bit;
        expect(board.machine.read(status, 4)).toBe(left);
      }
    },
  );

  it('3.1 GICR_STATUSR records the accesses of its own redistributor', async () => {
    const board = await createBoard();
    board.gicr(1, 0x0030);
    expect([0, 1, 2, 3].map((cpu) => board.gicr(cpu, 0x0010))).toEqual([0, RRD, 0, 0]);
    expect(board.gicd(0x0010)).toBe(0);
  });

  it.each(['GICD', 'GICR'] as const)('2.1 without status registers %s_STATUSR is RAZ/WI', async (name) => {
    const board = await createBoard({ statusRegisters: false });
    const { base, status } = frames[name](board);
    board.machine.read(base + 0x0030, 4);
    board.machine.write(status, 4, 0xffff_ffff);
    expect(board.machine.read(status, 4)).toBe(0);
  });
});

describe('0 the address space', () => {
  const nowhere: readonly (readonly [string, MachineOptions, (board: Board) => number])[] = [
    ['below the distributor', {}, (board) => board.gicdAddress(-8)],
    ['behind the distributor', {}, (board) => board.gicdAddress(0x1_0000)],
    ['behind the last redistributor', {}, (board) => board.gicrAddress(4, 0)],
    [
      'the reserved frame of a GICv4 redistributor',
      { architecture: 'GICv4.0' },
      (board) => board.gicrAddress(0, 0x3_0000),
    ],
    ['behind RAM', {}, ({ machine }) => machine.config.ram.base + machine.config.ram.size],
    ['the last doubleword below 2^52', {}, () => 2 ** 52 - 8],
  ];
  it.each(nowhere)('0 %s nothing answers: RAZ/WI', async (_where, options, at) => {
    const board = await createBoard(options);
    const address = at(board);
    for (const size of [1, 2, 4, 8] as const) {
      board.machine.write(address, size, 1);
      expect(BigInt(board.machine.read(address, size))).toBe(0n);
    }
  });

  it.each([1, 2, 4, 8] as const)(
    '0 RAM takes accesses of %i bytes, little-endian, at any address',
    async (size) => {
      const { machine } = await createBoard();
      const address = machine.config.ram.base + 0x1003;
      machine.write(address, size, 0x0807_0605_0403_0201n & ((1n << BigInt(8 * size)) - 1n));
      expect([...machine.readMemory(address, 9)]).toEqual(
        Array.from({ length: 9 }, (_, i) => (i < size ? i + 1 : 0)),
      );
      expect(BigInt(machine.read(address, size))).toBe(
        0x0807_0605_0403_0201n & ((1n << BigInt(8 * size)) - 1n),
      );
    },
  );

  it('0 an access that runs over the end of RAM does not reach it', async () => {
    const { machine } = await createBoard();
    const end = machine.config.ram.base + machine.config.ram.size;
    machine.writeMemory(end - 4, Uint8Array.of(1, 2, 3, 4));
    machine.write(end - 4, 8, 0xffff_ffff_ffff_ffffn);
    expect([...machine.readMemory(end - 4, 4)]).toEqual([1, 2, 3, 4]);
    expect(machine.read(end - 4, 8)).toBe(0n);
  });
});

import { describe, expect, it } from 'vitest';
import { type BitArray, createBoard, createOpenBoard, SGI_FRAME } from '../support/gic.ts';

const ALL = 0xffff_ffff;
const setAndClear: readonly (readonly [BitArray, BitArray])[] = [
  ['ISENABLER', 'ICENABLER'],
  ['ISPENDR', 'ICPENDR'],
  ['ISACTIVER', 'ICACTIVER'],
];

describe('2.1 Extended SPIs: the GICD_<register><n>E', () => {
  it.each(setAndClear)(
    '2.1 GICD_%s<n>E and GICD_%s<n>E set, clear and read the state',
    async (set, clear) => {
      const board = await createBoard({ extendedSpis: 1024 });
      for (const intid of [4096, 4127, 4128, 5119]) {
        expect(board.bit(set, intid)).toBe(false);
        board.setBit(set, intid);
        expect([board.bit(set, intid), board.bit(clear, intid)]).toEqual([true, true]);
        board.setBit(clear, intid);
        expect([board.bit(set, intid), board.bit(clear, intid)]).toEqual([false, false]);
      }
    },
  );

  it('2.1 the arrays of the basic and the Extended range are apart', async () => {
    const board = await createBoard({ extendedSpis: 64, spis: 64 });
    board.setGicd(0x1200, ALL);
    board.setGicd(0x0108, 0x0f0f_0f0f);
    expect([0x0104, 0x0108, 0x1200, 0x1204].map((offset) => board.gicd(offset))).toEqual([
      0,
      0x0f0f_0f0f,
      ALL,
      0,
    ]);
  });

  it('2.1 GICD_IGROUPR<n>E decides the group', async () => {
    const board = await createOpenBoard({ extendedSpis: 32 });
    board.setGicd(0x1000, 1 << 4);
    for (const intid of [4100, 4101]) {
      board.setBit('ISENABLER', intid);
      board.setBit('ISPENDR', intid);
      board.machine.write(board.priorityAddress(intid), 1, 0x80);
    }
    expect([board.icc(0, 'HPPIR0'), board.icc(0, 'HPPIR1')]).toEqual([1023, 4100]);
    expect(board.icc(0, 'IAR1')).toBe(4100);
    expect(board.icc(0, 'HPPIR0')).toBe(4101);
  });

  it('2.1 GICD_IPRIORITYR<n>E has a byte for each INTID', async () => {
    const board = await createBoard({ extendedSpis: 1024, priorityBits: 8 });
    board.setGicd(0x2000, 0x4433_2211);
    board.machine.write(board.gicdAddress(0x23ff), 1, 0xab);
    expect([board.gicd(0x2000), board.gicd(0x23fc)]).toEqual([0x4433_2211, 0xab00_0000]);
    expect(board.machine.read(board.gicdAddress(0x2001), 1)).toBe(0x22);
  });

  it('2.7 GICD_ICFGR<n>E has two bits for each INTID', async () => {
    const board = await createBoard({ extendedSpis: 1024 });
    board.setGicd(0x3000, ALL);
    board.setGicd(0x30fc, 0x8000_0000);
    expect([board.gicd(0x3000), board.gicd(0x3004), board.gicd(0x30fc)]).toEqual([
      0xaaaa_aaaa, 0, 0x8000_0000,
    ]);
    board.setLine(5119, true);
    board.setLine(5119, false);
    expect(board.state(5119)).toBe('pending');
  });

  it('2.6 GICD_IROUTER<n>E routes INTID 4096+n', async () => {
    const board = await createOpenBoard({ extendedSpis: 1024 });
    for (const intid of [4096, 5119]) board.configure(intid, { edge: true });
    board.setGicd64(0x8000, 1n);
    board.setGicd64(0x8000 + 8 * 1023, 3n);
    board.setLine(4096, true);
    board.setLine(5119, true);
    expect([0, 1, 2, 3].map((cpu) => board.icc(cpu, 'IAR1'))).toEqual([1023, 4096, 1023, 5119]);
  });

  it.each([
    ['IGROUPR1E', 0x1004],
    ['ISENABLER1E', 0x1204],
    ['ICENABLER1E', 0x1404],
    ['ISPENDR1E', 0x1604],
    ['ICPENDR1E', 0x1804],
    ['ISACTIVER1E', 0x1a04],
    ['ICACTIVER1E', 0x1c04],
    ['IPRIORITYR8E', 0x2020],
    ['ICFGR2E', 0x3008],
    ['IROUTER32E', 0x8100],
  ])('2.1 beyond 32 Extended SPIs GICD_%s is RAZ/WI', async (_name, offset) => {
    const board = await createBoard({ extendedSpis: 32 });
    board.setGicd(offset, ALL);
    expect(board.gicd(offset)).toBe(0);
  });

  it.each([
    ['IGRPMODR0E', 0x3400],
    ['NSACR0E', 0x3600],
    ['INMIR0E', 0x3b00],
  ])('2.1 GICD_%s is RAZ/WI with one Security state and without FEAT_GICv3_NMI', async (_name, offset) => {
    const board = await createBoard({ extendedSpis: 32 });
    board.setGicd(offset, ALL);
    expect(board.gicd(offset)).toBe(0);
  });
});

describe('3.9 Extended PPIs: the GICR_<register><n>E', () => {
  it.each(setAndClear)(
    '3.9 GICR_%s<n>E and GICR_%s<n>E set, clear and read the state, banked',
    async (set, clear) => {
      const board = await createBoard({ extendedPpis: 64 });
      for (const intid of [1056, 1087, 1088, 1119]) {
        board.setBit(set, intid, 1);
        expect([0, 1].map((cpu) => board.bit(set, intid, cpu))).toEqual([false, true]);
        board.setBit(clear, intid, 1);
        expect(board.bit(set, intid, 1)).toBe(false);
      }
    },
  );

  it('3.9 IGROUPR1E and IGROUPR2E follow IGROUPR0', async () => {
    const board = await createBoard({ extendedPpis: 64 });
    [1, 2, 3].forEach((value, n) => {
      board.setGicr(0, SGI_FRAME + 0x0080 + 4 * n, value);
    });
    expect([0, 4, 8].map((at) => board.gicr(0, SGI_FRAME + 0x0080 + at))).toEqual([1, 2, 3]);
  });

  it('3.9 IPRIORITYR8E to IPRIORITYR23E are at 0x0420 to 0x045C', async () => {
    const board = await createBoard({ extendedPpis: 64, priorityBits: 8 });
    board.setGicr(0, SGI_FRAME + 0x0420, 0x4433_2211);
    board.machine.write(board.gicrAddress(0, SGI_FRAME + 0x045f), 1, 0xab);
    expect([0x041c, 0x0420, 0x0424, 0x045c].map((offset) => board.gicr(0, SGI_FRAME + offset))).toEqual([
      0, 0x4433_2211, 0, 0xab00_0000,
    ]);
    board.setGicr(0, SGI_FRAME + 0x0460, ALL);
    expect(board.gicr(0, SGI_FRAME + 0x0460)).toBe(0);
  });

  it('3.9 ICFGR2E to ICFGR5E are at 0x0C08 to 0x0C14', async () => {
    const board = await createBoard({ extendedPpis: 64 });
    board.setGicr(0, SGI_FRAME + 0x0c14, 0x8000_0000);
    expect([0x0c04, 0x0c08, 0x0c0c, 0x0c10, 0x0c14].map((at) => board.gicr(0, SGI_FRAME + at))).toEqual([
      0, 0, 0, 0, 0x8000_0000,
    ]);
    board.setLine(1119, true);
    board.setLine(1119, false);
    expect(board.state(1119)).toBe('pending');
  });

  it('1.1 with 32 Extended PPIs the highest is INTID 1087', async () => {
    const board = await createBoard({ extendedPpis: 32 });
    board.setGicr(0, SGI_FRAME + 0x0104, ALL);
    board.setGicr(0, SGI_FRAME + 0x0108, ALL);
    expect([0x0104, 0x0108].map((offset) => board.gicr(0, SGI_FRAME + offset))).toEqual([ALL, 0]);
  });

  it('1.1 an Extended PPI is delivered to its own PE', async () => {
    const board = await createOpenBoard({ extendedPpis: 64 });
    for (const cpu of [0, 2]) board.configure(1119, {}, cpu);
    board.setLine(1119, true, 2);
    expect([0, 2].map((cpu) => board.icc(cpu, 'IAR1'))).toEqual([1023, 1119]);
  });
});

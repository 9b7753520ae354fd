import { describe, expect, it } from 'vitest';
import { createBoard, createOpenBoard, SGI_FRAME } from '../support/gic.ts';

const ALL = 0xffff_ffff;

describe('3.9 GICR_* of SGIs and PPIs', () => {
  it('3.9 GICR_IGROUPR0 is a plain register, banked for each PE', async () => {
    const board = await createBoard();
    board.setGicr(1, SGI_FRAME + 0x0080, 0xdead_beef);
    expect([0, 1].map((cpu) => board.gicr(cpu, SGI_FRAME + 0x0080))).toEqual([0, 0xdead_beef]);
  });

  it.each([
    ['GICR_ISENABLER0', 'GICR_ICENABLER0', 0x0100, 0x0180],
    ['GICR_ISPENDR0', 'GICR_ICPENDR0', 0x0200, 0x0280],
    ['GICR_ISACTIVER0', 'GICR_ICACTIVER0', 0x0300, 0x0380],
  ])('3.9 %s sets, %s clears, both read the state, banked', async (_set, _clear, setAt, clearAt) => {
    const board = await createBoard();
    const state = (): number[] => [setAt, clearAt].map((offset) => board.gicr(1, SGI_FRAME + offset));
    expect(state()).toEqual([0, 0]);
    board.setGicr(1, SGI_FRAME + setAt, 0x8001_8001);
    board.setGicr(1, SGI_FRAME + setAt, 0x0000_0010);
    expect(state()).toEqual([0x8001_8011, 0x8001_8011]);
    board.setGicr(1, SGI_FRAME + clearAt, 0x0001_0001);
    expect(state()).toEqual([0x8000_8010, 0x8000_8010]);
    expect(board.gicr(0, SGI_FRAME + setAt)).toBe(0);
    board.setGicr(1, SGI_FRAME + clearAt, ALL);
    expect(state()).toEqual([0, 0]);
  });

  it('3.9 GICR_IPRIORITYR0-7 have a byte for each of INTIDs 0-31, accessible as bytes and words', async () => {
    const board = await createBoard({ priorityBits: 8 });
    for (let intid = 0; intid < 32; intid++)
      board.machine.write(board.gicrAddress(1, SGI_FRAME + 0x400 + intid), 1, intid + 1);
    for (let n = 0; n < 8; n++) {
      expect(board.gicr(1, SGI_FRAME + 0x0400 + 4 * n)).toBe((0x0403_0201 + 0x0404_0404 * n) >>> 0);
      expect(board.gicr(0, SGI_FRAME + 0x0400 + 4 * n)).toBe(0);
    }
    board.setGicr(1, SGI_FRAME + 0x0404, 0xff00_ab11);
    expect([4, 5, 6, 7].map((intid) => board.machine.read(board.priorityAddress(intid, 1), 1))).toEqual([
      0x11, 0xab, 0x00, 0xff,
    ]);
  });

  it.each([4, 5, 6, 7, 8])(
    '1.4 with %i priority bits the low bits of GICR_IPRIORITYR are RAZ/WI',
    async (priorityBits) => {
      const board = await createBoard({ priorityBits });
      board.setGicr(0, SGI_FRAME + 0x0410, ALL);
      expect(board.gicr(0, SGI_FRAME + 0x0410)).toBe(((0xff << (8 - priorityBits)) & 0xff) * 0x0101_0101);
    },
  );

  it('3.9 GICR_ICFGR0 is read-only: SGIs are edge-triggered', async () => {
    const board = await createBoard();
    expect(board.gicr(0, SGI_FRAME + 0x0c00)).toBe(0xaaaa_aaaa);
    board.setGicr(0, SGI_FRAME + 0x0c00, 0);
    expect(board.gicr(0, SGI_FRAME + 0x0c00)).toBe(0xaaaa_aaaa);
  });

  it('2.7 policy ppiConfigWritable: GICR_ICFGR1 takes the trigger of PPIs, bits [2x] are RES0', async () => {
    const board = await createBoard({ policy: { ppiConfigWritable: true } });
    board.setGicr(1, SGI_FRAME + 0x0c04, ALL);
    expect([0, 1].map((cpu) => board.gicr(cpu, SGI_FRAME + 0x0c04))).toEqual([0, 0xaaaa_aaaa]);
    board.setGicr(1, SGI_FRAME + 0x0c04, 0x0000_0200);
    board.setLine(20, true, 1);
    board.setLine(21, true, 1);
    board.setLine(20, false, 1);
    board.setLine(21, false, 1);
    expect([board.state(20, 1), board.state(21, 1)]).toEqual(['pending', 'inactive']);
  });

  it('2.7 policy ppiConfigWritable off: GICR_ICFGR1 is read-only', async () => {
    const board = await createBoard({ policy: { ppiConfigWritable: false } });
    const before = board.gicr(1, SGI_FRAME + 0x0c04);
    board.setGicr(1, SGI_FRAME + 0x0c04, ~before >>> 0);
    expect(board.gicr(1, SGI_FRAME + 0x0c04)).toBe(before);
  });

  it.each([
    ['GICR_IGRPMODR0', 0x0d00],
    ['GICR_NSACR', 0x0e00],
    ['GICR_INMIR0 without FEAT_GICv3_NMI', 0x0f80],
    ['GICR_IGROUPR1E without Extended PPIs', 0x0084],
    ['GICR_ISENABLER1E without Extended PPIs', 0x0104],
    ['GICR_IPRIORITYR8E without Extended PPIs', 0x0420],
    ['GICR_ICFGR2E without Extended PPIs', 0x0c08],
  ])('3.9 %s is RAZ/WI with one Security state', async (_name, offset) => {
    const board = await createBoard();
    board.setGicr(0, SGI_FRAME + offset, ALL);
    expect(board.gicr(0, SGI_FRAME + offset)).toBe(0);
  });

  it('3.9 GICR_ISPENDR0 generates SGIs at its own PE', async () => {
    const board = await createOpenBoard();
    for (const cpu of [0, 1]) board.configure(7, {}, cpu);
    board.setGicr(1, SGI_FRAME + 0x0200, 1 << 7);
    expect([0, 1].map((cpu) => board.icc(cpu, 'IAR1'))).toEqual([1023, 7]);
  });

  it.each([
    ['ISENABLER0', 0x0100],
    ['ISPENDR0', 0x0200],
    ['ISACTIVER0', 0x0300],
  ])('3.9 the bits of SGIs in GICR_%s do not touch PPIs and the other way round', async (_name, offset) => {
    const board = await createBoard();
    board.setGicr(0, SGI_FRAME + offset, 0x0000_ffff);
    expect(board.gicr(0, SGI_FRAME + offset)).toBe(0x0000_ffff);
    board.setGicr(0, SGI_FRAME + offset, 0xffff_0000);
    board.setGicr(0, SGI_FRAME + offset + 0x80, 0x0000_ffff);
    expect(board.gicr(0, SGI_FRAME + offset)).toBe(0xffff_0000);
  });
});

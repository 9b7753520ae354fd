import { describe, expect, it } from 'vitest';
import type { MachineOptions } from '../../bindings/index.ts';
import { type Board, createBoard, createOpenBoard, RAM } from '../support/gic.ts';
import {
  CONFIG_TABLE,
  enableLpis,
  pendingBit,
  pendingTableOf,
  setEnableLpis,
  setLpi,
  setLpiConfig,
  setPendingBit,
  writeLpiTables,
} from '../support/lpi.ts';

const PROPBASER = 0x0070;
const PENDBASER = 0x0078;
const ALL = 0xffff_ffff_ffff_ffffn;

describe('3.6 GICR_PROPBASER', () => {
  it('3.6 keeps attributes, address and IDbits: the example of the reference', async () => {
    const board = await createBoard();
    board.setGicr64(1, PROPBASER, 0x0000_0008_6000_078fn);
    expect([0, 1].map((cpu) => board.gicr64(cpu, PROPBASER))).toEqual([0n, 0x0000_0008_6000_078fn]);
  });

  it.each([
    ['zero', 0x070f_ffff_ffff_f79fn],
    ['keep', 0xffff_ffff_ffff_f7ffn],
  ] as const)('3.6 policy lpiTableReservedBits %s', async (lpiTableReservedBits, expected) => {
    const board = await createBoard({ policy: { lpiTableReservedBits } });
    board.setGicr64(0, PROPBASER, 0xffff_ffff_ffff_f7ffn);
    expect(board.gicr64(0, PROPBASER)).toBe(expected);
  });

  it('3.6 the reserved Shareability 3 reads as 0', async () => {
    const board = await createBoard();
    board.setGicr64(0, PROPBASER, 0xc00n);
    expect(board.gicr64(0, PROPBASER)).toBe(0n);
  });
});

describe('3.7 GICR_PENDBASER', () => {
  it('3.7 keeps attributes and address; PTZ reads as zero: the example of the reference', async () => {
    const board = await createBoard();
    board.setGicr64(1, PENDBASER, 0x4000_0008_7000_0780n);
    expect([0, 1].map((cpu) => board.gicr64(cpu, PENDBASER))).toEqual([0n, 0x0000_0008_7000_0780n]);
  });

  it.each([
    ['zero', 'honour', 0x070f_ffff_ffff_0780n],
    ['zero', 'ignore', 0x470f_ffff_ffff_0780n],
    ['keep', 'honour', 0xbfff_ffff_ffff_f7ffn],
    ['keep', 'ignore', 0xffff_ffff_ffff_f7ffn],
  ] as const)(
    '3.7 policies lpiTableReservedBits %s, pendingTableZero %s',
    async (lpiTableReservedBits, pendingTableZero, expected) => {
      const board = await createBoard({ policy: { lpiTableReservedBits, pendingTableZero } });
      board.setGicr64(0, PENDBASER, 0xffff_ffff_ffff_f7ffn);
      expect(board.gicr64(0, PENDBASER)).toBe(expected);
    },
  );
});

/** Acknowledges and ends everything that PE `cpu` can take, in order. */
function takeAll(board: Board, cpu = 0): number[] {
  const taken: number[] = [];
  for (let intid = board.icc(cpu, 'IAR1'); intid !== 1023; intid = board.icc(cpu, 'IAR1')) {
    taken.push(intid);
    board.setIcc(cpu, 'EOIR1', intid);
  }
  return taken;
}

describe('3.2 EnableLPIs', () => {
  it('3.2 0 to 1 loads the pending table: every enabled pending LPI is delivered once', async () => {
    const board = await createOpenBoard();
    for (const intid of [8192, 8255, 8256, 12_345, 65_535]) {
      setLpiConfig(board, intid, 0xa3);
      setPendingBit(board, intid);
    }
    setPendingBit(board, 9000);
    expect(board.machine.irq(0)).toBe(false);
    enableLpis(board);
    expect(takeAll(board)).toEqual([8192, 8255, 8256, 12_345, 65_535]);
    expect([8192, 65_535, 9000].map((intid) => pendingBit(board, intid))).toEqual([false, false, true]);
  });

  it('3.7 PTZ=1 with an all-zero table: nothing is delivered, later LPIs are', async () => {
    const board = await createOpenBoard();
    setLpiConfig(board, 8200, 0xa3);
    enableLpis(board, 0, { zero: true });
    expect(takeAll(board)).toEqual([]);
    setLpi(board, 8200);
    expect(takeAll(board)).toEqual([8200]);
    expect(board.diagnosed()).toEqual([]);
  });

  it.each([
    ['lower half first', [0x0078, 0x007c]],
    ['upper half first', [0x007c, 0x0078]],
  ])('3.7 PTZ written by halves, %s, is honoured', async (_, halves) => {
    const board = await createOpenBoard();
    setLpiConfig(board, 8200, 0xa3);
    setPendingBit(board, 8200);
    enableLpis(board, 0);
    board.setGicr(0, 0x0000, 0);
    const value = board.gicr64(0, 0x0078) | (1n << 62n);
    for (const offset of halves) {
      board.setGicr(0, offset, Number((value >> (offset === 0x0078 ? 0n : 32n)) & 0xffff_ffffn));
    }
    board.setGicr(0, 0x0000, 1);
    expect(takeAll(board)).toEqual([]);
  });

  it('3.7 policy pendingTableZero honour: PTZ=1 skips the scan, a broken promise is diagnosed', async () => {
    const board = await createOpenBoard({ policy: { pendingTableZero: 'honour' } });
    setLpiConfig(board, 8200, 0xa3);
    setPendingBit(board, 8200);
    enableLpis(board, 0, { zero: true });
    expect(takeAll(board)).toEqual([]);
    expect(board.diagnosed()).toEqual(['PENDING_TABLE_NOT_ZERO']);
  });

  it('3.7 policy pendingTableZero ignore: the table is read all the same', async () => {
    const board = await createOpenBoard({ policy: { pendingTableZero: 'ignore' } });
    setLpiConfig(board, 8200, 0xa3);
    setPendingBit(board, 8200);
    enableLpis(board, 0, { zero: true });
    expect(takeAll(board)).toEqual([8200]);
  });

  it('3.2 0: writes of GICR_SETLPIR are ignored, and stay so after the enable', async () => {
    const board = await createOpenBoard();
    setLpiConfig(board, 8200, 0xa3);
    writeLpiTables(board, 0);
    setLpi(board, 8200);
    expect(pendingBit(board, 8200)).toBe(false);
    setEnableLpis(board, true);
    expect(takeAll(board)).toEqual([]);
  });

  it('3.2 1 to 0 stops forwarding, and the pending table in memory has the pending state', async () => {
    const board = await createOpenBoard();
    for (const intid of [8200, 8201]) setLpiConfig(board, intid, 0xa3);
    enableLpis(board);
    setLpi(board, 8200);
    setLpi(board, 8201);
    expect(board.icc(0, 'IAR1')).toBe(8200);
    board.setIcc(0, 'EOIR1', 8200);
    setEnableLpis(board, false);
    expect(board.gicr(0, 0x0000) & 0x9).toBe(0);
    expect(board.machine.irq(0)).toBe(false);
    expect([8200, 8201].map((intid) => pendingBit(board, intid))).toEqual([false, true]);
    setEnableLpis(board, true);
    expect(takeAll(board)).toEqual([8201]);
  });

  it('3.2 policy enableLpisClearable off: EnableLPIs is RES1 once set', async () => {
    const board = await createOpenBoard({ policy: { enableLpisClearable: false } });
    setLpiConfig(board, 8200, 0xa3);
    enableLpis(board);
    setEnableLpis(board, false);
    expect(board.gicr(0, 0x0000) & 1).toBe(1);
    expect(board.diagnosed()).toEqual(['ENABLE_LPIS_NOT_CLEARABLE']);
    setLpi(board, 8200);
    expect(takeAll(board)).toEqual([8200]);
  });

  it.each(['ignore', 'accept'] as const)(
    '3.2 policy lpiTableWriteWhileEnabled %s: diagnosed in any case',
    async (lpiTableWriteWhileEnabled) => {
      const board = await createOpenBoard({ policy: { lpiTableWriteWhileEnabled } });
      const moved = { configTable: RAM.base + 0x10_0000, pendingTable: RAM.base + 0x11_0000 };
      setLpiConfig(board, 8200, 0x81);
      setLpiConfig(board, 8201, 0x81, moved.configTable);
      enableLpis(board);
      writeLpiTables(board, 0, moved);
      expect(board.diagnosed()).toEqual(['LPI_TABLE_WRITE_WHILE_ENABLED', 'LPI_TABLE_WRITE_WHILE_ENABLED']);
      const accepted = lpiTableWriteWhileEnabled === 'accept';
      expect(board.gicr64(0, PROPBASER)).toBe(BigInt(accepted ? moved.configTable : CONFIG_TABLE) | 15n);
      expect(board.gicr64(0, PENDBASER)).toBe(BigInt(accepted ? moved.pendingTable : pendingTableOf(0)));
      for (const intid of [8200, 8201]) setLpi(board, intid);
      expect([8200, 8201].map((intid) => pendingBit(board, intid, 0, moved.pendingTable))).toEqual([
        accepted,
        accepted,
      ]);
      expect(takeAll(board)).toEqual([accepted ? 8201 : 8200]);
    },
  );
});

describe('4.1 the configuration table', () => {
  it.each([
    ['0xA3: priority 0xA0, enabled', 8, 0xa3, 0xa0],
    ['bit 1 has no effect', 8, 0xa1, 0xa0],
    ['bits [7:2] are the priority', 8, 0xff, 0xfc],
    ['priority 0', 8, 0x01, 0],
    ['unimplemented low priority bits are ignored (5 bits)', 5, 0xa7, 0xa0],
    ['unimplemented low priority bits are ignored (4 bits)', 4, 0xaf, 0xa0],
  ] as const)('4.1 %s', async (_rule, priorityBits, byte, priority) => {
    const board = await createOpenBoard({ priorityBits });
    setLpiConfig(board, 8200, byte);
    enableLpis(board);
    setLpi(board, 8200);
    expect(board.machine.highestPending(0)).toEqual({ intid: 8200, priority, group: 1 });
  });

  it('4.1 Enable=0: the LPI stays pending and is not delivered', async () => {
    const board = await createOpenBoard();
    setLpiConfig(board, 8200, 0xa2);
    enableLpis(board);
    setLpi(board, 8200);
    expect(takeAll(board)).toEqual([]);
    expect(pendingBit(board, 8200)).toBe(true);
  });

  it('4.1 the byte of INTID n is at PROPBASER.PA + n - 8192', async () => {
    const board = await createOpenBoard();
    board.machine.writeMemory(CONFIG_TABLE + 100, Uint8Array.of(0x41));
    enableLpis(board);
    for (const intid of [8291, 8292, 8293]) setLpi(board, intid);
    expect(takeAll(board)).toEqual([8292]);
  });

  const ranges: readonly (readonly [string, MachineOptions, number, number])[] = [
    ['IDbits 13', {}, 13, 16_383],
    ['IDbits 14', {}, 14, 32_767],
    ['IDbits 15, as many as GICD_TYPER.IDbits', {}, 15, 65_535],
    ['IDbits 31, more than GICD_TYPER.IDbits, which applies', {}, 31, 65_535],
    ['IDbits 15 where GICD_TYPER.IDbits is 13', { intidBits: 14 }, 15, 16_383],
    ['IDbits 19', { intidBits: 22 }, 19, 1_048_575],
  ];
  it.each(ranges)('4.1 %s: LPIs beyond the range are dropped', async (_rule, options, idBits, highest) => {
    const board = await createOpenBoard(options);
    const tables = { idBits, configTable: RAM.base + 0x10_0000, pendingTable: RAM.base };
    const size = Math.min(highest + 1 - 8192, RAM.size / 2);
    board.machine.writeMemory(tables.configTable, new Uint8Array(size).fill(0x81));
    enableLpis(board, 0, tables);
    for (const intid of [highest, highest + 1]) setLpi(board, intid);
    expect(pendingBit(board, highest + 1, 0, tables.pendingTable)).toBe(false);
    expect(takeAll(board)).toEqual([highest]);
    expect(board.machine.counters().setlpir.dropped).toEqual({ 'intid-out-of-range': 1 });
  });

  it('3.6 IDbits below 13 puts every LPI out of range', async () => {
    const board = await createOpenBoard();
    setLpiConfig(board, 8192, 0x81);
    setPendingBit(board, 8192);
    enableLpis(board, 0, { idBits: 12 });
    setLpi(board, 8192);
    expect(takeAll(board)).toEqual([]);
  });
});

describe('4.2 the pending table', () => {
  it.each([
    [8192, 1024, 0x01],
    [8199, 1024, 0x80],
    [8200, 1025, 0x01],
    [65_535, 8191, 0x80],
  ])('4.2 LPI %i is in byte %i, mask %i', async (intid, byte, mask) => {
    const board = await createOpenBoard();
    enableLpis(board);
    setLpi(board, intid);
    setEnableLpis(board, false);
    expect([...board.machine.readMemory(pendingTableOf(0) + byte, 1)]).toEqual([mask]);
  });

  it('4.2 the first 1 KiB holds no LPIs: its contents make nothing pending', async () => {
    const board = await createOpenBoard();
    board.machine.writeMemory(CONFIG_TABLE, new Uint8Array(0xe000).fill(0x81));
    board.machine.writeMemory(pendingTableOf(0), new Uint8Array(1024).fill(0xff));
    enableLpis(board);
    expect(takeAll(board)).toEqual([]);
  });

  it('4.2 each PE has its own: an LPI pending at two PEs is two interrupts', async () => {
    const board = await createOpenBoard();
    setLpiConfig(board, 8200, 0x81);
    for (const cpu of [0, 1]) {
      enableLpis(board, cpu);
      setLpi(board, 8200, cpu);
    }
    expect([0, 1, 2].map((cpu) => board.icc(cpu, 'IAR1'))).toEqual([8200, 8200, 1023]);
  });

  it('1.2 acknowledge clears the pending state of an LPI, which has no Active state', async () => {
    const board = await createOpenBoard();
    setLpiConfig(board, 8200, 0x81);
    enableLpis(board);
    setLpi(board, 8200);
    expect(board.icc(0, 'IAR1')).toBe(8200);
    expect(pendingBit(board, 8200)).toBe(false);
    setLpi(board, 8200);
    expect(pendingBit(board, 8200)).toBe(true);
    expect(board.icc(0, 'HPPIR1')).toBe(8200);
    expect(board.icc(0, 'IAR1'), 'its own priority is running').toBe(1023);
    board.setIcc(0, 'EOIR1', 8200);
    expect(board.icc(0, 'IAR1')).toBe(8200);
  });
});

describe('4.1 tables outside RAM', () => {
  const end = RAM.base + RAM.size;
  const wide = { intidBits: 20 };
  it.each([
    ['a pending table at address 0', {}, { pendingTable: 0 }],
    ['a pending table behind RAM', {}, { pendingTable: end }],
    ['a pending table that runs over the end of RAM', wide, { idBits: 19, pendingTable: end - 0x1_0000 }],
    ['a pending table at the top of the address space', {}, { pendingTable: 2 ** 52 - 0x1_0000 }],
    ['a configuration table at address 0', {}, { configTable: 0 }],
    ['a configuration table that runs over the end of RAM', {}, { configTable: end - 0x1000 }],
    ['a configuration table at the top of the address space', {}, { configTable: 2 ** 52 - 0x1000 }],
  ] as const)('4.1 %s: no LPI is delivered, diagnosed, never a trap', async (_where, options, tables) => {
    const board = await createOpenBoard(options);
    board.machine.writeMemory(end - 0x1000, new Uint8Array(0x1000).fill(0x81));
    enableLpis(board, 0, tables);
    expect(board.diagnosed()).toEqual(['LPI_TABLE_OUTSIDE_RAM']);
    for (const intid of [8192, 8200, 65_535]) setLpi(board, intid);
    board.setGicr64(0, 0x00a0, 8200n);
    board.setGicr64(0, 0x00b0, 0n);
    board.setGicr64(0, 0x0048, 8192n);
    expect(board.machine.irq(0)).toBe(false);
    expect(takeAll(board)).toEqual([]);
    setEnableLpis(board, false);
    expect(board.gicr(0, 0x0000) & 1).toBe(0);
  });

  it('3.7 reserved bits and attributes of the registers do not change the address', async () => {
    const board = await createOpenBoard();
    setLpiConfig(board, 8200, 0x81);
    board.setGicr64(0, PROPBASER, (ALL & ~0xf_ffff_ffff_f01fn) | BigInt(CONFIG_TABLE) | 15n);
    board.setGicr64(0, PENDBASER, (ALL & ~0x400f_ffff_ffff_0000n) | BigInt(pendingTableOf(0)));
    setEnableLpis(board, true);
    setLpi(board, 8200);
    expect(takeAll(board)).toEqual([8200]);
  });
});

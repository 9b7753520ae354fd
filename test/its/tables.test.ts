import { describe, expect, it } from 'vitest';
import { hex } from '../support/gic.ts';
import { int, invall, mapc, mapd, mapti, unmapc } from './commands.ts';
import {
  createMappedBoard,
  createRunningBoard,
  DEVICE,
  FIRST_LPI,
  GITS,
  INDIRECT,
  type ItsBoard,
  SCRATCH,
  VALID,
} from './fixture.ts';

const DEVICE_OOR = 0x010801;
const COLLECTION_OOR = 0x010903;

const pageSizes = [
  { code: 0n, bytes: 0x1000 },
  { code: 1n, bytes: 0x4000 },
  { code: 2n, bytes: 0x1_0000 },
  { code: 3n, bytes: 0x1_0000 },
];

function baser(address: number, pageSize: bigint, pages: number, indirect = false): bigint {
  return VALID | (indirect ? INDIRECT : 0n) | BigInt(address) | (pageSize << 8n) | BigInt(pages - 1);
}

function setTable(board: ItsBoard, n: 0 | 1, value: bigint): void {
  board.its.enable(false);
  board.its.write64(GITS.BASER0 + 8 * n, value);
  board.its.enable(true);
}

/** Offsets of the bytes that are not zero. */
function used(board: ItsBoard, address: number, length: number): number[] {
  const bytes = board.machine.readMemory(address, length);
  return [...bytes.keys()].filter((index) => bytes[index] !== 0);
}

/** A MAPD that maps a device to an ITT of its own. */
const map = (board: ItsBoard, deviceId: number) => mapd(deviceId, board.its.itt(1));

describe('5.9 flat tables', () => {
  it.each(
    pageSizes.flatMap(({ code, bytes }) =>
      [1, 3].map((pages) => ({ code, bytes, pages, room: (bytes * pages) / 8 })),
    ),
  )('5.9 Page_Size $code, $pages pages: $room IDs', async ({ code, bytes, pages, room }) => {
    const board = await createRunningBoard();
    setTable(board, 0, baser(board.ram(SCRATCH), code, pages));
    setTable(board, 1, baser(board.ram(SCRATCH + 0x4_0000), code, pages));
    const { its } = board;
    expect(its.errors([map(board, room - 1), map(board, room)])).toEqual([DEVICE_OOR]);
    expect(its.errors([mapc(room - 1, 0), mapc(room, 0)])).toEqual([COLLECTION_OOR]);
    for (const at of [SCRATCH, SCRATCH + 0x4_0000]) {
      const touched = used(board, board.ram(at), 4 * bytes);
      expect(Math.min(...touched), 'the last entry of the table').toBeGreaterThanOrEqual(bytes * pages - 8);
      expect(Math.max(...touched)).toBeLessThan(bytes * pages);
    }
  });

  it('5.9 256 pages of 4 KiB', async () => {
    const board = await createRunningBoard({ deviceIdBits: 20 });
    setTable(board, 0, baser(board.ram(SCRATCH), 0n, 256));
    const room = (256 * 4096) / 8;
    expect(board.its.errors([map(board, room - 1), map(board, room)])).toEqual([DEVICE_OOR]);
    expect(board.machine.deviceEntry(0, room - 1)).toBeDefined();
  });

  it.each([
    [8, 512],
    [16, 256],
    [24, 170],
    [32, 128],
  ])('5.9 entries of %i bytes: %i in a 4 KiB page', async (tableEntryBytes, room) => {
    const board = await createRunningBoard({ tableEntryBytes });
    setTable(board, 0, baser(board.ram(SCRATCH), 0n, 1));
    setTable(board, 1, baser(board.ram(SCRATCH + 0x1000), 0n, 1));
    expect(board.its.errors([map(board, room - 1), map(board, room)])).toEqual([DEVICE_OOR]);
    expect(board.its.errors([mapc(room - 1, 0), mapc(room, 0)])).toEqual([COLLECTION_OOR]);
    expect(Math.min(...used(board, board.ram(SCRATCH), 4096))).toBeGreaterThanOrEqual(
      (room - 1) * tableEntryBytes,
    );
  });

  it('5.9 GITS_TYPER.Devbits and CIDbits limit a table that has room for more', async () => {
    const board = await createRunningBoard({ deviceIdBits: 5, collectionIdBits: 3 });
    expect(board.its.errors([map(board, 31), map(board, 32), mapc(7, 0), mapc(8, 0)])).toEqual([
      DEVICE_OOR,
      COLLECTION_OOR,
    ]);
  });

  it('5.9 an address that is not aligned to its page: low bits count as zero, or are used', async () => {
    const board = await createRunningBoard();
    setTable(board, 0, baser(board.ram(SCRATCH + 0x3000), 1n, 1));
    board.its.run([map(board, 0)]);
    expect(board.machine.deviceEntry(0, 0)).toBeDefined();
    const first = Math.min(...used(board, board.ram(SCRATCH), 0x8000));
    expect([0, 0x3000]).toContain(first & ~7);
  });

  it.each([0, 1] as const)('5.9 GITS_BASER%i.Valid=0: the MSI is discarded, commands fail', async (n) => {
    const board = await createMappedBoard();
    setTable(board, n, 0n);
    expect(board.machine.sendMsi(DEVICE, 0)).not.toMatch(/^(pending|coalesced)$/);
    expect(board.pendingAt(FIRST_LPI)).toEqual([]);
    const [error] = board.its.errors([n === 0 ? map(board, 0) : mapc(0, 0)]);
    expect(error).toBe(n === 0 ? DEVICE_OOR : COLLECTION_OOR);
  });
});

describe('5.10 two-level tables', () => {
  const level1 = SCRATCH;
  const page = (n: number): number => SCRATCH + 0x1_0000 * (n + 1);

  /** Makes an L1 entry point at an L2 page. */
  function link(board: ItsBoard, index: number, address: number, valid = true): void {
    const entry = (valid ? VALID : 0n) | BigInt(address);
    board.machine.write(board.ram(level1 + 8 * index), 8, entry);
  }

  it.each(pageSizes.flatMap(({ code, bytes }) => [8, 16, 24, 32].map((entry) => ({ code, bytes, entry }))))(
    '5.10 Page_Size $code, entries of $entry bytes: index by entries in a page',
    async ({ code, bytes, entry }) => {
      const board = await createRunningBoard({ tableEntryBytes: entry, deviceIdBits: 24 });
      const perPage = Math.floor(bytes / entry);
      setTable(board, 0, baser(board.ram(level1), code, 1, true));
      link(board, 0, board.ram(page(0)));
      link(board, 2, board.ram(page(2)));
      const ids = [0, perPage - 1, 2 * perPage, 3 * perPage - 1];
      expect(board.its.errors(ids.map((id) => map(board, id)))).toEqual([]);
      for (const id of ids) expect(board.machine.deviceEntry(0, id), `device ${id}`).toBeDefined();
      for (const n of [0, 2]) {
        const touched = used(board, board.ram(page(n)), bytes);
        expect(touched.every((at) => at < entry || at >= (perPage - 1) * entry)).toBe(true);
        expect(touched.some((at) => at < entry) && touched.some((at) => at >= (perPage - 1) * entry)).toBe(
          true,
        );
      }
      expect(used(board, board.ram(page(1)), bytes)).toEqual([]);
    },
  );

  it('5.10 an ID in a hole of level 1 is out of range', async () => {
    const board = await createRunningBoard();
    setTable(board, 0, baser(board.ram(level1), 0n, 1, true));
    link(board, 1, board.ram(page(1)));
    link(board, 3, board.ram(page(3)), false);
    const ids = [0, 511, 512, 1023, 1024, 3 * 512];
    expect(board.its.errors(ids.map((id) => map(board, id)))).toEqual(Array(4).fill(DEVICE_OOR));
    expect(ids.filter((id) => board.machine.deviceEntry(0, id))).toEqual([512, 1023]);
  });

  it('5.10 MSIs and commands of a device in a hole find no mapping', async () => {
    const board = await createMappedBoard();
    setTable(board, 0, baser(board.ram(level1), 0n, 1, true));
    expect(board.machine.sendMsi(5, 0)).toMatch(/^device-/);
    for (const code of board.its.errors([mapti(5, 0, FIRST_LPI, 0)]))
      expect([0x010a01, 0x010a04]).toContain(code);
    for (const code of board.its.errors([int(5, 0)])) expect([0x010301, 0x010304]).toContain(code);
  });

  it('5.10 an L1 entry may become valid while the ITS runs', async () => {
    const board = await createRunningBoard();
    setTable(board, 0, baser(board.ram(level1), 2n, 1, true));
    expect(board.its.errors([map(board, 8192)])).toEqual([DEVICE_OOR]);
    link(board, 1, board.ram(page(1)));
    expect(board.its.errors([map(board, 8192)])).toEqual([]);
  });

  it('5.10 a collection table can have two levels', async () => {
    const board = await createMappedBoard();
    setTable(board, 1, baser(board.ram(level1), 0n, 1, true));
    link(board, 1, board.ram(page(1)));
    expect(board.its.errors([mapc(600, 2), mapc(0, 0), mapti(DEVICE, 20, 9000, 600)])).toEqual([
      COLLECTION_OOR,
    ]);
    expect(board.machine.sendMsi(DEVICE, 20)).toBe('pending');
    expect(board.take(2)).toEqual([9000]);
    expect(board.machine.sendMsi(DEVICE, 0), 'collection 0 is in a hole').toBe('collection-unmapped');
    const [code] = board.its.errors([invall(0)]);
    expect([0x010d03, 0x010d09]).toContain(code);
  });

  it('5.10 level 1 limits the IDs: one 4 KiB page holds 512 entries of 512 IDs', async () => {
    const board = await createRunningBoard({ deviceIdBits: 20 });
    setTable(board, 0, baser(board.ram(level1), 0n, 1, true));
    for (let index = 0; index < 512; index++) link(board, index, board.ram(page(0)));
    const room = 512 * 512;
    expect(board.its.errors([map(board, room - 1), map(board, room)])).toEqual([DEVICE_OOR]);
  });

  it('5.10 reserved bits of an L1 entry are ignored', async () => {
    const board = await createRunningBoard();
    setTable(board, 0, baser(board.ram(level1), 1n, 1, true));
    const entry = (0xfffn << 52n) | BigInt(board.ram(page(0))) | 0x3fffn;
    board.machine.write(board.ram(level1), 8, entry);
    board.its.run([map(board, 7)]);
    expect(used(board, board.ram(page(0)) + 56, 8)).not.toEqual([]);
  });

  it('5.9 Indirect cannot be set where tables are flat only: the table is flat', async () => {
    const board = await createRunningBoard({ indirectTables: false });
    setTable(board, 0, baser(board.ram(level1), 2n, 1, true));
    expect(board.its.errors([map(board, 8191), map(board, 8192)])).toEqual([DEVICE_OOR]);
    expect(used(board, board.ram(level1) + 8191 * 8, 8)).not.toEqual([]);
  });

  it('5.10 example: L1 entry 0x8000_0008_B000_0000', async () => {
    const board = await createRunningBoard({ ram: { base: 0x8_0000_0000, size: 0x60_0000 } });
    setTable(board, 0, 0xf907_0008_0010_0600n);
    board.machine.write(0x8_0010_0000, 8, 0x8000_0008_0018_0000n);
    board.its.run([map(board, 1)]);
    expect(used(board, 0x8_0018_0000 + 8, 8)).not.toEqual([]);
  });
});

describe('5.4 collections held in hardware (HCC)', () => {
  const options = { hardwareCollections: 4 } as const;

  it('5.4 are unmapped at reset', async () => {
    const board = await createRunningBoard(options);
    for (let icid = 0; icid < 4; icid++) expect(board.machine.collectionEntry(0, icid)).toBeUndefined();
  });

  it('5.9 need no table: MSIs pass with GITS_BASER1.Valid=0', async () => {
    const board = await createRunningBoard(options, { collections: 0n });
    const { its, machine } = board;
    expect(
      its.errors([mapd(DEVICE, its.itt(0)), mapc(3, 2), mapc(4, 2), mapti(DEVICE, 0, FIRST_LPI, 3)]),
    ).toEqual([COLLECTION_OOR]);
    expect(machine.sendMsi(DEVICE, 0)).toBe('pending');
    expect(board.take(2)).toEqual([FIRST_LPI]);
    its.run([unmapc(3)]);
    expect(machine.sendMsi(DEVICE, 0)).toBe('collection-unmapped');
  });

  it('5.4 stand beside those in memory, which they do not touch', async () => {
    const board = await createRunningBoard(options);
    board.its.run([mapc(0, 0), mapc(1, 1), mapc(2, 2), mapc(3, 3)]);
    expect(used(board, board.its.collectionTable, 0x1_0000)).toEqual([]);
    board.its.run([mapc(4, 1), mapc(8191, 2)]);
    expect([0, 1, 2, 3, 4, 8191].map((icid) => board.machine.collectionEntry(0, icid))).toEqual([
      0, 1, 2, 3, 1, 2,
    ]);
    expect(used(board, board.its.collectionTable, 0x1_0000)).not.toEqual([]);
    expect(board.its.errors([mapc(8192, 0)])).toEqual([COLLECTION_OOR]);
  });

  it('5.4 each ITS has its own', async () => {
    const board = await createRunningBoard({ ...options, itsCount: 2 });
    board.itses[0]?.run([mapc(1, 3)]);
    expect([0, 1].map((its) => board.machine.collectionEntry(its, 1))).toEqual([3, undefined]);
  });
});

describe('5.9 tables outside RAM', () => {
  it('5.9 a device table outside RAM maps nothing and traps nothing', async () => {
    const board = await createRunningBoard({ policy: { tableFault: 'ignore' } });
    for (const address of [0, board.ram(0x60_0000), 0xffff_ffff_0000]) {
      setTable(board, 0, baser(address, 2n, 256));
      board.its.post([map(board, 1)]);
      expect(board.machine.sendMsi(1, 0), hex(address)).toBe('table-fault');
      expect(board.machine.deviceEntry(0, 1)).toBeUndefined();
    }
  });
});

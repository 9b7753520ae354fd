import { describe, expect, it } from 'vitest';
import { GicError } from '../../bindings/index.ts';
import { int, mapc, mapd, mapi, mapti, movall, movi } from './commands.ts';
import {
  createItsBoard,
  createRunningBoard,
  DEVICE,
  ENABLED,
  FIRST_LPI,
  GITS,
  INDIRECT,
  type ItsBoard,
  SCRATCH,
  VALID,
} from './fixture.ts';

const MiB = 2 ** 20;

function mapEvent(board: ItsBoard, deviceId: number, eventId: number): void {
  board.its.run([mapti(deviceId, eventId, FIRST_LPI, 0)]);
  expect(board.machine.sendMsi(deviceId, eventId)).toBe('pending');
  expect(board.take(0)).toEqual([FIRST_LPI]);
}

describe('5.4 widths of DeviceIDs', () => {
  it('5.9 16 bits: eight pages of 64 KiB hold 65536 devices', async () => {
    const board = await createRunningBoard({ deviceIdBits: 16 });
    board.its.enable(false);
    board.its.write64(GITS.BASER0, VALID | BigInt(board.ram(SCRATCH)) | 0x207n);
    board.its.enable(true);
    board.its.run([mapc(0, 0), mapd(0xffff, board.its.itt(0))]);
    mapEvent(board, 0xffff, 0);
    expect(board.its.errors([mapd(0x1_0000, board.its.itt(0))])).toEqual([0x010801]);
    expect(board.machine.sendMsi(0x1_0000, 0)).toBe('device-out-of-range');
  });

  it('5.10 32 bits: a two-level table reaches 0xFFFF_FFFF', async () => {
    const board = await createRunningBoard({
      deviceIdBits: 32,
      ram: { base: 0x8000_0000, size: 16 * MiB },
    });
    const { its, machine } = board;
    const level1 = 8 * MiB;
    its.enable(false);
    its.write64(GITS.BASER0, VALID | INDIRECT | BigInt(board.ram(level1)) | 0x23fn);
    its.enable(true);
    // 64 pages of 64 KiB: 2^19 entries of level 1, each for 8192 devices.
    for (const [index, page] of [
      [0, 0],
      [2 ** 19 - 1, 1],
    ] as const) {
      machine.write(board.ram(level1 + 8 * index), 8, VALID | BigInt(board.ram(14 * MiB + page * 0x1_0000)));
    }
    its.run([mapc(0, 0), mapd(0xffff_ffff, its.itt(0)), mapd(0, its.itt(1))]);
    mapEvent(board, 0xffff_ffff, 31);
    mapEvent(board, 0, 0);
    expect(machine.sendMsi(0x8000_0000, 0), 'a hole').toMatch(/^device-/);
  });

  it('5.9 1 bit: two devices', async () => {
    const board = await createRunningBoard({ deviceIdBits: 1 });
    const { its } = board;
    expect(its.errors([mapd(1, its.itt(0)), mapd(2, its.itt(0))])).toEqual([0x010801]);
  });
});

describe('5.4 widths of EventIDs', () => {
  it('6.2 16 bits: the last event of the largest ITT', async () => {
    const board = await createRunningBoard({ eventIdBits: 16 });
    board.its.run([mapc(0, 0), mapd(DEVICE, board.ram(SCRATCH), 15)]);
    mapEvent(board, DEVICE, 0xffff);
    expect(board.machine.sendMsi(DEVICE, 0x1_0000)).toBe('event-out-of-range');
  });

  it('6.2 32 bits: event 0xFFFF_FFFF, where the ITT reaches beyond RAM otherwise', async () => {
    const base = 0x10_0000_0000;
    const board = await createRunningBoard({ eventIdBits: 32, ram: { base, size: 16 * MiB } });
    const end = base + 8 * MiB;
    board.its.run([mapc(0, 0), mapd(DEVICE, end - 2 ** 35, 31)]);
    mapEvent(board, DEVICE, 0xffff_ffff);
    expect(board.machine.readMemory(end - 8, 8).some((byte) => byte !== 0)).toBe(true);
    expect(board.machine.sendMsi(DEVICE, 0)).toBe('table-fault');
  });

  it('6.2 1 bit: two events', async () => {
    const board = await createRunningBoard({ eventIdBits: 1 });
    const { its } = board;
    expect(its.errors([mapd(1, its.itt(0), 0), mapd(1, its.itt(0), 1)])).toEqual([0x010802]);
    its.run([mapc(0, 0)]);
    mapEvent(board, 1, 1);
    expect(board.machine.sendMsi(1, 2)).toBe('event-out-of-range');
  });

  it('6.2 an ITT at the very end of RAM', async () => {
    const board = await createRunningBoard({ policy: { tableFault: 'ignore' } });
    const end = board.ram(0x60_0000);
    board.its.run([mapc(0, 0), mapd(DEVICE, end - 0x100, 4), mapd(0x11, end - 0x100, 5)]);
    mapEvent(board, DEVICE, 31);
    expect(board.machine.sendMsi(0x11, 32)).toBe('table-fault');
    board.its.post([mapti(0x11, 32, 9000, 0)]);
    expect(board.diagnosed()).toContain('TABLE_FAULT');
  });
});

describe('1.1 widths of INTIDs', () => {
  it('6.4 22 bits: LPI 4194303', async () => {
    const intidBits = 22;
    const highest = 2 ** 22 - 1;
    const board = await createItsBoard({ cpus: 2, intidBits, ram: { base: 0x8000_0000, size: 32 * MiB } });
    const { its, machine } = board;
    board.open();
    const configTable = 8 * MiB;
    const pendingTable = (cpu: number): number => (16 + cpu) * MiB;
    machine.writeMemory(board.ram(configTable) + highest - 8192, Uint8Array.of(ENABLED));
    for (const cpu of [0, 1]) {
      board.setGicr64(cpu, 0x0070, BigInt(board.ram(configTable)) | 21n);
      board.setGicr64(cpu, 0x0078, BigInt(board.ram(pendingTable(cpu))));
      board.setGicr(cpu, 0x0000, 1);
    }
    its.setUp();
    its.run([mapd(DEVICE, its.itt(0)), mapc(0, 0), mapc(1, 1), mapti(DEVICE, 0, highest, 0)]);
    expect(its.errors([mapti(DEVICE, 1, highest + 1, 0)])).toEqual([0x010a06]);
    board.mask(0);
    expect(machine.sendMsi(DEVICE, 0)).toBe('pending');
    expect(machine.readMemory(board.ram(pendingTable(0)) + (highest >> 3), 1)[0]).toBe(0x80);
    its.run([movi(DEVICE, 0, 1), movall(1, 0)]);
    expect(machine.highestPending(1)).toBeUndefined();
    board.unmask(0);
    expect(board.take(0)).toEqual([highest]);
    expect(machine.checkLpiIndex(0) + machine.checkLpiIndex(1)).toBe(0);
  });

  it('6.4 14 bits: LPIs 8192 to 16383', async () => {
    const board = await createRunningBoard({ intidBits: 14 });
    const { its } = board;
    its.run([mapd(DEVICE, its.itt(0)), mapc(0, 0), mapti(DEVICE, 0, 16_383, 0)]);
    expect(its.errors([mapti(DEVICE, 1, 16_384, 0)])).toEqual([0x010a06]);
    expect(board.machine.sendMsi(DEVICE, 0)).toBe('pending');
    expect(board.take(0)).toEqual([16_383]);
  });

  it('6.5 MAPI reaches the highest LPI', async () => {
    const board = await createRunningBoard();
    board.its.run([
      mapc(0, 0),
      mapd(DEVICE, board.ram(SCRATCH), 15),
      mapi(DEVICE, 0xffff, 0),
      int(DEVICE, 0xffff),
    ]);
    expect(board.take(0)).toEqual([0xffff]);
  });
});

describe('6.0 many PEs', () => {
  it('6.3 512 PEs: RDbase 511', async () => {
    const board = await createItsBoard({ cpus: 512, ram: { base: 0x8000_0000, size: 64 * MiB } });
    const { its } = board;
    board.open([511]);
    board.setConfig(FIRST_LPI, ENABLED);
    board.setGicr64(511, 0x0070, BigInt(board.configTable) | 15n);
    board.setGicr64(511, 0x0078, BigInt(board.ram(48 * MiB)));
    board.setGicr(511, 0x0000, 1);
    its.setUp();
    its.run([mapd(DEVICE, its.itt(0)), mapc(0, 511), mapti(DEVICE, 0, FIRST_LPI, 0), int(DEVICE, 0)]);
    expect(its.errors([mapc(1, 512)])).toEqual([0x010902]);
    expect(board.machine.takeChangedCpus()).toContain(511);
    expect(board.take(511)).toEqual([FIRST_LPI]);
  });
});

describe('5.9 addresses above 2^48', () => {
  const ram = { base: 0x0005_0000_8000_0000, size: 0x60_0000 };

  it('5.9 64 KiB pages have PA[51:48] in [15:12]', async () => {
    const board = await createItsBoard({ ram });
    const { its, machine } = board;
    const baser = (address: number): bigint => {
      const pa = BigInt(address);
      return VALID | (pa & 0xffff_ffff_0000n) | ((pa >> 48n) << 12n) | (2n << 8n);
    };
    board.open();
    board.setConfig(FIRST_LPI, ENABLED);
    for (let cpu = 0; cpu < 4; cpu++) board.enableLpis(cpu);
    its.setUp({ devices: baser(its.deviceTable), collections: baser(its.collectionTable) });
    expect(its.read64(GITS.BASER0) & 0xffff_ffff_ffffn).toBe(baser(its.deviceTable) & 0xffff_ffff_ffffn);
    its.run([mapd(DEVICE, its.itt(0)), mapc(0, 3), mapti(DEVICE, 0, FIRST_LPI, 0)]);
    expect(machine.deviceEntry(0, DEVICE)).toEqual({ ittAddress: its.itt(0), size: 4 });
    expect(machine.readMemory(its.deviceTable + 8 * DEVICE, 8).some((byte) => byte !== 0)).toBe(true);
    expect(machine.sendMsi(DEVICE, 0)).toBe('pending');
    expect(board.take(3)).toEqual([FIRST_LPI]);
  });

  it('5.10 an L1 entry holds PA[51:16] in place', async () => {
    const board = await createItsBoard({ ram });
    const { its, machine } = board;
    const level1 = board.ram(SCRATCH);
    const page = board.ram(SCRATCH + 0x1_0000);
    its.setUp({
      devices: VALID | INDIRECT | (BigInt(level1) & 0xffff_ffff_0000n) | (5n << 12n) | (2n << 8n),
      collections: 0n,
    });
    machine.write(level1, 8, VALID | BigInt(page));
    its.run([mapd(1, its.itt(0))]);
    expect(machine.readMemory(page + 8, 8).some((byte) => byte !== 0)).toBe(true);
  });

  it.each([0n, 1n])('5.9 pages of size %i reach no further than 2^48', async (pageSize) => {
    const board = await createItsBoard({ ram, policy: { tableFault: 'ignore' } });
    const { its } = board;
    const low = BigInt(its.deviceTable) & 0xffff_ffff_ffffn;
    its.setUp({ devices: VALID | low | (pageSize << 8n) | 0xfn, collections: 0n });
    its.post([mapd(1, its.itt(0))]);
    expect(board.diagnosed()).toContain('TABLE_FAULT');
  });

  it('5.7 RAM that ends at 2^52', async () => {
    const size = 0x60_0000;
    const board = await createRunningBoard(
      { ram: { base: 2 ** 52 - size, size } },
      { devices: 0n, enable: false },
    );
    const { its } = board;
    const pa = BigInt(its.deviceTable);
    its.write64(GITS.BASER0, VALID | (pa & 0xffff_ffff_0000n) | (0xfn << 12n) | (2n << 8n));
    its.enable(true);
    its.run([mapd(1, its.itt(0))]);
    expect(board.machine.deviceEntry(0, 1)).toBeDefined();
    expect(() => board.machine.read(2 ** 52, 4)).toThrow(GicError);
  });
});

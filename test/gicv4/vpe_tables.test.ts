import { describe, expect, it } from 'vitest';
import { DEVICE, startVpeDriver, type VpeDriver, virtualCommands } from '../support/vpe_driver.ts';

const VALID = 1n << 63n;
const INDIRECT = 1n << 62n;
const RAM = 0x8000_0000;
/** Where the tests put their vPE table and its level 2 pages: the driver gives RAM out from its base upwards. */
const TABLE = RAM + 0x100_0000;
const LEVEL2 = RAM + 0x120_0000;

const pages = [
  { code: 0n, bytes: 0x1000 },
  { code: 1n, bytes: 0x4000 },
  { code: 2n, bytes: 0x1_0000 },
  { code: 3n, bytes: 0x1_0000 },
];

const flat = (code: bigint, count: number): bigint =>
  VALID | BigInt(TABLE) | (code << 8n) | BigInt(count - 1);
const vmapp = (vpeId: number) => virtualCommands.vmapp(vpeId, 0n, 0x8800_0000, 15);

/** Which vPEIDs a VMAPP takes. */
function accepted(driver: VpeDriver, vpeIds: readonly number[]): number[] {
  return vpeIds.filter((vpeId) => driver.errors([vmapp(vpeId)]) === 0);
}

describe('5.9 flat vPE tables', () => {
  it.each(pages)('5.9 Page_Size $code: (Size+1) * $bytes / 8 vPEs', async ({ code, bytes }) => {
    const driver = await startVpeDriver({}, { vpeTable: flat(code, 3) });
    const limit = (3 * bytes) / 8;
    expect(accepted(driver, [0, limit - 1, limit, limit + 1])).toEqual([0, limit - 1]);
    expect(driver.machine.vpeEntry(0, limit - 1)).toMatchObject({ cpu: 0, vptAddress: 0x8800_0000 });
    expect(driver.machine.vpeEntry(0, limit)).toBeUndefined();
  });

  it('5.9 entries stand tableEntryBytes apart', async () => {
    const driver = await startVpeDriver({ tableEntryBytes: 32 }, { vpeTable: flat(0n, 2) });
    expect(accepted(driver, [255, 256])).toEqual([255]);
    driver.errors([vmapp(3)]);
    const table = driver.machine.readMemory(TABLE, 0x2000);
    const used = [...table.entries()].filter(([, byte]) => byte !== 0).map(([at]) => Math.floor(at / 32));
    expect([...new Set(used)]).toEqual([3, 255]);
  });

  it('5.9 vpeIdBits limits what the table would have room for', async () => {
    const driver = await startVpeDriver({ vpeIdBits: 5 });
    expect(accepted(driver, [31, 32, 0xffff])).toEqual([31]);
  });

  it('5.9 a vPE table that is not valid holds no vPE: V* commands fail, VLPIs are dropped', async () => {
    const driver = await startVpeDriver({}, { vpeTable: BigInt(TABLE) | 0x200n });
    expect(accepted(driver, [0, 7])).toEqual([]);
    driver.mapd(DEVICE, 5);
    expect(driver.errors([virtualCommands.vmapti(DEVICE, 0, 7, 8192, 1023)])).toBe(1);
    expect(driver.machine.sendMsi(DEVICE, 0)).toBe('event-unmapped');
  });

  it('5.9 each ITS has its own vPE table', async () => {
    const driver = await startVpeDriver({ itsCount: 2 });
    driver.mapVpe(7, { itses: [1] });
    expect([driver.machine.vpeEntry(0, 7), driver.machine.vpeEntry(1, 7)?.cpu]).toEqual([undefined, 0]);
  });

  it('5.9 GITS_BASER2 written while the ITS is enabled is ignored and diagnosed', async () => {
    const driver = await startVpeDriver();
    const before = driver.machine.read(driver.gits(0x110), 8);
    driver.writeVpeTable(flat(2n, 1));
    expect(driver.machine.read(driver.gits(0x110), 8)).toBe(before);
    expect(driver.diagnosed().map(({ code }) => code)).toEqual(['TABLE_WRITE_WHILE_ENABLED']);
  });
});

describe('5.10 two-level vPE tables', () => {
  const level1 = (driver: VpeDriver, index: number, descriptor: bigint): void => {
    driver.machine.write(TABLE + 8 * index, 8, descriptor);
  };

  it.each(pages)(
    '5.10 Page_Size $code: level 1 selects a page of $bytes / 8 vPEs',
    async ({ code, bytes }) => {
      const driver = await startVpeDriver({}, { vpeTable: flat(code, 1) | INDIRECT });
      const perPage = bytes / 8;
      level1(driver, 3, VALID | BigInt(LEVEL2));
      const vpeId = 3 * perPage + 5;
      expect(accepted(driver, [0, 3 * perPage - 1, vpeId, 4 * perPage])).toEqual([vpeId]);
      const page = driver.machine.readMemory(LEVEL2, bytes);
      const used = [...page.entries()].filter(([, byte]) => byte !== 0).map(([at]) => Math.floor(at / 8));
      expect([...new Set(used)]).toEqual([5]);
    },
  );

  it('5.10 level 1 entries may become valid while the ITS runs', async () => {
    const driver = await startVpeDriver({}, { vpeTable: flat(2n, 1) | INDIRECT });
    expect(accepted(driver, [8192])).toEqual([]);
    level1(driver, 1, VALID | BigInt(LEVEL2));
    expect(accepted(driver, [8192])).toEqual([8192]);
    expect(driver.machine.vpeEntry(0, 8192)).toMatchObject({ vptAddress: 0x8800_0000 });
  });

  it('5.10 a VLPI of a vPE behind an invalid level 1 entry is dropped', async () => {
    const driver = await startVpeDriver({}, { vpeTable: flat(2n, 1) | INDIRECT });
    level1(driver, 0, VALID | BigInt(LEVEL2));
    driver.mapd(DEVICE, 5);
    const vpe = driver.mapVpe(7);
    driver.vmapti(DEVICE, 0, vpe, 8192);
    expect(driver.machine.sendMsi(DEVICE, 0)).toBe('pending');
    level1(driver, 0, 0n);
    expect(driver.machine.sendMsi(DEVICE, 0)).toBe('vpe-unmapped');
  });

  it('5.10 with 4 KiB pages the address of level 2 has 4 KiB', async () => {
    const driver = await startVpeDriver({}, { vpeTable: flat(0n, 1) | INDIRECT });
    level1(driver, 0, VALID | BigInt(LEVEL2 + 0x3000));
    expect(accepted(driver, [1])).toEqual([1]);
    expect(driver.machine.read(LEVEL2 + 0x3008, 8)).not.toBe(0n);
  });

  it('5.9 Indirect is RAZ/WI where only flat tables are supported', async () => {
    const driver = await startVpeDriver({ indirectTables: false }, { vpeTable: flat(2n, 1) | INDIRECT });
    expect(driver.machine.read(driver.gits(0x110), 8) & INDIRECT).toBe(0n);
    expect(accepted(driver, [8191, 8192])).toEqual([8191]);
  });
});

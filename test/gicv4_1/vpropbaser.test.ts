import { describe, expect, it } from 'vitest';
import type { MachineOptions } from '../../bindings/index.ts';
import { hex } from '../support/gic.ts';
import {
  startMapped41,
  startVpe41Driver,
  TWO_GROUPS,
  VPROPBASER,
  type Vpe41Driver,
} from '../support/vpe41_driver.ts';

const { VALID, INDIRECT, PAGE_4K, PAGE_16K, PAGE_64K, Z } = VPROPBASER;
const ENTRY = 32;
const ENTRY_SIZE = 3n << 59n;

/** A driver whose redistributors have no vPE table yet; that of the ITS has room for all vPEIDs. */
async function withoutTables(options: MachineOptions = {}): Promise<Vpe41Driver> {
  const driver = await startVpe41Driver({ sharedVpeTable: 0, ...options });
  for (let cpu = 0; cpu < driver.config.cpus; cpu++) driver.setVpropbaser(cpu, 0n);
  driver.disableIts();
  const table = BigInt(driver.allocate(32 * 0x1_0000, 0x1_0000));
  // GITS_BASER<n> has PA[51:48] in [15:12].
  driver.writeVpeTable(VALID | (table & 0xffff_ffff_0000n) | ((table >> 48n) << 12n) | (2n << 8n) | 31n);
  driver.machine.write(driver.gits(0), 4, 1);
  return driver;
}

/** Whether a vPE of that vPEID can be mapped to PE 0 and made resident there. */
function usable(driver: Vpe41Driver, vpeId: number): boolean {
  const vpe = driver.newVpe41(vpeId);
  const refused = driver.errors([driver.vmapp41(vpe)]) > 0;
  driver.load(0, vpe);
  const resident = driver.vpendbaser(0) >> 63n === 1n;
  driver.put(0);
  driver.unmap(vpe);
  expect(refused).toBe(!resident);
  return resident;
}

describe('3.11 fields of GICR_VPROPBASER (GICv4.1)', () => {
  it('3.11 the example: Z reads as zero, Entry_Size as 3 (32 bytes)', async () => {
    const driver = await withoutTables();
    driver.setVpropbaser(0, 0x9850_0008_a000_0580n);
    expect(hex(driver.vpropbaser(0))).toBe('0x98400008a0000580');
  });

  it('3.11 reset: Valid=0', async () => {
    const driver = await startVpe41Driver();
    const { machine } = driver;
    expect(machine.read(driver.gicrVlpi(0, 0x70), 8) >> 63n).toBe(1n);
    driver.setVpropbaser(0, 0n);
    expect(driver.vpropbaser(0)).toBe(ENTRY_SIZE);
  });

  it('3.11 all other fields can be written, Entry_Size and the reserved bits cannot', async () => {
    const driver = await withoutTables();
    driver.setVpropbaser(0, 0x7fef_ffff_ffff_f7ffn);
    // [62] RES0, [52] Z; [11:10] = 0b01.
    expect(hex(driver.vpropbaser(0))).toBe(hex(0x1fef_ffff_ffff_f7ffn));
  });

  it('3.11 Shareability 0b11 is reserved and reads as 0', async () => {
    const driver = await withoutTables();
    driver.setVpropbaser(0, 0xc00n);
    expect(driver.vpropbaser(0)).toBe(ENTRY_SIZE);
  });

  it('3.11 Indirect is RAZ/WI where only flat tables are supported', async () => {
    const driver = await withoutTables({ indirectTables: false });
    driver.setVpropbaser(0, INDIRECT);
    expect(driver.vpropbaser(0)).toBe(ENTRY_SIZE);
  });

  it('0 two independent 32-bit accesses', async () => {
    const driver = await withoutTables();
    const at = driver.gicrVlpi(0, 0x70);
    driver.machine.write(at, 4, 0xa000_0580);
    driver.machine.write(at + 4, 4, 0x8040_0008);
    expect(hex(driver.vpropbaser(0))).toBe('0x98400008a0000580');
    expect([driver.machine.read(at, 4), driver.machine.read(at + 4, 4)]).toEqual([0xa000_0580, 0x9840_0008]);
  });
});

describe('3.11 the vPE Configuration table', () => {
  const pages = [
    ['4 KiB', PAGE_4K, 0x1000],
    ['16 KiB', PAGE_16K, 0x4000],
    ['64 KiB', PAGE_64K, 0x1_0000],
    ['64 KiB (Page_Size=3)', 3n << 53n, 0x1_0000],
  ] as const;

  it.each(pages)('3.11 flat, %s pages: Size+1 pages of 32-byte entries', async (_, pageSize, bytes) => {
    const driver = await withoutTables();
    const table = driver.allocate(3 * bytes, bytes);
    driver.setVpropbaser(0, VALID | pageSize | BigInt(table) | 2n);
    const entries = (3 * bytes) / ENTRY;
    expect([0, 1, entries / 2, entries - 1, entries, entries + 1].map((id) => usable(driver, id))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it.each(pages)(
    '3.11, 5.10 two-level, %s pages: level 1 names the pages of level 2',
    async (_, pageSize, bytes) => {
      const driver = await withoutTables({ vpeIdBits: 16 });
      driver.disableIts();
      driver.writeVpeTable(VALID | (2n << 8n) | BigInt(driver.allocate(32 * 0x1_0000, 0x1_0000)) | 31n);
      driver.machine.write(driver.gits(0), 4, 1);
      const [level1, page0, page2] = [0, 1, 2].map(() => driver.allocate(bytes, bytes)) as [
        number,
        number,
        number,
      ];
      driver.setVpropbaser(0, VALID | INDIRECT | pageSize | BigInt(level1));
      driver.machine.write(level1, 8, VALID | BigInt(page0));
      driver.machine.write(level1 + 16, 8, VALID | BigInt(page2));
      const perPage = bytes / ENTRY;
      const ids = [0, perPage - 1, perPage, 2 * perPage - 1, 2 * perPage, 3 * perPage - 1, 3 * perPage];
      expect(ids.map((id) => usable(driver, id))).toEqual([true, true, false, false, true, true, false]);
    },
  );

  it('3.11 entries stand where the table says: another table knows no vPE', async () => {
    const driver = await startMapped41();
    expect(
      driver.machine.ram(driver.groupTableAddress(0) + 7 * ENTRY, ENTRY).some((byte) => byte !== 0),
    ).toBe(true);
    driver.setVpropbaser(0, VALID | PAGE_64K | BigInt(driver.allocate(0x1_0000, 0x1_0000)));
    driver.load(0, driver.vpe);
    expect(driver.vpendbaser(0) >> 63n).toBe(0n);
  });

  it('3.11 a table outside RAM: VMAPP fails on its access, residency is refused', async () => {
    const driver = await withoutTables();
    driver.setVpropbaser(0, VALID | PAGE_64K | 0xf_0000_0000n);
    expect(usable(driver, 7)).toBe(false);
    expect(driver.codes()).toContain('TABLE_FAULT');
  });

  it('3.11 Valid=0: the redistributor knows no vPE', async () => {
    const driver = await withoutTables();
    expect(usable(driver, 7)).toBe(false);
  });

  it('3.11 setting VPENDBASER.Valid while VPROPBASER.Valid=0 is UNPREDICTABLE: taken as Valid=0, diagnosed', async () => {
    const driver = await startMapped41();
    driver.setVpropbaser(1, 0n);
    driver.load(1, driver.vpe);
    expect(driver.vpendbaser(1) >> 63n).toBe(0n);
    expect(driver.codes()).toEqual(['VPE_NOT_MAPPED']);
  });

  it('3.11 Valid 1 to 0 and back with Z=0: the table has kept its vPEs', async () => {
    const driver = await startMapped41();
    const value = driver.vpropbaser(0);
    driver.setVpropbaser(0, 0n);
    expect(driver.machine.sendMsi(0x10, 5)).toBe('vpe-unmapped');
    driver.setVpropbaser(0, value);
    expect(driver.machine.sendMsi(0x10, 5)).toBe('pending');
    driver.load(0, driver.vpe);
    expect(driver.guestTakeAll(0)).toEqual([8193]);
    expect(driver.codes()).toEqual(['MSI_DROPPED']);
  });

  it('3.11 Z=1 of an all-zero table is in order', async () => {
    const driver = await withoutTables();
    driver.setVpropbaser(0, VALID | PAGE_64K | Z | BigInt(driver.allocate(0x1_0000, 0x1_0000)));
    expect(driver.codes()).toEqual([]);
    expect(usable(driver, 7)).toBe(true);
  });

  it('3.11 Z=1 of a table that holds vPEs is UNPREDICTABLE: diagnosed, and they are still known', async () => {
    const driver = await startMapped41();
    const value = driver.vpropbaser(0);
    driver.setVpropbaser(0, 0n);
    driver.setVpropbaser(0, value | Z);
    expect(driver.codes()).toEqual(['VPE_TABLE_NOT_ZERO']);
    driver.load(0, driver.vpe);
    expect(driver.vpendbaser(0) >> 63n).toBe(1n);
  });

  it('3.11 Z means something only when Valid changes from 0 to 1', async () => {
    const driver = await startMapped41();
    driver.setVpropbaser(0, driver.vpropbaser(0) | Z);
    expect(driver.codes()).toEqual([]);
  });

  it('3.11 a write while a vPE is resident is ignored and diagnosed', async () => {
    const driver = await startMapped41();
    const value = driver.vpropbaser(0);
    driver.load(0, driver.vpe);
    driver.setVpropbaser(0, 0n);
    expect(driver.vpropbaser(0)).toBe(value);
    expect(driver.codes()).toEqual(['VPROPBASER_WRITE_WHILE_RESIDENT']);
  });

  it('3.11 a misaligned address counts with its low bits as zero', async () => {
    const driver = await startMapped41();
    driver.setVpropbaser(0, driver.vpropbaser(0) | 0x3000n);
    driver.load(0, driver.vpe);
    expect(driver.vpendbaser(0) >> 63n).toBe(1n);
  });

  it('3.11 PA[51:48] stands in [51:48]: there is no trick as in GITS_BASER<n>', async () => {
    const driver = await withoutTables({ ram: { base: 2 ** 49, size: 0x200_0000 } });
    const table = driver.allocate(0x1_0000, 0x1_0000);
    driver.setVpropbaser(0, VALID | PAGE_64K | BigInt(table));
    expect(usable(driver, 7)).toBe(true);
    expect(driver.machine.ram(table, 0x1_0000).some((byte) => byte !== 0)).toBe(false);
    driver.mapVpe41(7);
    expect(driver.machine.ram(table, 0x1_0000).some((byte) => byte !== 0)).toBe(true);
  });
});

describe('3.3 one table for the redistributors of a CommonLPIAff group', () => {
  it('3.3 different tables in a group are diagnosed, with the other redistributor', async () => {
    const driver = await startVpe41Driver();
    driver.setVpropbaser(3, VALID | PAGE_64K | BigInt(driver.allocate(0x1_0000, 0x1_0000)));
    expect(driver.diagnosed().map(({ code, unit, operands }) => ({ code, unit, operands }))).toEqual([
      { code: 'VPE_TABLE_MISMATCH', unit: 3, operands: { otherCpu: 0 } },
    ]);
  });

  it.each([
    ['Size', 1n],
    ['Page_Size', 1n << 53n],
    ['Indirect', INDIRECT],
  ])('3.3 another %s is diagnosed too', async (_, bits) => {
    const driver = await startVpe41Driver();
    driver.setVpropbaser(3, driver.vpropbaser(3) ^ bits);
    expect(driver.codes()).toEqual(['VPE_TABLE_MISMATCH']);
  });

  it('3.3 different attributes are not', async () => {
    const driver = await startVpe41Driver();
    driver.setVpropbaser(3, driver.vpropbaser(3) | (1n << 10n) | (5n << 7n));
    expect(driver.codes()).toEqual([]);
  });

  it('3.3 redistributors of different groups have different tables', async () => {
    const driver = await startVpe41Driver(TWO_GROUPS);
    const tables = [0, 1, 2, 3].map((cpu) => driver.vpropbaser(cpu));
    expect([tables[0] === tables[1], tables[2] === tables[3], tables[0] === tables[2]]).toEqual([
      true,
      true,
      false,
    ]);
    for (let cpu = 0; cpu < 4; cpu++) driver.setVpropbaser(cpu, tables[cpu] as bigint);
    expect(driver.codes()).toEqual([]);
  });

  it('3.3 a group is what CommonLPIAff says: all, Aff3, Aff3.Aff2, Aff3.Aff2.Aff1', async () => {
    const affinities = [0x0000_0000, 0x0000_0100, 0x0001_0000, 0x0100_0000];
    const groups: number[] = [];
    for (const commonLpiAffinity of [0, 1, 2, 3]) {
      const driver = await startVpe41Driver({ affinities, commonLpiAffinity });
      groups.push(new Set([0, 1, 2, 3].map((cpu) => driver.vpropbaser(cpu))).size);
      expect(driver.codes()).toEqual([]);
    }
    expect(groups).toEqual([1, 2, 3, 4]);
  });
});

describe('5.5 the table that ITS and redistributors share', () => {
  const map = async (options: object, cpu: number, itsTable?: boolean): Promise<string[]> => {
    const driver = await startVpe41Driver({ ...TWO_GROUPS, ...options });
    if (itsTable) {
      driver.disableIts();
      driver.writeVpeTable(VALID | (2n << 8n) | BigInt(driver.allocate(0x1_0000, 0x1_0000)));
      driver.machine.write(driver.gits(0), 4, 1);
    }
    driver.mapVpe41(7, { cpu });
    return driver.codes();
  };

  it('5.5 SVPET and GITS_MPIDR name the group: the same table there is in order', async () => {
    expect(await map({}, 0)).toEqual([]);
    expect(await map({ itsAffinity: 0x100 }, 2)).toEqual([]);
  });

  it('5.5 a vPE of another group is in another table', async () => {
    expect(await map({}, 2)).toEqual([]);
  });

  it('5.5 another table where they should share one is diagnosed', async () => {
    expect(await map({}, 0, true)).toEqual(['VPE_TABLE_NOT_SHARED']);
    expect(await map({}, 2, true)).toEqual([]);
  });

  it('5.5 SVPET=0: the ITS has a table of its own', async () => {
    expect(await map({ sharedVpeTable: 0 }, 0)).toEqual([]);
  });
});

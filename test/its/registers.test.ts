import { describe, expect, it } from 'vitest';
import { hex } from '../support/gic.ts';
import { createItsBoard, createRunningBoard, GITS, INDIRECT, VALID } from './fixture.ts';

const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const RRD = 1;
const WRD = 2;
const RWOD = 4;
const WROD = 8;

/** Bits [high:low]. */
function field(value: bigint, high: number, low: number): number {
  return Number((value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n));
}

describe('5.1 map of the control frame', () => {
  it('5.1 registers of parts that a GICv3 does not have read as zero and ignore writes', async () => {
    const { its } = await createItsBoard();
    for (const offset of [GITS.MPAMIDR, GITS.PARTIDR, GITS.MPIDR]) {
      its.write(offset, 0xffff_ffff);
      expect(its.read(offset), hex(offset)).toBe(0);
    }
  });

  it('5.1 PIDR2 tells GICv3 in ArchRev, the CIDR registers tell a component', async () => {
    const { its } = await createItsBoard();
    expect(its.read(0xffe8)).toBe(0x3b);
    expect([0xfff0, 0xfff4, 0xfff8, 0xfffc].map((offset) => its.read(offset))).toEqual([
      0x0d, 0xf0, 0x05, 0xb1,
    ]);
  });

  it('5.1 PIDR2 of a GICv4 tells ArchRev 4', async () => {
    const { its } = await createItsBoard({ architecture: 'GICv4.0' });
    expect(its.read(0xffe8) >> 4).toBe(4);
  });

  it('0 reserved offsets are RAZ/WI and recorded in GITS_STATUSR', async () => {
    const { its } = await createItsBoard();
    for (const offset of [0x001c, 0x0044, 0x0098, 0x0140, 0x0ffc, 0xc000]) {
      its.write(GITS.STATUSR, 0xf);
      its.write(offset, 0xffff_ffff);
      expect(its.read(GITS.STATUSR), `write at ${hex(offset)}`).toBe(WRD);
      expect(its.read(offset), hex(offset)).toBe(0);
      expect(its.read(GITS.STATUSR), `read at ${hex(offset)}`).toBe(RRD | WRD);
    }
  });

  it('0 reserved offsets are RAZ/WI where there is no GITS_STATUSR', async () => {
    const { its } = await createItsBoard({ statusRegisters: false, unmappedMsiReporting: false });
    its.write(0x0140, 0xffff_ffff);
    expect(its.read(0x0140)).toBe(0);
    its.write(GITS.STATUSR, 0xffff_ffff);
    expect(its.read(GITS.STATUSR)).toBe(0);
  });

  it.each([
    ['CBASER', GITS.CBASER, 0xb800_0008_4000_040fn],
    ['CWRITER', GITS.CWRITER, 0x0000_0000_0000_0120n],
    ['BASER0', GITS.BASER0, 0xb907_0008_5000_0607n],
    ['BASER1', GITS.BASER1, 0xbc07_0008_6000_0600n],
  ])('5.1 %s takes two independent 32-bit accesses', async (_, offset, value) => {
    const { its } = await createItsBoard();
    const low = Number(value & 0xffff_ffffn);
    const high = Number(value >> 32n);
    its.write(offset, low);
    expect(its.read64(offset) & 0xffff_ffffn).toBe(BigInt(low));
    its.write(offset + 4, high);
    expect(its.read64(offset)).toBe(value);
    expect([its.read(offset), its.read(offset + 4)]).toEqual([low, high]);
    its.write(offset, 0);
    expect(its.read(offset + 4), 'the upper half stays').toBe(high);
  });

  it('5.1 TYPER, CREADR and UMSIR can be read by halves', async () => {
    const board = await createRunningBoard();
    const { its } = board;
    board.machine.sendMsi(0x1234, 0x5678);
    for (const offset of [GITS.TYPER, GITS.CREADR, GITS.UMSIR]) {
      const halves = (BigInt(its.read(offset + 4)) << 32n) | BigInt(its.read(offset));
      expect(halves, hex(offset)).toBe(its.read64(offset));
    }
    expect(its.read(GITS.UMSIR + 4)).toBe(0x1234);
  });

  it('0 a 32-bit register takes neither bytes nor doublewords, a 64-bit register no bytes', async () => {
    const board = await createRunningBoard();
    const { its, machine } = board;
    machine.write(its.address(GITS.CTLR), 1, 0);
    machine.write(its.address(GITS.CTLR), 2, 0);
    machine.write(its.address(GITS.CTLR), 8, 0);
    expect(its.read(GITS.CTLR) & 1, 'still enabled').toBe(1);
    machine.write(its.address(GITS.CWRITER), 1, 0x20);
    expect(its.cwriter).toBe(0);
    expect(machine.read(its.address(GITS.IIDR), 1)).toBe(0);
  });

  it('0 writes of read-only registers do nothing and set WROD', async () => {
    const { its } = await createRunningBoard();
    for (const offset of [GITS.TYPER, GITS.UMSIR, GITS.CREADR]) {
      const before = its.read64(offset);
      its.write(GITS.STATUSR, 0xf);
      its.write64(offset, ALL_ONES);
      expect(its.read64(offset), hex(offset)).toBe(before);
      expect(its.read(GITS.STATUSR), hex(offset)).toBe(WROD);
    }
    const iidr = its.read(GITS.IIDR);
    its.write(GITS.IIDR, 0);
    expect(its.read(GITS.IIDR)).toBe(iidr);
  });

  it('5.11 a read of GITS_TRANSLATER reads as zero and sets RWOD', async () => {
    const { its } = await createItsBoard();
    expect(its.read(GITS.TRANSLATER)).toBe(0);
    expect(its.read(GITS.STATUSR)).toBe(RWOD);
  });
});

describe('5.2 GITS_CTLR', () => {
  it('5.2 resets to Quiescent=1, Enabled=0', async () => {
    const { its } = await createItsBoard();
    expect(its.read(GITS.CTLR)).toBe(0x8000_0000);
  });

  it('5.2 Quiescent is read-only, UMSIirq and ImDe are RES0 in a GICv3 without UMSIirq', async () => {
    const { its } = await createRunningBoard({}, { enable: false });
    its.write(GITS.CTLR, 0xffff_fffe);
    expect((its.read(GITS.CTLR) & ~0xf0) >>> 0).toBe(0x8000_0000);
    its.write(GITS.CTLR, 0x7fff_ff0f);
    expect(its.read(GITS.CTLR) & 0x7fff_ff0f).toBe(1);
  });

  it('5.2 Enabled 1->0 leaves the ITS quiescent', async () => {
    const { its } = await createRunningBoard();
    its.enable(false);
    expect(its.read(GITS.CTLR)).toBe(0x8000_0000);
  });

  it('5.2 MSIs are ignored and the queue is not processed while Enabled=0', async () => {
    const board = await createRunningBoard({}, { enable: false });
    board.its.write64(GITS.CWRITER, 32);
    expect(board.its.creadr).toBe(0);
    expect(board.machine.sendMsi(0, 0)).toBe('its-disabled');
  });
});

describe('5.3 and 5.4 identification', () => {
  it('5.3 IIDR names Arm as the implementer', async () => {
    const { its } = await createItsBoard();
    expect(its.read(GITS.IIDR) & 0xfff).toBe(0x43b);
  });

  it('5.3 and 5.4 IIDR and TYPER can be given', async () => {
    const identification = { GITS_IIDR: 0x1234_543b, GITS_TYPER: 0x0000_003f_0001_eff3n };
    const { its } = await createItsBoard({ identification });
    expect(its.read(GITS.IIDR)).toBe(0x1234_543b);
    expect(its.read64(GITS.TYPER)).toBe(0x0000_003f_0001_eff3n);
  });

  it('5.4 TYPER tells the widths, the entry size and that only physical LPIs are supported', async () => {
    const { its } = await createItsBoard({
      deviceIdBits: 20,
      eventIdBits: 12,
      collectionIdBits: 9,
      ittEntryBytes: 16,
    });
    const typer = its.read64(GITS.TYPER);
    expect(field(typer, 17, 13), 'Devbits').toBe(19);
    expect(field(typer, 12, 8), 'ID_bits').toBe(11);
    expect(field(typer, 7, 4), 'ITT_entry_size').toBe(15);
    expect(field(typer, 36, 36), 'CIL').toBe(1);
    expect(field(typer, 35, 32), 'CIDbits').toBe(8);
    expect(field(typer, 0, 0), 'Physical').toBe(1);
    expect(field(typer, 1, 1), 'Virtual').toBe(0);
    expect(field(typer, 37, 37), 'VMOVP').toBe(0);
    expect(field(typer, 63, 47), 'RES0').toBe(0);
    expect(field(typer, 23, 20), 'RES0').toBe(0);
    expect(field(typer, 43, 39), 'GICv4.1').toBe(0);
  });

  it('5.4 TYPER tells features: PTA, HCC, UMSI, SEIS', async () => {
    const without = (await createItsBoard({ unmappedMsiReporting: false })).its.read64(GITS.TYPER);
    const options = {
      physicalTargetAddresses: true,
      hardwareCollections: 7,
      unmappedMsiReporting: true,
      policy: { commandError: 'sei' },
    } as const;
    const withAll = (await createItsBoard(options)).its.read64(GITS.TYPER);
    const features = (typer: bigint) => ({
      PTA: field(typer, 19, 19),
      HCC: field(typer, 31, 24),
      UMSI: field(typer, 44, 44),
      SEIS: field(typer, 18, 18),
    });
    expect(features(without)).toEqual({ PTA: 0, HCC: 0, UMSI: 0, SEIS: 0 });
    expect(features(withAll)).toEqual({ PTA: 1, HCC: 7, UMSI: 1, SEIS: 1 });
  });

  it('5.4 TYPER of a GICv4.0 tells vLPIs', async () => {
    const { its } = await createItsBoard({ architecture: 'GICv4.0' });
    expect(field(its.read64(GITS.TYPER), 1, 0)).toBe(3);
  });

  it('5.5 GITS_MPIDR reads as zero before GICv4.1', async () => {
    const { its } = await createItsBoard({ architecture: 'GICv4.0' });
    expect(its.read(GITS.MPIDR)).toBe(0);
  });
});

describe('5.7 GITS_CBASER', () => {
  it('5.7 resets to Valid=0', async () => {
    const { its } = await createItsBoard();
    expect(its.read64(GITS.CBASER) & VALID).toBe(0n);
  });

  it('5.7 keeps its fields, reserved bits are zero', async () => {
    const { its } = await createItsBoard();
    its.write64(GITS.CBASER, 0xb800_0008_4000_040fn);
    expect(its.read64(GITS.CBASER)).toBe(0xb800_0008_4000_040fn);
    its.write64(GITS.CBASER, ALL_ONES);
    const reserved = (1n << 62n) | (0x7n << 56n) | (1n << 52n) | (3n << 8n);
    expect(its.read64(GITS.CBASER) & reserved).toBe(0n);
    expect(its.read64(GITS.CBASER) | reserved | 0xf000n).toBe(ALL_ONES);
  });

  it('5.7 treats PA[15:12] as zero', async () => {
    const board = await createRunningBoard({}, { enable: false });
    const { its } = board;
    its.write64(GITS.CBASER, VALID | BigInt(its.queue) | 0x3000n | 15n);
    its.enable(true);
    const command = board.encode({
      command: 'MAPD',
      deviceId: 1,
      size: 4,
      ittAddress: its.itt(0),
      valid: true,
    });
    board.machine.writeMemory(its.queue, command);
    its.write64(GITS.CWRITER, 32);
    expect(board.machine.deviceEntry(0, 1), 'the command at the 64 KiB boundary was read').toBeDefined();
  });
});

describe('5.8 GITS_CWRITER and GITS_CREADR', () => {
  it('5.8 CWRITER keeps Offset [19:5]; Retry reads as zero, the rest is RES0', async () => {
    const { its } = await createItsBoard();
    its.write64(GITS.CWRITER, ALL_ONES);
    expect(its.read64(GITS.CWRITER)).toBe(0xf_ffe0n);
  });

  it('5.8 CREADR starts at zero, not stalled', async () => {
    const { its } = await createItsBoard();
    expect(its.read64(GITS.CREADR)).toBe(0n);
  });
});

describe('5.9 GITS_BASER<n>', () => {
  it('5.9 reset values: 8-byte entries, 64 KiB pages, not valid', async () => {
    const { its } = await createItsBoard();
    expect(its.read64(GITS.BASER0)).toBe(0x0107_0000_0000_0200n);
    expect(its.read64(GITS.BASER1)).toBe(0x0407_0000_0000_0200n);
  });

  it('5.9 a GICv4.0 has its vPE table at GITS_BASER2', async () => {
    const { its } = await createItsBoard({ architecture: 'GICv4.0' });
    expect(field(its.read64(GITS.BASER0), 58, 56)).toBe(1);
    expect(field(its.read64(GITS.BASER1), 58, 56)).toBe(4);
    expect(field(its.read64(GITS.BASER0 + 16), 58, 56)).toBe(2);
  });

  it('5.9 unimplemented ones are RES0', async () => {
    const { its } = await createItsBoard();
    for (let n = 2; n < 8; n++) {
      its.write64(GITS.BASER0 + 8 * n, ALL_ONES);
      expect(its.read64(GITS.BASER0 + 8 * n), `GITS_BASER${n}`).toBe(0n);
    }
  });

  it.each([8, 16, 24, 32])('5.9 Type and Entry_Size (%i bytes) are read-only', async (tableEntryBytes) => {
    const { its } = await createItsBoard({ tableEntryBytes });
    for (const [offset, type] of [
      [GITS.BASER0, 1],
      [GITS.BASER1, 4],
    ] as const) {
      for (const value of [0n, ALL_ONES]) {
        its.write64(offset, value);
        const baser = its.read64(offset);
        expect(field(baser, 58, 56), 'Type').toBe(type);
        expect(field(baser, 52, 48), 'Entry_Size').toBe(tableEntryBytes - 1);
      }
    }
  });

  it('5.9 keeps address, attributes, Page_Size, Size and Indirect as a driver probes them', async () => {
    const { its } = await createItsBoard();
    for (const pageSize of [0n, 1n, 2n]) {
      const value = 0xb900_0008_5000_0407n | (pageSize << 8n) | INDIRECT;
      its.write64(GITS.BASER0, value);
      expect(its.read64(GITS.BASER0)).toBe(value | (7n << 48n));
    }
  });

  it('5.9 Indirect is RAZ/WI where tables are flat only', async () => {
    const { its } = await createItsBoard({ indirectTables: false });
    for (const offset of [GITS.BASER0, GITS.BASER1]) {
      its.write64(offset, ALL_ONES);
      expect(its.read64(offset) & INDIRECT).toBe(0n);
    }
  });
});

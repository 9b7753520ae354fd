// Systems whose ITSs or redistributors do not all have the same (sections 3.3, 5.4).
import { describe, expect, it } from 'vitest';
import { createMachine, type Machine, type MachineOptions } from '../../bindings/index.ts';

const mixed = (options: MachineOptions): Promise<Machine> =>
  createMachine({ architecture: 'GICv4.0', cpus: 3, itsCount: 2, ...options });
const bit = (value: number | bigint, n: number): number => Number((BigInt(value) >> BigInt(n)) & 1n);
const codes = (gic: Machine) => gic.takeDiagnostics().map(({ code }) => code);

describe('5.4 an ITS without VLPIs beside one that has them', () => {
  it.each(['GICv4.0', 'GICv4.1'] as const)(
    '%s: GITS_TYPER tells, and GITS_BASER2 is reserved',
    async (architecture) => {
      const gic = await mixed({ architecture, itsWithoutVlpis: [0] });
      for (const field of architecture === 'GICv4.1' ? [1, 37, 39, 40] : [1, 37]) {
        expect(
          [0, 1].map((n) => bit(gic.its(n).read('GITS_TYPER'), field)),
          `bit ${field}`,
        ).toEqual([0, 1]);
      }
      const common = (n: number) =>
        (gic.its(n).read('GITS_TYPER') as bigint) & 0xffff_ffff_fffd_fff0n & 0x1f_ffff_ff0n;
      expect(common(0)).toBe(common(1));
      codes(gic);
      for (const its of [gic.its(0), gic.its(1)])
        its.write('GITS_BASER2', (1n << 63n) | BigInt(gic.config.ram.base));
      expect(gic.its(0).read('GITS_BASER2')).toBe(0n);
      expect(bit(gic.its(1).read('GITS_BASER2'), 63)).toBe(1);
      expect(codes(gic)).toEqual(['RESERVED_REGISTER', 'RESERVED_REGISTER']);
    },
  );

  it('GITS_CTLR.ITS_Number is that of a GICv4 ITS only', async () => {
    const gic = await mixed({ itsCount: 3, itsWithoutVlpis: [1], vmovpOnAnyIts: false });
    expect([0, 1, 2].map((n) => ((gic.its(n).read('GITS_CTLR') as number) >> 4) & 15)).toEqual([0, 0, 2]);
  });

  it('5.2 GITS_CTLR.ITS_Number is the one that it was given, and read-only', async () => {
    const gic = await mixed({ vmovpOnAnyIts: false, itsNumbers: [15, 4] });
    for (const n of [0, 1]) gic.its(n).write('GITS_CTLR', 3 << 4);
    expect([0, 1].map((n) => ((gic.its(n).read('GITS_CTLR') as number) >> 4) & 15)).toEqual([15, 4]);
  });

  it('6.1 GICv4 commands are unknown to it', async () => {
    const gic = await mixed({ itsWithoutVlpis: [0] });
    const { base } = gic.config.ram;
    const errors = [0, 1].map((n) => {
      const its = gic.its(n);
      ['GITS_BASER0', 'GITS_BASER1', 'GITS_BASER2', 'GITS_CBASER'].forEach((name, i) => {
        its.write(name, (1n << 63n) | BigInt(base + (4 * n + i) * 0x1_0000));
      });
      its.write('GITS_CTLR', 1);
      codes(gic);
      its.command({
        command: 'VMAPP',
        layout: '4.0',
        vpeId: 0,
        rdBase: 0,
        vptSize: 15,
        vptAddress: base + 0x20_0000,
        valid: true,
      });
      return codes(gic);
    });
    expect(errors).toEqual([['UNKNOWN_COMMAND'], []]);
  });
});

describe('3.3 redistributors that lack what others have', () => {
  it('GICR_TYPER.VLPIS tells; the VLPI frame of one without is reserved', async () => {
    const gic = await mixed({ redistributorsWithoutVlpis: [1] });
    const all = [0, 1, 2].map((cpu) => gic.redistributor(cpu));
    expect(all.map((rd) => bit(rd.read('GICR_TYPER'), 1))).toEqual([1, 0, 1]);
    for (const rd of all) rd.write('GICR_VPROPBASER', 15n);
    expect(all.map((rd) => rd.read('GICR_VPROPBASER'))).toEqual([15n, 0n, 15n]);
    expect(codes(gic)).toEqual(['RESERVED_REGISTER', 'RESERVED_REGISTER']);
  });

  it('GICv4.1: neither RVPEID nor VSGI without VLPIS', async () => {
    const gic = await mixed({ architecture: 'GICv4.1', redistributorsWithoutVlpis: [0] });
    for (const field of [1, 7, 26]) {
      expect([0, 1].map((cpu) => bit(gic.redistributor(cpu).read('GICR_TYPER'), field))).toEqual([0, 1]);
    }
  });

  it('6.14 no vPE is mapped to one without VLPIs', async () => {
    const gic = await mixed({ redistributorsWithoutVlpis: [1] });
    const its = gic.its(0);
    const { base } = gic.config.ram;
    ['GITS_BASER0', 'GITS_BASER1', 'GITS_BASER2', 'GITS_CBASER'].forEach((name, i) => {
      its.write(name, (1n << 63n) | BigInt(base + i * 0x1_0000));
    });
    its.write('GITS_CTLR', 1);
    codes(gic);
    const map = (rdBase: number) => {
      its.command({
        command: 'VMAPP',
        layout: '4.0',
        vpeId: 0,
        rdBase,
        vptSize: 15,
        vptAddress: base + 0x20_0000,
        valid: true,
      });
      return codes(gic);
    };
    expect([map(0), map(1)]).toEqual([[], ['COMMAND_ERROR']]);
  });

  it('GICR_TYPER.DirectLPI and GICR_CTLR.IR tell; direct LPI registers of one without are reserved', async () => {
    const gic = await mixed({ redistributorsWithoutDirectLpi: [2] });
    const all = [0, 1, 2].map((cpu) => gic.redistributor(cpu));
    expect(all.map((rd) => bit(rd.read('GICR_TYPER'), 3))).toEqual([1, 1, 0]);
    expect(all.map((rd) => bit(rd.read('GICR_CTLR'), 2))).toEqual([1, 1, 0]);
    codes(gic);
    for (const name of ['GICR_SETLPIR', 'GICR_CLRLPIR', 'GICR_INVLPIR', 'GICR_INVALLR'])
      for (const rd of all) rd.write(name, 8192n);
    expect(codes(gic)).toEqual(Array(4).fill('RESERVED_REGISTER'));
  });

  it('GICv4.1: invalidation by register is there without direct LPIs', async () => {
    const gic = await mixed({ architecture: 'GICv4.1', redistributorsWithoutDirectLpi: [2] });
    const rd = gic.redistributor(2);
    expect(bit(rd.read('GICR_CTLR'), 2)).toBe(1);
    codes(gic);
    rd.write('GICR_INVLPIR', 8192n);
    rd.write('GICR_SETLPIR', 8192n);
    expect(codes(gic)).toEqual(['RESERVED_REGISTER']);
  });
});

describe('configurations', () => {
  it.each<[MachineOptions, string]>([
    [{ itsWithoutVlpis: [2] }, 'itsWithoutVlpis[0]'],
    [{ itsWithoutVlpis: 1 as never }, 'itsWithoutVlpis'],
    [{ redistributorsWithoutVlpis: [0, 3] }, 'redistributorsWithoutVlpis[1]'],
    [{ redistributorsWithoutDirectLpi: [-1] }, 'redistributorsWithoutDirectLpi[0]'],
    [{ redistributorsWithoutDirectLpi: [0], directLpi: false }, 'redistributorsWithoutDirectLpi'],
    [{ architecture: 'GICv3', itsWithoutVlpis: [0] }, 'itsWithoutVlpis'],
    [{ architecture: 'GICv3', redistributorsWithoutVlpis: [0] }, 'redistributorsWithoutVlpis'],
    [{ vlpiTargetOffset: 0x1_0000, physicalTargetAddresses: true }, 'vlpiTargetOffset'],
    [{ vlpiTargetOffset: 0x2_0000 }, 'vlpiTargetOffset'],
    [{ vmovpOnAnyIts: false, itsNumbers: [0] }, 'itsNumbers'],
    [{ vmovpOnAnyIts: false, itsNumbers: [0, 16] }, 'itsNumbers[1]'],
    [{ vmovpOnAnyIts: false, itsNumbers: 3 as never }, 'itsNumbers'],
    [{ itsNumbers: [0, 1] }, 'itsNumbers'],
    [{ architecture: 'GICv3', vmovpOnAnyIts: false, itsNumbers: [0, 1] }, 'itsNumbers'],
  ])('%o is refused', async (options, field) => {
    await expect(mixed(options)).rejects.toMatchObject({ code: 'INVALID_CONFIG', field });
  });
});

import { describe, expect, it } from 'vitest';
import { createMachine, type Machine, type MachineOptions } from '../../bindings/index.ts';
import { hex } from '../support/gic.ts';
import { GICD, GICR, GITS, STRIDE_V4 } from './frames.ts';

const start = (options: MachineOptions = {}): Promise<Machine> =>
  createMachine({ architecture: 'GICv4.1', ram: { base: 0x8000_0000, size: 0x10_0000 }, ...options });
const typerOf = (machine: Machine, cpu: number): bigint => machine.read(GICR + cpu * STRIDE_V4 + 0x0008, 8);

describe('3.3 GICR_TYPER of GICv4.1', () => {
  it('3.3 the example: PE 2 with RVPEID, VSGI and Dirty', async () => {
    const machine = await start({ oneOfN: false, directLpi: false });
    expect(hex(typerOf(machine, 2))).toBe('0x204000287');
  });

  it('3.3 Dirty is RES1, however long parsing takes', async () => {
    expect((typerOf(await start(), 0) >> 2n) & 1n).toBe(1n);
    const slow = await start({ dirtyReads: { scheduleIn: 3, scheduleOut: 3 } });
    expect((typerOf(slow, 0) >> 2n) & 1n).toBe(1n);
  });

  it('3.3 VSGI is 0 where virtual SGIs are left out', async () => {
    const machine = await start({ virtualSgis: false });
    expect((typerOf(machine, 0) >> 26n) & 1n).toBe(0n);
  });

  it.each([0, 1, 2, 3])('3.3 CommonLPIAff=%i', async (commonLpiAffinity) => {
    const machine = await start({ commonLpiAffinity });
    expect((typerOf(machine, 0) >> 24n) & 3n).toBe(BigInt(commonLpiAffinity));
  });

  it('3.2, 3.8 GICR_CTLR.IR is 1: INVLPIR, INVALLR and SYNCR come with GICv4.1 even without direct LPIs', async () => {
    const machine = await start({ directLpi: false });
    expect((machine.read(GICR, 4) >> 2) & 1).toBe(1);
    machine.write(GICR + 0x00a0, 8, 8192n);
    machine.write(GICR + 0x00b0, 8, 0n);
    expect(machine.read(GICR + 0x00c0, 4)).toBe(0);
    expect(machine.takeDiagnostics()).toEqual([]);
    machine.write(GICR + 0x0040, 8, 8192n);
    expect(machine.takeDiagnostics().map(({ code }) => code)).toEqual(['RESERVED_REGISTER']);
  });

  it('3.2 GICR_CTLR.RWP, which covers VPROPBASER.Valid, reads as 0: nothing takes time', async () => {
    const machine = await start();
    machine.write(GICR + 0x2_0070, 8, (1n << 63n) | 0x8000_0000n);
    machine.write(GICR + 0x2_0070, 8, 0n);
    expect((machine.read(GICR, 4) >> 3) & 1).toBe(0);
  });
});

describe('5.4 GITS_TYPER of GICv4.1', () => {
  it('5.4 the example: VSGI, VMAPP and SVPET=1 beside GICv4.0', async () => {
    const machine = await start({ ittEntryBytes: 16, unmappedMsiReporting: false });
    expect(hex(machine.read(GITS + 0x0008, 8))).toBe('0x3bf0001eff3');
  });

  it('5.4 nID is 1 where events cannot have doorbells of their own', async () => {
    const nId = async (individualDoorbells: boolean): Promise<bigint> =>
      ((await start({ individualDoorbells })).read(GITS + 0x0008, 8) >> 43n) & 1n;
    expect([await nId(true), await nId(false)]).toEqual([0n, 1n]);
  });

  it.each([0, 1, 2, 3])('5.4 SVPET=%i', async (sharedVpeTable) => {
    const machine = await start({ sharedVpeTable });
    expect((machine.read(GITS + 0x0008, 8) >> 41n) & 3n).toBe(BigInt(sharedVpeTable));
  });

  it('5.4 VSGI is 0 where virtual SGIs are left out', async () => {
    const machine = await start({ virtualSgis: false });
    expect((machine.read(GITS + 0x0008, 8) >> 39n) & 1n).toBe(0n);
  });

  it('5.5 GITS_MPIDR has the affinity that SVPET is about, and is RES0 with SVPET=0', async () => {
    const itsAffinity = 0x0102_0300;
    expect((await start({ itsAffinity })).read(GITS + 0x0018, 4)).toBe(itsAffinity);
    expect((await start({ itsAffinity, sharedVpeTable: 0 })).read(GITS + 0x0018, 4)).toBe(0);
  });

  it('5.9 GITS_BASER2 is the vPE table, with entries of 32 bytes', async () => {
    const machine = await start();
    expect(hex(machine.read(GITS + 0x0110, 8))).toBe('0x21f000000000200');
  });
});

describe('2.4 GICD_TYPER2', () => {
  it('2.4 nASSGIcap, and 16-bit vPEIDs with VIL=0 and VID=0', async () => {
    expect((await start()).read(GICD + 0x000c, 4)).toBe(0x100);
  });

  it.each([1, 8, 15])('2.4 vPEIDs of %i bits: VIL=1, VID is one less', async (vpeIdBits) => {
    expect((await start({ vpeIdBits })).read(GICD + 0x000c, 4)).toBe(0x180 | (vpeIdBits - 1));
  });
});

describe('0, 3.10, 5.1 registers of GICv4.1', () => {
  it('2.1 PIDR2.ArchRev is 4', async () => {
    const machine = await start();
    for (const frame of [GICD, GICR, GITS]) expect(machine.read(frame + 0xffe8, 4)).toBe(0x4b);
  });

  it('8.5 ICH_VTR_EL2.DVIM is 1 and nV4 0', async () => {
    const machine = await start();
    expect(Number(machine.readSystemRegister(0, 'ICH_VTR_EL2'))).toBe(0x902c_0003);
  });

  it('3.10, 5.1 GICR_VSGIR, GICR_VSGIPENDR and GITS_SGIR are reserved where virtual SGIs are left out', async () => {
    const machine = await start({ virtualSgis: false });
    machine.write(GICR + 0x2_0080, 4, 7);
    machine.read(GICR + 0x2_0088, 4);
    machine.write(GITS + 0x2_0020, 8, 7n << 32n);
    expect(machine.takeDiagnostics().map(({ code }) => code)).toEqual(Array(3).fill('RESERVED_REGISTER'));
  });

  it('3.13 GICR_VSGIR is write-only, GICR_VSGIPENDR read-only, both of 32 bits', async () => {
    const machine = await start();
    expect(machine.read(GICR + 0x2_0080, 4)).toBe(0);
    machine.write(GICR + 0x2_0088, 4, 1);
    machine.read(GICR + 0x2_0088, 8);
    expect(machine.takeDiagnostics().map(({ code }) => code)).toEqual([
      'READ_OF_WRITE_ONLY',
      'WRITE_OF_READ_ONLY',
      'BAD_ACCESS_SIZE',
    ]);
  });
});

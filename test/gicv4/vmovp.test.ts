import { describe, expect, it } from 'vitest';
import { DEVICE, DOORBELL, EVENT, startMappedVpe, VINTID, virtualCommands } from '../support/vpe_driver.ts';

describe('6.19 VMOVP on any ITS (GITS_TYPER.VMOVP=1)', () => {
  it('6.19 changes the redistributor; VPT and its size stay', async () => {
    const driver = await startMappedVpe({}, {}, { size: 14 });
    driver.vmovp(driver.vpe, 3);
    expect(driver.machine.vpeEntry(0, 7)).toEqual({ cpu: 3, vptAddress: driver.vpe.vpt, size: 14 });
    expect(driver.diagnosed()).toEqual([]);
  });

  it('6.19 one VMOVP moves the vPE for every ITS', async () => {
    const driver = await startMappedVpe({ itsCount: 3 });
    driver.vmovp(driver.vpe, 2, 1);
    expect([0, 1, 2].map((its) => driver.machine.vpeEntry(its, 7)?.cpu)).toEqual([2, 2, 2]);
  });

  it('6.19 ITSs that do not map the vPE still do not', async () => {
    const driver = await startMappedVpe({ itsCount: 2 }, {}, { itses: [0] });
    driver.vmovp(driver.vpe, 2);
    expect([0, 1].map((its) => driver.machine.vpeEntry(its, 7)?.cpu)).toEqual([2, undefined]);
  });

  it('6.19 ITSList and SequenceNumber are RES0: ignored', async () => {
    const driver = await startMappedVpe({ itsCount: 2 });
    driver.vmovp(driver.vpe, 2, 0, { sequence: 0x12, list: 0b10 });
    expect([0, 1].map((its) => driver.machine.vpeEntry(its, 7)?.cpu)).toEqual([2, 2]);
    expect(driver.readPointer(0).offset).toBe(Number(driver.machine.read(driver.gits(0x88), 8)));
  });

  it('6.19 VLPIs arriving afterwards go to the new redistributor', async () => {
    const driver = await startMappedVpe();
    driver.vmovp(driver.vpe, 2);
    driver.scheduleIn(2, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.counters().vlpis).toEqual({ direct: 1, waiting: 0 });
    expect([driver.virq(0), driver.virq(2)]).toEqual([false, true]);
  });

  it('6.19 what is pending is found where the vPE is made resident next; nothing rings for the move', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    driver.setGuest(0, 'PMR', 0);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.scheduleOut(0);
    driver.vmovp(driver.vpe, 2);
    driver.vsync(driver.vpe);
    expect(driver.machine.counters().doorbells).toEqual({ rung: 0, coalesced: 0, dropped: 0 });
    driver.scheduleIn(2, driver.vpe);
    expect(driver.guestTakeAll(2)).toEqual([VINTID]);
  });

  it('6.19 a pending doorbell stays on the old redistributor', async () => {
    const driver = await startMappedVpe();
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.vmovp(driver.vpe, 2);
    expect([driver.pendingLpis(0), driver.pendingLpis(2)]).toEqual([[DOORBELL], []]);
  });

  it('6.19 VMOVP of a resident vPE is UNPREDICTABLE and diagnosed; to where it is, it is nothing', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    driver.vmovp(driver.vpe, 0);
    expect(driver.diagnosed()).toEqual([]);
    driver.vmovp(driver.vpe, 1);
    expect(driver.diagnosed().map(({ code, operands }) => ({ code, ...operands }))).toEqual([
      { code: 'VPE_MOVED_WHILE_RESIDENT', vpeId: 7, cpu: 0 },
    ]);
  });

  it('6.0 with PTA=1 RDbase is the address of RD_base', async () => {
    const driver = await startMappedVpe({ physicalTargetAddresses: true });
    driver.vmovp(driver.vpe, 3);
    expect(driver.machine.vpeEntry(0, 7)?.cpu).toBe(3);
    expect(driver.errors([virtualCommands.vmovp(7, 2n << 16n)])).toBe(1);
  });

  it.each([
    ['vPEID out of range', virtualCommands.vmovp(8192, 0x1_0000n)],
    ['vPE not mapped', virtualCommands.vmovp(9, 0x1_0000n)],
    ['RDbase that no redistributor has', virtualCommands.vmovp(7, 4n << 16n)],
  ])('6.19 error: %s', async (_, words) => {
    const driver = await startMappedVpe();
    expect(driver.errors([words])).toBe(1);
    expect(driver.machine.vpeEntry(0, 7)?.cpu).toBe(0);
  });
});

describe('6.20 VINVALL and 6.21 VSYNC', () => {
  it.each([
    ['VINVALL of a vPEID out of range', virtualCommands.vinvall(8192), 1],
    ['VINVALL of a vPE not mapped', virtualCommands.vinvall(9), 1],
    ['VINVALL of a vPE', virtualCommands.vinvall(7), 0],
    ['VSYNC of a vPE', virtualCommands.vsync(7), 0],
  ])('6.20 %s: %i errors with the encodings of the examples', async (_, words, errors) => {
    const driver = await startMappedVpe();
    expect(driver.errors([words])).toBe(errors);
  });

  it('6.20, 6.21 the examples', async () => {
    expect(virtualCommands.vinvall(7)).toEqual([0x2dn, 0x0000_0007_0000_0000n, 0n, 0n]);
    expect(virtualCommands.vsync(7)).toEqual([0x25n, 0x0000_0007_0000_0000n, 0n, 0n]);
    const driver = await startMappedVpe();
    expect(driver.errors([virtualCommands.vinvall(7), virtualCommands.vsync(7)])).toBe(0);
  });

  it.each([
    [true, 2],
    [false, 0],
  ])(
    '6.21 policy checkSyncOperands=%s: VSYNC of a vPEID out of range and of a vPE not mapped',
    async (policy, errors) => {
      const driver = await startMappedVpe({ policy: { checkSyncOperands: policy } });
      expect(driver.errors([virtualCommands.vsync(8192), virtualCommands.vsync(9)])).toBe(errors);
    },
  );
});

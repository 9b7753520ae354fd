import { describe, expect, it } from 'vitest';
import type { CommandDoublewords } from '../support/driver.ts';
import {
  DEVICE,
  DOORBELL,
  EVENT,
  startMappedVpe,
  startVpeDriver,
  VINTID,
  virtualCommands,
} from '../support/vpe_driver.ts';

const RD = (cpu: number): bigint => BigInt(cpu) << 16n;

describe('6.14 VMAPP', () => {
  it('6.14 the examples: vPE 7 at PE 1 with its table, and unmapped again', async () => {
    const driver = await startVpeDriver();
    driver.command([0x29n, 0x0000_0007_0000_0000n, 0x8000_0000_0001_0000n, 0x0000_0008_8000_000fn]);
    expect(driver.machine.vpeEntry(0, 7)).toEqual({ cpu: 1, vptAddress: 0x8_8000_0000, size: 15 });
    driver.command([0x29n, 0x0000_0007_0000_0000n, 0n, 0n]);
    expect(driver.machine.vpeEntry(0, 7)).toBeUndefined();
    expect(driver.diagnosed()).toEqual([]);
  });

  it('6.0 with PTA=1 RDbase is the address of RD_base, not of VLPI_base', async () => {
    const driver = await startVpeDriver({ physicalTargetAddresses: true });
    const at = (offset: number) => virtualCommands.vmapp(7, BigInt(driver.gicr(2, offset)), 0x8800_0000, 15);
    expect(driver.errors([at(0x2_0000)])).toBe(1);
    expect(driver.errors([at(0)])).toBe(0);
    expect(driver.machine.vpeEntry(0, 7)?.cpu).toBe(2);
  });

  it.each([
    ['RDbase that no redistributor has', virtualCommands.vmapp(7, RD(4), 0x8800_0000, 15)],
    ['RDbase with high bits', virtualCommands.vmapp(7, 1n << 48n, 0x8800_0000, 15)],
    ['VPT_size above GICD_TYPER.IDbits', virtualCommands.vmapp(7, RD(0), 0x8800_0000, 16)],
    ['VPT_size of 31', virtualCommands.vmapp(7, RD(0), 0x8800_0000, 31)],
    ['vPEID beyond the table', virtualCommands.vmapp(8192, RD(0), 0x8800_0000, 15)],
  ])('6.14 error: %s', async (_, words) => {
    const driver = await startVpeDriver();
    expect(driver.errors([words])).toBe(1);
    expect(driver.machine.vpeEntry(0, 7)).toBeUndefined();
    expect(driver.diagnosed().map(({ code }) => code)).toEqual(['COMMAND_ERROR']);
  });

  it('6.14 an error leaves an older mapping as it is', async () => {
    const driver = await startMappedVpe();
    const before = driver.machine.vpeEntry(0, 7);
    expect(driver.errors([virtualCommands.vmapp(7, RD(9), 0x8800_0000, 15)])).toBe(1);
    expect(driver.machine.vpeEntry(0, 7)).toEqual(before);
  });

  it('6.14 V=0 looks at nothing but the vPEID, and a vPE that is not mapped may be unmapped', async () => {
    const driver = await startMappedVpe();
    const unmap: CommandDoublewords = [0x29n, 7n << 32n, RD(9), 31n];
    expect(driver.errors([unmap, unmap, virtualCommands.unmapVpe(99)])).toBe(0);
    expect(driver.machine.vpeEntry(0, 7)).toBeUndefined();
    expect(driver.errors([virtualCommands.unmapVpe(8192)])).toBe(1);
  });

  it('6.14 V=0: events keep their vPE, their MSIs are dropped until it is mapped again', async () => {
    const driver = await startMappedVpe();
    driver.unmapVpe(driver.vpe);
    expect(driver.machine.interruptEntry(0, DEVICE, EVENT)).toMatchObject({ kind: 'virtual', vpeId: 7 });
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('vpe-unmapped');
    driver.vmapp(driver.vpe);
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('pending');
  });

  it('6.14 V=0 leaves the VPT to software with all pending state in it', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    driver.setGuest(0, 'PMR', 0);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.scheduleOut(0);
    driver.unmapVpe(driver.vpe);
    driver.vsync(driver.vpe);
    expect(driver.pendingVlpis(driver.vpe)).toEqual([VINTID]);
  });

  it('6.14 mapping a vPE again with V=1 is UNPREDICTABLE: overwritten and diagnosed', async () => {
    const driver = await startMappedVpe();
    driver.vmapp(driver.vpe, 3);
    expect(driver.machine.vpeEntry(0, 7)?.cpu).toBe(3);
    expect(driver.diagnosed().map(({ code, operands }) => [code, operands.vpeId])).toEqual([
      ['VPE_REMAPPED', 7],
    ]);
  });

  it('6.14 unmapping a resident vPE is UNPREDICTABLE and diagnosed', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    driver.unmapVpe(driver.vpe);
    expect(driver.diagnosed().map(({ code, operands }) => ({ code, ...operands }))).toEqual([
      { code: 'VPE_UNMAPPED_WHILE_RESIDENT', vpeId: 7, cpu: 0 },
    ]);
  });

  it('6.14 several ITSs map a vPE, each for its own events', async () => {
    const driver = await startMappedVpe({ itsCount: 2 });
    driver.mapd(DEVICE, 5, 1);
    driver.vmapti(DEVICE, 1, driver.vpe, VINTID + 1, DOORBELL, 1);
    driver.scheduleIn(0, driver.vpe);
    expect(driver.machine.sendMsi(DEVICE, EVENT, 0)).toBe('pending');
    expect(driver.machine.sendMsi(DEVICE, 1, 1)).toBe('pending');
    expect(driver.guestTakeAll(0)).toEqual([VINTID, VINTID + 1]);
    driver.unmapVpe(driver.vpe, 1);
    driver.diagnosed();
    expect([driver.machine.sendMsi(DEVICE, EVENT, 0), driver.machine.sendMsi(DEVICE, 1, 1)]).toEqual([
      'pending',
      'vpe-unmapped',
    ]);
  });
});

describe('6.16 VMAPTI and 6.17 VMAPI', () => {
  it('6.16 the examples: with a doorbell and without', async () => {
    const driver = await startVpeDriver();
    driver.mapd(0x10, 5);
    driver.command([0x0000_0010_0000_002an, 0x0000_0007_0000_0005n, 0x0000_2328_0000_2001n, 0n]);
    expect(driver.machine.interruptEntry(0, 0x10, 5)).toEqual({
      kind: 'virtual',
      vIntid: 8193,
      vpeId: 7,
      doorbell: 9000,
    });
    driver.discard(0x10, 5);
    driver.vmapp(driver.newVpe(7));
    driver.command([0x0000_0010_0000_002an, 0x0000_0007_0000_0006n, 0x0000_03ff_0000_2001n, 0n]);
    expect(driver.machine.interruptEntry(0, 0x10, 6)).toMatchObject({ doorbell: 1023 });
  });

  it('6.17 the example: event 8193 is VLPI 8193', async () => {
    const driver = await startVpeDriver();
    driver.mapd(0x10, 14);
    driver.command([0x0000_0010_0000_002bn, 0x0000_0007_0000_2001n, 0x0000_2328_0000_0000n, 0n]);
    expect(driver.machine.interruptEntry(0, 0x10, 8193)).toEqual({
      kind: 'virtual',
      vIntid: 8193,
      vpeId: 7,
      doorbell: 9000,
    });
  });

  it('6.16 mapping changes no pending state', async () => {
    const driver = await startMappedVpe();
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.vmapti(DEVICE, 7, driver.vpe, VINTID);
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
  });

  it.each([
    ['DeviceID out of range', virtualCommands.vmapti(0x1_0000, 0, 7, 8192, 1023)],
    ['device not mapped', virtualCommands.vmapti(0x11, 0, 7, 8192, 1023)],
    ['EventID out of range', virtualCommands.vmapti(DEVICE, 32, 7, 8192, 1023)],
    ['vINTID below the LPIs', virtualCommands.vmapti(DEVICE, 0, 7, 8191, 1023)],
    ['vINTID 1023', virtualCommands.vmapti(DEVICE, 0, 7, 1023, 1023)],
    ['vINTID above GICD_TYPER.IDbits', virtualCommands.vmapti(DEVICE, 0, 7, 65536, 1023)],
    ['doorbell below the LPIs', virtualCommands.vmapti(DEVICE, 0, 7, 8192, 8191)],
    ['doorbell 1022', virtualCommands.vmapti(DEVICE, 0, 7, 8192, 1022)],
    ['doorbell 0', virtualCommands.vmapti(DEVICE, 0, 7, 8192, 0)],
    ['doorbell above GICD_TYPER.IDbits', virtualCommands.vmapti(DEVICE, 0, 7, 8192, 65536)],
    ['vPEID out of range', virtualCommands.vmapti(DEVICE, 0, 8192, 8192, 1023)],
    ['VMAPI: EventID that is no LPI', virtualCommands.vmapi(DEVICE, 0, 7, 1023)],
    ['VMAPI: EventID out of range', virtualCommands.vmapi(DEVICE, 8192, 7, 1023)],
  ])('6.16, 6.17 error: %s', async (_, words) => {
    const driver = await startMappedVpe();
    expect(driver.errors([words])).toBe(1);
    expect(driver.machine.interruptEntry(0, DEVICE, 0)).toBeUndefined();
    expect(driver.diagnosed().map(({ code }) => code)).toEqual(['COMMAND_ERROR']);
  });

  it.each([
    ['VMAPI with an illegal doorbell', virtualCommands.vmapi(DEVICE, 8200, 7, 1022)],
    ['VMAPI with a vPEID out of range', virtualCommands.vmapi(DEVICE, 8200, 8192, 1023)],
  ])('6.17 error: %s', async (_, words) => {
    const driver = await startVpeDriver();
    driver.mapd(DEVICE, 14);
    expect(driver.errors([words])).toBe(1);
    expect(driver.machine.interruptEntry(0, DEVICE, 8200)).toBeUndefined();
  });

  it('6.16 the highest and the lowest of everything is in range', async () => {
    const driver = await startVpeDriver();
    driver.mapd(0x1fff, 16);
    expect(
      driver.errors([
        virtualCommands.vmapti(0x1fff, 0xffff, 8191, 65535, 65535),
        virtualCommands.vmapti(0x1fff, 0, 0, 8192, 8192),
      ]),
    ).toBe(0);
    expect(driver.machine.interruptEntry(0, 0x1fff, 0xffff)).toEqual({
      kind: 'virtual',
      vIntid: 65535,
      vpeId: 8191,
      doorbell: 65535,
    });
  });

  it('6.16 that the vPE is mapped is checked at delivery', async () => {
    const driver = await startMappedVpe();
    const later = driver.newVpe(9);
    expect(driver.errors([virtualCommands.vmapti(DEVICE, 6, 9, VINTID, 1023)])).toBe(0);
    expect(driver.machine.sendMsi(DEVICE, 6)).toBe('vpe-unmapped');
    driver.vmapp(later);
    expect(driver.machine.sendMsi(DEVICE, 6)).toBe('pending');
  });

  it.each([
    ['overwrite', 'VMAPTI', VINTID + 1],
    ['ignore', 'VMAPTI', VINTID],
  ] as const)(
    '6.16 policy maptiRemap=%s: %s of a mapped event is diagnosed and leaves VLPI %i',
    async (policy, _, vIntid) => {
      const driver = await startMappedVpe({ policy: { maptiRemap: policy } });
      driver.vmapti(DEVICE, EVENT, driver.vpe, VINTID + 1, 1023);
      expect(driver.machine.interruptEntry(0, DEVICE, EVENT)).toMatchObject({ vIntid });
      expect(driver.diagnosed().map(({ code, operands }) => ({ code, ...operands }))).toEqual([
        { code: 'REMAPPED_EVENT', deviceId: DEVICE, eventId: EVENT },
      ]);
    },
  );

  it.each([
    ['overwrite', 8200],
    ['ignore', 8201],
  ] as const)('6.17 policy maptiRemap=%s: VMAPI of a mapped event', async (policy, vIntid) => {
    const driver = await startMappedVpe({ policy: { maptiRemap: policy } });
    driver.mapd(DEVICE, 14);
    driver.vmapti(DEVICE, 8200, driver.vpe, 8201);
    driver.vmapi(DEVICE, 8200, driver.vpe);
    expect(driver.machine.interruptEntry(0, DEVICE, 8200)).toMatchObject({ vIntid });
    expect(driver.diagnosed('REMAPPED_EVENT')).toHaveLength(1);
  });
});

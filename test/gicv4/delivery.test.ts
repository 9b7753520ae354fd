import { describe, expect, it } from 'vitest';
import {
  DEVICE,
  DOORBELL,
  EVENT,
  PRIORITY,
  startMappedVpe,
  VINTID,
  virtualCommands,
} from '../support/vpe_driver.ts';

describe('7.3 delivery of a VLPI', () => {
  it('7.3 step 1: a vPE that is not mapped: dropped, no doorbell', async () => {
    const driver = await startMappedVpe();
    driver.unmapVpe(driver.vpe);
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('vpe-unmapped');
    expect(driver.pendingVlpis(driver.vpe)).toEqual([]);
    expect(driver.pendingLpis(0)).toEqual([]);
    expect(driver.machine.counters().msi).toMatchObject({
      total: 1,
      pending: 0,
      dropped: { 'vpe-unmapped': 1 },
    });
    expect(
      driver.diagnosed().map(({ code, operands }) => [code, operands.deviceId, operands.eventId]),
    ).toEqual([['MSI_DROPPED', DEVICE, EVENT]]);
  });

  it('5.6 GITS_STATUSR.Syndrome of an unmapped vPE is 9, GITS_UMSIR names the event', async () => {
    const driver = await startMappedVpe();
    driver.unmapVpe(driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    const status = driver.machine.read(driver.gits(0x0040), 4);
    expect([(status >> 4) & 1, (status >> 6) & 0xf]).toEqual([1, 9]);
    expect(driver.machine.read(driver.gits(0x0048), 8)).toBe((BigInt(DEVICE) << 32n) | BigInt(EVENT));
  });

  it.each([
    { size: 12, vIntid: 8192, delivered: false },
    { size: 13, vIntid: 8192, delivered: true },
    { size: 13, vIntid: 16383, delivered: true },
    { size: 13, vIntid: 16384, delivered: false },
    { size: 14, vIntid: 32767, delivered: true },
    { size: 14, vIntid: 32768, delivered: false },
    { size: 15, vIntid: 65535, delivered: true },
  ])('7.3 step 1: VPT_size $size holds vINTID $vIntid: $delivered', async ({ size, vIntid, delivered }) => {
    const driver = await startMappedVpe();
    const vpe = driver.mapVpe(9, { size });
    driver.vmapti(DEVICE, 6, vpe, vIntid, DOORBELL);
    expect(driver.machine.sendMsi(DEVICE, 6)).toBe(delivered ? 'pending' : 'intid-out-of-range');
    expect(driver.isPending(0, DOORBELL)).toBe(delivered);
    expect(driver.machine.counters().vlpis.waiting).toBe(delivered ? 1 : 0);
    if (delivered) expect(driver.pendingVlpis(vpe)).toEqual([vIntid]);
  });

  it('7.3 step 1: resident, GICR_VPROPBASER.IDbits limits too', async () => {
    const driver = await startMappedVpe();
    driver.vmapti(DEVICE, 6, driver.vpe, 16384);
    driver.vmapti(DEVICE, 7, driver.vpe, 16383);
    driver.scheduleIn(0, { ...driver.vpe, size: 13 });
    expect([driver.machine.sendMsi(DEVICE, 6), driver.machine.sendMsi(DEVICE, 7)]).toEqual([
      'intid-out-of-range',
      'pending',
    ]);
  });

  it('7.3 step 2: the bit in the VPT is set, no other', async () => {
    const driver = await startMappedVpe();
    driver.machine.sendMsi(DEVICE, EVENT);
    const vpt = driver.machine.readMemory(driver.vpe.vpt, 0x2000);
    const set = [...vpt.entries()].filter(([, byte]) => byte !== 0);
    expect(set).toEqual([[VINTID >> 3, 1 << (VINTID & 7)]]);
  });

  it('7.3 step 2: each vPE has its own pending state', async () => {
    const driver = await startMappedVpe();
    const other = driver.mapVpe(8, { cpu: 1, configTable: driver.vpe.configTable });
    driver.vmapti(DEVICE, 6, other, VINTID);
    driver.machine.sendMsi(DEVICE, 6);
    expect([driver.pendingVlpis(driver.vpe), driver.pendingVlpis(other)]).toEqual([[], [VINTID]]);
    driver.scheduleIn(0, driver.vpe);
    driver.scheduleIn(1, other);
    expect([driver.virq(0), driver.virq(1)]).toEqual([false, true]);
  });

  it('7.3 step 3: resident and enabled: presented to the guest at its priority', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.virtualOutputs(0)).toMatchObject({
      winner: 'vlpi',
      bestVlpi: { vIntid: VINTID, priority: PRIORITY },
      virq: true,
      vfiq: false,
    });
    expect(driver.machine.irq(0)).toBe(false);
    expect(driver.guest(0, 'IAR1')).toBe(VINTID);
  });

  it('7.3 step 3: resident, EnableLPIs=0 of the redistributor does not hold VLPIs back', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    driver.disableLpis(0);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.guestTakeAll(0)).toEqual([VINTID]);
  });

  it('7.3 step 3: an event of a VLPI that is pending already coalesces', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    expect([0, 1, 2].map(() => driver.machine.sendMsi(DEVICE, EVENT))).toEqual([
      'pending',
      'coalesced',
      'coalesced',
    ]);
    expect(driver.guestTakeAll(0)).toEqual([VINTID]);
    expect(driver.machine.counters().vlpis).toEqual({ direct: 1, waiting: 0 });
    expect(driver.machine.counters().msi).toMatchObject({ total: 3, pending: 1, coalesced: 2, dropped: {} });
  });

  it('7.3 two events of one VLPI share its pending state', async () => {
    const driver = await startMappedVpe();
    driver.vmapti(DEVICE, 6, driver.vpe, VINTID);
    driver.scheduleIn(0, driver.vpe);
    expect([driver.machine.sendMsi(DEVICE, EVENT), driver.machine.sendMsi(DEVICE, 6)]).toEqual([
      'pending',
      'coalesced',
    ]);
    expect(driver.guestTakeAll(0)).toEqual([VINTID]);
  });

  it('7.3 a VPT outside RAM: the VLPI is dropped and said so', async () => {
    const driver = await startMappedVpe();
    const vpe = driver.mapVpe(9, { vpt: 0x4000_0000 });
    driver.vmapti(DEVICE, 6, vpe, VINTID, DOORBELL);
    driver.diagnosed();
    expect(driver.machine.sendMsi(DEVICE, 6)).toBe('table-fault');
    expect(driver.isPending(0, DOORBELL)).toBe(false);
    expect(driver.diagnosed().map(({ code }) => code)).toEqual(['MSI_DROPPED']);
  });

  it('7.7 acknowledging clears the pending bit, sets the active priority and leaves EOIcount alone', async () => {
    const driver = await startMappedVpe();
    driver.scheduleIn(0, driver.vpe);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.guest(0, 'IAR1')).toBe(VINTID);
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(false);
    expect(driver.ich(0, 'AP1R0')).toBe(1n << 20n);
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('pending');
    expect(driver.virq(0)).toBe(false);
    driver.setGuest(0, 'EOIR1', VINTID);
    expect(driver.ich(0, 'AP1R0')).toBe(0n);
    expect(driver.ich(0, 'HCR')).toBe(1n);
    expect(driver.virq(0)).toBe(true);
    expect(driver.machine.counters().virtualAcknowledged).toMatchObject({
      listRegister: 0,
      vlpi: 1,
      spurious: 0,
    });
  });

  it('takeChangedCpus names the PEs whose virtual outputs changed', async () => {
    const driver = await startMappedVpe({}, {}, { cpu: 2 });
    driver.scheduleIn(2, driver.vpe);
    driver.machine.takeChangedCpus();
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.takeChangedCpus()).toEqual([2]);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.takeChangedCpus()).toEqual([]);
    driver.guestTake(2);
    expect(driver.machine.takeChangedCpus()).toEqual([2]);
  });

  it('7.3 INT of a VLPI beyond VPT_size is ignored without a command error', async () => {
    const driver = await startMappedVpe();
    const vpe = driver.mapVpe(9, { size: 13 });
    driver.vmapti(DEVICE, 6, vpe, 20000, DOORBELL);
    driver.int(DEVICE, 6);
    expect(driver.machine.counters().int.dropped).toEqual({ 'intid-out-of-range': 1 });
    expect(driver.isPending(0, DOORBELL)).toBe(false);
  });

  it('6.8 INT of an event whose vPE is not mapped is a command error', async () => {
    const driver = await startMappedVpe();
    driver.unmapVpe(driver.vpe);
    const int = [0x03n | (BigInt(DEVICE) << 32n), BigInt(EVENT), 0n, 0n] as const;
    expect(driver.errors([int, virtualCommands.vmapp(7, 0n, driver.vpe.vpt, 15), int])).toBe(1);
    expect(driver.isVirtualPending(driver.vpe, VINTID)).toBe(true);
  });
});

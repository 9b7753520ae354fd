import { describe, expect, it } from 'vitest';
import type { Policy } from '../../bindings/index.ts';
import { type CommandDoublewords, commands } from '../support/driver.ts';
import {
  DEVICE,
  EVENT,
  startMappedVpe,
  startVpeDriver,
  VINTID,
  virtualCommands,
} from '../support/vpe_driver.ts';

/** One command error of each GICv4.0 command, on what `startMappedVpe` maps. */
const mistakes: [string, CommandDoublewords][] = [
  ['VMAPP', virtualCommands.vmapp(9, 9n << 16n, 0x8800_0000, 15)],
  ['VMAPTI', virtualCommands.vmapti(DEVICE, 6, 7, 0, 1023)],
  ['VMAPI', virtualCommands.vmapi(DEVICE, 6, 7, 1023)],
  ['VMOVI', virtualCommands.vmovi(DEVICE, EVENT, 9)],
  ['VMOVP', virtualCommands.vmovp(9, 0n)],
  ['VINVALL', virtualCommands.vinvall(9)],
  ['VSYNC', virtualCommands.vsync(9)],
];

/** Commands that look into the vPE table, with a vPE table outside RAM. */
const faults: [string, CommandDoublewords][] = [
  ['VMAPP', virtualCommands.vmapp(7, 0n, 0x8800_0000, 15)],
  ['VMAPP with V=0', virtualCommands.unmapVpe(7)],
  ['VMOVI', virtualCommands.vmovi(DEVICE, EVENT, 8)],
  ['VMOVP', virtualCommands.vmovp(7, 0n)],
  ['VINVALL', virtualCommands.vinvall(7)],
  ['VSYNC', virtualCommands.vsync(7)],
  ['INT', commands.int(DEVICE, EVENT)],
  ['CLEAR', commands.clear(DEVICE, EVENT)],
  ['INV', commands.inv(DEVICE, EVENT)],
  ['DISCARD', commands.discard(DEVICE, EVENT)],
];

const sync = commands.sync(0n);

describe('5.13 policy commandError with GICv4 commands', () => {
  it.each(mistakes)('5.13 commandError=ignore: %s is skipped and reported', async (_, words) => {
    const driver = await startMappedVpe({ policy: { commandError: 'ignore' } });
    const { offset } = driver.readPointer();
    expect(driver.errors([words, sync])).toBe(1);
    expect(driver.readPointer()).toEqual({ offset: offset + 64, stalled: false });
    const [diagnostic, ...others] = driver.diagnosed();
    expect([diagnostic?.code, diagnostic?.operands.offset, others]).toEqual(['COMMAND_ERROR', offset, []]);
  });

  it.each(mistakes)(
    '5.13 commandError=stall: %s stops the queue until it is replaced and retried',
    async (_, words) => {
      const driver = await startMappedVpe({ policy: { commandError: 'stall' } });
      const { offset } = driver.readPointer();
      driver.errors([words, sync]);
      expect(driver.readPointer()).toEqual({ offset, stalled: true });
      driver.ring(0, { retry: true });
      expect(driver.readPointer()).toEqual({ offset, stalled: true });
      driver.storeCommand(offset, sync);
      driver.ring(0, { retry: true });
      expect(driver.readPointer()).toEqual({ offset: offset + 64, stalled: false });
    },
  );

  it('5.13 commandError=stall: a retry succeeds once what was missing is there', async () => {
    const driver = await startMappedVpe(
      { itsCount: 2, policy: { commandError: 'stall' } },
      {},
      { itses: [0] },
    );
    driver.vmovp(driver.vpe, 2, 1);
    expect(driver.readPointer(1).stalled).toBe(true);
    expect(driver.machine.vpeEntry(0, 7)?.cpu).toBe(0);
    const at = driver.readPointer(1).offset;
    driver.storeCommand(at, virtualCommands.vmapp(7, 0n, driver.vpe.vpt, 15), 1);
    driver.ring(1, { retry: true });
    expect(driver.readPointer(1).stalled).toBe(false);
    expect(driver.machine.vpeEntry(1, 7)?.cpu).toBe(0);
  });

  it.each(mistakes)('5.13 commandError=sei: %s is skipped and raises an SEI', async (_, words) => {
    const driver = await startMappedVpe({ policy: { commandError: 'sei' } });
    const { offset } = driver.readPointer();
    driver.errors([words, sync]);
    expect(driver.readPointer()).toEqual({ offset: offset + 64, stalled: false });
    expect(driver.machine.counters().systemErrors).toBe(1);
    expect(driver.diagnosed().map(({ code }) => code)).toEqual(['COMMAND_ERROR', 'SYSTEM_ERROR']);
  });

  it('5.13 VSYNC is no error where checkSyncOperands is off, whatever commandError is', async () => {
    const driver = await startMappedVpe({ policy: { commandError: 'stall', checkSyncOperands: false } });
    expect(driver.errors([virtualCommands.vsync(9), virtualCommands.vsync(0xffff)])).toBe(0);
    expect(driver.readPointer().stalled).toBe(false);
  });
});

describe('5.13 policy tableFault with a vPE table outside RAM', () => {
  const start = async (tableFault: Policy['tableFault']) => {
    const driver = await startVpeDriver({ policy: { tableFault } }, { vpeTable: 0x8000_0000_4000_0200n });
    driver.mapd(DEVICE, 5);
    driver.command(virtualCommands.vmapti(DEVICE, EVENT, 7, VINTID, 9000));
    expect(driver.diagnosed()).toEqual([]);
    return driver;
  };

  it.each(faults)('5.13 tableFault=stall: %s stops the queue', async (_, words) => {
    const driver = await start('stall');
    const { offset } = driver.readPointer();
    driver.errors([words, sync]);
    expect(driver.readPointer()).toEqual({ offset, stalled: true });
    expect(driver.diagnosed().map(({ code }) => code)).toEqual(['TABLE_FAULT', 'QUEUE_STALLED']);
    expect(driver.machine.interruptEntry(0, DEVICE, EVENT)).toMatchObject({ vpeId: 7 });
  });

  it.each(faults)('5.13 tableFault=ignore: %s is skipped and changes nothing', async (_, words) => {
    const driver = await start('ignore');
    const { offset } = driver.readPointer();
    expect(driver.errors([words, sync])).toBe(1);
    expect(driver.readPointer()).toEqual({ offset: offset + 64, stalled: false });
    expect(driver.diagnosed().map(({ code }) => code)).toEqual(['TABLE_FAULT']);
    expect(driver.machine.interruptEntry(0, DEVICE, EVENT)).toMatchObject({ vpeId: 7 });
  });

  it('5.11 an MSI is dropped', async () => {
    const driver = await start('stall');
    expect(driver.machine.sendMsi(DEVICE, EVENT)).toBe('table-fault');
    expect(driver.machine.counters().msi.dropped).toEqual({ 'table-fault': 1 });
  });

  it('5.10 a page of level 2 outside RAM faults too; its neighbours do not', async () => {
    const table = 0x8100_0000;
    const driver = await startVpeDriver({}, { vpeTable: 0xc000_0000_0000_0200n | BigInt(table) });
    driver.machine.write(table, 8, 0x8000_0000_8110_0000n);
    driver.machine.write(table + 8, 8, 0x8000_0000_4000_0000n);
    expect(driver.errors([virtualCommands.vmapp(8191, 0n, 0x8800_0000, 15)])).toBe(0);
    driver.errors([virtualCommands.vmapp(8192, 0n, 0x8800_0000, 15)]);
    expect(driver.readPointer().stalled).toBe(true);
  });
});

describe('5.13 policy commandExecution=stepped', () => {
  it('5.13 GICv4 commands take effect one by one, VSYNC last', async () => {
    const driver = await startVpeDriver({ policy: { commandExecution: 'stepped' } });
    driver.mapd(DEVICE, 5);
    const vpe = driver.mapVpe(7, { cpu: 1 });
    driver.vmapti(DEVICE, EVENT, vpe, VINTID);
    driver.vmovp(vpe, 2);
    driver.vsync(vpe);
    const outcome = () => driver.machine.sendMsi(DEVICE, EVENT);
    const seen = [outcome()];
    for (let step = 0; step < 3; step++) {
      expect(driver.machine.stepIts()).toBe(1);
      seen.push(outcome());
    }
    expect(seen).toEqual(['device-unmapped', 'event-unmapped', 'event-unmapped', 'pending']);
    expect(driver.machine.vpeEntry(0, 7)?.cpu).toBe(1);
    expect(driver.machine.stepIts(0, 10)).toBe(2);
    expect(driver.machine.vpeEntry(0, 7)?.cpu).toBe(2);
  });

  it('7.5 a residency change does not wait for the queue', async () => {
    const driver = await startVpeDriver({ policy: { commandExecution: 'stepped' } });
    driver.mapd(DEVICE, 5);
    const vpe = driver.mapVpe(7);
    driver.setVirtualConfig(vpe, VINTID, 0xa0, true);
    driver.vmapti(DEVICE, EVENT, vpe, VINTID);
    driver.machine.stepIts(0, 3);
    driver.openGuest(0);
    driver.int(DEVICE, EVENT);
    driver.scheduleIn(0, vpe);
    expect(driver.virq(0)).toBe(false);
    driver.machine.stepIts();
    expect(driver.guestTakeAll(0)).toEqual([VINTID]);
  });
});

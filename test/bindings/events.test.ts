import { describe, expect, it } from 'vitest';
import { createMachine, type Machine, type MachineEvent } from '../../bindings/index.ts';
import { Driver } from '../support/driver.ts';
import {
  DEVICE,
  DOORBELL,
  EVENT,
  listRegister,
  startMappedVpe,
  VINTID,
  VPE_RAM,
} from '../support/vpe_driver.ts';
import { startMapped41 } from '../support/vpe41_driver.ts';

type Unnumbered = Omit<MachineEvent, 'sequence'>;

/** What happened since the last call, without the numbers of the events. */
function events(machine: Machine): Unnumbered[] {
  return machine.takeEvents().map(({ sequence: _, ...event }) => event);
}

/** Two PEs with device 1, whose event 2 is LPI 8200 at PE 1; events are recorded from here on. */
async function start(): Promise<{ machine: Machine; driver: Driver }> {
  const machine = await createMachine({ cpus: 2, ram: VPE_RAM });
  const driver = new Driver(machine, machine.config).start();
  driver.setConfig(8200, 0xa0, true);
  driver.mapd(1, 4);
  driver.mapc(3, 1);
  driver.mapti(1, 2, 8200, 3);
  machine.recordEvents(true);
  return { machine, driver };
}

describe('the order of events', () => {
  it('an MSI from the device to the end of interrupt: cause, effect, outcome; then the PE', async () => {
    const { machine } = await start();
    const pe = machine.cpu(1);
    machine.sendMsi(1, 2);
    pe.endOfInterrupt(pe.acknowledge());
    expect(events(machine)).toEqual([
      { kind: 'msi', its: 0, deviceId: 1, eventId: 2 },
      { kind: 'lpi-pending', cpu: 1, intid: 8200 },
      { kind: 'msi-outcome', its: 0, outcome: 'pending' },
      { kind: 'acknowledged', cpu: 1, intid: 8200, group: 1 },
      { kind: 'priority-dropped', cpu: 1, intid: 8200 },
    ]);
  });

  it('an MSI that coalesces makes nothing pending, one that is dropped leaves a diagnostic', async () => {
    const { machine } = await start();
    machine.sendMsi(1, 2);
    events(machine);
    machine.sendMsi(1, 2);
    machine.sendMsi(9, 9);
    expect(events(machine)).toEqual([
      { kind: 'msi', its: 0, deviceId: 1, eventId: 2 },
      { kind: 'msi-outcome', its: 0, outcome: 'coalesced' },
      { kind: 'msi', its: 0, deviceId: 9, eventId: 9 },
      { kind: 'msi-outcome', its: 0, outcome: 'device-unmapped' },
      { kind: 'diagnostic', unit: 0, code: 'MSI_DROPPED' },
    ]);
  });

  it('an SGI: sent to each target, then taken and deactivated by each', async () => {
    const { machine, driver } = await start();
    for (const cpu of [0, 1]) {
      machine.write(driver.gicrSgi(cpu, 0x0080), 4, 0xffff_ffff);
      machine.write(driver.gicrSgi(cpu, 0x0100), 4, 0xffff_ffff);
    }
    machine.cpu(0).write('ICC_SGI1R_EL1', (5n << 24n) | 0b11n);
    machine.cpu(1).endOfInterrupt(machine.cpu(1).acknowledge());
    expect(events(machine)).toEqual([
      { kind: 'sgi-sent', cpu: 0, intid: 5, group: 1 },
      { kind: 'sgi-sent', cpu: 1, intid: 5, group: 1 },
      { kind: 'acknowledged', cpu: 1, intid: 5, group: 1 },
      { kind: 'priority-dropped', cpu: 1, intid: 5 },
      { kind: 'deactivated', cpu: 1, intid: 5 },
    ]);
  });

  it('commands with their offsets, those that fail with the error behind them', async () => {
    const { machine, driver } = await start();
    const { offset } = driver.readPointer();
    driver.queue([0x05n, 0n, 0n, 0n]);
    driver.queue([0x77n, 0n, 0n, 0n]);
    driver.int(1, 9);
    const commands = events(machine).filter(({ kind }) => kind.startsWith('command'));
    expect(commands).toEqual([
      { kind: 'command', its: 0, command: 'SYNC', offset },
      { kind: 'command', its: 0, command: 'UNKNOWN', offset: offset + 32 },
      { kind: 'command-failed', its: 0, error: expect.any(Number) },
      { kind: 'command', its: 0, command: 'INT', offset: offset + 64 },
      { kind: 'command-failed', its: 0, error: 0x01_0307 },
    ]);
  });

  it('a vSGI: pending, then taken by the guest, which has nothing to deactivate', async () => {
    const driver = await startMapped41();
    const { machine, vpe } = driver;
    driver.configureVsgi(vpe, 5, { group: 1 });
    driver.load(0, vpe);
    machine.recordEvents(true);
    driver.sendVsgi(vpe, 5);
    expect(driver.guestTake(0)).toBe(5);
    expect(events(machine)).toEqual([
      { kind: 'vsgi-pending', vpeId: vpe.id, vIntid: 5 },
      { kind: 'virtual-acknowledged', cpu: 0, vIntid: 5, source: 'vsgi' },
      { kind: 'virtual-priority-dropped', cpu: 0, vIntid: 5 },
    ]);
  });

  it('a default doorbell of GICv4.1: the VLPI waits, its doorbell rings, the vPE comes and takes it', async () => {
    const driver = await startMapped41();
    const { machine, vpe } = driver;
    machine.recordEvents(true);
    driver.load(0, vpe);
    driver.put(0, { doorbell: true });
    machine.sendMsi(DEVICE, EVENT);
    driver.load(0, vpe);
    expect(driver.guestTake(0)).toBe(VINTID);
    driver.put(0);
    expect(events(machine)).toEqual([
      { kind: 'scheduled-in', cpu: 0 },
      { kind: 'scheduled-out', cpu: 0, pendingLast: false },
      { kind: 'msi', its: 0, deviceId: DEVICE, eventId: EVENT },
      { kind: 'vlpi-waiting', cpu: 0, vIntid: VINTID, vpeId: vpe.id },
      { kind: 'lpi-pending', cpu: 0, intid: DOORBELL },
      { kind: 'doorbell', cpu: 0, intid: DOORBELL },
      { kind: 'msi-outcome', its: 0, outcome: 'pending' },
      { kind: 'scheduled-in', cpu: 0 },
      { kind: 'virtual-acknowledged', cpu: 0, vIntid: VINTID, source: 'vlpi' },
      { kind: 'virtual-priority-dropped', cpu: 0, vIntid: VINTID },
      { kind: 'scheduled-out', cpu: 0, pendingLast: expect.any(Boolean) },
    ]);
  });
});

/** Every kind of event there is; the compiler sees to it that none is missing. */
const kinds: Record<MachineEvent['kind'], true> = {
  msi: true,
  'msi-outcome': true,
  command: true,
  'command-failed': true,
  'lpi-pending': true,
  'vlpi-direct': true,
  'vlpi-waiting': true,
  doorbell: true,
  acknowledged: true,
  'priority-dropped': true,
  deactivated: true,
  'virtual-acknowledged': true,
  'virtual-priority-dropped': true,
  'virtual-deactivated': true,
  'scheduled-in': true,
  'scheduled-out': true,
  'sgi-sent': true,
  'vsgi-pending': true,
  diagnostic: true,
};

/** A little of everything on a GICv4.1. */
async function everything(): Promise<MachineEvent[]> {
  const driver = await startMapped41();
  const { machine, vpe } = driver;
  const pe = machine.cpu(0);
  machine.write(driver.gicrSgi(0, 0x0080), 4, 0xffff_ffff);
  machine.write(driver.gicrSgi(0, 0x0100), 4, 0xffff_ffff);
  machine.recordEvents(true);
  pe.write('ICC_SGI1R_EL1', (5n << 24n) | 1n);
  pe.endOfInterrupt(pe.acknowledge());
  driver.load(0, vpe);
  driver.put(0, { doorbell: true });
  machine.sendMsi(DEVICE, EVENT);
  driver.load(0, vpe);
  driver.guestTake(0);
  machine.sendMsi(DEVICE, EVENT);
  driver.sendVsgi(vpe, 5);
  driver.setIch(0, 'LR1', listRegister(40, { priority: 0x20 }));
  driver.guestTakeAll(0);
  driver.int(DEVICE, EVENT + 1);
  return machine.takeEvents();
}

describe('the stream', () => {
  it('has every kind of event', async () => {
    const seen = new Set((await everything()).map(({ kind }) => kind));
    expect([...seen].sort()).toEqual(Object.keys(kinds).sort());
  });

  it('numbers events without gaps, over several calls too', async () => {
    const { machine } = await start();
    const sequences: number[] = [];
    for (let n = 0; n < 5; n++) {
      machine.sendMsi(n, 0);
      machine.sendMsi(1, 2);
      sequences.push(...machine.takeEvents().map(({ sequence }) => sequence));
    }
    expect(sequences).toEqual(sequences.map((_, n) => n));
  });

  it('counts on while it overflows: the numbers tell how many were lost', async () => {
    const machine = await createMachine({ cpus: 1, ram: VPE_RAM, eventCapacity: 8 });
    machine.recordEvents(true);
    for (let n = 0; n < 100; n++) machine.sendMsi(n, 0);
    const [first] = machine.takeEvents();
    expect(first?.sequence).toBe(3 * 100 - 8);
    machine.sendMsi(0, 0);
    expect(machine.takeEvents().map(({ sequence }) => sequence)).toEqual([300, 301, 302]);
  });

  it('does not change what happens', async () => {
    const [quiet, watched] = await Promise.all([startMappedVpe(), startMappedVpe()]);
    watched.machine.recordEvents(true);
    for (const driver of [quiet, watched]) {
      driver.machine.sendMsi(DEVICE, EVENT);
      driver.scheduleIn(0, driver.vpe);
      driver.guestTakeAll(0);
      driver.takeAll(0);
    }
    expect(watched.machine.counters()).toEqual(quiet.machine.counters());
  });
});

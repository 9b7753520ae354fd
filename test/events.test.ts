import { describe, expect, it } from 'vitest';
import { createMachine, type Machine, type MachineEvent } from '../bindings/index.ts';
import { DEVICE, DOORBELL, EVENT, listRegister, startMappedVpe, VINTID } from './support/vpe_driver.ts';

/** What happened since the last call, without the numbers of the events. */
function events(machine: Machine): Omit<MachineEvent, 'sequence'>[] {
  return machine.takeEvents().map(({ sequence: _, ...event }) => event);
}

async function start() {
  const driver = await startMappedVpe();
  driver.machine.recordEvents(true);
  return driver;
}

describe('the event stream', () => {
  it('is off when a machine is made, and can be switched off again', async () => {
    const driver = await startMappedVpe();
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.takeEvents()).toEqual([]);
    driver.machine.recordEvents(true);
    driver.machine.sendMsi(DEVICE, EVENT);
    driver.machine.recordEvents(false);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(driver.machine.takeEvents().length).toBeGreaterThan(0);
    expect(driver.machine.takeEvents()).toEqual([]);
  });

  it('tells of a VLPI for a vPE that is not resident, its doorbell and the residency that follows', async () => {
    const driver = await start();
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(events(driver.machine)).toEqual([
      { kind: 'msi', its: 0, deviceId: DEVICE, eventId: EVENT },
      { kind: 'vlpi-waiting', cpu: 0, vIntid: VINTID, vpeId: driver.vpe.id },
      { kind: 'lpi-pending', cpu: 0, intid: DOORBELL },
      { kind: 'doorbell', cpu: 0, intid: DOORBELL },
      { kind: 'msi-outcome', its: 0, outcome: 'pending' },
    ]);
    driver.scheduleIn(0, driver.vpe);
    expect(events(driver.machine)).toContainEqual({ kind: 'scheduled-in', cpu: 0 });
    expect(driver.guest(0, 'IAR1')).toBe(VINTID);
    driver.setGuest(0, 'EOIR1', VINTID);
    driver.scheduleOut(0);
    expect(events(driver.machine)).toEqual([
      { kind: 'virtual-acknowledged', cpu: 0, vIntid: VINTID, source: 'vlpi' },
      { kind: 'virtual-priority-dropped', cpu: 0, vIntid: VINTID },
      { kind: 'scheduled-out', cpu: 0, pendingLast: false },
    ]);
  });

  it('tells of a VLPI that goes directly to its resident vPE', async () => {
    const driver = await start();
    driver.scheduleIn(0, driver.vpe);
    events(driver.machine);
    driver.machine.sendMsi(DEVICE, EVENT);
    expect(events(driver.machine)[1]).toEqual({ kind: 'vlpi-direct', cpu: 0, vIntid: VINTID });
  });

  it('tells of a list register that is acknowledged and ended', async () => {
    const driver = await start();
    driver.setIch(0, 'LR1', listRegister(40));
    driver.scheduleIn(0, driver.vpe);
    events(driver.machine);
    expect(driver.guestTake(0)).toBe(40);
    expect(events(driver.machine)).toEqual([
      { kind: 'virtual-acknowledged', cpu: 0, vIntid: 40, source: 1 },
      { kind: 'virtual-priority-dropped', cpu: 0, vIntid: 40 },
      { kind: 'virtual-deactivated', cpu: 0, vIntid: 40, listRegister: 1 },
    ]);
  });

  it('tells of commands, in the order of the queue, and of those that failed with a diagnostic', async () => {
    const driver = await start();
    driver.int(DEVICE, EVENT + 1);
    const seen = events(driver.machine);
    expect(seen).toContainEqual({ kind: 'diagnostic', unit: 0, code: 'COMMAND_ERROR' });
    expect(seen).toContainEqual({ kind: 'command-failed', its: 0, error: 0x01_0307 });
    expect(seen.find(({ kind }) => kind === 'command')).toMatchObject({ its: 0, command: 'INT' });
  });

  it('tells of a PPI: acknowledged, priority dropped, deactivated', async () => {
    const driver = await start();
    const { machine } = driver;
    machine.write(driver.gicrSgi(0, 0x0080), 4, 0xffff_ffff);
    machine.write(driver.gicrSgi(0, 0x0100), 4, 1 << 20);
    events(machine);
    machine.setPpi(0, 20, true);
    machine.cpu(0).acknowledge();
    machine.setPpi(0, 20, false);
    machine.cpu(0).endOfInterrupt(20);
    const kinds = events(machine).filter((event) => 'intid' in event && event.intid === 20);
    expect(kinds.map(({ kind }) => kind)).toEqual(['acknowledged', 'priority-dropped', 'deactivated']);
  });

  it('keeps the newest events of more than its ring holds; the numbers show the gap', async () => {
    const machine = await createMachine({ eventCapacity: 4 });
    machine.recordEvents(true);
    for (let n = 0; n < 5; n++) machine.sendMsi(n, 0);
    const kept = machine.takeEvents();
    expect(kept).toHaveLength(4);
    const [first = 0] = kept.map(({ sequence }) => sequence);
    expect(kept.map(({ sequence }) => sequence)).toEqual([first, first + 1, first + 2, first + 3]);
    expect(first).toBeGreaterThan(0);
    machine.sendMsi(9, 0);
    expect(machine.takeEvents()[0]?.sequence).toBe(first + 4);
  });
});

import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createMachine, type ItsCommand, type Machine } from '../../bindings/index.ts';
import { Injector } from '../../bindings/worker/injector.ts';
import { Driver } from '../support/driver.ts';
import { startVpeDriver } from '../support/vpe_driver.ts';
import { startVpe41Driver } from '../support/vpe41_driver.ts';

// DESIGN, concurrency: translation goes on beside the owner's commands; a command that changes an entry waits for those
// translations that may have read the old one, and SYNC for all.

const RAM = { base: 0x4000_0000, size: 0x100_0000 };
const DEVICE = 0x12;
const OTHER_DEVICE = 0x13;
const EVENT = 3;
const OTHER_EVENT = 4;

/** Where the word stands that tells what a lane translates. */
function underWayAt(machine: Machine, lane: number): number {
  const { layout, offsets, records } = machine.shape;
  return layout.threads + offsets.lanes + lane * records.lane;
}

/** As if the thread of the lane were in the middle of translating an event. */
function standStill(machine: Machine, lane: number, deviceId: number, eventId: number): void {
  const words = new BigUint64Array(machine.memory.buffer, underWayAt(machine, lane), 1);
  Atomics.store(words, 0, (1n << 63n) | (1n << 32n) | (BigInt(deviceId) << 16n) | BigInt(eventId));
}

/** Asserts whether an action waits for the translation of an event that another thread is in the middle of. */
async function expectWait(
  expected: boolean,
  machine: Machine,
  deviceId: number,
  eventId: number,
  action: () => void,
): Promise<void> {
  using injector = new Injector(machine.shared);
  standStill(machine, injector.lane, deviceId, eventId);
  if (!expected) {
    action();
    // One that waited would have given the lane up.
    expect(machine.takeDiagnostics().filter(({ code }) => code === 'INJECTOR_LOST')).toEqual([]);
    return;
  }
  const flag = machine.shape.layout.ramAt + machine.config.ram.size - 8;
  const flags = new Int32Array(machine.memory.buffer, flag, 1);
  flags[0] = 0;
  const workerData = { buffer: machine.memory.buffer, word: underWayAt(machine, injector.lane), flag };
  const worker = new Worker(new URL('hold.mjs', import.meta.url), { workerData });
  // It starts while this thread waits: the owner needs no turn of its event loop for that.
  Atomics.store(flags, 0, 1);
  Atomics.notify(flags, 0);
  action();
  expect(Atomics.load(flags, 0)).toBe(2);
  await worker.terminate();
}

async function mapped(): Promise<{ machine: Machine; driver: Driver }> {
  const machine = await createMachine({ cpus: 2, ram: RAM }, 'shared');
  const driver = new Driver(machine, machine.config).start();
  for (const icid of [0, 1]) driver.mapc(icid, icid);
  for (const device of [DEVICE, OTHER_DEVICE]) {
    driver.mapd(device, 5);
    for (const event of [EVENT, OTHER_EVENT]) driver.mapti(device, event, 8192 + 32 * device + event, 0);
  }
  return { machine, driver };
}

type Scope = 'this event' | 'this device' | 'any' | 'none';

const event = { deviceId: DEVICE, eventId: EVENT };
const rows: readonly [ItsCommand['command'], Scope, ItsCommand][] = [
  ['MOVI', 'this event', { command: 'MOVI', ...event, icid: 1 }],
  ['DISCARD', 'this event', { command: 'DISCARD', ...event }],
  ['MAPTI', 'this event', { command: 'MAPTI', ...event, pIntid: 9000, icid: 1 }],
  ['MAPD', 'this device', { command: 'MAPD', deviceId: DEVICE, ittAddress: 0, size: 0, valid: false }],
  ['MAPC', 'any', { command: 'MAPC', icid: 0, rdBase: 1, valid: true }],
  ['SYNC', 'any', { command: 'SYNC', rdBase: 0 }],
  ['INT', 'none', { command: 'INT', ...event }],
  ['CLEAR', 'none', { command: 'CLEAR', ...event }],
  ['INV', 'none', { command: 'INV', ...event }],
];

describe.each(rows)('%s', (_, waitsFor, command) => {
  it.each([
    ['this event', DEVICE, EVENT, ['this event', 'this device', 'any']],
    ['another event of the device', DEVICE, OTHER_EVENT, ['this device', 'any']],
    ['another device', OTHER_DEVICE, EVENT, ['any']],
  ] as const)(`waits for translations of ${waitsFor}: one of %s`, async (_name, device, event, waiting) => {
    const { machine } = await mapped();
    const expected = (waiting as readonly string[]).includes(waitsFor);
    await expectWait(expected, machine, device, event, () => machine.its().command(command));
    expect(machine.its().stalled).toBe(false);
    expect(machine.takeDiagnostics().filter(({ code }) => code !== 'REMAPPED_EVENT')).toEqual([]);
  });
});

describe.each(['GICv4.0', 'GICv4.1'] as const)('commands of %s', (version) => {
  it.each([
    ['VMAPP with V=0', 'any'],
    ['VMOVP', 'any'],
    ['VMOVI', 'this event'],
    ['VMAPTI of a mapped event', 'this event'],
    ['VSYNC', 'any'],
    ['VINVALL', 'none'],
  ] as const)('%s waits for translations: %s', async (name, scope) => {
    for (const other of [false, true]) {
      const { machine, act } = await (version === 'GICv4.0' ? virtual40() : virtual41());
      const expected = scope === 'any' || (scope === 'this event' && !other);
      await expectWait(expected, machine, DEVICE, other ? OTHER_EVENT : EVENT, () => act(name));
      expect(machine.counters().commandErrors).toBe(0);
    }
  });
});

describe('registers that translations depend on', () => {
  it.each([
    ['GITS_CTLR.Enabled', ({ driver }) => driver.disableIts()],
    ['GICR_CTLR.EnableLPIs', ({ driver }) => driver.disableLpis(0)],
  ] as const satisfies readonly [string, (system: { driver: Driver }) => void][])(
    '%s changes between two translations',
    async (_, act) => {
      const system = await mapped();
      await expectWait(true, system.machine, OTHER_DEVICE, 77, () => act(system));
    },
  );
});

describe('a thread that stands still in the middle of a translation', () => {
  it('is given up after some seconds, with a diagnostic, and injects no more', {
    timeout: 300_000,
  }, async () => {
    const { machine, driver } = await mapped();
    const injector = new Injector(machine.shared);
    standStill(machine, injector.lane, DEVICE, EVENT);
    const started = performance.now();
    driver.discard(DEVICE, EVENT);
    expect(performance.now() - started).toBeGreaterThan(500);
    expect(machine.takeDiagnostics()).toMatchObject([{ code: 'INJECTOR_LOST', unit: injector.lane }]);
    const refused = { name: 'GicError', code: 'DISPOSED', field: 'lane' };
    expect(() => injector.sendMsi(DEVICE, OTHER_EVENT)).toThrow(expect.objectContaining(refused));
    expect(() => injector.sendMsis(Uint32Array.of(DEVICE, OTHER_EVENT))).toThrow(
      expect.objectContaining(refused),
    );
    // Its thread may yet wake up: nobody else gets the lane.
    injector.dispose();
    expect(new Injector(machine.shared).lane).not.toBe(injector.lane);
    expect(machine.counters().msi.total).toBe(0);
  });

  it('is waited for no longer once the owner has released it', async () => {
    const { machine, driver } = await mapped();
    const { lane } = new Injector(machine.shared);
    standStill(machine, lane, DEVICE, EVENT);
    machine.releaseInjector(lane);
    driver.discard(DEVICE, EVENT);
    expect(machine.takeDiagnostics()).toEqual([]);
    expect(new Injector(machine.shared).lane).toBe(lane);
  });
});

interface Virtual {
  readonly machine: Machine;
  act(name: string): void;
}

async function virtual40(): Promise<Virtual> {
  const driver = await startVpeDriver({ cpus: 2 });
  const [vpe, other] = [driver.mapVpe(1), driver.mapVpe(2)];
  driver.mapd(DEVICE, 5);
  for (const event of [EVENT, OTHER_EVENT]) driver.vmapti(DEVICE, event, vpe, 8192 + event);
  const acts: Record<string, () => void> = {
    'VMAPP with V=0': () => driver.unmapVpe(vpe),
    VMOVP: () => driver.vmovp(vpe, 1),
    VMOVI: () => driver.vmovi(DEVICE, EVENT, other),
    'VMAPTI of a mapped event': () => driver.vmapti(DEVICE, EVENT, other, 9000),
    VSYNC: () => driver.vsync(vpe),
    VINVALL: () => driver.vinvall(vpe),
  };
  return { machine: driver.machine, act: (name) => acts[name]?.() };
}

async function virtual41(): Promise<Virtual> {
  const driver = await startVpe41Driver({ cpus: 2 });
  const [vpe, other] = [driver.newVpe41(1), driver.newVpe41(2)];
  driver.map(vpe);
  driver.map(other);
  driver.mapd(DEVICE, 5);
  for (const event of [EVENT, OTHER_EVENT]) driver.vmapti(DEVICE, event, vpe, 8192 + event);
  const acts: Record<string, () => void> = {
    'VMAPP with V=0': () => driver.unmap(vpe),
    VMOVP: () => driver.vmovp41(vpe, 1),
    VMOVI: () => driver.vmovi(DEVICE, EVENT, other),
    'VMAPTI of a mapped event': () => driver.vmapti(DEVICE, EVENT, other, 9000),
    VSYNC: () => driver.vsync(vpe),
    VINVALL: () => driver.vinvall(vpe),
  };
  return { machine: driver.machine, act: (name) => acts[name]?.() };
}

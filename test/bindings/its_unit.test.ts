import { describe, expect, it } from 'vitest';
import { createMachine, type ItsCommand, type Machine, type MachineOptions } from '../../bindings/index.ts';

const RAM = { base: 0x8000_0000, size: 0x20_0000 };
const SLOT = 32;

/** Room of 64 KiB for the table or queue number `n` of an ITS. */
const room = (its: number, n: number): number => RAM.base + 0x10_0000 * its + 0x1_0000 * n;

/** A machine with two ITSs that have queues and tables, the vPE table too, and are enabled. */
async function start(options: MachineOptions = {}): Promise<Machine> {
  const machine = await createMachine({
    cpus: 2,
    itsCount: 2,
    ram: RAM,
    architecture: 'GICv4.0',
    ...options,
  });
  for (const n of [0, 1]) {
    const its = machine.its(n);
    const table = (index: number): bigint => (1n << 63n) | BigInt(room(n, index)) | 0x200n;
    its.write('GITS_CBASER', (1n << 63n) | BigInt(room(n, 0)));
    its.write('GITS_BASER0', table(1));
    its.write('GITS_BASER1', table(2));
    its.write('GITS_BASER2', table(3));
    its.write('GITS_CTLR', 1);
  }
  return machine;
}

const mapc = (icid: number, rdBase: number): ItsCommand => ({ command: 'MAPC', icid, rdBase, valid: true });
const int: ItsCommand = { command: 'INT', deviceId: 1, eventId: 0 };
const sync: ItsCommand = { command: 'SYNC', rdBase: 0 };

describe('its(n)', () => {
  it('reads 32-bit registers as numbers and 64-bit ones as bigints', async () => {
    const its = (await start()).its(1);
    expect([its.read('GITS_CTLR'), its.read('GITS_CWRITER')]).toEqual([1, 0n]);
    expect(typeof its.read('GITS_TYPER')).toBe('bigint');
  });

  it('is each its own: commands at one are no commands at the other', async () => {
    const machine = await start();
    machine.its(1).command(mapc(4, 1));
    expect([0, 1].map((n) => machine.its(n).collection(4))).toEqual([undefined, 1]);
    expect([0, 1].map((n) => machine.its(n).read('GITS_CREADR'))).toEqual([0n, BigInt(SLOT)]);
  });

  it.each([-1, 2, 0.5, Number.NaN])('%s is refused', async (n) => {
    const machine = await start();
    expect(() => machine.its(n)).toThrow(
      expect.objectContaining({ name: 'GicError', code: 'INVALID_ARGUMENT', field: 'its' }),
    );
  });

  it('does not exist on a machine without ITS', async () => {
    const machine = await createMachine({ itsCount: 0, ram: RAM });
    expect(() => machine.its(0)).toThrow(expect.objectContaining({ field: 'its' }));
  });
});

describe('stalled', () => {
  it('tells that the queue waits at a command, until it is replaced and retried', async () => {
    const machine = await start({ policy: { commandError: 'stall' } });
    const its = machine.its(0);
    its.command(int, mapc(4, 1));
    expect([its.stalled, its.read('GITS_CREADR'), its.collection(4)]).toEqual([true, 1n, undefined]);
    machine.writeMemory(room(0, 0), new Uint8Array(SLOT).fill(5, 0, 1));
    its.write('GITS_CWRITER', BigInt(2 * SLOT + 1));
    expect([its.stalled, its.read('GITS_CREADR'), its.collection(4)]).toEqual([false, BigInt(2 * SLOT), 1]);
  });

  it('is false for an ITS that is idle', async () => {
    expect((await start()).its(0).stalled).toBe(false);
  });
});

describe('step', () => {
  it('executes as many commands as it is told, and tells how many there were', async () => {
    const machine = await start({ policy: { commandExecution: 'stepped' } });
    const its = machine.its(0);
    its.command(mapc(0, 0), mapc(1, 1), mapc(2, 0));
    expect([its.collection(0), its.read('GITS_CREADR')]).toEqual([undefined, 0n]);
    expect([its.step(), its.collection(0), its.collection(1)]).toEqual([1, 0, undefined]);
    expect([its.step(5), its.collection(1), its.collection(2)]).toEqual([2, 1, 0]);
    expect(its.step()).toBe(0);
  });

  it('does not count a command that stalls', async () => {
    const machine = await start({ policy: { commandExecution: 'stepped', commandError: 'stall' } });
    const its = machine.its(0);
    its.command(sync, int, sync);
    expect([its.step(3), its.stalled, its.step(3)]).toEqual([1, true, 0]);
  });

  it.each([0, -1, 1.5])('refuses %s commands', async (commands) => {
    const machine = await start();
    expect(() => machine.its(0).step(commands)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', field: 'commands', value: commands }),
    );
  });
});

describe('command', () => {
  it('fills the queue up to one free slot, and takes more once there is room', async () => {
    const machine = await start({ policy: { commandExecution: 'stepped' } });
    const its = machine.its(0);
    its.command(...Array.from({ length: 127 }, () => sync));
    expect(() => its.command(sync)).toThrow(expect.objectContaining({ field: 'commands' }));
    its.step();
    its.command(mapc(7, 1));
    expect(() => its.command(sync)).toThrow(expect.objectContaining({ field: 'commands' }));
    expect(its.step(1000)).toBe(127);
    expect(its.collection(7)).toBe(1);
  });

  it('of none rings, and changes nothing', async () => {
    const its = (await start()).its(0);
    its.command();
    expect([its.read('GITS_CWRITER'), its.read('GITS_CREADR')]).toEqual([0n, 0n]);
  });

  it('encodes RDbase as this machine has it', async () => {
    const machine = await start({ physicalTargetAddresses: true });
    const { gicr } = machine.config.addressMap;
    machine.its(0).command(mapc(0, gicr + 0x4_0000));
    expect(machine.its(0).collection(0)).toBe(1);
  });
});

describe('the tables', () => {
  it('show a vPE and an event that is forwarded to it', async () => {
    const its = (await start()).its(0);
    const vptAddress = room(0, 5);
    its.command(
      { command: 'MAPD', deviceId: 1, size: 3, ittAddress: room(0, 4), valid: true },
      { command: 'VMAPP', layout: '4.0', vpeId: 7, rdBase: 1, valid: true, vptSize: 13, vptAddress },
      { command: 'VMAPTI', deviceId: 1, eventId: 2, vpeId: 7, vIntid: 8195, doorbell: 9000 },
    );
    expect(its.vpe(7)).toEqual({ cpu: 1, vptAddress, size: 13 });
    expect(its.interrupt(1, 2)).toEqual({ kind: 'virtual', vIntid: 8195, vpeId: 7, doorbell: 9000 });
    expect([its.vpe(8), its.interrupt(1, 3), its.interrupt(2, 0), its.device(2)]).toEqual(
      Array(4).fill(undefined),
    );
  });

  it.each<[string, (its: ReturnType<Machine['its']>) => unknown]>([
    ['deviceId', (its) => its.device(-1)],
    ['deviceId', (its) => its.device(2 ** 32)],
    ['icid', (its) => its.collection(0x1_0000)],
    ['eventId', (its) => its.interrupt(0, 1.5)],
    ['vpeId', (its) => its.vpe(-1)],
  ])('refuse a %s that does not fit its field', async (field, look) => {
    const machine = await start();
    expect(() => look(machine.its(0))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', field }));
  });

  it('are looked at without side effects: nothing is counted or diagnosed', async () => {
    const machine = await start();
    machine.takeDiagnostics();
    const before = machine.counters();
    const its = machine.its(0);
    for (const id of [0, 0xffff]) {
      its.device(id);
      its.collection(id);
      its.interrupt(id, id);
      its.vpe(id);
    }
    expect(machine.takeDiagnostics()).toEqual([]);
    expect(machine.counters()).toEqual(before);
  });
});

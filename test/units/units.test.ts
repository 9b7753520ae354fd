import { beforeEach, describe, expect, it } from 'vitest';
import { createMachine, GicError, type ItsCommand, type Machine } from '../../bindings/index.ts';

const RAM = { base: 0x8000_0000, size: 0x10_0000 };
const QUEUE = RAM.base + 0x1_0000;
const PENDING = RAM.base + 0x6_0000;

let gic: Machine;

/** Writes GITS_CBASER, Valid, and tables, and enables the ITS and LPIs of PE 0. */
function setUp(queue = QUEUE, pages = 1): void {
  const its = gic.its(0);
  its.write('GITS_CBASER', (1n << 63n) | BigInt(queue) | BigInt(pages - 1));
  its.write('GITS_BASER0', (1n << 63n) | BigInt(RAM.base + 0x2_0000) | 0x200n);
  its.write('GITS_BASER1', (1n << 63n) | BigInt(RAM.base + 0x3_0000) | 0x200n);
  its.write('GITS_CTLR', 1);
  const rd = gic.redistributor(0);
  rd.write('GICR_PROPBASER', BigInt(RAM.base + 0x4_0000) | 15n);
  rd.write('GICR_PENDBASER', BigInt(PENDING));
  rd.write('GICR_CTLR', 1);
}

const mapping: ItsCommand[] = [
  { command: 'MAPD', deviceId: 3, size: 3, ittAddress: RAM.base + 0x5_0000, valid: true },
  { command: 'MAPC', icid: 0, rdBase: 0, valid: true },
  { command: 'MAPTI', deviceId: 3, eventId: 1, pIntid: 8200, icid: 0 },
];

beforeEach(async () => {
  gic = await createMachine({ cpus: 2, itsCount: 2, ram: RAM });
});

describe('its(n)', () => {
  it('puts commands into the queue, executes them, and shows what is mapped', () => {
    setUp();
    gic.its(0).command(...mapping);
    expect(gic.its(0).read('GITS_CREADR')).toBe(96n);
    expect(gic.its(0).device(3)).toEqual({ ittAddress: RAM.base + 0x5_0000, size: 3 });
    expect(gic.its(0).collection(0)).toBe(0);
    expect(gic.its(0).interrupt(3, 1)).toEqual({ kind: 'physical', pIntid: 8200, icid: 0 });
    expect(gic.its(0).sendMsi(3, 1)).toBe('pending');
    expect(gic.its(1).sendMsi(3, 1)).toBe('its-disabled');
  });

  it('wraps round the end of the queue', () => {
    setUp();
    for (let n = 0; n < 100; n++) gic.its(0).command(...mapping);
    expect(gic.its(0).read('GITS_CREADR')).toBe(BigInt((100 * 96) % 4096));
    expect(gic.counters().commandErrors).toBe(0);
  });

  it.each<[string, () => void, (its: ReturnType<Machine['its']>) => void, string]>([
    ['without a queue', () => {}, (its) => its.command(mapping[0] as ItsCommand), 'GITS_CBASER'],
    [
      'into a queue that ends outside RAM',
      () => setUp(RAM.base + RAM.size - 0x1_0000, 32),
      (its) => its.command(mapping[0] as ItsCommand),
      'address',
    ],
    [
      'while GITS_CWRITER is outside the queue',
      () => {
        setUp();
        gic.its(0).write('GITS_CWRITER', 0x2000n);
      },
      (its) => its.command(mapping[0] as ItsCommand),
      'GITS_CWRITER',
    ],
    [
      'of more than the queue has room for',
      setUp,
      (its) => its.command(...Array.from({ length: 128 }, () => mapping[0] as ItsCommand)),
      'commands',
    ],
    [
      'with a bad operand behind a good one',
      setUp,
      (its) => its.command(mapping[0] as ItsCommand, { command: 'INT', deviceId: -1, eventId: 0 }),
      'INT.deviceId',
    ],
  ])('a command %s is refused, and nothing is written', (_, prepare, act, field) => {
    prepare();
    const before = gic.readMemory(RAM.base, RAM.size);
    const writer = gic.its(0).read('GITS_CWRITER');
    expect(() => act(gic.its(0))).toThrow(expect.objectContaining({ name: 'GicError', field }));
    expect(Buffer.compare(gic.ram(RAM.base, RAM.size), before)).toBe(0);
    expect(gic.its(0).read('GITS_CWRITER')).toBe(writer);
  });
});

describe('redistributor(cpu)', () => {
  it('shows the pending table without a copy', () => {
    setUp();
    const rd = gic.redistributor(0);
    const table = rd.pendingTable;
    expect(rd.isPending(8200)).toBe(false);
    gic.its(0).command(...mapping, { command: 'INT', deviceId: 3, eventId: 1 });
    expect([table[8200 >> 3], rd.isPending(8200), rd.isPending(8201)]).toEqual([1, true, false]);
    expect(table).toHaveLength(8192);
  });

  it('has no pending table and nothing pending before it is set up', () => {
    expect(gic.redistributor(1).pendingTable).toHaveLength(0);
    expect(gic.redistributor(1).isPending(8192)).toBe(false);
    expect(() => gic.redistributor(1).isPending(-1)).toThrow(GicError);
  });
});

it.each<[string, () => unknown]>([
  ['GICD_CTLR', () => gic.redistributor(0).read('GICD_CTLR')],
  ['GICR_CTLR', () => gic.its(0).write('GICR_CTLR', 1)],
  ['GITS_CTLR', () => gic.redistributor(0).write('GITS_CTLR', 1)],
  ['GITS_BASER8', () => gic.its(0).read('GITS_BASER8')],
])('a unit has its own registers only: %s is refused', (value, access) => {
  expect(access).toThrow(expect.objectContaining({ code: 'UNKNOWN_NAME', field: 'name', value }));
});

describe('cpu(n)', () => {
  it('acknowledges, ends and deactivates by name', () => {
    gic.write(gic.config.addressMap.gicd, 4, 2);
    gic.redistributor(0).write('GICR_WAKER', 0);
    gic.redistributor(0).write('GICR_IGROUPR0', 0xffff_ffff);
    gic.redistributor(0).write('GICR_ISENABLER0', 1 << 20);
    const pe = gic.cpu(0);
    pe.write('ICC_PMR_EL1', 0xf8);
    pe.write('ICC_IGRPEN1_EL1', 1);
    pe.write('ICC_CTLR_EL1', 2);
    expect([pe.irq, pe.highestPending]).toEqual([false, undefined]);
    gic.redistributor(0).setPpi(20, true);
    expect([pe.irq, pe.fiq, pe.highestPending]).toEqual([true, false, { intid: 20, priority: 0, group: 1 }]);
    expect([pe.acknowledge(), pe.acknowledge()]).toEqual([20, 1023]);
    pe.endOfInterrupt(20);
    expect(gic.redistributor(0).read('GICR_ISACTIVER0')).toBe(1 << 20);
    pe.deactivate(20);
    expect(gic.redistributor(0).read('GICR_ISACTIVER0')).toBe(0);
  });

  it('refuses a group that does not exist', () => {
    const group = 2 as 0 | 1;
    for (const call of [() => gic.cpu(0).acknowledge(group), () => gic.cpu(0).endOfInterrupt(40, group)]) {
      expect(call).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', field: 'group', value: 2 }));
    }
  });

  it('shows the list registers without a copy', async () => {
    const machine = await createMachine({ cpus: 2, ram: RAM, listRegisters: 3 });
    const { listRegisters } = machine.cpu(1);
    machine.cpu(1).write('ICH_LR2_EL2', 0x5080_0000_0000_0028n);
    expect([...listRegisters]).toEqual([0n, 0n, 0x5080_0000_0000_0028n]);
  });
});

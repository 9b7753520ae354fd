import { describe, expect, it } from 'vitest';
import { createMachineSync, type Machine } from '../../bindings/index.ts';
import { createMappedBoard, DEVICE, FIRST_LPI, type ItsBoard } from './fixture.ts';

/** The first words of each pair are devices; a few of the events are mapped, others are dropped. */
function randomRecords(count: number): Uint32Array {
  let state = 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  return Uint32Array.from({ length: 2 * count }, (_, n) =>
    n % 2 === 0 ? DEVICE + +(next(9) === 0) : next(36),
  );
}

async function twoBoards(): Promise<[ItsBoard, ItsBoard]> {
  return [await createMappedBoard(), await createMappedBoard()];
}

function sendEach(machine: Machine, records: Uint32Array): number {
  let taken = 0;
  for (let n = 0; n < records.length; n += 2) {
    const outcome = machine.sendMsi(records[n] as number, records[n + 1] as number);
    if (outcome === 'pending' || outcome === 'coalesced') taken++;
  }
  return taken;
}

describe('MSIs that are sent together', () => {
  it.each([0, 1, 300, 8192, 8193, 20_000])('%i of them do what as many calls do', async (count) => {
    const [together, apart] = await twoBoards();
    const records = randomRecords(count);
    expect(together.machine.sendMsis(records)).toBe(sendEach(apart.machine, records));
    expect(together.machine.counters()).toEqual(apart.machine.counters());
    expect(together.machine.digest()).toBe(apart.machine.digest());
    expect(together.machine.takeChangedCpus()).toEqual(apart.machine.takeChangedCpus());
  });

  it('add up: pending, coalesced and dropped', async () => {
    const { machine: gic } = await createMappedBoard();
    const before = gic.counters().msi;
    expect(gic.sendMsis(Uint32Array.of(DEVICE, 0, DEVICE, 1, DEVICE, 0, DEVICE, 31, DEVICE + 1, 0))).toBe(3);
    const { total, pending, coalesced, dropped } = gic.counters().msi;
    expect([total - before.total, pending - before.pending, coalesced - before.coalesced]).toEqual([5, 2, 1]);
    expect(dropped).toMatchObject({ 'event-unmapped': 1, 'device-unmapped': 1 });
    expect(gic.cpu(0).acknowledge()).toBe(FIRST_LPI);
  });

  it('go to the ITS that is named', async () => {
    const machine = createMachineSync({ itsCount: 2 });
    const unit = machine.its(1);
    expect(unit.sendMsis(Uint32Array.of(1, 2))).toBe(0);
    machine.recordEvents(true);
    machine.sendMsis(Uint32Array.of(1, 2), 1);
    expect(machine.takeEvents()).toContainEqual(
      expect.objectContaining({ kind: 'msi', its: 1, deviceId: 1, eventId: 2 }),
    );
  });

  it.each<[string, unknown, number, object]>([
    ['an odd length', Uint32Array.of(1, 2, 3), 0, { field: 'msis', value: 3 }],
    ['another array', [1, 2], 0, { field: 'msis' }],
    ['bytes', Uint8Array.of(1, 2), 0, { field: 'msis' }],
    ['an ITS that there is not', Uint32Array.of(1, 2), 1, { field: 'its', value: 1 }],
  ])('are refused with %s, and nothing has changed', async (_, records, its, error) => {
    const { machine: gic } = await createMappedBoard();
    const before = gic.digest();
    expect(() => gic.sendMsis(records as Uint32Array, its)).toThrow(
      expect.objectContaining({ name: 'GicError', code: 'INVALID_ARGUMENT', ...error }),
    );
    expect(gic.digest()).toBe(before);
  });
});

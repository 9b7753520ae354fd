import type { ItsCommand } from '../../commands/command.ts';
import type { BenchCase, Work } from '../case.ts';
import { expectEqual } from '../check.ts';
import { ALL_LPIS, DEVICE, FIRST_LPI, mapti, onEvent, PRIORITY, perEvent, Rig } from '../rig.ts';

/** Commands that take long are done in smaller batches. */
const SLOW_BATCH = 64;
/** Devices and collections that MAPD and MAPC map and unmap, none of which is in use otherwise. */
const FIRST_SPARE = 16;
const SPARE_MAX = 4096;

const maptiCase: BenchCase = {
  name: 'MAPTI',
  needs: 'GICv3',
  prepare(make, batch) {
    const rig = new Rig(make);
    rig.mapLpis(batch);
    const each = (command: (eventId: number) => ItsCommand) => rig.batch(perEvent(batch, command));
    const discard = each((eventId) => onEvent('DISCARD', eventId));
    const map = each((eventId) => mapti(eventId, 0));
    return {
      ops: batch,
      reset() {
        discard.load();
        discard.run();
        map.load();
      },
      run: () => map.run(),
      verify() {
        rig.expectDrained();
        rig.execute(perEvent(batch, (eventId) => onEvent('INT', eventId)));
        expectEqual('LPIs pending', rig.pendingLpis(0), batch);
        expectEqual('first LPI taken', rig.take(0), FIRST_LPI);
        rig.execute(perEvent(batch, (eventId) => onEvent('CLEAR', eventId)));
      },
    };
  },
};

/** Events moved from PE 0 to PE 1 and back, with their LPIs pending or not. */
function moviCase(pending: boolean): BenchCase {
  return {
    name: pending ? 'MOVI, LPI pending' : 'MOVI',
    needs: 'GICv3',
    prepare(make, batch) {
      const count = Math.floor(batch / 2);
      const rig = new Rig(make);
      rig.mapLpis(count);
      const all = (command: (eventId: number) => ItsCommand) => perEvent(count, command);
      const int = all((eventId) => onEvent('INT', eventId));
      const move = (icid: number) =>
        all((eventId) => ({ command: 'MOVI', deviceId: DEVICE, eventId, icid }) as const);
      if (pending) rig.execute(int);
      return {
        ...repeated(rig, [...move(1), ...move(0)]),
        verify() {
          rig.expectDrained();
          expectEqual('LPIs pending at PE 0', rig.pendingLpis(0), pending ? count : 0);
          rig.execute([...move(1), ...int]);
          expectEqual('LPIs pending at PE 0', rig.pendingLpis(0), 0);
          expectEqual('LPIs pending at PE 1', rig.pendingLpis(1), count);
          if (!pending) rig.execute(all((eventId) => onEvent('CLEAR', eventId)));
          rig.execute(move(0));
        },
      };
    },
  };
}

const movallCase: BenchCase = {
  name: `MOVALL, ${ALL_LPIS.toLocaleString('en-US')} LPIs pending`,
  needs: 'GICv3',
  prepare(make, batch) {
    const rig = new Rig(make);
    mapPending(rig);
    const there: ItsCommand = { command: 'MOVALL', rdBase1: 0, rdBase2: 1 };
    const back: ItsCommand = { command: 'MOVALL', rdBase1: 1, rdBase2: 0 };
    const pairs = Math.min(batch, SLOW_BATCH) / 2;
    return {
      ...repeated(rig, Array.from({ length: pairs }, () => [there, back]).flat()),
      verify() {
        rig.expectDrained();
        expectEqual('LPIs pending at PE 0', rig.pendingLpis(0), ALL_LPIS);
        rig.execute([there]);
        expectEqual('LPIs pending at PE 0 after MOVALL', rig.pendingLpis(0), 0);
        expectEqual('LPIs pending at PE 1 after MOVALL', rig.pendingLpis(1), ALL_LPIS);
        expectEqual('the best of them', rig.gic.highestPending(1)?.intid, FIRST_LPI);
        rig.execute([back]);
      },
    };
  },
};

/** INV or INVALL, with all LPIs pending or none. */
function invalidationCase(command: 'INV' | 'INVALL', pending: number): BenchCase {
  return {
    name: `${command}, ${pending.toLocaleString('en-US')} LPIs pending`,
    needs: 'GICv3',
    prepare(make, batch) {
      const rig = new Rig(make);
      if (pending > 0) mapPending(rig);
      else rig.mapLpis(batch);
      const invalidate = (eventId: number): ItsCommand =>
        command === 'INV' ? onEvent('INV', eventId) : { command: 'INVALL', icid: 0 };
      const commands = perEvent(command === 'INV' ? batch : Math.min(batch, SLOW_BATCH), invalidate);
      return {
        ...repeated(rig, commands),
        verify() {
          rig.expectDrained();
          verifyInvalidation(rig, invalidate, pending > 0);
        },
      };
    },
  };
}

/** A changed configuration byte counts from the invalidation on, and not before. */
function verifyInvalidation(
  rig: Rig,
  invalidate: (eventId: number) => ItsCommand,
  pendingBefore: boolean,
): void {
  const event = 7;
  const best = () => rig.gic.highestPending(0)?.priority;
  rig.execute([onEvent('INT', event)]);
  rig.setPriority(FIRST_LPI + event, 0x20);
  expectEqual('priority before the invalidation', best(), PRIORITY);
  rig.execute([invalidate(event)]);
  expectEqual('priority after the invalidation', best(), 0x20);
  rig.setPriority(FIRST_LPI + event, PRIORITY);
  rig.execute([invalidate(event)]);
  expectEqual('priority after another invalidation', best(), PRIORITY);
  if (!pendingBefore) rig.execute([onEvent('CLEAR', event)]);
}

const mapdCase: BenchCase = {
  name: 'MAPD, mapping and unmapping',
  needs: 'GICv3',
  prepare(make, batch) {
    const rig = new Rig(make);
    const count = Math.min(SPARE_MAX, Math.floor(batch / 2));
    const itts = rig.allocate(count * 256);
    const mapd = (n: number, valid: boolean): ItsCommand => {
      return { command: 'MAPD', deviceId: FIRST_SPARE + n, size: 0, ittAddress: itts + n * 256, valid };
    };
    return {
      ...repeated(rig, Array.from({ length: count }, (_, n) => [mapd(n, true), mapd(n, false)]).flat()),
      verify() {
        rig.expectDrained();
        const event = { deviceId: FIRST_SPARE, eventId: 0 };
        rig.execute([mapd(0, true), { command: 'MAPTI', ...event, pIntid: FIRST_LPI, icid: 0 }]);
        rig.gic.sendMsi(FIRST_SPARE, 0);
        expectEqual('LPI of the mapped device', rig.take(0), FIRST_LPI);
        rig.execute([{ command: 'DISCARD', ...event }, mapd(0, false)]);
        rig.gic.sendMsi(FIRST_SPARE, 0);
        expectEqual('LPIs of the unmapped device', rig.takeAll(0), 0);
      },
    };
  },
};

const mapcCase: BenchCase = {
  name: 'MAPC, mapping and unmapping',
  needs: 'GICv3',
  prepare(make, batch) {
    const rig = new Rig(make);
    rig.mapDevice(DEVICE);
    const count = Math.min(SPARE_MAX, Math.floor(batch / 2));
    const mapc = (n: number, valid: boolean): ItsCommand => {
      return { command: 'MAPC', icid: FIRST_SPARE + n, rdBase: 1, valid };
    };
    return {
      ...repeated(rig, Array.from({ length: count }, (_, n) => [mapc(n, true), mapc(n, false)]).flat()),
      verify() {
        rig.expectDrained();
        rig.execute([mapc(0, true), mapti(0, FIRST_SPARE)]);
        rig.gic.sendMsi(DEVICE, 0);
        expectEqual('LPI of the mapped collection', rig.take(1), FIRST_LPI);
        rig.execute([onEvent('DISCARD', 0), mapc(0, false), mapti(0, FIRST_SPARE)]);
        rig.gic.sendMsi(DEVICE, 0);
        expectEqual('LPIs of the unmapped collection', rig.takeAll(1), 0);
      },
    };
  },
};

/** Commands that leave everything as it was and can be executed again. */
function repeated(rig: Rig, commands: readonly ItsCommand[]): Omit<Work, 'verify'> {
  const batch = rig.batch(commands);
  return { ops: commands.length, reset: () => batch.load(), run: () => batch.run() };
}

/** Maps all LPIs and makes them pending at PE 0. */
function mapPending(rig: Rig): void {
  rig.mapLpis(ALL_LPIS);
  rig.execute(perEvent(ALL_LPIS, (eventId) => onEvent('INT', eventId)));
  expectEqual('LPIs pending at PE 0', rig.pendingLpis(0), ALL_LPIS);
}

export const lpiCommandCases: readonly BenchCase[] = [
  maptiCase,
  mapdCase,
  mapcCase,
  moviCase(false),
  moviCase(true),
  movallCase,
  invalidationCase('INV', 0),
  invalidationCase('INV', ALL_LPIS),
  invalidationCase('INVALL', ALL_LPIS),
];

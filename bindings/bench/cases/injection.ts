import { Machine } from '../../machine.ts';
import type { BenchCase, MakeGic, Work } from '../case.ts';
import { expectEqual } from '../check.ts';
import { ALL_LPIS, DEVICE, FIRST_LPI, onEvent, perEvent, Rig } from '../rig.ts';
import { VirtualRig, Vpe } from '../vpe.ts';

/** Events of a run; all counts are smaller, or multiples of it. */
const PORTION = 1024;

/** Where the events of DEVICE lead. */
interface Target {
  readonly label: string;
  readonly needs: BenchCase['needs'];
  /** A rig with `count` events mapped. */
  prepare(make: MakeGic, count: number): Prepared;
}

interface Prepared {
  readonly rig: Rig;
  /** How many of the interrupts are pending. */
  pending(): number;
  /** Takes away what injecting left behind besides pending interrupts, which is cleared by commands. */
  tidy?(): void;
  /** What has to hold besides, when `count` interrupts are pending. */
  verify?(count: number): void;
}

const lpis: Target = {
  label: 'LPIs',
  needs: 'GICv3',
  prepare(make, count) {
    const rig = new Rig(make);
    rig.mapLpis(count);
    return { rig, pending: () => rig.pendingLpis(0) };
  },
};

const residentVlpis: Target = {
  label: 'VLPIs of a resident vPE',
  needs: 'GICv4.0',
  prepare(make, count) {
    const rig = new VirtualRig(make);
    const vpe = new Vpe(rig, 0, 0);
    rig.mapVlpis(count, vpe);
    vpe.scheduleIn();
    return {
      rig,
      pending: () => rig.countPending(vpe.pendingTable),
      verify: () =>
        expectEqual('ICV_HPPIR1_EL1', rig.gic.readSystemRegister(0, 'ICV_HPPIR1_EL1'), BigInt(FIRST_LPI)),
    };
  },
};

const doorbellVlpis: Target = {
  label: 'VLPIs with doorbells',
  needs: 'GICv4.0',
  prepare(make, count) {
    const rig = new VirtualRig(make);
    const vpe = new Vpe(rig, 0, 0);
    rig.mapVlpis(count, vpe, (eventId) => FIRST_LPI + eventId);
    return {
      rig,
      pending: () => rig.countPending(vpe.pendingTable),
      tidy: () => rig.takeAll(0),
      verify: (expected) => expectEqual('doorbells pending', rig.pendingLpis(0), expected),
    };
  },
};

/** INT commands, each of which makes another interrupt pending. */
function intCase(count: number, target: Target): BenchCase {
  return injectionCase(`INT, ${number(count)} ${target.label}`, count, target, (rig, events) => {
    const commands = rig.batch(events.map((eventId) => onEvent('INT', eventId)));
    return { load: () => commands.load(), run: () => commands.run() };
  });
}

/** MSIs, each of which makes another interrupt pending. */
function msiCase(count: number, target: Target): BenchCase {
  return injectionCase(`MSI, ${number(count)} ${target.label}`, count, target, ({ gic }, events) => ({
    run() {
      for (const eventId of events) gic.sendMsi(DEVICE, eventId);
    },
  }));
}

/** The same MSIs by one call, which only the engine has. */
function msisCase(count: number, target: Target): BenchCase {
  const name = `MSI, ${number(count)} ${target.label}, sent together`;
  const sent = injectionCase(name, count, target, ({ gic }, events) => {
    if (!(gic instanceof Machine)) throw new TypeError('machines of the engine take MSIs together');
    const msis = Uint32Array.from(events.flatMap((eventId) => [DEVICE, eventId]));
    return { run: () => void gic.sendMsis(msis) };
  });
  return { ...sent, engineOnly: true };
}

type MakeInjector = (rig: Rig, events: readonly number[]) => { load?(): void; run(): void };

/** Each run injects the next portion of the events; once all of them are pending, all are cleared. */
function injectionCase(name: string, count: number, target: Target, makeInjector: MakeInjector): BenchCase {
  return {
    name,
    needs: target.needs,
    prepare(make) {
      const { rig, pending, tidy, verify } = target.prepare(make, count);
      const clear = rig.batch(perEvent(count, (eventId) => onEvent('CLEAR', eventId)));
      const injectors = portionsOf(count).map((events) => makeInjector(rig, events));
      let done = 0;
      const work: Work = {
        ops: Math.min(count, PORTION),
        reset() {
          if (done === injectors.length) {
            clear.load();
            clear.run();
            tidy?.();
            done = 0;
          }
          injectors[done]?.load?.();
        },
        run() {
          injectors[done++]?.run();
        },
        verify() {
          for (; done < injectors.length; work.run()) work.reset?.();
          rig.expectDrained();
          expectEqual('interrupts pending', pending(), count);
          verify?.(count);
        },
      };
      return work;
    },
  };
}

/** Pairs of INT and CLEAR: an interrupt made pending and taken away again. Each run goes on with other events. */
function intClearCase(count: number, target: Target): BenchCase {
  return {
    name: `INT + CLEAR, ${number(count)} ${target.label}`,
    needs: target.needs,
    prepare(make) {
      const { rig, pending } = target.prepare(make, count);
      const portions = portionsOf(count);
      const batches = portions.map((events) =>
        rig.batch(events.flatMap((eventId) => [onEvent('INT', eventId), onEvent('CLEAR', eventId)])),
      );
      let next = 0;
      return {
        ops: Math.min(count, PORTION),
        reset() {
          next = (next + 1) % batches.length;
          batches[next]?.load();
        },
        run() {
          batches[next]?.run();
        },
        verify() {
          rig.expectDrained();
          expectEqual('interrupts pending after CLEAR', pending(), 0);
          rig.execute(perEvent(count, (eventId) => onEvent('INT', eventId)));
          expectEqual('interrupts pending after INT', pending(), count);
          rig.execute(perEvent(count, (eventId) => onEvent('CLEAR', eventId)));
          expectEqual('interrupts pending after another CLEAR', pending(), 0);
        },
      };
    },
  };
}

/** The events 0 to `count - 1`, in turn, in portions that are short enough not to be interrupted often. */
function portionsOf(count: number): number[][] {
  const events = Array.from({ length: count }, (_, eventId) => eventId);
  return Array.from({ length: Math.ceil(count / PORTION) }, (_, n) =>
    events.slice(n * PORTION, (n + 1) * PORTION),
  );
}

function number(count: number): string {
  return count.toLocaleString('en-US');
}

const counts = [16, 1024, ALL_LPIS];

export const lpiInjectionCases: readonly BenchCase[] = [
  ...counts.map((count) => intCase(count, lpis)),
  ...counts.map((count) => intClearCase(count, lpis)),
  msiCase(1024, lpis),
  msisCase(1024, lpis),
];

export const vlpiInjectionCases: readonly BenchCase[] = [
  ...counts.map((count) => intCase(count, residentVlpis)),
  intClearCase(1024, residentVlpis),
  msiCase(1024, residentVlpis),
  intCase(1024, doorbellVlpis),
];

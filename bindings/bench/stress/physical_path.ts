import { SystemRegister } from '../../../assembly/abi.ts';
import type { Engine } from '../../engine.ts';
import { Machine } from '../../machine.ts';
import { CheckError } from '../check.ts';
import { FIRST_LPI, perEvent, Rig } from '../rig.ts';
import type { InjectionCounts, StressPath } from './path.ts';
import { eventBits, type StressShape, takenByEach } from './shape.ts';

const SPURIOUS = 1023;

/** MSIs to the hardware's ITS, LPIs that its PEs take. */
export function physicalPath(engine: Engine, shape: StressShape): StressPath {
  const { vcpus, devices, events } = shape;
  const machine = new Machine(engine, { cpus: vcpus, policy: { commandError: 'stall' } });
  mapAll(new Rig(() => machine, machine.config), shape);
  const records = Uint32Array.from(
    Array.from({ length: devices * events }, (_, n) => [Math.floor(n / events), n % events]).flat(),
  );
  const before = machine.counters().msi;
  return {
    name: 'MSI -> ITS -> LPI',
    inject: () => void machine.sendMsis(records),
    deliver: taker(machine, shape),
    counts(): InjectionCounts {
      const { total, pending, coalesced } = machine.counters().msi;
      return {
        pending: pending - before.pending,
        coalesced: coalesced - before.coalesced,
        dropped: total - pending - coalesced - (before.total - before.pending - before.coalesced),
      };
    },
  };
}

function mapAll(rig: Rig, shape: StressShape): void {
  const { vcpus, devices, events } = shape;
  for (let deviceId = 0; deviceId < devices; deviceId++) {
    rig.mapDevice(deviceId, eventBits(shape));
    rig.execute(
      perEvent(events, (eventId) => {
        const n = deviceId * events + eventId;
        return { command: 'MAPTI', deviceId, eventId, pIntid: FIRST_LPI + n, icid: n % vcpus };
      }),
    );
  }
}

function taker({ engine }: Machine, shape: StressShape): () => number {
  const expected = takenByEach(shape);
  return () => {
    let taken = 0;
    expected.forEach((count, cpu) => {
      for (let n = 0; n < count; n++) {
        const intid = engine.readSystemRegister(cpu, SystemRegister.ICC_IAR1_EL1);
        if (intid === SPURIOUS) throw new CheckError(`PE ${cpu}: an LPI did not arrive`);
        engine.writeSystemRegister(cpu, SystemRegister.ICC_EOIR1_EL1, intid, 0);
        taken++;
      }
    });
    return taken;
  };
}

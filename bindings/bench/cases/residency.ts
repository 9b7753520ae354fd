import type { ItsCommand } from '../../commands/command.ts';
import type { BenchCase, MakeGic } from '../case.ts';
import { expectEqual } from '../check.ts';
import { ALL_LPIS, DEVICE, FIRST_LPI } from '../rig.ts';
import { VirtualRig, Vpe } from '../vpe.ts';

/** PEs that a vPE each is scheduled on in a run. */
const CPUS = 8;
const PENDING_TABLE_HEAD = FIRST_LPI / 8;
const SPURIOUS = 1023;

interface Guests {
  readonly rig: VirtualRig;
  readonly vpes: readonly Vpe[];
  /** Throws unless a vPE that is not resident has all its VLPIs pending and its guest can take them. */
  verify(vpe: Vpe): void;
}

/** A vPE for each PE, none resident, with `count` VLPIs pending that are spread over the pending table. */
function makeGuests(make: MakeGic, count: number): Guests {
  const rig = new VirtualRig(make, { cpus: CPUS });
  const vpes = Array.from({ length: CPUS }, (_, n) => new Vpe(rig, n, n));
  const bits = spread(count);
  const fill = (vpe: Vpe) => rig.gic.writeMemory(vpe.pendingTable + PENDING_TABLE_HEAD, bits);
  vpes.forEach(fill);
  return {
    rig,
    vpes,
    verify(vpe) {
      expectEqual('VLPIs in the pending table', rig.countPending(vpe.pendingTable), count);
      vpe.scheduleIn();
      expectEqual('VLPIs taken', vpe.takeAll(), count);
      expectEqual('GICR_VPENDBASER.PendingLast', vpe.scheduleOut(), false);
      fill(vpe);
    },
  };
}

function spread(count: number): Uint8Array {
  const bits = new Uint8Array(ALL_LPIS / 8);
  for (let n = 0; n < count; n++) {
    const lpi = Math.floor((n * ALL_LPIS) / count);
    bits[lpi >> 3] = (bits[lpi >> 3] as number) | (1 << (lpi & 7));
  }
  return bits;
}

/** GICR_VPROPBASER and GICR_VPENDBASER written. */
function scheduleInCase(count: number): BenchCase {
  return {
    name: `vPE schedule-in, ${count.toLocaleString('en-US')} VLPIs pending`,
    needs: 'GICv4.0',
    prepare(make) {
      const { rig, vpes, verify } = makeGuests(make, count);
      return {
        ops: CPUS,
        reset() {
          for (const vpe of vpes) vpe.scheduleOut();
        },
        run() {
          for (const vpe of vpes) vpe.scheduleIn();
        },
        verify() {
          for (const vpe of vpes) {
            const best = Number(rig.gic.readSystemRegister(vpe.cpu, 'ICV_HPPIR1_EL1'));
            expectEqual('ICV_HPPIR1_EL1', best, count > 0 ? FIRST_LPI : SPURIOUS);
            expectEqual('GICR_VPENDBASER.PendingLast', vpe.scheduleOut(), count > 0);
            verify(vpe);
          }
        },
      };
    },
  };
}

/** GICR_VPENDBASER written, and PendingLast read. */
function scheduleOutCase(count: number): BenchCase {
  return {
    name: `vPE schedule-out, ${count.toLocaleString('en-US')} VLPIs pending`,
    needs: 'GICv4.0',
    prepare(make) {
      const { vpes, verify } = makeGuests(make, count);
      let pendingLast = 0;
      return {
        ops: CPUS,
        reset() {
          for (const vpe of vpes) vpe.scheduleIn();
        },
        run() {
          pendingLast = 0;
          for (const vpe of vpes) if (vpe.scheduleOut()) pendingLast++;
        },
        verify() {
          expectEqual('vPEs with PendingLast', pendingLast, count > 0 ? CPUS : 0);
          vpes.forEach(verify);
        },
      };
    },
  };
}

/** vPEs moved from PE 0 to PE 1 and back. */
const vmovpCase: BenchCase = {
  name: 'VMOVP',
  needs: 'GICv4.0',
  prepare(make, batch) {
    const rig = new VirtualRig(make);
    const vpes = Array.from({ length: 16 }, (_, id) => new Vpe(rig, id, 0));
    const doorbell = FIRST_LPI;
    const observed = vpes[0] as Vpe;
    rig.mapVlpis(2, observed, () => doorbell);
    const move = (vpeId: number, rdBase: number): ItsCommand => ({
      command: 'VMOVP',
      vpeId,
      rdBase,
      sequenceNumber: 0,
      itsList: 0,
      defaultDoorbellValid: false,
      defaultDoorbell: 0,
    });
    const round = [1, 0].flatMap((cpu) => vpes.map(({ id }) => move(id, cpu)));
    const rounds = Math.max(1, Math.floor(batch / round.length));
    const commands = rig.batch(Array.from({ length: rounds }, () => round).flat());
    const ring = (eventId: number, cpu: number): void => {
      rig.gic.sendMsi(DEVICE, eventId);
      expectEqual(`doorbell at PE ${cpu}`, rig.take(cpu), doorbell);
      rig.execute([{ command: 'CLEAR', deviceId: DEVICE, eventId }]);
    };
    return {
      ops: rounds * round.length,
      reset: () => commands.load(),
      run: () => commands.run(),
      verify() {
        rig.expectDrained();
        ring(0, 0);
        rig.execute([move(observed.id, 1)]);
        ring(1, 1);
        rig.execute([move(observed.id, 0)]);
      },
    };
  },
};

const counts = [0, 100, ALL_LPIS];

export const residencyCases: readonly BenchCase[] = [
  ...counts.map(scheduleInCase),
  ...counts.map(scheduleOutCase),
  vmovpCase,
];

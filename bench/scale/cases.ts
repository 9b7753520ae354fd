import type { BenchCase, MakeGic, Work } from '../../bindings/bench/case.ts';
import { expectEqual } from '../../bindings/bench/check.ts';
import { DEVICE, FIRST_LPI, onEvent, perEvent } from '../../bindings/bench/rig.ts';
import { NO_DOORBELL, VirtualRig, Vpe } from '../../bindings/bench/vpe.ts';
import { Random } from '../../bindings/fuzz/random.ts';

/** How large a machine is. */
export interface Size {
  readonly cpus: number;
  readonly vpes: number;
}

export const small: Size = { cpus: 4, vpes: 8 };
export const large: Size = { cpus: 256, vpes: 4096 };

/** Events of either machine, which lead to PEs and vPEs at random. */
const EVENTS = 4096;
/** VLPIs that wait for each vPE that is scheduled in. */
const WAITING = 4;
const RAM = { base: 0x8000_0000, size: 2 ** 29 };
const SEED = 1;

/** An event of random traffic on a machine of some size. */
export interface ScaleCase {
  readonly name: string;
  of(size: Size): BenchCase;
}

function scaleCase(
  name: string,
  prepare: (rig: VirtualRig, size: Size, batch: number, random: Random) => Work,
): ScaleCase {
  return {
    name,
    of: (size) => ({
      name: `${name}, ${size.cpus} CPUs, ${size.vpes.toLocaleString('en-US')} vPEs`,
      needs: 'GICv4.0',
      prepare(make: MakeGic, batch: number) {
        return prepare(new VirtualRig(make, { cpus: size.cpus, ram: RAM }), size, batch, new Random(SEED));
      },
    }),
  };
}

/** Deliveries in a row that is drawn once: each must arrive. */
function deliveries(batch: number, random: Random, deliver: (eventId: number) => boolean): Work {
  const events = Array.from({ length: batch }, () => random.below(EVENTS));
  let delivered = 0;
  return {
    ops: batch,
    run() {
      delivered = 0;
      for (const eventId of events) if (deliver(eventId)) delivered++;
    },
    verify: () => expectEqual('interrupts delivered', delivered, batch),
  };
}

const lpi = scaleCase('MSI -> ICC_IAR1 -> ICC_EOIR1 of a random PE', (rig, { cpus }, batch, random) => {
  rig.mapDevice(DEVICE);
  const targets = Array.from({ length: EVENTS }, () => random.below(cpus));
  rig.execute(
    perEvent(EVENTS, (eventId) => ({
      command: 'MAPTI',
      deviceId: DEVICE,
      eventId,
      pIntid: FIRST_LPI + eventId,
      icid: targets[eventId] as number,
    })),
  );
  return deliveries(batch, random, (eventId) => {
    rig.gic.sendMsi(DEVICE, eventId);
    return rig.take(targets[eventId] as number) === FIRST_LPI + eventId;
  });
});

/** Maps vPEs, vPE n to PE n % cpus, and each event to the vPE that `choose` gives. */
function mapVpes(
  rig: VirtualRig,
  { cpus, vpes }: Size,
  choose: () => number,
  doorbell: (eventId: number) => number,
): { readonly mapped: readonly Vpe[]; readonly targets: readonly number[] } {
  const mapped = Array.from({ length: vpes }, (_, id) => new Vpe(rig, id, id % cpus));
  const targets = Array.from({ length: EVENTS }, choose);
  rig.mapDevice(DEVICE);
  rig.execute(
    perEvent(EVENTS, (eventId) => ({
      command: 'VMAPTI',
      deviceId: DEVICE,
      eventId,
      vpeId: targets[eventId] as number,
      vIntid: FIRST_LPI + eventId,
      doorbell: doorbell(eventId),
    })),
  );
  return { mapped, targets };
}

const residentVlpi = scaleCase(
  'MSI -> ICV_IAR1 -> ICV_EOIR1 of a random resident vPE',
  (rig, size, batch, random) => {
    const { mapped, targets } = mapVpes(
      rig,
      size,
      () => random.below(size.cpus),
      () => NO_DOORBELL,
    );
    for (const vpe of mapped.slice(0, size.cpus)) vpe.scheduleIn();
    return deliveries(batch, random, (eventId) => {
      rig.gic.sendMsi(DEVICE, eventId);
      return mapped[targets[eventId] as number]?.take() === FIRST_LPI + eventId;
    });
  },
);

/** Each event once a run, in random order: what is pending for the vPEs is cleared in between. */
const waitingVlpi = scaleCase(
  'MSI -> doorbell -> ICC_IAR1 -> ICC_EOIR1, random vPE not resident',
  (rig, size, batch, random) => {
    const doorbell = (eventId: number) => FIRST_LPI + eventId;
    const { mapped, targets } = mapVpes(rig, size, () => random.below(size.vpes), doorbell);
    const events = perEvent(EVENTS, (eventId) => onEvent('CLEAR', eventId)).slice(0, batch);
    const order = events.map((_, eventId) => eventId).sort(() => random.below(2) - 0.5);
    const clear = rig.batch(events);
    let rung = 0;
    return {
      ops: order.length,
      reset() {
        clear.load();
        clear.run();
      },
      run() {
        rung = 0;
        for (const eventId of order) {
          rig.gic.sendMsi(DEVICE, eventId);
          if (rig.take((targets[eventId] as number) % size.cpus) === doorbell(eventId)) rung++;
        }
      },
      verify() {
        expectEqual('doorbells taken', rung, order.length);
        const waiting = mapped.reduce((sum, vpe) => sum + rig.countPending(vpe.pendingTable), 0);
        expectEqual('VLPIs pending', waiting, order.length);
      },
    };
  },
);

/** On a random PE the vPE that is resident gives way to the next one of that PE; each has a few VLPIs waiting. */
const residency = scaleCase('vPE schedule-out and schedule-in of a random PE', (rig, size, batch, random) => {
  const { cpus, vpes } = size;
  const mapped = Array.from({ length: vpes }, (_, id) => new Vpe(rig, id, id % cpus));
  const bits = new Uint8Array(512);
  for (let n = 0; n < WAITING; n++) bits[n * 100] = 1;
  for (const vpe of mapped) rig.gic.writeMemory(vpe.pendingTable + FIRST_LPI / 8, bits);
  const resident = Array.from({ length: cpus }, (_, cpu) => cpu);
  for (const id of resident) mapped[id]?.scheduleIn();
  // Each PE that is drawn goes on to its next vPE, and back again in the second half.
  const drawn = Array.from({ length: Math.floor(batch / 2) }, () => random.below(cpus));
  let pending = 0;
  const change = (cpu: number, distance: number) => {
    if (mapped[resident[cpu] as number]?.scheduleOut()) pending++;
    resident[cpu] = ((resident[cpu] as number) + distance + vpes) % vpes;
    mapped[resident[cpu] as number]?.scheduleIn();
  };
  return {
    ops: 2 * drawn.length,
    run() {
      pending = 0;
      for (const cpu of drawn) change(cpu, cpus);
      for (const cpu of drawn) change(cpu, -cpus);
    },
    verify: () => expectEqual('vPEs with PendingLast', pending, 2 * drawn.length),
  };
});

export const scaleCases: readonly ScaleCase[] = [lpi, residentVlpi, waitingVlpi, residency];

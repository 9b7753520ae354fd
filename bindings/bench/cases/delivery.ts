import type { BenchCase, MakeGic } from '../case.ts';
import { expectEqual } from '../check.ts';
import { ALL_LPIS, DEVICE, FIRST_LPI, onEvent, PRIORITY, perEvent, Rig } from '../rig.ts';
import { NO_DOORBELL, VirtualRig, Vpe } from '../vpe.ts';

/** Events that the deliveries take turns with; a power of two. */
const EVENTS = 1024;

/** One delivery after another, from the device or PE that asks for it to its completion. */
function deliveryCase(
  name: string,
  needs: BenchCase['needs'],
  prepare: (make: MakeGic) => Delivery,
): BenchCase {
  return {
    name,
    needs,
    prepare(make, batch) {
      const { deliver } = prepare(make);
      let begun = 0;
      let delivered = 0;
      return {
        ops: batch,
        run() {
          delivered = 0;
          for (let n = 0; n < batch; n++) if (deliver(begun++)) delivered++;
        },
        verify: () => expectEqual('interrupts delivered', delivered, batch),
      };
    },
  };
}

interface Delivery {
  /** Does delivery number `n` since the case was prepared; tells whether the expected interrupt arrived. */
  deliver(n: number): boolean;
}

const lpi = deliveryCase('MSI -> ICC_IAR1 -> ICC_EOIR1, 1 LPI pending', 'GICv3', (make) => {
  const rig = new Rig(make);
  rig.mapLpis(EVENTS);
  return {
    deliver(n) {
      const eventId = n & (EVENTS - 1);
      rig.gic.sendMsi(DEVICE, eventId);
      return rig.take(0) === FIRST_LPI + eventId;
    },
  };
});

/** The one that is delivered is in the middle and has a better priority than the others, which stay pending. */
const lpiAmongAll = deliveryCase('MSI -> ICC_IAR1 -> ICC_EOIR1, 57,344 LPIs pending', 'GICv3', (make) => {
  const rig = new Rig(make);
  const urgent = ALL_LPIS / 2;
  rig.setPriority(FIRST_LPI + urgent, 0x80);
  rig.mapLpis(ALL_LPIS);
  rig.execute(perEvent(ALL_LPIS, (eventId) => onEvent('INT', eventId)));
  expectEqual('LPIs pending', rig.pendingLpis(0), ALL_LPIS);
  expectEqual('the urgent LPI', rig.take(0), FIRST_LPI + urgent);
  return {
    deliver() {
      rig.gic.sendMsi(DEVICE, urgent);
      return rig.take(0) === FIRST_LPI + urgent;
    },
  };
});

const spi = deliveryCase('SPI line high -> ICC_IAR1 -> ICC_EOIR1 -> line low', 'GICv3', (make) => {
  const rig = new Rig(make);
  const { gic } = rig;
  const intid = 40;
  gic.write(rig.gicd('GICD_IGROUPR1'), 4, 1 << (intid - 32));
  gic.write(rig.gicd('GICD_IPRIORITYR0') + intid, 1, PRIORITY);
  // Edge-triggered: a line that is still high does not make it pending again when it is completed.
  gic.write(rig.gicd('GICD_ICFGR2'), 4, 2 << (2 * (intid - 32)));
  gic.write(rig.gicd('GICD_ISENABLER1'), 4, 1 << (intid - 32));
  return {
    deliver() {
      gic.setSpi(intid, true);
      const taken = rig.take(0);
      gic.setSpi(intid, false);
      return taken === intid;
    },
  };
});

const sgi = deliveryCase('SGI to another PE -> ICC_IAR1 -> ICC_EOIR1', 'GICv3', (make) => {
  const rig = new Rig(make);
  const { gic } = rig;
  const intid = 5;
  const receiver = 1;
  gic.write(rig.gicr(receiver, 'GICR_IGROUPR0'), 4, 1 << intid);
  gic.write(rig.gicr(receiver, 'GICR_ISENABLER0'), 4, 1 << intid);
  const request = (intid << 24) | (1 << receiver);
  return {
    deliver() {
      gic.writeSystemRegister(0, 'ICC_SGI1R_EL1', request);
      return rig.take(receiver) === intid;
    },
  };
});

const residentVlpi = deliveryCase('MSI -> ICV_IAR1 -> ICV_EOIR1, resident vPE', 'GICv4.0', (make) => {
  const rig = new VirtualRig(make);
  const vpe = new Vpe(rig, 0, 0);
  rig.mapVlpis(EVENTS, vpe);
  vpe.scheduleIn();
  return {
    deliver(n) {
      const eventId = n & (EVENTS - 1);
      rig.gic.sendMsi(DEVICE, eventId);
      return vpe.take() === FIRST_LPI + eventId;
    },
  };
});

/** Each VLPI rings once a run; what is pending for the vPE is cleared in between. */
const doorbell: BenchCase = {
  name: 'MSI -> doorbell -> ICC_IAR1 -> ICC_EOIR1, vPE not resident',
  needs: 'GICv4.0',
  prepare(make) {
    const rig = new VirtualRig(make);
    const vpe = new Vpe(rig, 0, 0);
    rig.mapVlpis(EVENTS, vpe, (eventId) => FIRST_LPI + eventId);
    const clear = rig.batch(perEvent(EVENTS, (eventId) => onEvent('CLEAR', eventId)));
    let rung = 0;
    return {
      ops: EVENTS,
      reset() {
        clear.load();
        clear.run();
      },
      run() {
        rung = 0;
        for (let eventId = 0; eventId < EVENTS; eventId++) {
          rig.gic.sendMsi(DEVICE, eventId);
          if (rig.take(0) === FIRST_LPI + eventId) rung++;
        }
      },
      verify() {
        rig.expectDrained();
        expectEqual('doorbells taken', rung, EVENTS);
        expectEqual('VLPIs pending', rig.countPending(vpe.pendingTable), EVENTS);
      },
    };
  },
};

/** The cost of a delivery on a large machine: every PE in turn takes an LPI. */
function lpiOnManyCpus(cpus: number): BenchCase {
  return deliveryCase(`MSI -> ICC_IAR1 -> ICC_EOIR1, ${cpus} CPUs in turn`, 'GICv3', (make) => {
    const rig = new Rig(make, { cpus });
    rig.mapDevice(DEVICE);
    rig.execute(
      perEvent(cpus, (eventId) => ({
        command: 'MAPTI',
        deviceId: DEVICE,
        eventId,
        pIntid: FIRST_LPI + eventId,
        icid: eventId,
      })),
    );
    return {
      deliver(n) {
        const cpu = n % cpus;
        rig.gic.sendMsi(DEVICE, cpu);
        return rig.take(cpu) === FIRST_LPI + cpu;
      },
    };
  });
}

/** Of many vPEs that are mapped, one is resident on each PE; every guest in turn takes a VLPI. */
function vlpiOnManyCpus(cpus: number, vpes: number): BenchCase {
  const name = `MSI -> ICV_IAR1 -> ICV_EOIR1, ${cpus} CPUs in turn, ${vpes.toLocaleString('en-US')} vPEs`;
  return deliveryCase(name, 'GICv4.0', (make) => {
    const rig = new VirtualRig(make, { cpus, ram: { base: 0x8000_0000, size: 2 ** 29 } });
    const mapped = Array.from({ length: vpes }, (_, id) => new Vpe(rig, id, id % cpus));
    rig.mapDevice(DEVICE);
    rig.execute(
      perEvent(vpes, (vpeId) => ({
        command: 'VMAPTI',
        deviceId: DEVICE,
        eventId: vpeId,
        vpeId,
        vIntid: FIRST_LPI + vpeId,
        doorbell: NO_DOORBELL,
      })),
    );
    const resident = mapped.slice(0, cpus);
    for (const vpe of resident) vpe.scheduleIn();
    return {
      deliver(n) {
        const vpe = resident[n % cpus] as Vpe;
        rig.gic.sendMsi(DEVICE, vpe.id);
        return vpe.take() === FIRST_LPI + vpe.id;
      },
    };
  });
}

export const deliveryCases: readonly BenchCase[] = [lpi, lpiAmongAll, spi, sgi];
export const virtualDeliveryCases: readonly BenchCase[] = [residentVlpi, doorbell];
export const scaleCases: readonly BenchCase[] = [
  lpiOnManyCpus(4),
  lpiOnManyCpus(256),
  vlpiOnManyCpus(4, 8),
  vlpiOnManyCpus(256, 4096),
];

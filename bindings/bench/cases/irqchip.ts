import type { CounterValues } from '../../counters.ts';
import { IrqChip } from '../../irqchip/irqchip.ts';
import type { Vpe } from '../../irqchip/vm.ts';
import { Machine } from '../../machine.ts';
import type { BenchCase, MakeGic } from '../case.ts';
import { expectEqual } from '../check.ts';
import { DEVICE, FIRST_LPI, PRIORITY } from '../rig.ts';

const CPUS = 4;
/** Commands of MAP_VLPI and of null info: DISCARD, VMAPTI; DISCARD, MAPTI; each with its SYNC or VSYNC. */
const COMMANDS_OF_MAP_AND_UNMAP = 8;
/** VMOVP and VSYNC. */
const COMMANDS_OF_MOVE = 2;

interface Host {
  readonly machine: Machine;
  readonly chip: IrqChip;
  readonly vpe: Vpe;
}

/** Linux's driver on four PEs, and a VM of one vPE. */
function bootHost(make: MakeGic, needs: 'GICv4.0' | 'GICv4.1'): Host {
  const machine = make({ architecture: needs, cpus: CPUS, policy: { commandError: 'stall' } });
  if (!(machine instanceof Machine)) throw new TypeError('the irqchip layer drives machines of the engine');
  const chip = new IrqChip(machine);
  const vm = chip.createVm(1);
  vm.activate();
  return { machine, chip, vpe: vm.vpes[0] as Vpe };
}

/** One operation of the driver after another, counted by what the hardware did. */
function driverCase(
  name: string,
  needs: 'GICv4.0' | 'GICv4.1',
  each: number,
  counted: (values: CounterValues) => number,
  prepare: (host: Host) => (n: number) => void,
): BenchCase {
  return {
    name,
    needs,
    engineOnly: true,
    prepare(make, batch) {
      const host = bootHost(make, needs);
      const operate = prepare(host);
      const { machine } = host;
      let begun = 0;
      let before = 0;
      return {
        ops: batch,
        reset() {
          before = counted(machine.counters());
        },
        run() {
          for (let n = 0; n < batch; n++) operate(begun++);
        },
        verify() {
          expectEqual('what the hardware did', counted(machine.counters()) - before, batch * each);
          expectEqual('command errors', machine.counters().commandErrors, 0);
        },
      };
    },
  };
}

const commands = (values: CounterValues): number => values.commands;
const residencies = ({ residency }: CounterValues): number => residency.scheduledIn + residency.scheduledOut;

const mapVlpi = driverCase(
  'irqchip: VLPI map + unmap',
  'GICv4.0',
  COMMANDS_OF_MAP_AND_UNMAP,
  commands,
  ({ chip, vpe }) => {
    const irq = chip.createDevice({ deviceId: DEVICE, events: 2 }).irqs[0];
    irq?.activate(0);
    const map = { vpe, vIntid: FIRST_LPI, properties: { priority: PRIORITY, enabled: true }, doorbell: true };
    return () => {
      irq?.mapVlpi(map);
      irq?.unmapVlpi();
    };
  },
);

/** As in a vCPU that is preempted: the doorbell stays as it is. */
function scheduling(needs: 'GICv4.0' | 'GICv4.1'): BenchCase {
  return driverCase(
    `irqchip: SCHEDULE_VPE + DESCHEDULE_VPE, ${needs}`,
    needs,
    2,
    residencies,
    ({ vpe }) =>
      () => {
        vpe.schedule(0);
        vpe.deschedule();
      },
  );
}

/** Between two PEs and back. */
function moving(needs: 'GICv4.0' | 'GICv4.1'): BenchCase {
  return driverCase(
    `irqchip: VMOVP of a vPE, ${needs}`,
    needs,
    COMMANDS_OF_MOVE,
    commands,
    ({ vpe }) =>
      (n) => {
        vpe.doorbell.setAffinity(1 + (n & 1));
      },
  );
}

export const irqchipCases: readonly BenchCase[] = [
  mapVlpi,
  scheduling('GICv4.0'),
  scheduling('GICv4.1'),
  moving('GICv4.0'),
  moving('GICv4.1'),
];

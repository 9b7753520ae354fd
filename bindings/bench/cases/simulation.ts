import { IrqChip } from '../../irqchip/irqchip.ts';
import { Kvm } from '../../kvm/kvm.ts';
import { Machine } from '../../machine.ts';
import type { GuestProgram } from '../../sim/program.ts';
import { Simulation } from '../../sim/simulation.ts';
import type { BenchCase } from '../case.ts';
import { expectEqual } from '../check.ts';

/** Simulated events, on a PE for each vCPU; `guest` by the vCPU's number. */
function eventCase(
  name: string,
  vcpus: number,
  guest: (n: number) => GuestProgram,
  devices = false,
): BenchCase {
  return {
    name: `simulated event, ${name}`,
    needs: 'GICv3',
    engineOnly: true,
    prepare(make, batch) {
      const machine = make({ architecture: 'GICv3', cpus: vcpus });
      if (!(machine instanceof Machine)) throw new TypeError('the simulation runs on machines of the engine');
      const sim = new Simulation(new Kvm(new IrqChip(machine)));
      const vm = sim.kvm.createVm({ vcpus });
      vm.vcpus.forEach((vcpu, n) => {
        sim.addVcpu(vcpu, { cpu: n, guest: guest(n) });
        if (!devices) return;
        const signal = { kind: 'edge', intid: 40 + n, vcpu: n } as const;
        sim.addDevice(vm, { signal, arrival: { kind: 'poisson', period: 5_000 } });
      });
      let done = 0;
      let before = 0;
      return {
        ops: batch,
        reset() {
          before = sim.events;
        },
        run() {
          done = sim.run({ events: batch });
        },
        verify() {
          expectEqual('events', done, batch);
          expectEqual('events processed', sim.events - before, batch);
        },
      };
    },
  };
}

export const simulationCases: readonly BenchCase[] = [
  eventCase('4 vCPUs that do hypercalls', 4, () => ({ idle: 'busy', operation: { kind: 'hypercall' } })),
  eventCase('4 vCPUs with timers that sleep between them', 4, (n) => ({ timer: 20_000 + n })),
  eventCase('4 busy vCPUs with an emulated device each', 4, () => ({ idle: 'busy' }), true),
  eventCase('4 vCPUs that send SGIs to one another', 4, (n) => ({
    idle: 'busy',
    work: 2_000,
    operation: { kind: 'sgi', target: (n + 1) % 4 },
  })),
  eventCase('128 vCPUs with timers that sleep between them', 128, (n) => ({ timer: 600_000 + n })),
];

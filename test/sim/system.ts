import {
  createMachine,
  type EngineBuild,
  type GuestVm,
  IrqChip,
  type KernelEra,
  Kvm,
  type MachineOptions,
  Simulation,
  type SimulationEvent,
  type SimulationOptions,
} from '../../bindings/index.ts';

export interface SystemOptions {
  readonly machine?: MachineOptions;
  readonly build?: EngineBuild;
  readonly era?: KernelEra;
  readonly direct?: boolean;
  readonly vcpus?: number;
  /** Guest RAM. */
  readonly ramBytes?: number;
  readonly simulation?: SimulationOptions;
}

export interface System {
  readonly kvm: Kvm;
  readonly vm: GuestVm;
  readonly sim: Simulation;
}

/** A VM whose time has begun; by default on two PEs of a GICv3. */
export async function start(options: SystemOptions = {}): Promise<System> {
  const { era = '5.6', direct = false, vcpus = 1, ramBytes = 0x1_0000 } = options;
  const machine = await createMachine({ cpus: 2, architecture: 'GICv3', ...options.machine }, options.build);
  const kvm = new Kvm(new IrqChip(machine, { kvm: era }), { directInjection: direct });
  return {
    kvm,
    vm: kvm.createVm({ vcpus, ram: { size: ramBytes } }),
    sim: new Simulation(kvm, options.simulation),
  };
}

export function vcpuOf(vm: GuestVm, index: number) {
  const vcpu = vm.vcpus[index];
  if (!vcpu) throw new RangeError(`no vCPU ${index}`);
  return vcpu;
}

/** The steps of a vCPU, `R1` to `R14` and `B1` to `B8`. */
export function stepsOf(events: readonly SimulationEvent[], vcpu: number): string[] {
  return events.flatMap((event) => (event.vcpu === vcpu && event.step ? [event.step] : []));
}

/** Names of the events of a vCPU. */
export function namesOf(events: readonly SimulationEvent[], vcpu: number): string[] {
  return events.filter((event) => event.vcpu === vcpu).map(({ event }) => event);
}

/** Every interrupt that was fired is delivered, merged, dropped or on its way. */
export function isBalanced(flow: {
  injected: number;
  delivered: number;
  coalesced: number;
  dropped: number;
  pending: number;
}): boolean {
  return flow.injected === flow.delivered + flow.coalesced + flow.dropped + flow.pending;
}

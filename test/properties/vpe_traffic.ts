import { createMachine, type MachineOptions } from '../../bindings/index.ts';
import { VPE_RAM, type Vpe, VpeDriver } from '../support/vpe_driver.ts';
import { type Vpe41, Vpe41Driver } from '../support/vpe41_driver.ts';

/** PEs, in two CommonLPIAff groups where the options say so. */
export const CPUS = 8;
export const ITSES = 2;
export const VPES = 16;
const VMS = 4;
/** Each device has an event for each VLPI of every vPE that it can reach, and one physical LPI. */
export const DEVICES = 4;
export const EVENTS = 32;
const EVENT_BITS = 6;
const FIRST_VLPI = 8192;
/** VLPIs that a vPE has. */
export const VLPIS = 24;
const FIRST_PHYSICAL = 10_000;
const FIRST_DOORBELL = 9000;

const traffic: MachineOptions = {
  cpus: CPUS,
  itsCount: ITSES,
  affinities: [0x000, 0x001, 0x002, 0x003, 0x100, 0x101, 0x102, 0x103],
  ram: VPE_RAM,
};

/** The GICv4.1 machines to compare with: groups of redistributors, and who shares their tables. */
export const layouts: readonly (readonly [string, MachineOptions])[] = [
  ['one group, tables shared with the ITSs', {}],
  ['one group, an own table for each ITS', { sharedVpeTable: 0 }],
  ['two groups', { commonLpiAffinity: 3, sharedVpeTable: 3 }],
  [
    'two groups, the ITSs with the second one',
    { commonLpiAffinity: 3, sharedVpeTable: 3, itsAffinity: 0x100 },
  ],
];

/** What a hypervisor does to vPEs and what comes of it, the same for every version of GICv4. */
export interface Hypervisor {
  readonly driver: VpeDriver;
  readonly vpes: readonly Vpe[];
  map(vpe: number, cpu: number): void;
  unmap(vpe: number): void;
  /** Moves a vPE to a PE and makes it resident there. */
  run(vpe: number, cpu: number): void;
  /** Takes a vPE off its PE; tells PendingLast. */
  stop(cpu: number, blocks: boolean): boolean;
}

/** GICv4.0: each event has a doorbell of its own. */
class Hypervisor40 implements Hypervisor {
  readonly vpes: readonly Vpe[];

  constructor(readonly driver: VpeDriver) {
    const tables = Array.from({ length: VMS }, () => driver.allocate(0x1_0000, 0x1_0000));
    this.vpes = Array.from({ length: VPES }, (_, id) =>
      driver.newVpe(id, { configTable: tables[id % VMS] as number }),
    );
  }

  map(vpe: number, cpu: number): void {
    for (let its = 0; its < ITSES; its++) this.driver.vmapp(this.#vpe(vpe), cpu, its);
  }

  unmap(vpe: number): void {
    for (let its = 0; its < ITSES; its++) this.driver.unmapVpe(this.#vpe(vpe), its);
  }

  run(vpe: number, cpu: number): void {
    this.driver.vmovp(this.#vpe(vpe), cpu);
    this.driver.scheduleIn(cpu, this.#vpe(vpe));
  }

  stop(cpu: number): boolean {
    return this.driver.scheduleOut(cpu);
  }

  #vpe(id: number): Vpe {
    return this.vpes[id] as Vpe;
  }
}

/** GICv4.1: default doorbells; the ITSs map a vPE one after the other. */
class Hypervisor41 implements Hypervisor {
  readonly vpes: readonly Vpe41[];

  constructor(readonly driver: Vpe41Driver) {
    const tables = Array.from({ length: VMS }, () => driver.allocate(0x1_0000, 0x1_0000));
    this.vpes = Array.from({ length: VPES }, (_, id) =>
      driver.newVpe41(id, { configTable: tables[id % VMS] as number, doorbell: doorbellOf(id) }),
    );
  }

  map(vpe: number, cpu: number): void {
    for (let its = 0; its < ITSES; its++) this.driver.map(this.#vpe(vpe), { cpu, its, alloc: its === 0 });
  }

  unmap(vpe: number): void {
    for (let its = 0; its < ITSES; its++)
      this.driver.unmap(this.#vpe(vpe), { its, alloc: its === ITSES - 1 });
  }

  run(vpe: number, cpu: number): void {
    this.driver.vmovp41(this.#vpe(vpe), cpu);
    this.driver.load(cpu, this.#vpe(vpe));
  }

  stop(cpu: number, blocks: boolean): boolean {
    return this.driver.put(cpu, { doorbell: blocks });
  }

  #vpe(id: number): Vpe41 {
    return this.vpes[id] as Vpe41;
  }
}

export function doorbellOf(vpe: number): number {
  return FIRST_DOORBELL + vpe;
}

export function isDoorbell(intid: number): boolean {
  return intid >= FIRST_DOORBELL && intid < FIRST_DOORBELL + VPES;
}

export function vIntidOf(index: number): number {
  return FIRST_VLPI + index;
}

export async function start40(): Promise<Hypervisor> {
  const machine = await createMachine({ ...traffic, architecture: 'GICv4.0' });
  return prepare(new Hypervisor40(new VpeDriver(machine).start()));
}

export async function start41(layout: MachineOptions): Promise<Hypervisor> {
  const machine = await createMachine({ ...traffic, ...layout, architecture: 'GICv4.1' });
  return prepare(new Hypervisor41(new Vpe41Driver(machine).start()));
}

/** Devices, vPEs and open guests; event EVENTS of each device is a physical LPI. */
function prepare(hypervisor: Hypervisor): Hypervisor {
  const { driver } = hypervisor;
  for (let vpe = 0; vpe < VPES; vpe++) {
    hypervisor.map(vpe, vpe % CPUS);
    driver.setConfig(doorbellOf(vpe), 0x80, true);
  }
  for (let cpu = 0; cpu < CPUS; cpu++) driver.openGuest(cpu);
  for (let its = 0; its < ITSES; its++) {
    for (let device = 0; device < DEVICES; device++) {
      driver.mapd(device, EVENT_BITS, its);
      const intid = FIRST_PHYSICAL + its * DEVICES + device;
      driver.setConfig(intid, 0xa0, true);
      driver.mapc(device, (device * 3) % CPUS, its);
      driver.mapti(device, EVENTS, intid, device, its);
    }
  }
  return hypervisor;
}

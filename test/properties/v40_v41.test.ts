import { describe, expect, it } from 'vitest';
import { listRegister } from '../support/vpe_driver.ts';
import { Random } from './random.ts';
import {
  CPUS,
  DEVICES,
  doorbellOf,
  EVENTS,
  type Hypervisor,
  ITSES,
  isDoorbell,
  layouts,
  start40,
  start41,
  VLPIS,
  VPES,
  vIntidOf,
} from './vpe_traffic.ts';

const SEEDS = [1, 2, 3, 4, 5, 6];
const OPERATIONS = 1500;

/** Where an event of a device at an ITS goes: to a VLPI of a vPE. */
interface Mapping {
  vpe: number;
  vlpi: number;
}

/** Random traffic for several machines at once, and what must be so whichever version they are. */
class Traffic {
  readonly #machines: readonly Hypervisor[];
  readonly #random: Random;
  readonly #mappings = new Map<string, Mapping>();
  /** VLPIs that are pending, by vPE. */
  readonly #pending = Array.from({ length: VPES }, () => new Set<number>());
  /** The resident vPE of each PE. */
  readonly #resident: (number | undefined)[] = Array(CPUS).fill(undefined);
  readonly #operations: readonly [weight: number, perform: () => void][] = [
    [30, () => this.#sendMsi()],
    [5, () => this.#command('int')],
    [2, () => this.#command('clear')],
    [12, () => this.#mapEvent()],
    [3, () => this.#moveEvent()],
    [2, () => this.#discard()],
    [8, () => this.#configure()],
    [14, () => this.#run()],
    [8, () => this.#stop()],
    [2, () => this.#remap()],
    [16, () => this.#acknowledge()],
    [4, () => this.#mask()],
    [3, () => this.#fillListRegister()],
    [4, () => this.#takePhysical()],
  ];
  readonly #kinds = this.#operations.flatMap(([weight, perform]) => Array<() => void>(weight).fill(perform));

  constructor(machines: readonly Hypervisor[], random: Random) {
    this.#machines = machines;
    this.#random = random;
  }

  step(): void {
    this.#pick(this.#kinds)();
    for (let cpu = 0; cpu < CPUS; cpu++) {
      this.#agree(({ driver }) => ({
        ...driver.machine.virtualOutputs(cpu),
        running: driver.guest(cpu, 'RPR'),
        best: [driver.guest(cpu, 'HPPIR0'), driver.guest(cpu, 'HPPIR1')],
      }));
    }
  }

  /** What is pending is what was sent and not taken; the indexes are what the tables say; no rule was broken. */
  check(): void {
    for (const { driver, vpes } of this.#machines) {
      for (const [id, vpe] of vpes.entries()) {
        const expected = [...(this.#pending[id] as Set<number>)].map(vIntidOf).sort((a, b) => a - b);
        expect(driver.pendingVlpis(vpe)).toEqual(expected);
      }
      for (let cpu = 0; cpu < CPUS; cpu++) expect(driver.machine.checkLpiIndex(cpu)).toBe(0);
      const broken = driver.diagnosed().filter(({ code }) => !tolerated.has(code));
      expect(broken).toEqual([]);
    }
    const counted = this.#agree(({ driver }) => {
      const { msi, int, vlpis, virtualAcknowledged, residency, commandErrors } = driver.machine.counters();
      return { msi, int, vlpis, virtualAcknowledged, residency, commandErrors };
    });
    expect(counted.commandErrors).toBe(0);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#random.below(items.length)] as Item;
  }

  /** Does the same to all machines; they must answer the same. */
  #agree<Answer>(ask: (machine: Hypervisor) => Answer): Answer {
    const [first, ...others] = this.#machines.map(ask);
    for (const other of others) expect(other).toEqual(first);
    return first as Answer;
  }

  #place(): { its: number; device: number; event: number; key: string } {
    const its = this.#random.below(ITSES);
    const device = this.#random.below(DEVICES);
    const event = this.#random.below(EVENTS);
    return { its, device, event, key: `${its}.${device}.${event}` };
  }

  #mappedPlace(): { its: number; device: number; event: number; key: string; to: Mapping } | undefined {
    if (this.#mappings.size === 0) return undefined;
    const key = this.#pick([...this.#mappings.keys()]);
    const [its, device, event] = key.split('.').map(Number) as [number, number, number];
    return { its, device, event, key, to: this.#mappings.get(key) as Mapping };
  }

  #sendMsi(): void {
    const physical = this.#random.below(8) === 0;
    const mapped = this.#mappedPlace();
    const { its, device, event } = physical || !mapped ? this.#place() : mapped;
    const outcome = this.#agree(({ driver }) =>
      driver.machine.sendMsi(device, physical ? EVENTS : event, its),
    );
    if (mapped && !physical) this.#expectPending(mapped.to, outcome);
  }

  #expectPending({ vpe, vlpi }: Mapping, outcome: string): void {
    const pending = this.#pending[vpe] as Set<number>;
    expect(outcome).toBe(pending.has(vlpi) ? 'coalesced' : 'pending');
    pending.add(vlpi);
  }

  #command(name: 'int' | 'clear'): void {
    const mapped = this.#mappedPlace();
    if (!mapped) return;
    const { its, device, event, to } = mapped;
    this.#agree(({ driver }) => driver[name](device, event, its));
    if (name === 'int') this.#pending[to.vpe]?.add(to.vlpi);
    else this.#pending[to.vpe]?.delete(to.vlpi);
  }

  #mapEvent(): void {
    const { its, device, event, key } = this.#place();
    if (this.#mappings.has(key)) return;
    const to = { vpe: this.#random.below(VPES), vlpi: this.#random.below(VLPIS) };
    this.#mappings.set(key, to);
    for (const { driver, vpes } of this.#machines) {
      const vpe = vpes[to.vpe] as (typeof vpes)[number];
      const doorbell = driver.config.architecture === 'GICv4.0' ? doorbellOf(to.vpe) : 1023;
      driver.vmapti(device, event, vpe, vIntidOf(to.vlpi), doorbell, its);
    }
  }

  #moveEvent(): void {
    const mapped = this.#mappedPlace();
    if (!mapped) return;
    const { its, device, event, key, to } = mapped;
    const vpe = this.#random.below(VPES);
    for (const { driver, vpes } of this.#machines) {
      driver.vmovi(device, event, vpes[vpe] as (typeof vpes)[number], undefined, its);
    }
    if (vpe !== to.vpe && this.#pending[to.vpe]?.delete(to.vlpi)) this.#pending[vpe]?.add(to.vlpi);
    this.#mappings.set(key, { vpe, vlpi: to.vlpi });
  }

  #discard(): void {
    const mapped = this.#mappedPlace();
    if (!mapped) return;
    const { its, device, event, key, to } = mapped;
    for (const { driver } of this.#machines) driver.discard(device, event, its);
    this.#pending[to.vpe]?.delete(to.vlpi);
    this.#mappings.delete(key);
  }

  /** Another priority or enable, then INV or VINVALL: vPEs of the same VM share the byte, so all of them are told. */
  #configure(): void {
    const vlpi = this.#random.below(VLPIS);
    const vpe = this.#random.below(VPES);
    const priority = this.#random.below(8) << 5;
    const enabled = this.#random.below(4) > 0;
    for (const { driver, vpes } of this.#machines) {
      driver.setVirtualConfig(vpes[vpe] as (typeof vpes)[number], vIntidOf(vlpi), priority, enabled);
      for (const other of vpes) driver.vinvall(other, vpe % ITSES);
    }
  }

  #run(): void {
    const cpu = this.#random.below(CPUS);
    const vpe = this.#random.below(VPES);
    if (this.#resident[cpu] !== undefined || this.#resident.includes(vpe)) return;
    for (const machine of this.#machines) machine.run(vpe, cpu);
    this.#resident[cpu] = vpe;
  }

  #stop(): void {
    const cpu = this.#random.below(CPUS);
    if (this.#resident[cpu] === undefined) return;
    const blocks = this.#random.below(2) === 0;
    this.#agree((machine) => machine.stop(cpu, blocks));
    this.#resident[cpu] = undefined;
  }

  /** Unmaps a vPE everywhere, which leaves its VPT as it is, and maps it to another PE. */
  #remap(): void {
    const vpe = this.#random.below(VPES);
    const cpu = this.#random.below(CPUS);
    if (this.#resident.includes(vpe)) return;
    const expected = [...(this.#pending[vpe] as Set<number>)].map(vIntidOf).sort((a, b) => a - b);
    for (const machine of this.#machines) {
      machine.unmap(vpe);
      expect(machine.driver.pendingVlpis(machine.vpes[vpe] as (typeof machine.vpes)[number])).toEqual(
        expected,
      );
      machine.map(vpe, cpu);
    }
  }

  #acknowledge(): void {
    const cpu = this.#random.below(CPUS);
    const ends = this.#random.below(4) > 0;
    const intid = this.#agree(({ driver }) => driver.guest(cpu, 'IAR1'));
    if (intid >= vIntidOf(0)) {
      const pending = this.#pending[this.#resident[cpu] as number] as Set<number>;
      expect(pending.delete(intid - vIntidOf(0))).toBe(true);
    }
    if (ends) for (const { driver } of this.#machines) driver.setGuest(cpu, 'EOIR1', intid);
  }

  #mask(): void {
    const cpu = this.#random.below(CPUS);
    const mask = this.#random.below(4) === 0 ? 0x40 : 0xf8;
    for (const { driver } of this.#machines) driver.setGuest(cpu, 'PMR', mask);
  }

  #fillListRegister(): void {
    const cpu = this.#random.below(CPUS);
    const value = listRegister(40 + this.#random.below(4), { priority: this.#random.below(8) << 5 });
    for (const { driver } of this.#machines) driver.setIch(cpu, 'LR0', value);
  }

  #takePhysical(): void {
    const cpu = this.#random.below(CPUS);
    this.#agree(({ driver }) => driver.takeAll(cpu).filter((intid) => !isDoorbell(intid)));
  }
}

/** A guest may end what it has not taken, and devices may send what is not mapped. */
const tolerated: ReadonlySet<string> = new Set(['MSI_DROPPED', 'VIRTUAL_EOI_WITHOUT_ACTIVE_PRIORITY']);

describe.each(layouts)('GICv4.0 and GICv4.1 (%s) given the same traffic', (_, layout) => {
  it.each(SEEDS)(
    'deliver the same interrupts in the same order, apart from doorbells: seed %i',
    async (seed) => {
      const machines = [await start40(), await start41(layout)];
      const traffic = new Traffic(machines, new Random(seed));
      let done = 0;
      try {
        for (; done < OPERATIONS; done++) {
          traffic.step();
          if (done % 100 === 0) traffic.check();
        }
        traffic.check();
        const { vlpis, virtualAcknowledged, doorbells } = machines[1]!.driver.machine.counters();
        for (const count of [vlpis.direct, vlpis.waiting, virtualAcknowledged.vlpi, doorbells.rung]) {
          expect(count).toBeGreaterThan(0);
        }
      } catch (error) {
        throw new Error(`seed ${seed}, after ${done} operations: ${String(error)}`, { cause: error });
      }
    },
  );
});

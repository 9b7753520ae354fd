import { describe, expect, it } from 'vitest';
import type { Machine } from '../../bindings/index.ts';
import { expectConserved } from '../support/conservation.ts';
import { startVpeDriver, type Vpe, type VpeDriver } from '../support/vpe_driver.ts';
import { startVpe41Driver, type Vpe41Driver } from '../support/vpe41_driver.ts';
import { randomSource, storm } from './storm.ts';

// Sections 7.3 to 7.6 beside threads: a VLPI reaches the resident vPE, or its doorbell rings, or PendingLast tells of it.
// The hypervisor here runs a vPE for no other reason, so a wake-up that is lost leaves VLPIs pending for ever.

const CPUS = 4;
const VPES = 8;
const EVENTS = 64;
const DOORBELL = 9000;
const FIRST_VLPI = 8193;

/** What differs between the versions. */
interface Hypervisor {
  readonly driver: VpeDriver;
  readonly vpes: readonly Vpe[];
  load(cpu: number, vpe: Vpe): void;
  /** Tells PendingLast. */
  put(cpu: number): boolean;
  move(vpe: Vpe, cpu: number): void;
}

async function hypervisor40(): Promise<Hypervisor> {
  const driver = await startVpeDriver({ cpus: CPUS });
  const vpes = Array.from({ length: VPES }, (_, id) => driver.mapVpe(id));
  return {
    driver,
    vpes,
    load: (cpu, vpe) => driver.scheduleIn(cpu, vpe),
    put: (cpu) => driver.scheduleOut(cpu),
    move: (vpe, cpu) => driver.vmovp(vpe, cpu),
  };
}

async function hypervisor41(): Promise<Hypervisor> {
  const driver: Vpe41Driver = await startVpe41Driver({ cpus: CPUS });
  const vpes = Array.from({ length: VPES }, (_, id) => driver.mapVpe41(id, { doorbell: DOORBELL + id }));
  return {
    driver,
    vpes,
    load: (cpu, vpe) => driver.load(cpu, vpe),
    put: (cpu) => driver.put(cpu, { doorbell: true }),
    move: (vpe, cpu) => driver.vmovp41(vpe as (typeof vpes)[number], cpu),
  };
}

class Owner {
  readonly machine: Machine;
  readonly random = randomSource(31337);
  readonly wrong: string[] = [];
  readonly #hypervisor: Hypervisor;
  readonly #running: (number | undefined)[] = new Array(CPUS).fill(undefined);
  /** Where each vPE is mapped to. */
  readonly #home: number[] = new Array(VPES).fill(0);
  readonly #runnable: boolean[] = new Array(VPES).fill(true);
  readonly #individualDoorbells: boolean;

  constructor(hypervisor: Hypervisor, version: string) {
    this.#hypervisor = hypervisor;
    this.#individualDoorbells = version === 'GICv4.0';
    const { driver, vpes } = hypervisor;
    this.machine = driver.machine;
    for (let cpu = 0; cpu < CPUS; cpu++) driver.openGuest(cpu);
    for (const { id } of vpes) driver.setConfig(DOORBELL + id, 0x80, true);
    for (const vpe of vpes) {
      for (let n = 0; n < VPES * EVENTS; n++) driver.setVirtualConfig(vpe, FIRST_VLPI + n, 0x80, true);
      driver.mapd(vpe.id, 6);
      for (let event = 0; event < EVENTS; event++) this.#map(vpe.id, event);
    }
  }

  #map(device: number, event: number): void {
    const { driver, vpes } = this.#hypervisor;
    const doorbell = this.#individualDoorbells ? DOORBELL + device : undefined;
    driver.vmapti(device, event, vpes[device] as Vpe, FIRST_VLPI + device * EVENTS + event, doorbell);
  }

  step(): void {
    const { driver, vpes } = this.#hypervisor;
    this.#answerDoorbells();
    const id = this.random(VPES);
    const cpu = this.#home[id] as number;
    if (this.#running.includes(id)) {
      for (let n = this.random(16); n > 0; n--) this.#guestTake(cpu);
      if (this.random(4) === 0) this.#deschedule(cpu, id);
    } else if (this.random(4) === 0) {
      const to = this.random(CPUS);
      this.#hypervisor.move(vpes[id] as Vpe, to);
      this.#home[id] = to;
    } else if (this.#runnable[id] && this.#running[cpu] === undefined) {
      this.#schedule(cpu, id);
    }
    if (this.random(16) === 0) {
      const [device, event] = [this.random(VPES), this.random(EVENTS)];
      driver.discard(device, event);
      this.#map(device, event);
    }
  }

  /** Runs what is runnable until nothing is. */
  drain(): void {
    for (let cpu = 0; cpu < CPUS; cpu++) {
      const id = this.#running[cpu];
      if (id === undefined) continue;
      while (this.#guestTake(cpu)) {}
      this.#deschedule(cpu, id);
    }
    for (;;) {
      this.#answerDoorbells();
      const id = this.#runnable.indexOf(true);
      if (id < 0) return;
      const cpu = this.#home[id] as number;
      this.#schedule(cpu, id);
      while (this.#guestTake(cpu)) {}
      this.#deschedule(cpu, id);
    }
  }

  #schedule(cpu: number, id: number): void {
    this.#hypervisor.load(cpu, this.#hypervisor.vpes[id] as Vpe);
    this.#running[cpu] = id;
    this.#runnable[id] = false;
  }

  #deschedule(cpu: number, id: number): void {
    this.#running[cpu] = undefined;
    if (this.#hypervisor.put(cpu)) this.#runnable[id] = true;
  }

  #answerDoorbells(): void {
    for (let cpu = 0; cpu < CPUS; cpu++) {
      for (const intid of this.#hypervisor.driver.takeAll(cpu)) {
        if (intid < DOORBELL || intid >= DOORBELL + VPES) this.wrong.push(`LPI ${intid}`);
        else this.#runnable[intid - DOORBELL] = true;
      }
    }
  }

  #guestTake(cpu: number): boolean {
    const vIntid = this.#hypervisor.driver.guestTake(cpu);
    if (vIntid === undefined) return false;
    const device = Math.floor((vIntid - FIRST_VLPI) / EVENTS);
    if (device !== this.#running[cpu]) this.wrong.push(`VLPI ${vIntid} for vPE ${this.#running[cpu]}`);
    return true;
  }
}

describe.each([
  ['GICv4.0', hypervisor40],
  ['GICv4.1', hypervisor41],
] as const)('threads inject VLPIs while vPEs of %s come, go and move', (version, start) => {
  it.each([2, 4])('%i threads: no VLPI and no wake-up is lost', { timeout: 3_600_000 }, async (threads) => {
    const hypervisor = await start();
    const owner = new Owner(hypervisor, version);
    const { machine } = owner;
    const enough = (): boolean => {
      const { vlpis, doorbells } = machine.counters();
      return vlpis.direct >= 1000 && vlpis.waiting >= 1000 && doorbells.rung >= 100;
    };
    const work = { threads, msis: 1_000_000, enough, devices: VPES, events: EVENTS };
    const reports = await storm(machine, work, () => owner.step());
    machine.takeArrivals();
    owner.drain();
    expect(owner.wrong.slice(0, 5)).toEqual([]);
    expect(hypervisor.vpes.map((vpe) => hypervisor.driver.pendingVlpis(vpe))).toEqual(
      new Array(VPES).fill([]),
    );
    const { msi, vlpis, doorbells } = machine.counters();
    const sent = reports.reduce((sum, report) => sum + report.sent, 0);
    expect(msi.total).toBe(sent);
    expect(Object.keys(msi.dropped).filter((why) => why !== 'event-unmapped')).toEqual([]);
    expect(vlpis.direct + vlpis.waiting).toBe(msi.pending);
    expectConserved(machine.counters(), { lpis: 0 });
    expect(vlpis.direct).toBeGreaterThanOrEqual(1000);
    expect(vlpis.waiting).toBeGreaterThanOrEqual(1000);
    expect(doorbells.rung).toBeGreaterThanOrEqual(100);
    expect(doorbells.dropped).toBe(0);
  });
});

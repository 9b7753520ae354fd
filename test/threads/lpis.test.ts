import { describe, expect, it } from 'vitest';
import { createMachine, type Machine } from '../../bindings/index.ts';
import { expectConserved } from '../support/conservation.ts';
import { commands, Driver } from '../support/driver.ts';
import { randomSource, storm } from './storm.ts';

// DESIGN, concurrency: every MSI ends delivered, coalesced, pending, or dropped with a reason, and counters prove it.

const CPUS = 4;
const DEVICES = 48;
const EVENTS = 64;
const FIRST_LPI = 8192;
const POISON = FIRST_LPI + DEVICES * EVENTS * 2;
const RAM = { base: 0x4000_0000, size: 0x400_0000 };

/** The PE that a device's events are mapped to at first. Only second LPIs are for PE 1. */
const firstHome = (device: number): number => (device % CPUS === 1 ? 0 : device % CPUS);
/** The first of the two LPIs of an event; events that are remapped use both. */
const lpiOf = (device: number, event: number): number => FIRST_LPI + 2 * (device * EVENTS + event);

/**
 * What the owner does meanwhile. Devices have one of three fates, so that what becomes of each LPI can be told:
 *  0  their events move between collections (MOVI), and are discarded and mapped again (DISCARD, MAPTI)
 *  1  their events are remapped between two LPIs, of which each belongs to one PE (MAPTI)
 *  2  they are unmapped, their interrupt translation tables are filled with rubbish, then mapped elsewhere (MAPD)
 */
class Owner {
  readonly machine: Machine;
  readonly driver: Driver;
  readonly random = randomSource(4711);
  readonly wrong: string[] = [];
  readonly tables: number[] = [];
  /** The PE that each event of fate 0 is mapped to. */
  readonly home = new Map<number, number>();
  readonly taken = new Array<number>(CPUS).fill(0);
  #spare: number;

  constructor(machine: Machine) {
    this.machine = machine;
    this.driver = new Driver(machine, machine.config).start();
    for (let icid = 0; icid < CPUS; icid++) this.driver.mapc(icid, icid);
    for (let intid = FIRST_LPI; intid <= POISON; intid++) this.driver.setConfig(intid, 0x80, true);
    for (let device = 0; device < DEVICES; device++) {
      this.tables.push(this.driver.mapd(device, 6));
      for (let event = 0; event < EVENTS; event++) this.map(device, event);
    }
    this.#spare = this.driver.allocate(EVENTS * 8, 256);
  }

  map(device: number, event: number, second = false): void {
    const intid = lpiOf(device, event) + (second ? 1 : 0);
    const icid = second ? 1 : firstHome(device);
    this.driver.mapti(device, event, intid, icid);
    if (device % 3 === 0) this.home.set(intid, icid);
  }

  step(): void {
    const device = this.random(DEVICES);
    const event = this.random(EVENTS);
    if (device % 3 === 0) this.moveOrDiscard(device, event);
    else if (device % 3 === 1) this.map(device, event, this.random(2) === 1);
    else if (this.random(8) === 0) this.reuseTable(device);
    this.driver.command(commands.sync(this.driver.rdbase(this.random(CPUS))));
    for (let n = 0; n < 64; n++) this.take(this.random(CPUS));
  }

  moveOrDiscard(device: number, event: number): void {
    if (this.random(2) === 0) {
      const icid = this.random(CPUS);
      this.driver.movi(device, event, icid);
      this.home.set(lpiOf(device, event), icid);
      return;
    }
    this.driver.discard(device, event);
    this.map(device, event);
  }

  /** A translation that used the old table would find every event mapped to the poisoned LPI. */
  reuseTable(device: number): void {
    const old = this.tables[device] as number;
    this.driver.unmapd(device);
    const poison = this.machine.ram(old, EVENTS * 8);
    const entry = new BigUint64Array(poison.buffer, poison.byteOffset, EVENTS);
    entry.fill((1n << 63n) | (BigInt(POISON) << 16n));
    this.machine.ram(this.#spare, EVENTS * 8).fill(0);
    this.driver.command(commands.mapd(device, 6, this.#spare));
    for (let event = 0; event < EVENTS; event++) this.map(device, event);
    this.tables[device] = this.#spare;
    this.#spare = old;
  }

  take(cpu: number): boolean {
    const intid = this.driver.take(cpu);
    if (intid === undefined) return false;
    this.taken[cpu] = (this.taken[cpu] as number) + 1;
    if (!this.belongs(intid, cpu)) this.wrong.push(`INTID ${intid} on PE ${cpu}`);
    return true;
  }

  belongs(intid: number, cpu: number): boolean {
    if (intid < FIRST_LPI || intid >= POISON) return false;
    const device = Math.floor((intid - FIRST_LPI) / 2 / EVENTS);
    const second = (intid & 1) === 1;
    // MOVI takes the pending state along, and DISCARD takes it away: nothing can be left on another PE.
    if (device % 3 === 0) return this.home.get(intid) === cpu;
    return second ? device % 3 === 1 && cpu === 1 : cpu === firstHome(device);
  }

  takeAll(): void {
    for (let cpu = 0; cpu < CPUS; cpu++) while (this.take(cpu)) {}
  }
}

describe.each([2, 4])('%i threads inject LPIs while the owner changes the mappings', (threads) => {
  it('loses none, invents none, and counts each', { timeout: 3_600_000 }, async () => {
    const machine = await createMachine({ cpus: CPUS, ram: RAM }, 'shared');
    const owner = new Owner(machine);
    const enough = (): boolean => sum(owner.taken) >= 10_000;
    const work = { threads, msis: 1_000_000, enough, devices: DEVICES, events: EVENTS };
    const reports = await storm(machine, work, () => owner.step());
    machine.takeArrivals();
    owner.takeAll();
    const { msi, acknowledged } = machine.counters();
    const sent = reports.reduce((sum, report) => sum + report.sent, 0);
    expect(owner.wrong.slice(0, 5)).toEqual([]);
    expect(msi.total).toBe(sent);
    expect(sum(reports.map(({ counters }) => counters.total))).toBe(sent);
    expect(msi.pending + msi.coalesced + sum(Object.values(msi.dropped))).toBe(sent);
    // Only devices and events that were not mapped at that moment.
    expect(Object.keys(msi.dropped).filter((why) => !/^(device|event)-unmapped$/.test(why))).toEqual([]);
    for (let cpu = 0; cpu < CPUS; cpu++) {
      expect(owner.driver.pendingLpis(cpu)).toEqual([]);
      expect(machine.checkLpiIndex(cpu)).toBe(0);
    }
    expect(acknowledged.lpi).toBe(sum(owner.taken));
    expectConserved(machine.counters(), { lpis: 0 });
    expect(acknowledged.lpi).toBeGreaterThanOrEqual(10_000);
  });
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

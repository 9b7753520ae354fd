import { expect } from 'vitest';
import { type Engine, Machine, type MachineOptions, type MsiOutcome } from '../../bindings/index.ts';
import {
  clear,
  discard,
  int,
  inv,
  invall,
  mapc,
  mapd,
  mapti,
  movall,
  movi,
  sync,
  unmapd,
} from '../its/commands.ts';
import { DISABLED, ENABLED, FIRST_LPI, ITS_RAM, type Its, ItsBoard } from '../its/fixture.ts';
import { expectConserved } from '../support/conservation.ts';
import type { Operation } from './operation.ts';

export const legalOptions: MachineOptions = { ram: ITS_RAM, cpus: 8, itsCount: 2, intidBits: 14, spis: 32 };

const DEVICES = 4;
const EVENTS = 16;
const SPI = 40;
const SGI = 3;
/** INTID bits - 1. */
const ID_BITS = 13;
const masks = [0xff, 0xff, 0xff, 0xf0, 0x90, 0x48, 0];

/** One event, and its LPI that no other event has. */
interface Event {
  readonly its: Its;
  readonly deviceId: number;
  readonly eventId: number;
  readonly lpi: number;
  mapped: boolean;
  icid: number;
  /** PE where the LPI is pending. */
  pendingAt: number | undefined;
  /** As the redistributors know it: memory, and then INV. */
  enabled: boolean;
  priority: number;
}

/**
 * Software and devices that keep to the rules, and what must come of it: which LPI is pending where. Every operation
 * checks its own outcome.
 */
export class LegalWorld {
  readonly board: ItsBoard;
  readonly machine: Machine;
  readonly events: Event[] = [];
  readonly #mappedDevices = new Set<string>();
  /** PE of each collection, for each ITS. */
  readonly #collections: number[][];
  readonly #priorityMasks: number[];
  /** Interrupts that each PE has acknowledged and not ended, with their running priority. */
  readonly #active: { intid: number; running: number }[][];
  readonly #outcomes = { msi: new Map<MsiOutcome, number>(), int: new Map<MsiOutcome, number>() };
  #delivered = 0;
  #cleared = 0;
  readonly #kinds: ((a: number, b: number) => void)[];

  constructor(engine: Engine) {
    this.machine = new Machine(engine, legalOptions);
    this.board = new ItsBoard(this.machine);
    const { cpus } = this.machine;
    this.#collections = this.board.itses.map(() => [...Array(cpus).keys()]);
    this.#priorityMasks = Array(cpus).fill(0xff);
    this.#active = Array.from({ length: cpus }, () => []);
    this.#setUp();
    const weighted: [number, (a: number, b: number) => void][] = [
      [20, this.#msi],
      [5, this.#int],
      [2, this.#clear],
      [3, this.#discardOrMap],
      [4, this.#move],
      [1, this.#moveAll],
      [2, this.#remapCollection],
      [4, this.#configure],
      [16, this.#acknowledge],
      [16, this.#end],
      [2, this.#mask],
      [2, this.#sgi],
      [2, this.#spi],
      [1, this.#toggleDevice],
      [1, this.#pauseIts],
      [1, this.#pauseLpis],
    ];
    this.#kinds = weighted.flatMap(([weight, perform]) => Array(weight).fill(perform.bind(this)));
  }

  perform([kind, a, b]: Operation): void {
    this.#kinds[kind % this.#kinds.length]?.(a, b);
  }

  /** What holds between any two operations. */
  check(): void {
    for (let cpu = 0; cpu < this.machine.cpus; cpu++) {
      this.#checkHighestPending(cpu);
      this.#checkOutputs(cpu);
      expect(this.machine.checkLpiIndex(cpu), `LPI index of PE ${cpu}`).toBe(0);
    }
  }

  /** Every LPI is where it must be, and every request ended delivered, coalesced, cleared, pending or dropped. */
  checkConservation(): void {
    const counters = this.machine.counters();
    for (const kind of ['msi', 'int'] as const) {
      expect(this.board.outcomes(kind)).toEqual(Object.fromEntries(this.#outcomes[kind]));
      const { total, pending, coalesced, dropped } = counters[kind];
      const droppedTotal = Object.values(dropped).reduce((sum, count) => sum + count, 0);
      expect(pending + coalesced + droppedTotal).toBe(total);
      expect(total).toBe([...this.#outcomes[kind].values()].reduce((sum, count) => sum + count, 0));
    }
    const stillPending = this.events.filter(({ pendingAt }) => pendingAt !== undefined).length;
    expect(counters.acknowledged.lpi).toBe(this.#delivered);
    expect(counters.cleared.lpi).toBe(this.#cleared);
    expectConserved(counters, { lpis: stillPending });
    for (const { lpi, pendingAt } of this.events) {
      expect(this.board.pendingAt(lpi), `LPI ${lpi}`).toEqual(pendingAt === undefined ? [] : [pendingAt]);
    }
  }

  /** The PEs take everything that is left: each enabled LPI exactly once. */
  drain(): void {
    for (let cpu = 0; cpu < this.machine.cpus; cpu++) {
      while (this.#active[cpu]?.length) this.#end(cpu);
      this.#setMask(cpu, 0xff);
      const expected = this.#candidates(cpu).map(({ lpi }) => lpi);
      const taken: number[] = [];
      while (this.machine.irq(cpu)) {
        taken.push(this.#acknowledge(cpu));
        this.#end(cpu);
      }
      expect(taken.filter((intid) => intid >= FIRST_LPI)).toEqual(expected);
    }
  }

  #setUp(): void {
    const { board, machine } = this;
    board.open();
    for (let cpu = 0; cpu < machine.cpus; cpu++) {
      board.enableLpis(cpu, ID_BITS);
      board.configure(SGI, { priority: 0x60 }, cpu);
    }
    board.configure(SPI, { priority: 0x30, router: 1n << 31n });
    for (const its of board.itses) {
      its.setUp();
      its.run(this.#collectionsOf(its).map((cpu, icid) => mapc(icid, cpu)));
      for (let deviceId = 0; deviceId < DEVICES; deviceId++) {
        for (let eventId = 0; eventId < EVENTS; eventId++) {
          const lpi = FIRST_LPI + this.events.length;
          const icid = this.events.length % machine.cpus;
          const event: Event = {
            its,
            deviceId,
            eventId,
            lpi,
            mapped: false,
            icid,
            pendingAt: undefined,
            enabled: true,
            priority: 0xa0,
          };
          this.events.push(event);
          board.setConfig(lpi, ENABLED);
        }
        this.#toggleDevice(this.events.length - 1, 0);
      }
    }
  }

  #msi(a: number): void {
    const event = this.#event(a);
    const expected = this.#expectedOutcome(event);
    const { its, deviceId, eventId } = event;
    expect(this.machine.sendMsi(deviceId, eventId, its.number)).toBe(expected);
    this.#settle('msi', event, expected);
  }

  #int(a: number): void {
    const event = this.#event(a);
    const expected = this.#expectedOutcome(event);
    event.its.errors([int(event.deviceId, event.eventId)]);
    this.#settle('int', event, expected);
  }

  #expectedOutcome(event: Event): MsiOutcome {
    if (!this.#isDeviceMapped(event)) return 'device-unmapped';
    if (!event.mapped) return 'event-unmapped';
    return event.pendingAt === undefined ? 'pending' : 'coalesced';
  }

  #settle(kind: 'msi' | 'int', event: Event, outcome: MsiOutcome): void {
    this.#outcomes[kind].set(outcome, (this.#outcomes[kind].get(outcome) ?? 0) + 1);
    if (outcome === 'pending') event.pendingAt = this.#cpuOf(event);
  }

  #clear(a: number): void {
    const event = this.#event(a);
    if (!event.mapped) return;
    event.its.run([clear(event.deviceId, event.eventId), sync(this.#cpuOf(event))]);
    this.#forget(event);
  }

  #discardOrMap(a: number, b: number): void {
    const event = this.#event(a);
    if (!this.#isDeviceMapped(event)) return;
    if (event.mapped) {
      event.its.run([discard(event.deviceId, event.eventId), sync(this.#cpuOf(event))]);
      event.mapped = false;
      this.#forget(event);
    } else {
      this.#map(event, b % this.machine.cpus);
    }
  }

  /** An LPI that is still pending is mapped to the PE that has it: two PEs must not have one LPI. */
  #map(event: Event, wanted: number): void {
    const cpus = this.#collectionsOf(event.its);
    const icid = event.pendingAt === undefined ? wanted : cpus.indexOf(event.pendingAt);
    if (icid < 0) return;
    event.its.run([
      mapti(event.deviceId, event.eventId, event.lpi, icid),
      inv(event.deviceId, event.eventId),
      sync(cpus[icid] as number),
    ]);
    event.mapped = true;
    event.icid = icid;
  }

  #move(a: number, b: number): void {
    const event = this.#event(a);
    if (!event.mapped) return;
    const from = this.#cpuOf(event);
    event.icid = b % this.machine.cpus;
    const to = this.#cpuOf(event);
    const { deviceId, eventId } = event;
    event.its.run([movi(deviceId, eventId, event.icid), sync(from), inv(deviceId, eventId), sync(to)]);
    if (event.pendingAt !== undefined) event.pendingAt = to;
  }

  /** A PE gives all its LPIs to another one: all collections of all ITSs first, then what is pending. */
  #moveAll(a: number, b: number): void {
    const { cpus } = this.machine;
    const [from, to] = [a % cpus, b % cpus];
    for (const its of this.board.itses) {
      const collections = this.#collectionsOf(its);
      collections.forEach((cpu, icid) => {
        if (cpu !== from) return;
        its.run([mapc(icid, to), sync(from)]);
        collections[icid] = to;
      });
    }
    const [its] = this.board.itses as [Its];
    its.run([movall(from, to), sync(from)]);
    for (const each of this.board.itses) {
      const icid = this.#collectionsOf(each).indexOf(to);
      if (icid >= 0) each.run([invall(icid), sync(to)]);
    }
    for (const event of this.events) if (event.pendingAt === from) event.pendingAt = to;
  }

  /** A collection without pending LPIs may change its PE without MOVALL. */
  #remapCollection(a: number, b: number): void {
    const its = this.board.itses[a % this.board.itses.length] as Its;
    const { cpus } = this.machine;
    const icid = (a >>> 8) % cpus;
    const members = this.events.filter((event) => event.its === its && event.mapped && event.icid === icid);
    if (members.some(({ pendingAt }) => pendingAt !== undefined)) return;
    const collections = this.#collectionsOf(its);
    its.run([mapc(icid, b % cpus), sync(collections[icid] as number), invall(icid), sync(b % cpus)]);
    collections[icid] = b % cpus;
  }

  #configure(a: number, b: number): void {
    const event = this.#event(a);
    if (!event.mapped) return;
    event.enabled = b % 4 !== 0;
    event.priority = 0x20 + 8 * ((b >>> 2) % 24);
    this.board.setConfig(event.lpi, event.priority | ((event.enabled ? ENABLED : DISABLED) & 3));
    event.its.run([inv(event.deviceId, event.eventId), sync(this.#cpuOf(event))]);
  }

  /** Reads ICC_IAR1_EL1; the INTID. */
  #acknowledge(a: number): number {
    const cpu = a % this.machine.cpus;
    const { board } = this;
    const signalled = this.machine.irq(cpu);
    const best = this.machine.highestPending(cpu);
    const levels = this.#activeLevels(cpu);
    const intid = board.icc(cpu, 'IAR1');
    expect(intid).toBe(signalled ? best?.intid : 1023);
    expect(this.#activeLevels(cpu) - levels, 'active levels').toBe(signalled ? 1 : 0);
    if (!signalled) return intid;
    if (intid === SPI) this.machine.setSpi(SPI, false);
    this.#active[cpu]?.push({ intid, running: board.icc(cpu, 'RPR') });
    const event = this.events.find(({ lpi }) => lpi === intid);
    if (event) {
      expect(event.pendingAt, `LPI ${intid} was pending`).toBe(cpu);
      event.pendingAt = undefined;
      this.#delivered++;
    }
    return intid;
  }

  #end(a: number): void {
    const cpu = a % this.machine.cpus;
    const ended = this.#active[cpu]?.pop();
    if (!ended) return;
    const levels = this.#activeLevels(cpu);
    this.board.setIcc(cpu, 'EOIR1', ended.intid);
    expect(levels - this.#activeLevels(cpu), 'active levels').toBe(1);
    expect(this.board.icc(cpu, 'RPR')).toBe(this.#active[cpu]?.at(-1)?.running ?? 0xff);
  }

  #mask(a: number, b: number): void {
    this.#setMask(a % this.machine.cpus, masks[b % masks.length] as number);
  }

  #setMask(cpu: number, value: number): void {
    this.board.setIcc(cpu, 'PMR', value);
    this.#priorityMasks[cpu] = this.board.icc(cpu, 'PMR');
  }

  #sgi(a: number, b: number): void {
    const { cpus } = this.machine;
    this.board.setIcc(a % cpus, 'SGI1R', (BigInt(SGI) << 24n) | (1n << BigInt(b % cpus)));
  }

  #spi(a: number): void {
    this.machine.setSpi(SPI, (a & 1) !== 0);
  }

  /** Unmaps a device, which happens less often, or maps it to a cleared ITT and then its events. Its pending LPIs stay pending. */
  #toggleDevice(a: number, b: number): void {
    const { its, deviceId } = this.#event(a);
    const key = `${its.number}:${deviceId}`;
    if (this.#mappedDevices.has(key)) {
      if (b % 4 !== 0) return;
      this.#mappedDevices.delete(key);
      its.run([unmapd(deviceId)]);
      for (const event of this.events)
        if (event.its === its && event.deviceId === deviceId) event.mapped = false;
    } else {
      this.machine.writeMemory(its.itt(deviceId), new Uint8Array(0x1000));
      its.run([mapd(deviceId, its.itt(deviceId), 3)]);
      this.#mappedDevices.add(key);
      for (const event of this.events) {
        if (event.its === its && event.deviceId === deviceId) this.#map(event, event.icid);
      }
    }
  }

  /** An ITS is off for a moment: MSIs of that time are lost, everything else stays. */
  #pauseIts(a: number): void {
    const { its, deviceId, eventId } = this.#event(a);
    its.enable(false);
    expect(this.machine.sendMsi(deviceId, eventId, its.number)).toBe('its-disabled');
    const { msi } = this.#outcomes;
    msi.set('its-disabled', (msi.get('its-disabled') ?? 0) + 1);
    its.enable(true);
  }

  /** EnableLPIs is off for a moment: what is pending is in memory and comes back. */
  #pauseLpis(a: number): void {
    const cpu = a % this.machine.cpus;
    this.board.setGicr(cpu, 0x0000, 0);
    const pending = this.machine.highestPending(cpu);
    expect(pending === undefined || pending.intid < FIRST_LPI).toBe(true);
    this.board.setGicr(cpu, 0x0000, 1);
  }

  #forget(event: Event): void {
    if (event.pendingAt === undefined) return;
    event.pendingAt = undefined;
    this.#cleared++;
  }

  /** Enabled LPIs that are pending at a PE, the one to take first in front. */
  #candidates(cpu: number): Event[] {
    return this.events
      .filter(({ pendingAt, enabled }) => pendingAt === cpu && enabled)
      .sort((a, b) => a.priority - b.priority || a.lpi - b.lpi);
  }

  #checkHighestPending(cpu: number): void {
    const [best] = this.#candidates(cpu);
    const reported = this.machine.highestPending(cpu);
    if (reported && reported.intid >= FIRST_LPI) {
      expect(reported).toEqual(best && { intid: best.lpi, priority: best.priority, group: 1 });
    } else if (best) {
      expect(reported?.priority, `LPI ${best.lpi} of PE ${cpu} is pending`).toBeLessThanOrEqual(
        best.priority,
      );
    }
  }

  /** Sections 1.3 and 1.5: 5 bits of priority, all of which preempt. */
  #checkOutputs(cpu: number): void {
    const reported = this.machine.highestPending(cpu);
    const running = this.#active[cpu]?.at(-1)?.running ?? 0xff;
    const signalled =
      reported !== undefined &&
      reported.priority < (this.#priorityMasks[cpu] as number) &&
      (reported.priority & 0xf8) < running;
    expect(this.machine.irq(cpu), `IRQ of PE ${cpu}`).toBe(signalled);
    expect(this.machine.fiq(cpu), `FIQ of PE ${cpu}`).toBe(false);
  }

  #activeLevels(cpu: number): number {
    let count = 0;
    for (let word = this.board.icc(cpu, 'AP1R0') >>> 0; word !== 0; word = (word & (word - 1)) >>> 0) count++;
    return count;
  }

  #event(a: number): Event {
    return this.events[a % this.events.length] as Event;
  }

  #isDeviceMapped({ its, deviceId }: Event): boolean {
    return this.#mappedDevices.has(`${its.number}:${deviceId}`);
  }

  #collectionsOf(its: Its): number[] {
    return this.#collections[its.number] as number[];
  }

  #cpuOf({ its, icid }: Event): number {
    return this.#collectionsOf(its)[icid] as number;
  }
}

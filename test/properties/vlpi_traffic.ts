import { expect } from 'vitest';
import type { Machine, MachineOptions } from '../../bindings/index.ts';
import { expectConserved } from '../support/conservation.ts';
import { VPENDBASER, type Vpe, VpeDriver, vmcr } from '../support/vpe_driver.ts';
import type { VlpiAction } from './vlpi_action.ts';
import { VlpiLedger } from './vlpi_ledger.ts';

const CPUS = 8;
const ITSES = 2;
const VPES = 16;
/** vPEs of one VM share its configuration table. */
const VPES_OF_VM = 4;
const DEVICE = 3;
const EVENTS = 32;
const FIRST_LPI = 8192;
const SPURIOUS = 1023;
/** VLPIs of each vPE: few, so that events meet each other. */
const VLPIS = 24;
const DOORBELL = 9000;
const PHYSICAL = 10_000;

/** The machine that `VlpiTraffic` is for. */
export const vlpiMachine: MachineOptions = {
  architecture: 'GICv4.0',
  cpus: CPUS,
  itsCount: ITSES,
  intidBits: 14,
  ram: { base: 0x8000_0000, size: 0x40_0000 },
};

type Mapping =
  | { readonly kind: 'virtual'; readonly vpe: number; readonly vIntid: number; readonly doorbell: number }
  | { readonly kind: 'physical'; readonly intid: number; readonly cpu: number };

/** What the architecture says of a vPE. */
interface VpeState {
  readonly tables: Vpe;
  cpu: number;
  mapped: boolean;
  resident: boolean;
  readonly pending: Set<number>;
  /** Acknowledged and not ended: innermost last. */
  readonly active: { vIntid: number; priority: number }[];
  priorityMask: number;
  groups: number;
}

/** Software of a machine and, beside it, what has to come of what it does. All of it is legal. */
export class VlpiTraffic {
  readonly driver: VpeDriver;
  readonly #vpes: VpeState[];
  /** Configuration of each VM's VLPIs. */
  readonly #configuration: { priority: number; enabled: boolean }[][];
  readonly #mappings: (Mapping | undefined)[][];
  /** Pending LPIs of each PE: doorbells, and LPIs of events. */
  readonly #physical: Set<number>[] = Array.from({ length: CPUS }, () => new Set());
  readonly #ledger = new VlpiLedger();
  #sequence = 0;

  constructor(machine: Machine) {
    const driver = new VpeDriver(machine, { queuePages: 1 });
    this.driver = driver;
    driver.start();
    driver.machine.writeMemory(driver.configTable, new Uint8Array(8192).fill(0xa3));
    for (let its = 0; its < ITSES; its++) {
      driver.mapd(DEVICE, Math.log2(EVENTS), its);
      for (let cpu = 0; cpu < CPUS; cpu++) driver.mapc(cpu, cpu, its);
    }
    const vms = VPES / VPES_OF_VM;
    const configTables = Array.from({ length: vms }, () => driver.allocate(8192, 0x1000));
    this.#configuration = configTables.map(() =>
      Array.from({ length: VLPIS }, () => ({ priority: 0, enabled: false })),
    );
    this.#vpes = Array.from({ length: VPES }, (_, id) => ({
      tables: driver.mapVpe(id, { cpu: id % CPUS, size: 13, configTable: configTables[id >> 2]! }),
      cpu: id % CPUS,
      mapped: true,
      resident: false,
      pending: new Set<number>(),
      active: [],
      priorityMask: 0xf8,
      groups: 2,
    }));
    for (let vm = 0; vm < vms; vm++) {
      for (let n = 0; n < VLPIS; n++) this.#setConfiguration(vm, n, ((n * 5) % 31) * 8, n % 6 !== 0);
    }
    this.#mappings = Array.from({ length: ITSES }, () => Array.from({ length: EVENTS }));
    for (let its = 0; its < ITSES; its++) for (let n = 0; n < EVENTS; n++) this.#map(its, n, n * 7 + its, n);
    for (const vpe of this.#vpes.slice(0, CPUS)) this.#scheduleIn(vpe, true);
  }

  /** Does one thing, and checks at once what can be seen of it. */
  act({ kind, a, b, c }: VlpiAction): void {
    const its = a % ITSES;
    const event = b % EVENTS;
    const mapping = this.#mappings[its]![event];
    const vpe = this.#vpes[a % VPES]!;
    const cpu = a % CPUS;
    const resident = this.#residentAt(cpu);
    switch (kind) {
      case 'msi':
        return this.#event('msi', its, event);
      case 'int':
        return this.#event('int', its, event);
      case 'clear':
        if (!mapping || !this.#reachable(mapping)) return;
        this.driver.clear(DEVICE, event, its);
        return this.#clear(mapping);
      case 'discard':
        return this.#discard(its, event);
      case 'map':
        this.#discard(its, event);
        return this.#map(its, event, c, a + b);
      case 'moveEvent':
        return this.#moveEvent(its, event, this.#vpes[c % VPES]!, a);
      case 'moveVpe':
        return this.#moveVpe(vpe, b % CPUS, c % ITSES);
      case 'unmapVpe':
        if (vpe.resident || !vpe.mapped) return;
        for (let n = 0; n < ITSES; n++) this.driver.unmapVpe(vpe.tables, n);
        vpe.mapped = false;
        return;
      case 'mapVpe':
        if (vpe.mapped) return;
        for (let n = 0; n < ITSES; n++) this.driver.vmapp(vpe.tables, b % CPUS, n);
        vpe.mapped = true;
        vpe.cpu = b % CPUS;
        return;
      case 'scheduleIn':
        return this.#scheduleIn(vpe, c % 2 === 0);
      case 'scheduleOut':
        return resident && this.#scheduleOut(resident);
      case 'acknowledge':
        return resident && this.#acknowledge(resident);
      case 'end':
        return resident && this.#end(resident);
      case 'mask':
        if (!resident) return;
        resident.priorityMask = (b % 32) * 8;
        return this.driver.setGuest(cpu, 'PMR', resident.priorityMask);
      case 'enableGroup':
        if (!resident) return;
        resident.groups = c % 3 === 0 ? 0 : 2;
        return this.driver.setGuest(cpu, 'IGRPEN1', resident.groups >> 1);
      case 'configure':
        return this.#setConfiguration((a % VPES) >> 2, b % VLPIS, (c % 31) * 8, c % 5 !== 0);
      case 'takePhysical':
        expect(new Set(this.driver.takeAll(cpu))).toEqual(this.#physical[cpu]);
        return this.#physical[cpu]!.clear();
    }
  }

  /** Compares everything that the machine shows with what has to be. */
  check(): void {
    const { driver } = this;
    const holders = new Map<number, number>();
    for (let cpu = 0; cpu < CPUS; cpu++) {
      const value = driver.vpendbaser(cpu);
      if (value & VPENDBASER.VALID) {
        const vpt = Number(value & 0x000f_ffff_ffff_0000n);
        expect([vpt, holders.get(vpt)]).toEqual([vpt, undefined]);
        holders.set(vpt, cpu);
      }
      expect([cpu, driver.machine.checkLpiIndex(cpu)]).toEqual([cpu, 0]);
      expect([cpu, driver.virq(cpu)]).toEqual([cpu, this.#signalled(this.#residentAt(cpu)) !== undefined]);
    }
    for (const vpe of this.#vpes) {
      expect(holders.get(vpe.tables.vpt)).toBe(vpe.resident ? vpe.cpu : undefined);
      const bits = driver.machine.read(vpe.tables.vpt + FIRST_LPI / 8, 8);
      const expected = [...vpe.pending].reduce((sum, vIntid) => sum | (1n << BigInt(vIntid - FIRST_LPI)), 0n);
      expect([vpe.tables.id, bits]).toEqual([vpe.tables.id, expected]);
      for (let its = 0; its < ITSES; its++) {
        expect(driver.machine.vpeEntry(its, vpe.tables.id)?.cpu).toBe(vpe.mapped ? vpe.cpu : undefined);
      }
    }
    this.#ledger.checkCounters(driver.machine.counters());
    expectConserved(driver.machine.counters(), {
      lpis: this.#physical.reduce((sum, { size }) => sum + size, 0),
      vlpis: this.#vpes.reduce((sum, { pending }) => sum + pending.size, 0),
    });
  }

  /** Lets every guest take all it has, and checks that every VLPI that was made pending ended once. */
  drain(): void {
    for (let vm = 0; vm < VPES / VPES_OF_VM; vm++) {
      for (let n = 0; n < VLPIS; n++) this.#setConfiguration(vm, n, 8 * n, true);
    }
    for (const vpe of this.#vpes) {
      if (!vpe.mapped) this.act({ kind: 'mapVpe', a: vpe.tables.id, b: 0, c: 0 });
      this.#scheduleIn(vpe, true);
      vpe.priorityMask = 0xf8;
      vpe.groups = 2;
      this.#restore(vpe);
      while (vpe.active.length > 0) this.#end(vpe);
      while (vpe.pending.size > 0) {
        this.#acknowledge(vpe);
        this.#end(vpe);
      }
      this.#acknowledge(vpe);
      this.#scheduleOut(vpe);
    }
    this.check();
    this.#ledger.checkEnds();
    for (const vpe of this.#vpes) expect(this.driver.pendingVlpis(vpe.tables)).toEqual([]);
    expect(this.driver.machine.counters().commandErrors).toBe(0);
  }

  #residentAt(cpu: number): VpeState | undefined {
    return this.#vpes.find((vpe) => vpe.resident && vpe.cpu === cpu);
  }

  #reachable(mapping: Mapping): boolean {
    return mapping.kind === 'physical' || this.#vpes[mapping.vpe]!.mapped;
  }

  #event(source: 'msi' | 'int', its: number, event: number): void {
    const mapping = this.#mappings[its]![event];
    // An INT of an event without a mapping or a vPE would be a command error.
    if (source === 'int' && !(mapping && this.#reachable(mapping))) return;
    const expected = this.#outcome(mapping);
    const counted = expected === 'pending' || expected === 'coalesced' ? expected : 'dropped';
    this.#ledger[source][counted]++;
    if (source === 'int') this.driver.int(DEVICE, event, its);
    else expect(this.driver.machine.sendMsi(DEVICE, event, its)).toBe(expected);
  }

  #outcome(mapping: Mapping | undefined): string {
    if (!mapping) return 'event-unmapped';
    if (mapping.kind === 'physical') return this.#makeLpiPending(mapping.intid, mapping.cpu);
    const vpe = this.#vpes[mapping.vpe]!;
    return vpe.mapped ? this.#makePending(vpe, mapping.vIntid, mapping.doorbell) : 'vpe-unmapped';
  }

  #makeLpiPending(intid: number, cpu: number): 'pending' | 'coalesced' {
    const coalesced = this.#physical[cpu]!.has(intid);
    this.#physical[cpu]!.add(intid);
    return coalesced ? 'coalesced' : 'pending';
  }

  #makePending(
    vpe: VpeState,
    vIntid: number,
    doorbell: number,
    { moves = false } = {},
  ): 'pending' | 'coalesced' {
    if (vpe.pending.has(vIntid)) return 'coalesced';
    vpe.pending.add(vIntid);
    this.#ledger.made(vpe.tables.id, vIntid);
    if (!moves) this.#ledger.vlpis[vpe.resident ? 'direct' : 'waiting']++;
    if (!vpe.resident && doorbell !== SPURIOUS) {
      const rang = this.#makeLpiPending(doorbell, vpe.cpu) === 'pending';
      this.#ledger.doorbells[rang ? 'rung' : 'coalesced']++;
    }
    return 'pending';
  }

  /** An end of a VLPI's pending state without the guest. */
  #withdraw(vpe: VpeState, vIntid: number): boolean {
    if (!vpe.pending.delete(vIntid)) return false;
    this.#ledger.ended(vpe.tables.id, vIntid);
    return true;
  }

  #clear(mapping: Mapping): void {
    if (mapping.kind === 'physical') this.#physical[mapping.cpu]!.delete(mapping.intid);
    else this.#withdraw(this.#vpes[mapping.vpe]!, mapping.vIntid);
  }

  #discard(its: number, event: number): void {
    const mapping = this.#mappings[its]![event];
    if (!mapping) return;
    this.driver.discard(DEVICE, event, its);
    if (this.#reachable(mapping)) this.#clear(mapping);
    this.#mappings[its]![event] = undefined;
  }

  /** Maps an event that is not mapped: most to a VLPI, some to an LPI of its own. */
  #map(its: number, event: number, vpeId: number, choice: number): void {
    if (choice % 8 === 7) {
      const mapping = {
        kind: 'physical',
        intid: PHYSICAL + its * EVENTS + event,
        cpu: vpeId % CPUS,
      } as const;
      this.driver.mapti(DEVICE, event, mapping.intid, mapping.cpu, its);
      this.#mappings[its]![event] = mapping;
      return;
    }
    const vpe = vpeId % VPES;
    const vIntid = FIRST_LPI + ((choice * 11) % VLPIS);
    const doorbell = choice % 5 === 0 ? SPURIOUS : DOORBELL + (choice % 6);
    this.driver.vmapti(DEVICE, event, this.#vpes[vpe]!.tables, vIntid, doorbell, its);
    this.#mappings[its]![event] = { kind: 'virtual', vpe, vIntid, doorbell };
  }

  #moveEvent(its: number, event: number, to: VpeState, choice: number): void {
    const mapping = this.#mappings[its]![event];
    if (mapping?.kind !== 'virtual' || !this.#reachable(mapping) || !to.mapped) return;
    const from = this.#vpes[mapping.vpe]!;
    const replaced = choice % 3 === 0 ? undefined : choice % 3 === 1 ? SPURIOUS : DOORBELL + (choice % 6);
    const doorbell = replaced ?? mapping.doorbell;
    this.driver.vmovi(DEVICE, event, to.tables, replaced, its);
    this.#mappings[its]![event] = { ...mapping, vpe: to.tables.id, doorbell };
    if (from !== to && this.#withdraw(from, mapping.vIntid)) {
      this.#makePending(to, mapping.vIntid, doorbell, { moves: true });
    }
  }

  #moveVpe(vpe: VpeState, cpu: number, first: number): void {
    if (vpe.resident || !vpe.mapped) return;
    const { driver } = this;
    if (driver.config.vmovpOnAnyIts) {
      driver.vmovp(vpe.tables, cpu, first);
    } else {
      const together = { sequence: this.#sequence++ & 0xffff, list: 2 ** ITSES - 1 };
      for (let n = 0; n < ITSES; n++) driver.vmovp(vpe.tables, cpu, (first + n) % ITSES, together);
    }
    vpe.cpu = cpu;
  }

  /** The hypervisor switches PE `vpe.cpu` to this vPE. */
  #scheduleIn(vpe: VpeState, idai: boolean): void {
    if (vpe.resident || !vpe.mapped) return;
    const previous = this.#residentAt(vpe.cpu);
    if (previous) this.#scheduleOut(previous);
    vpe.resident = true;
    this.#ledger.residency.scheduledIn++;
    this.driver.openGuest(vpe.cpu);
    this.#restore(vpe);
    this.driver.scheduleIn(vpe.cpu, vpe.tables, { idai });
  }

  /** ICH_VMCR_EL2 and ICH_AP1R0_EL2 as the vPE left them. */
  #restore({ cpu, priorityMask, groups, active }: VpeState): void {
    this.driver.setIch(cpu, 'VMCR', vmcr({ priorityMask, groups }));
    this.driver.setIch(
      cpu,
      'AP1R0',
      active.reduce((sum, { priority }) => sum + 2 ** (priority >> 3), 0),
    );
  }

  #scheduleOut(vpe: VpeState): void {
    const pendingLast = [...vpe.pending].some((vIntid) => this.#config(vpe, vIntid).enabled);
    expect([vpe.tables.id, this.driver.scheduleOut(vpe.cpu)]).toEqual([vpe.tables.id, pendingLast]);
    vpe.resident = false;
    this.#ledger.residency.scheduledOut++;
    this.driver.setIch(vpe.cpu, 'AP1R0', 0);
  }

  #acknowledge(vpe: VpeState): void {
    const best = this.#signalled(vpe);
    expect([vpe.tables.id, this.driver.guest(vpe.cpu, 'IAR1')]).toEqual([
      vpe.tables.id,
      best?.vIntid ?? SPURIOUS,
    ]);
    if (!best) {
      this.#ledger.spurious++;
      return;
    }
    this.#ledger.acknowledged++;
    this.#withdraw(vpe, best.vIntid);
    vpe.active.push(best);
  }

  #end(vpe: VpeState): void {
    const innermost = vpe.active.pop();
    if (innermost) this.driver.setGuest(vpe.cpu, 'EOIR1', innermost.vIntid);
  }

  /** What the guest would acknowledge now: sections 1.3 and 8.9; ties go to the lowest INTID. */
  #signalled(vpe: VpeState | undefined): { vIntid: number; priority: number } | undefined {
    if (!vpe || vpe.groups === 0) return undefined;
    const candidates = [...vpe.pending]
      .map((vIntid) => ({ vIntid, ...this.#config(vpe, vIntid) }))
      .filter(({ enabled }) => enabled)
      .sort((x, y) => x.priority - y.priority || x.vIntid - y.vIntid);
    const best = candidates[0];
    const running = vpe.active.at(-1)?.priority ?? 0xff;
    return best && best.priority < vpe.priorityMask && best.priority < running ? best : undefined;
  }

  #config(vpe: VpeState, vIntid: number): { priority: number; enabled: boolean } {
    return this.#configuration[vpe.tables.id >> 2]![vIntid - FIRST_LPI]!;
  }

  /** Changes a VLPI of a VM: the byte, then VINVALL of each of its vPEs that are mapped. */
  #setConfiguration(vm: number, n: number, priority: number, enabled: boolean): void {
    const vpes = this.#vpes.slice(vm * VPES_OF_VM, (vm + 1) * VPES_OF_VM);
    this.driver.setVirtualConfig(vpes[0]!.tables, FIRST_LPI + n, priority, enabled);
    this.#configuration[vm]![n] = { priority, enabled };
    for (const vpe of vpes) if (vpe.mapped) this.driver.vinvall(vpe.tables, n % ITSES);
  }
}

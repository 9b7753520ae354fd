import type { CounterValues } from '../../../bindings/counters.ts';
import type { GicHardware, MachineConfig, MsiOutcome, VirtualOutputs } from '../../../bindings/index.ts';
import type { InterruptEntry, VpeEntry } from '../../../bindings/table_entries.ts';
import { Driver } from '../../support/driver.ts';
import { type MemoryPlaces, observe, observeMappings, observePendingTables } from './observation.ts';

/** What both models offer. */
export interface Model extends GicHardware {
  sendMsi(deviceId: number, eventId: number, its?: number): MsiOutcome;
  virtualOutputs(cpu: number): VirtualOutputs;
  /** Executes up to `commands` queued commands. */
  stepIts(its: number, commands: number): number;
  counters(): CounterValues;
  interruptEntry(its: number, deviceId: number, eventId: number): InterruptEntry | undefined;
  vpeEntry(its: number, vpeId: number): VpeEntry | undefined;
  readonly counter: bigint;
  advanceCounter(ticks: bigint): void;
  nextTimerDeadline(): bigint | undefined;
}

export type TableKind = 'devices' | 'collections' | 'vpes';

/** Where an ITS's tables can be put. Each place only ever holds one kind of entries: their format is the model's own. */
export interface TablePlaces {
  readonly flat: number;
  readonly level1: number;
  /** Pages for level 2, of any size up to 64 KiB. */
  readonly level2: readonly number[];
}

export type Group = 0 | 1;

const PAGE = 0x1_0000;
const SPURIOUS = 1023;
/** Beyond every RAM window of these tests. */
export const NOWHERE = 0xf_0000_0000;
/** Slots of the driver's command queue. */
export const QUEUE_SLOTS = 128;

/** EventID bits that an ITT has room for. */
export const ITT_BITS = 14;
/** ITTs of each ITS. */
export const ITTS = 4;
/** vPEs that traffic is about. */
export const VPES = 4;
/** VMs, each with a configuration table. */
export const VMS = 2;
/** Doorbells: LPIs that no event is mapped to. */
export const FIRST_DOORBELL = 8208;

/** The kinds of tables that traffic moves about: GICv3 has no vPE tables, and those of GICv4.1 stay where they are. */
export function tableKindsOf({ architecture }: MachineConfig): readonly TableKind[] {
  return architecture === 'GICv4.0' ? ['devices', 'collections', 'vpes'] : ['devices', 'collections'];
}

/** An interrupt that software has taken. */
interface Taken {
  readonly intid: number;
  readonly group: Group;
}

/** One of the two models with the software that drives it. Both sides have everything at the same addresses. */
export class Side extends Driver {
  readonly model: Model;
  readonly tableKinds: readonly TableKind[];
  /** A second configuration table, and a second pending table for each PE. */
  readonly otherConfigTable: number;
  readonly otherPendingTables: readonly number[];
  /** Two virtual pending tables for each vPE; none in GICv3, as the tables below. */
  readonly vpts: readonly (readonly [number, number])[];
  /** Configuration tables of VMs. */
  readonly vmTables: readonly number[];
  /** vPE Configuration tables, for as many groups of PEs as there can be. */
  readonly vpeTables: readonly number[];
  /** What each PE has acknowledged and not ended, the last one at the end; and ended, but maybe not deactivated. */
  readonly #acknowledged: Taken[][];
  readonly #ended: number[][];
  readonly #guestAcknowledged: Taken[][];
  readonly #guestEnded: number[][];
  readonly #tables: readonly Readonly<Partial<Record<TableKind, TablePlaces>>>[];
  readonly #itts: readonly number[];
  readonly #places: MemoryPlaces;

  constructor(model: Model, config: MachineConfig) {
    super(model, config, { queuePages: 1 });
    this.model = model;
    this.tableKinds = tableKindsOf(config);
    this.#acknowledged = config.affinities.map(() => []);
    this.#ended = config.affinities.map(() => []);
    this.#guestAcknowledged = config.affinities.map(() => []);
    this.#guestEnded = config.affinities.map(() => []);
    const intids = 2 ** config.intidBits;
    this.otherConfigTable = this.allocate(intids, PAGE);
    this.otherPendingTables = config.affinities.map(() => this.allocate(intids / 8, PAGE));
    const places = (): TablePlaces => ({
      flat: this.allocate(PAGE, PAGE),
      level1: this.allocate(PAGE, PAGE),
      level2: [0, 1, 2].map(() => this.allocate(PAGE, PAGE)),
    });
    const itses = Array.from({ length: config.itsCount }, (_, its) => its);
    const kinds: readonly TableKind[] = ['devices', 'collections', 'vpes'];
    this.#tables = itses.map(() => Object.fromEntries(kinds.map((kind) => [kind, places()])));
    this.#itts = itses.map(() => this.allocate(ITTS * 8 * 2 ** ITT_BITS, PAGE));
    const [vpes, vms] = this.hasVirtualLpis ? [VPES, VMS] : [0, 0];
    const vpt = (): number => this.allocate(Math.max(intids / 8, PAGE), PAGE);
    this.vpts = Array.from({ length: vpes }, () => [vpt(), vpt()]);
    this.vmTables = Array.from({ length: vms }, () => this.allocate(intids, PAGE));
    const groups = config.architecture === 'GICv4.1' ? config.cpus : 0;
    this.vpeTables = Array.from({ length: groups }, () => this.allocate(PAGE, PAGE));
    this.#places = {
      pendingTables: config.affinities.flatMap((_, cpu) =>
        this.hasLpis ? [this.pendingTable(cpu), this.otherPendingTables[cpu]!] : [],
      ),
      vpts: this.vpts.flat(),
    };
  }

  tables(its: number, kind: TableKind): TablePlaces {
    return this.#tables[its]![kind]!;
  }

  /** Address of ITT `n` of an ITS. */
  itt(its: number, n: number): number {
    return this.#itts[its]! + n * 8 * 2 ** ITT_BITS;
  }

  /** Address of a register in a PE's VLPI_base frame. */
  gicrVlpi(cpu: number, offset: number): number {
    return this.gicr(cpu, 0x2_0000 + offset);
  }

  /** Reads ICC_IAR0_EL1 or ICC_IAR1_EL1. */
  acknowledge(cpu: number, group: Group): number {
    const intid = Number(this.model.readSystemRegister(cpu, `ICC_IAR${group}_EL1`));
    if (intid !== SPURIOUS) this.#acknowledged[cpu]!.push({ intid, group });
    return intid;
  }

  /** Writes ICC_EOIR0_EL1 or ICC_EOIR1_EL1 for what was acknowledged last; which INTID that was. */
  end(cpu: number): number {
    const last = this.#acknowledged[cpu]!.pop();
    if (!last) return SPURIOUS;
    this.model.writeSystemRegister(cpu, `ICC_EOIR${last.group}_EL1`, last.intid);
    this.#ended[cpu]!.push(last.intid);
    return last.intid;
  }

  /** Writes ICC_DIR_EL1 for what was ended last, as software has to in EOImode 1. */
  deactivate(cpu: number): number {
    const intid = this.#ended[cpu]!.pop() ?? SPURIOUS;
    this.model.writeSystemRegister(cpu, 'ICC_DIR_EL1', intid);
    return intid;
  }

  /** A guest's acknowledge. */
  guestAcknowledge(cpu: number, group: Group): number {
    const intid = Number(this.model.readSystemRegister(cpu, `ICV_IAR${group}_EL1`));
    if (intid !== SPURIOUS) this.#guestAcknowledged[cpu]!.push({ intid, group });
    return intid;
  }

  guestEnd(cpu: number): number {
    const last = this.#guestAcknowledged[cpu]!.pop();
    if (!last) return SPURIOUS;
    this.model.writeSystemRegister(cpu, `ICV_EOIR${last.group}_EL1`, last.intid);
    this.#guestEnded[cpu]!.push(last.intid);
    return last.intid;
  }

  guestDeactivate(cpu: number): number {
    const intid = this.#guestEnded[cpu]!.pop() ?? SPURIOUS;
    this.model.writeSystemRegister(cpu, 'ICV_DIR_EL1', intid);
    return intid;
  }

  get hasLpis(): boolean {
    return this.config.intidBits >= 14;
  }

  get hasVirtualLpis(): boolean {
    return this.hasLpis && this.config.architecture !== 'GICv3';
  }

  /** The tables whose content is compared. */
  get places(): MemoryPlaces {
    return this.#places;
  }

  /** What is compared after every step. */
  observe(): string[] {
    return observe(this.model, this.config, this.#places);
  }

  /** What is compared at the end: the pending tables as a whole, and what events and vPEs are mapped to. */
  observeTables(): string[] {
    return [
      ...observePendingTables(this.model, this.#places, 2 ** this.config.intidBits / 8),
      ...observeMappings(this.model, this.config),
    ];
  }
}

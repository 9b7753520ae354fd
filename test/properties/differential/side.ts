import type { GicHardware, MachineConfig } from '../../../bindings/index.ts';
import { Driver } from '../../support/driver.ts';

/** What both models offer. */
export interface Model extends GicHardware {
  /** Executes up to `commands` queued commands. */
  stepIts(its: number, commands: number): number;
}

export type TableKind = 'devices' | 'collections';

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
const FIRST_LPI_BYTE = 1024;
/** Bytes of a pending table that hold the LPIs which traffic uses most. */
const WATCHED_BYTES = 8;

/** EventID bits that an ITT has room for. */
export const ITT_BITS = 14;
/** ITTs of each ITS. */
export const ITTS = 4;

/** One of the two models with the software that drives it. Both sides have everything at the same addresses. */
export class Side extends Driver {
  readonly model: Model;
  /** A second configuration table, and a second pending table for each PE. */
  readonly otherConfigTable: number;
  readonly otherPendingTables: readonly number[];
  /** What each PE has acknowledged and not ended, the last one at the end; and ended, but maybe not deactivated. */
  readonly #acknowledged: { intid: number; group: Group }[][];
  readonly #ended: number[][];
  readonly #tables: readonly Readonly<Record<TableKind, TablePlaces>>[];
  readonly #itts: readonly number[];

  constructor(model: Model, config: MachineConfig) {
    super(model, config, { queuePages: 1 });
    this.model = model;
    this.#acknowledged = config.affinities.map(() => []);
    this.#ended = config.affinities.map(() => []);
    const intids = 2 ** config.intidBits;
    this.otherConfigTable = this.allocate(intids, PAGE);
    this.otherPendingTables = config.affinities.map(() => this.allocate(intids / 8, PAGE));
    const places = (): TablePlaces => ({
      flat: this.allocate(PAGE, PAGE),
      level1: this.allocate(PAGE, PAGE),
      level2: [0, 1, 2].map(() => this.allocate(PAGE, PAGE)),
    });
    const itses = Array.from({ length: config.itsCount }, (_, its) => its);
    this.#tables = itses.map(() => ({ devices: places(), collections: places() }));
    this.#itts = itses.map(() => this.allocate(ITTS * 8 * 2 ** ITT_BITS, PAGE));
  }

  tables(its: number, kind: TableKind): TablePlaces {
    return this.#tables[its]![kind];
  }

  /** Address of ITT `n` of an ITS. */
  itt(its: number, n: number): number {
    return this.#itts[its]! + n * 8 * 2 ** ITT_BITS;
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

  get hasLpis(): boolean {
    return this.config.intidBits >= 14;
  }

  /** What is compared after every step: outputs, states, pending LPIs, the ITSs' progress. */
  observe(): string[] {
    const lines: string[] = [];
    for (let cpu = 0; cpu < this.config.cpus; cpu++) {
      const best = this.model.highestPending(cpu);
      const pending = best ? `${best.intid} with priority ${best.priority} in group ${best.group}` : 'none';
      const running = this.model.readSystemRegister(cpu, 'ICC_RPR_EL1');
      const outputs = `irq ${this.model.irq(cpu)}, fiq ${this.model.fiq(cpu)}, running priority ${running}`;
      lines.push(`PE ${cpu}: highest pending ${pending}, ${outputs}`);
      lines.push(`PE ${cpu}: SGIs and PPIs ${this.#states((offset) => this.gicrSgi(cpu, offset))}`);
    }
    lines.push(`SPIs 32 to 63: ${this.#states((offset) => this.gicd(offset + 4))}`);
    if (this.hasLpis) lines.push(...this.#pendingLpis(WATCHED_BYTES));
    for (let its = 0; its < this.config.itsCount; its++) {
      const register = (offset: number): string => this.model.read(this.gits(offset, its), 4).toString(16);
      lines.push(
        `ITS ${its}: CTLR 0x${register(0)}, STATUSR 0x${register(0x40)}, CREADR 0x${register(0x90)}`,
      );
    }
    return lines;
  }

  /** ISPENDR and ISACTIVER. */
  #states(address: (offset: number) => number): string {
    const bits = (offset: number): string => this.model.read(address(offset), 4).toString(16);
    return `pending 0x${bits(0x0200)}, active 0x${bits(0x0300)}`;
  }

  /** The pending tables as a whole. */
  observeTables(): string[] {
    return this.hasLpis ? this.#pendingLpis(2 ** this.config.intidBits / 8 - FIRST_LPI_BYTE) : [];
  }

  #pendingLpis(bytes: number): string[] {
    return this.config.affinities.flatMap((_, cpu) =>
      [this.pendingTable(cpu), this.otherPendingTables[cpu]!].map((table, n) => {
        const lpis: number[] = [];
        this.model.readMemory(table + FIRST_LPI_BYTE, bytes).forEach((byte, at) => {
          for (let bit = 0; byte >> bit; bit++) if ((byte >> bit) & 1) lpis.push(8192 + 8 * at + bit);
        });
        return `PE ${cpu}, pending table ${n}: ${lpis.join(' ') || 'none'}`;
      }),
    );
  }
}

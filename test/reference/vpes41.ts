import type { MachineConfig } from '../../bindings/config.ts';
import { LpiTables, lpiLimit } from './lpi_tables.ts';
import type { Memory } from './memory.ts';
import type { Residency41 } from './residency41.ts';
import { baserShape, load, Table, TableFault } from './table.ts';
import { type ConfiguredVpe, newVsgis, type Vpe, type VpeMapping, type Vpes, type Vsgi } from './vpe.ts';

/** That some ITSs have mapped a vPE, and where its configuration is. */
interface ItsMapping {
  cpu: number;
  readonly itses: Set<number>;
}

/** Bytes at the start of a VPT that an implementation can use as it likes: section 4.2. */
const IMPLEMENTATION_AREA = 1024;

/**
 * GICv4.1: a vPE is described once, in the vPE Configuration table of the redistributors that it can be resident on; an
 * ITS's own table, which can be the same one, tells that the ITS has mapped it (sections 6.15 and 7.6). The format of
 * entries is IMPLEMENTATION DEFINED: they are kept as objects, by the address that the entry would have in RAM.
 */
export class Vpes41 implements Vpes {
  readonly #config: MachineConfig;
  readonly #memory: Memory;
  readonly #tables: readonly Table[];
  readonly #residencies: readonly Residency41[];
  readonly #mappings = new Map<number, ItsMapping>();
  readonly #configurations = new Map<number, ConfiguredVpe>();
  /** vSGIs of vPEs that are not mapped, by the address of the VPT whose implementation area has them. */
  readonly #savedVsgis = new Map<number, Vsgi[]>();

  /** @param basers reads GITS_BASER2 of each ITS */
  constructor(
    config: MachineConfig,
    memory: Memory,
    basers: readonly (() => bigint)[],
    residencies: readonly Residency41[],
  ) {
    this.#config = config;
    this.#memory = memory;
    this.#residencies = residencies;
    this.#tables = basers.map((baser) => new Table(memory, config.vpeIdBits, () => baserShape(baser(), 32)));
  }

  inRange(its: number, vpeId: number): boolean {
    return this.#tables[its]!.inRange(vpeId);
  }

  find(its: number, vpeId: number): ConfiguredVpe | undefined {
    const mapping = this.#mapping(its, vpeId);
    return mapping?.itses.has(its) ? this.configuredIfInRam(mapping.cpu, vpeId) : undefined;
  }

  /** The vPE that a redistributor finds in its table. */
  configured(cpu: number, vpeId: number): ConfiguredVpe | undefined {
    const entry = this.#entry(this.#residencies[cpu]!.vpeTable, vpeId);
    return entry === undefined ? undefined : this.#configurations.get(entry);
  }

  /** As `configured`; a redistributor whose table is outside RAM knows no vPE. */
  configuredIfInRam(cpu: number, vpeId: number): ConfiguredVpe | undefined {
    try {
      return this.configured(cpu, vpeId);
    } catch (problem) {
      if (problem instanceof TableFault) return undefined;
      throw problem;
    }
  }

  map(its: number, vpeId: number, mapping: VpeMapping): boolean {
    const own = this.#entry(this.#tables[its]!, vpeId);
    const shared = this.#entry(this.#residencies[mapping.cpu]!.vpeTable, vpeId);
    if (own === undefined || shared === undefined) return false;
    if (own !== shared) this.#overwrite(own);
    // Alloc=0 of a vPE that is not allocated is UNPREDICTABLE: it is allocated. Of one that this ITS has mapped already,
    // what differs from the first VMAPP does not count, unless it names a PE of another group, which knows the vPEID too:
    // the mapping is overwritten, as it is where VMAPP comes again (section 9.3).
    if (mapping.alloc || !this.#configurations.has(shared)) {
      this.#release(mapping.cpu, vpeId);
      this.#mappings.delete(shared);
    } else if (this.find(its, vpeId) === this.#configurations.get(shared)) return true;
    let vpe = this.#configurations.get(shared);
    if (!vpe) {
      vpe = this.#configure(mapping);
      this.#configurations.set(shared, vpe);
    }
    const itses = this.#mappings.get(own)?.itses ?? new Set();
    this.#mappings.set(own, { cpu: vpe.cpu, itses: itses.add(its) });
    return true;
  }

  /** An ITS's entry that is also a group's has room for one mapping: what the group knows by it is over. */
  #overwrite(entry: number): void {
    const vpe = this.#configurations.get(entry);
    if (!vpe) return;
    this.#configurations.delete(entry);
    vpe.residence?.lose();
    this.#save(vpe);
  }

  unmap(its: number, vpeId: number, alloc: boolean): void {
    const mapping = this.#mapping(its, vpeId);
    if (!mapping?.itses.has(its)) return;
    if (!alloc) mapping.itses.delete(its);
    else this.#save(this.#release(mapping.cpu, vpeId));
  }

  canMove(vpeId: number, cpu: number): boolean {
    return this.#entry(this.#residencies[cpu]!.vpeTable, vpeId) !== undefined;
  }

  /** To another group the vPE takes along all that is known of it, also where it is resident. */
  move(itses: readonly number[], vpeId: number, cpu: number, doorbell: number | undefined): void {
    const mappings = itses
      .map((its) => (this.find(its, vpeId) ? this.#mapping(its, vpeId) : undefined))
      .filter((mapping) => mapping !== undefined);
    for (const mapping of mappings) {
      const from = this.#entry(this.#residencies[mapping.cpu]!.vpeTable, vpeId)!;
      const to = this.#entry(this.#residencies[cpu]!.vpeTable, vpeId)!;
      const vpe = this.#configurations.get(from);
      mapping.cpu = cpu;
      if (!vpe) continue;
      this.#configurations.delete(from);
      this.#configurations.set(to, vpe);
      vpe.cpu = cpu;
      if (doorbell !== undefined) vpe.defaultDoorbell = doorbell;
    }
  }

  residence(vpe: Vpe): Residency41 | undefined {
    return (vpe as ConfiguredVpe).residence;
  }

  #configure(mapping: VpeMapping): ConfiguredVpe {
    const { cpu, vpt, size, configTable, defaultDoorbell, pendingTableZero } = mapping;
    const zero = pendingTableZero && this.#config.policy.pendingTableZero === 'honour';
    if (zero) {
      const limit = lpiLimit(Math.min(size + 1, this.#config.intidBits));
      new LpiTables(this.#memory, { pendingTable: vpt, configTable, limit }).clearTable();
    }
    if (zero) this.#savedVsgis.delete(vpt);
    const vsgis = structuredClone(this.#savedVsgis.get(vpt)) ?? newVsgis();
    return { cpu, vpt, size, configTable, defaultDoorbell, vsgis, residence: undefined, request: undefined };
  }

  /** The vPE that a redistributor knows is unmapped everywhere; from ITSs also where it knows none. */
  #release(cpu: number, vpeId: number): ConfiguredVpe | undefined {
    this.#forgetMappings(vpeId);
    const entry = this.#entry(this.#residencies[cpu]!.vpeTable, vpeId);
    const vpe = entry === undefined ? undefined : this.#configurations.get(entry);
    if (entry === undefined || !vpe) return undefined;
    this.#mappings.delete(entry);
    this.#configurations.delete(entry);
    vpe.residence?.lose();
    return vpe;
  }

  #forgetMappings(vpeId: number): void {
    for (const table of this.#tables) {
      const entry = this.#entry(table, vpeId);
      if (entry !== undefined) this.#mappings.delete(entry);
    }
  }

  /** The VPT of a vPE that was unmapped is software's from now on: it has all that is known of it. */
  #save(vpe: ConfiguredVpe | undefined): void {
    if (vpe && this.#memory.contains(vpe.vpt, IMPLEMENTATION_AREA)) this.#savedVsgis.set(vpe.vpt, vpe.vsgis);
  }

  #mapping(its: number, vpeId: number): ItsMapping | undefined {
    const entry = this.#entry(this.#tables[its]!, vpeId);
    return entry === undefined ? undefined : this.#mappings.get(entry);
  }

  #entry(table: Table, vpeId: number): number | undefined {
    const address = table.locate(vpeId);
    if (address !== undefined) load(this.#memory, address);
    return address;
  }
}

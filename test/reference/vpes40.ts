import type { MachineConfig } from '../../bindings/config.ts';
import type { Memory } from './memory.ts';
import type { Residency } from './residency.ts';
import type { Residency40 } from './residency40.ts';
import { baserShape, load, Table } from './table.ts';
import type { Vpe, VpeMapping, Vpes } from './vpe.ts';

/**
 * GICv4.0: each ITS has a vPE table of its own (section 7.1). The format of its entries is IMPLEMENTATION DEFINED: they
 * are kept as objects, by the address that the entry would have in RAM.
 */
export class Vpes40 implements Vpes {
  readonly #memory: Memory;
  readonly #tables: readonly Table[];
  readonly #residencies: readonly Residency40[];
  readonly #entries = new Map<number, Vpe>();

  /** @param basers reads GITS_BASER2 of each ITS */
  constructor(
    config: MachineConfig,
    memory: Memory,
    basers: readonly (() => bigint)[],
    residencies: readonly Residency40[],
  ) {
    this.#memory = memory;
    this.#residencies = residencies;
    this.#tables = basers.map(
      (baser) => new Table(memory, config.vpeIdBits, () => baserShape(baser(), config.tableEntryBytes)),
    );
  }

  inRange(its: number, vpeId: number): boolean {
    return this.#tables[its]!.inRange(vpeId);
  }

  find(its: number, vpeId: number): Vpe | undefined {
    const entry = this.#entry(its, vpeId);
    return entry === undefined ? undefined : this.#entries.get(entry);
  }

  map(its: number, vpeId: number, { cpu, vpt, size }: VpeMapping): boolean {
    const entry = this.#entry(its, vpeId);
    if (entry === undefined) return false;
    this.#entries.set(entry, { cpu, vpt, size });
    return true;
  }

  /** Leaves what is resident where it is: unmapping it is UNPREDICTABLE. */
  unmap(its: number, vpeId: number): void {
    const entry = this.#entry(its, vpeId);
    if (entry !== undefined) this.#entries.delete(entry);
  }

  canMove(): boolean {
    return true;
  }

  move(itses: readonly number[], vpeId: number, cpu: number): void {
    for (const its of itses) {
      const vpe = this.find(its, vpeId);
      if (vpe) vpe.cpu = cpu;
    }
  }

  /** Resident elsewhere than on the redistributor that it is mapped to, a vPE counts as not resident. */
  residence({ cpu, vpt }: Vpe): Residency | undefined {
    const residency = this.#residencies[cpu]!;
    return residency.vpt === vpt ? residency : undefined;
  }

  #entry(its: number, vpeId: number): number | undefined {
    const address = this.#tables[its]!.locate(vpeId);
    if (address !== undefined) load(this.#memory, address);
    return address;
  }
}

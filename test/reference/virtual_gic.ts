import type { MachineConfig } from '../../bindings/config.ts';
import type { Counters } from './counters.ts';
import type { VirtualSide } from './event_target.ts';
import type { LpiUnit } from './lpi.ts';
import type { Memory } from './memory.ts';
import type { VirtualRedistributor } from './redistributor.ts';
import type { Residency } from './residency.ts';
import { Residency40 } from './residency40.ts';
import { Residency41 } from './residency41.ts';
import { VlpiDelivery } from './vlpi_delivery.ts';
import type { Vpes } from './vpe.ts';
import { Vpes40 } from './vpes40.ts';
import { Vpes41 } from './vpes41.ts';

/** What vPE tables are read through. */
interface ItsRegisters {
  baser(n: number): bigint;
}

/** What GICv4 adds: who is resident where, which vPEs are mapped, how their interrupts get to them. */
export class VirtualGic {
  readonly #config: MachineConfig;
  readonly #memory: Memory;
  readonly #counters: Counters;
  readonly #residencies: readonly Residency[];
  #side: VirtualSide | undefined;

  constructor(config: MachineConfig, memory: Memory, counters: Counters) {
    this.#config = config;
    this.#memory = memory;
    this.#counters = counters;
    this.#residencies = config.affinities.map((_, cpu) =>
      config.architecture === 'GICv4.0'
        ? new Residency40(config, memory, cpu, counters)
        : new Residency41(config, memory, cpu, counters, (at, vpeId) =>
            (this.side.vpes as Vpes41).configuredIfInRam(at, vpeId),
          ),
    );
  }

  get side(): VirtualSide {
    return this.#side!;
  }

  residency(cpu: number): Residency {
    return this.#residencies[cpu]!;
  }

  redistributor(cpu: number): VirtualRedistributor {
    return { residency: this.residency(cpu), side: () => this.side };
  }

  connect(itses: readonly ItsRegisters[], lpis: readonly LpiUnit[]): void {
    const basers = itses.map((its) => () => its.baser(2));
    const vpes: Vpes =
      this.#config.architecture === 'GICv4.0'
        ? new Vpes40(this.#config, this.#memory, basers, this.#residencies as readonly Residency40[])
        : new Vpes41(this.#config, this.#memory, basers, this.#residencies as readonly Residency41[]);
    const delivery = new VlpiDelivery(this.#config, this.#memory, lpis, vpes, this.#counters);
    this.#side = { vpes, delivery };
  }
}

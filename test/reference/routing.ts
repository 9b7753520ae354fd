import type { MachineConfig } from '../../bindings/config.ts';
import { cpuOfRouter } from './affinity.ts';
import { field } from './bits.ts';
import type { Distributor } from './distributor.ts';

/** What 1-of-N routing asks of the PEs. */
export interface PeStates {
  /** Awake, the group enabled in ICC_IGRPEN<group>, GICR_CTLR.DPG<group> clear. */
  participates(cpu: number, group: 0 | 1): boolean;
  /** Some priority is active. */
  busy(cpu: number): boolean;
}

/** Which PE each SPI goes to: section 2.6. */
export class Routing {
  readonly #config: MachineConfig;
  readonly #distributor: Distributor;
  readonly #pes: PeStates;
  /** The PE of each SPI that waits to be taken, whether GICD_CTLR lets it through or not. */
  readonly #forwarded = new Map<number, number>();

  constructor(config: MachineConfig, distributor: Distributor, pes: PeStates) {
    this.#config = config;
    this.#distributor = distributor;
    this.#pes = pes;
  }

  /** The PE that a waiting SPI is forwarded to; undefined if to none. */
  target(intid: number): number | undefined {
    return this.#forwarded.get(intid);
  }

  /** To be called after everything that can change an SPI or a PE. */
  update(): void {
    for (const [intid, spi] of this.#distributor.spis.entries()) {
      const target = spi.waiting ? this.#route(intid, spi.group) : undefined;
      if (target === undefined) this.#forwarded.delete(intid);
      else this.#forwarded.set(intid, target);
    }
  }

  #route(intid: number, group: 0 | 1): number | undefined {
    const router = this.#distributor.router(intid);
    if (field(router, 31) === 0n) return cpuOfRouter(this.#config, router);
    // Without 1-of-N support the bit can only be set under the policy that it means PE 0.
    return this.#config.oneOfN ? this.#anyPe(this.#forwarded.get(intid), group) : 0;
  }

  /**
   * The choice for a 1-of-N SPI, which the architecture leaves open: the participating PE that has it already, else
   * the lowest-numbered one that is idle, else the lowest-numbered one.
   */
  #anyPe(current: number | undefined, group: 0 | 1): number | undefined {
    const { participates, busy } = this.#pes;
    if (current !== undefined && participates(current, group)) return current;
    const participants = this.#config.affinities
      .map((_, cpu) => cpu)
      .filter((cpu) => participates(cpu, group));
    return participants.find((cpu) => !busy(cpu)) ?? participants[0];
  }
}

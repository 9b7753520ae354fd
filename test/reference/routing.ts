import type { MachineConfig } from '../../bindings/config.ts';
import { cpuOfRouter } from './affinity.ts';
import { field } from './bits.ts';
import type { Distributor } from './distributor.ts';
import type { Interrupt } from './interrupt.ts';

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
  /** The PE of each 1-of-N SPI that waits to be taken, with the PEs that participated when it was chosen. */
  readonly #chosen = new Map<number, { cpu: number | undefined; participants: string }>();

  constructor(config: MachineConfig, distributor: Distributor, pes: PeStates) {
    this.#config = config;
    this.#distributor = distributor;
    this.#pes = pes;
  }

  /** The PE that an SPI is forwarded to; undefined if to none. */
  target(intid: number): number | undefined {
    const router = this.#distributor.router(intid);
    if (field(router, 31) === 0n) return cpuOfRouter(this.#config, router);
    // Without 1-of-N support the bit can only be set under the policy that it means PE 0.
    return this.#config.oneOfN ? this.#chosen.get(intid)?.cpu : 0;
  }

  /**
   * To be called after everything that can change an interrupt or a PE. A 1-of-N SPI keeps its PE from the moment
   * that it becomes a candidate until it is one no more, or until other PEs participate.
   */
  update(): void {
    if (!this.#config.oneOfN) return;
    const participants = [this.#participants(0), this.#participants(1)] as const;
    for (const [intid, spi] of this.#distributor.spis.entries()) {
      if (!this.#isOneOfNCandidate(intid, spi)) {
        this.#chosen.delete(intid);
        continue;
      }
      const group = participants[spi.group];
      const key = `${spi.group}:${group.join()}`;
      if (this.#chosen.get(intid)?.participants === key) continue;
      const cpu = group.find((pe) => !this.#pes.busy(pe)) ?? group[0];
      this.#chosen.set(intid, { cpu, participants: key });
    }
  }

  #isOneOfNCandidate(intid: number, spi: Interrupt): boolean {
    return (
      spi.waiting &&
      this.#distributor.groupEnabled(spi.group) &&
      field(this.#distributor.router(intid), 31) === 1n
    );
  }

  #participants(group: 0 | 1): number[] {
    return this.#config.affinities.map((_, cpu) => cpu).filter((cpu) => this.#pes.participates(cpu, group));
  }
}

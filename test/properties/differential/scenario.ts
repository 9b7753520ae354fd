import type { MachineConfig } from '../../../bindings/index.ts';
import type { Dice } from './dice.ts';
import { GicTraffic } from './gic_traffic.ts';
import { ItsTraffic } from './its_traffic.ts';
import type { Step } from './pair.ts';
import { allRegisters, type Kinds } from './register_steps.ts';
import { VpeTraffic } from './vpe_traffic.ts';

/** Which traffic there is. */
export interface Mix {
  /** Guests, vPEs and timers. */
  readonly virtual: boolean;
}

/** Random traffic on a machine. */
export class Scenario {
  readonly #dice: Dice;
  readonly #gic: GicTraffic;
  readonly #its: ItsTraffic | undefined;
  readonly #vpes: VpeTraffic | undefined;
  readonly #usual: readonly (() => Step)[];
  readonly #disruptive: readonly (() => Step)[];
  /** One in so many steps is disruptive. */
  readonly #disruptions: number;
  readonly #fromReset: boolean;

  constructor(dice: Dice, config: MachineConfig, { virtual }: Mix) {
    this.#dice = dice;
    this.#gic = new GicTraffic(dice, config);
    this.#its = config.itsCount > 0 ? new ItsTraffic(dice, config) : undefined;
    this.#vpes = virtual ? new VpeTraffic(dice, config) : undefined;
    const parts = [this.#gic, this.#its, this.#vpes].filter((part) => part !== undefined);
    this.#usual = weighted(parts.flatMap((part) => part.usual()));
    this.#disruptive = weighted(parts.flatMap((part) => part.disruptive()));
    this.#fromReset = dice.chance(20);
    this.#disruptions = dice.pick([50, 20, 3]);
  }

  /** Most sequences find the machine set up, some find it as it is after reset. */
  begin(): Step[] {
    if (this.#fromReset) return [];
    return [this.#gic.setUp(), ...(this.#its?.setUp() ?? []), ...(this.#vpes?.setUp() ?? [])];
  }

  next(): Step {
    return this.#dice.pick(this.#dice.chance(this.#disruptions) ? this.#disruptive : this.#usual)();
  }

  /** What shows the whole state. */
  end(): Step[] {
    return [
      ...(this.#its?.probe() ?? []),
      { text: 'read all registers', run: allRegisters },
      { text: 'read all pending tables', run: (side) => side.observeTables() },
    ];
  }
}

function weighted(kinds: Kinds): (() => Step)[] {
  return kinds.flatMap(([weight, draw]) => Array<() => Step>(weight).fill(draw));
}

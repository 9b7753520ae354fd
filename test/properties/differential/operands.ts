import type { MachineConfig } from '../../../bindings/index.ts';
import type { Dice } from './dice.ts';
import { FIRST_DOORBELL, type Side, VPES } from './side.ts';

/** Numbers that steps name things by: most of them name what other steps have mapped. */
export class Operands {
  readonly #dice: Dice;
  readonly #config: MachineConfig;

  constructor(dice: Dice, config: MachineConfig) {
    this.#dice = dice;
    this.#config = config;
  }

  its(): number {
    return this.#dice.below(this.#config.itsCount);
  }

  cpu(): number {
    return this.#dice.below(this.#config.cpus);
  }

  deviceId(): number {
    const edge = Math.min(2 ** this.#config.deviceIdBits, 0xffff_ffff);
    // One page of each size, flat, and a page of 4 KiB as level 1.
    const twoLevels = 512 * Math.floor(4096 / this.#config.tableEntryBytes);
    const room = this.#dice.pick([128, 512, 2048, 8192, twoLevels, twoLevels, edge]);
    const odd = this.#dice.pick([3, room - 1, room]);
    return this.#dice.chance(8) ? odd : this.#dice.below(3);
  }

  eventId(): number {
    const edge = Math.min(2 ** this.#config.eventIdBits, 0xffff_ffff);
    const odd = this.#dice.pick([4, 7, 8, 31, 32, 8192, 8193, edge - 1, edge, edge + 1, 0xffff_ffff]);
    return this.#dice.chance(8) ? Math.min(odd, 0xffff_ffff) : this.#dice.below(4);
  }

  icid(): number {
    const edge = 2 ** this.#config.collectionIdBits;
    const odd = this.#dice.pick([3, 4, 127, 128, 254, 255, 512, 2048, 8191, 8192, edge - 1, edge]);
    return this.#dice.chance(6) ? Math.min(odd, 0xffff) : this.#dice.below(3);
  }

  lpi(): number {
    return 8192 + this.#dice.below(10);
  }

  intid(): number {
    const edge = 2 ** this.#config.intidBits;
    const odd = this.#dice.pick([0, 1023, 8191, 8255, 16_383, edge - 1, edge, 0xffff_ffff]);
    return this.#dice.chance(10) ? odd : this.lpi();
  }

  vpeId(): number {
    const edge = 2 ** this.#config.vpeIdBits;
    const odd = this.#dice.pick([4, 127, 128, 2047, 2048, 8191, 8192, edge - 1, edge]);
    return this.#dice.chance(10) ? Math.min(odd, 0xffff) : this.#dice.below(VPES);
  }

  vlpi(): number {
    return 8192 + this.#dice.below(6);
  }

  vIntid(): number {
    const edge = 2 ** this.#config.intidBits;
    const odd = this.#dice.pick([0, 1023, 8191, 8255, 16_383, 16_384, edge - 1, edge, 0xffff_ffff]);
    return this.#dice.chance(10) ? odd : this.vlpi();
  }

  /** LPIs that are no event's, 1023 for none, or what is no LPI. */
  doorbell(): number {
    const edge = 2 ** this.#config.intidBits;
    const odd = this.#dice.pick([0, 1022, 8191, edge - 1, edge, 0xffff_ffff]);
    return this.#dice.pick([1023, this.#dice.chance(12) ? odd : FIRST_DOORBELL + this.#dice.below(3)]);
  }

  /** RDbase of a PE, of none, or an address that is not that of its frame. */
  rdbase(): (side: Side) => bigint {
    const cpu = this.#dice.chance(12) ? this.#config.cpus : this.cpu();
    const beside = this.#dice.chance(12) ? 1n << BigInt(this.#dice.pick([16, 16, 17, 31, 40])) : 0n;
    return (side) => side.rdbase(cpu) ^ beside;
  }
}

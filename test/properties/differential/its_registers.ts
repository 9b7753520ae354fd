import type { MachineConfig } from '../../../bindings/index.ts';
import { commands } from '../../support/driver.ts';
import type { Dice } from './dice.ts';
import { Operands } from './operands.ts';
import type { Step } from './pair.ts';
import { hex, read, write } from './register_steps.ts';
import { NOWHERE, QUEUE_SLOTS, type Side, type TableKind, tableKindsOf } from './side.ts';

const VALID = 1n << 63n;
const INDIRECT = 1n << 62n;
const PAGES_64K = 2n << 8n;
/** GITS_BASER0 to GITS_BASER2. */
const baserOffsets = { devices: 0x0100, collections: 0x0108, vpes: 0x0110 } as const;

/** The registers of ITSs and their tables. */
export class ItsRegisters {
  readonly #dice: Dice;
  readonly #config: MachineConfig;
  readonly #any: Operands;

  constructor(dice: Dice, config: MachineConfig) {
    this.#dice = dice;
    this.#config = config;
    this.#any = new Operands(dice, config);
  }

  writeCwriter(): Step {
    const its = this.#any.its();
    const retry = this.#dice.below(2);
    const offset =
      32 *
      this.#dice.pick([this.#dice.below(QUEUE_SLOTS), this.#dice.below(QUEUE_SLOTS), QUEUE_SLOTS, 0x7fff]);
    if (this.#dice.chance(4)) {
      return write(`GITS${its}_CWRITER, upper half`, (side) => side.gits(0x008c, its), 4, this.#dice.word());
    }
    const size = this.#dice.pick([4, 8] as const);
    return write(`GITS${its}_CWRITER`, (side) => side.gits(0x0088, its), size, offset + retry);
  }

  writeCreadr(): Step {
    const its = this.#any.its();
    const half = this.#dice.pick([0, 0, 4]);
    const offset = 32 * this.#dice.pick([this.#dice.below(QUEUE_SLOTS), QUEUE_SLOTS]) + this.#dice.below(2);
    return write(`GITS${its}_CREADR+${half}`, (side) => side.gits(0x0090 + half, its), 4, offset);
  }

  enable(): Step {
    const its = this.#any.its();
    return write(
      `GITS${its}_CTLR`,
      (side) => side.gits(0, its),
      4,
      this.#dice.pick([1, 1, 1, 0, 0xffff_ffff]),
    );
  }

  newQueue(its: number): Step {
    return {
      text: `ITS ${its} with a new queue`,
      run: (side) => {
        side.disableIts(its);
        side.resetQueue(its);
        side.model.write(side.gits(0, its), 4, 1);
      },
    };
  }

  /** Flat tables and some mappings; without this, little would work after a while. */
  revive(its: number): Step {
    const cpus = [this.#any.cpu(), this.#any.cpu(), this.#any.cpu()];
    return {
      text: `ITS ${its} with flat tables, a new queue, devices 0 to 2, collections 0 to 2 at PEs ${cpus.join(', ')}`,
      run: (side) => {
        side.disableIts(its);
        for (const kind of side.tableKinds) {
          side.model.write(
            side.gits(baserOffsets[kind], its),
            8,
            VALID | BigInt(side.tables(its, kind).flat) | PAGES_64K,
          );
        }
        side.resetQueue(its);
        side.model.write(side.gits(0, its), 4, 1);
        cpus.forEach((cpu, n) => {
          side.command(commands.mapd(n, 2 + n, side.itt(its, n)), its);
          side.mapc(n, cpu, its);
        });
      },
    };
  }

  /** The driver's queue with other sizes and attributes, or none. */
  cbaser(): Step {
    const its = this.#any.its();
    const outside = this.#dice.chance(6);
    const junk = this.#dice.chance(2) ? this.#dice.doubleword() & 0x38e0_0000_0000_fc00n : 0n;
    const valid = this.#dice.chance(5) ? 0n : VALID;
    const pages = BigInt(this.#dice.pick([0, 0, 0, 1, 3]));
    const value = (side: Side): bigint =>
      BigInt(outside ? NOWHERE : side.queueAddress(0, its)) | valid | junk | pages;
    return {
      text: `GITS${its}_CBASER: ${outside ? 'outside RAM' : 'the queue'}, valid ${valid !== 0n}, ${hex(junk | pages)}`,
      run: (side) => side.model.write(side.gits(0x0080, its), 8, value(side)),
    };
  }

  #kind(): TableKind {
    return this.#dice.pick(tableKindsOf(this.#config));
  }

  baser(): Step {
    const [its, kind] = [this.#any.its(), this.#kind()];
    const place = this.#dice.pick(['flat', 'flat', 'level1', 'nowhere'] as const);
    const pageSize = BigInt(this.#dice.below(4));
    const junk = this.#dice.chance(2) ? this.#dice.doubleword() & 0x3fff_0000_0000_0c00n : 0n;
    const valid = this.#dice.chance(5) ? 0n : VALID;
    // Where Indirect cannot be set, the level-1 table would be taken for a flat one.
    const indirect = place === 'level1' || (place === 'nowhere' && this.#dice.chance(2));
    const known = place === 'level1' && !this.#config.indirectTables ? 'flat' : place;
    const value = (side: Side): bigint => {
      const base = known === 'nowhere' ? NOWHERE : side.tables(its, kind)[known];
      return BigInt(base) | (indirect ? INDIRECT : 0n) | valid | junk | (pageSize << 8n);
    };
    return {
      text: `GITS${its}_BASER of ${kind}: ${known}, page size ${pageSize}, valid ${valid !== 0n}, ${hex(junk)}`,
      run: (side) => side.model.write(side.gits(baserOffsets[kind], its), 8, value(side)),
    };
  }

  /** Both tables in two levels with pages for the lowest IDs; the ITS is off meanwhile. */
  twoLevels(its: number): Step {
    if (!this.#config.indirectTables) return this.baser();
    const pageSize = this.#dice.below(3);
    const reserved = BigInt(this.#dice.below(2 ** (12 + 2 * pageSize)));
    return {
      text: `ITS ${its} with two-level tables, page size ${pageSize}, reserved bits of level 1 ${hex(reserved)}`,
      run: (side) => {
        const { model } = side;
        model.write(side.gits(0, its), 4, 0);
        for (const kind of side.tableKinds) {
          const { level1, level2 } = side.tables(its, kind);
          const [first, second] = level2;
          model.write(level1, 8, VALID | BigInt(first!) | reserved);
          model.write(level1 + 8, 8, VALID | BigInt(second!) | reserved);
          model.write(
            side.gits(baserOffsets[kind], its),
            8,
            VALID | INDIRECT | BigInt(level1) | BigInt(pageSize << 8),
          );
        }
        model.write(side.gits(0, its), 4, 1);
      },
    };
  }

  /** A level-1 entry: a page, a page outside RAM, or none. */
  link(): Step {
    const [its, kind] = [this.#any.its(), this.#kind()];
    const index = this.#dice.pick([0, 1, 2, 3, 15, 16]);
    const choice = this.#dice.pick(['page', 'page', 'page', 'none', 'outside RAM'] as const);
    // What is reserved for 64 KiB pages is a part of the address for smaller ones, in the same place.
    const reserved = BigInt(this.#dice.below(0x1_0000));
    return {
      text: `ITS ${its} level 1 of ${kind}, entry ${index}: ${choice}, reserved bits ${hex(reserved)}`,
      run: (side) => {
        const { level1, level2 } = side.tables(its, kind);
        const page = choice === 'outside RAM' ? NOWHERE : level2[index % level2.length]!;
        side.model.write(
          level1 + 8 * index,
          8,
          choice === 'none' ? reserved : VALID | BigInt(page) | reserved,
        );
      },
    };
  }

  readStatus(): Step {
    const its = this.#any.its();
    const offset = this.#dice.pick([0x0008, 0x0040, 0x0048, 0x0048, 0x0080, 0x0088, 0x0100, 0x0108]);
    if (this.#dice.chance(3)) {
      const bits = this.#dice.pick([0x3f0, 0x3ff, 0x10, 0x20, 0x40]);
      return write(`GITS${its}_STATUSR`, (side) => side.gits(0x0040, its), 4, bits);
    }
    const size = offset === 0x0040 ? 4 : 8;
    return read(`GITS${its}+${hex(offset)}`, (side) => side.gits(offset, its), size);
  }
}

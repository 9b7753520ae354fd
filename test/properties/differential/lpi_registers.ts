import type { MachineConfig } from '../../../bindings/index.ts';
import type { Dice } from './dice.ts';
import { Operands } from './operands.ts';
import type { Step } from './pair.ts';
import { hex, write } from './register_steps.ts';
import { NOWHERE, type Side } from './side.ts';

/** The LPIs of redistributors: registers, tables, configuration. */
export class LpiRegisters {
  readonly #dice: Dice;
  readonly #config: MachineConfig;
  readonly #any: Operands;

  constructor(dice: Dice, config: MachineConfig) {
    this.#dice = dice;
    this.#config = config;
    this.#any = new Operands(dice, config);
  }

  setConfig(intid: number, priority: number, enabled: boolean): Step {
    return {
      text: `configuration of LPI ${intid}: priority ${priority}, ${enabled ? 'enabled' : 'disabled'}`,
      run: (side) => side.setConfig(intid, priority, enabled),
    };
  }

  /** A new configuration that counts at once: INVALL of the collections that are used most. */
  reconfigure(its: number, intid: number, priority: number, enabled: boolean): Step {
    const { text, run } = this.setConfig(intid, priority, enabled);
    return {
      text: `${text}; ITS ${its} INVALL 0 to 2`,
      run: (side) => {
        run(side);
        for (let icid = 0; icid < 3; icid++) side.invall(icid, its);
      },
    };
  }

  /** GICR_SETLPIR, CLRLPIR, INVLPIR, INVALLR. */
  directLpi(): Step {
    const cpu = this.#any.cpu();
    const offset = this.#dice.pick([0x0040, 0x0040, 0x0048, 0x00a0, 0x00b0, 0x00c0]);
    const half = this.#dice.chance(12) ? 4 : 0;
    const size = half ? 4 : this.#dice.pick([4, 8] as const);
    return write(
      `GICR${cpu}+${hex(offset + half)}`,
      (side) => side.gicr(cpu, offset + half),
      size,
      this.#any.intid(),
    );
  }

  /** GICR_PROPBASER or GICR_PENDBASER: one table or the other or none, as a whole or a half. */
  table(): Step {
    const cpu = this.#any.cpu();
    const pending = this.#dice.chance(2);
    const place = this.#dice.pick(['first', 'first', 'first', 'second', 'nowhere'] as const);
    const size = BigInt(this.#dice.pick([15, 15, 13, 12, 31]));
    const zero = this.#dice.chance(3) ? 1n << 62n : 0n;
    const junk = this.#dice.chance(2) ? this.#dice.doubleword() & 0x87f0_0000_0000_0fe0n : 0n;
    const half = this.#dice.pick([undefined, undefined, 0, 4] as const);
    const value = (side: Side): bigint => {
      const tables = pending
        ? [side.pendingTable(cpu), side.otherPendingTables[cpu]!]
        : [side.configTable, side.otherConfigTable];
      const base = { first: tables[0]!, second: tables[1]!, nowhere: NOWHERE }[place];
      return BigInt(base) | (pending ? zero : size) | junk;
    };
    return {
      text: `GICR${cpu}_${pending ? 'PENDBASER' : 'PROPBASER'}${half === undefined ? '' : `+${half}`}: ${place} table, ${hex((pending ? zero : size) | junk)}`,
      run: (side) => {
        const address = side.gicr(cpu, pending ? 0x0078 : 0x0070);
        if (half === undefined) side.model.write(address, 8, value(side));
        else side.model.write(address + half, 4, (value(side) >> BigInt(8 * half)) & 0xffff_ffffn);
      },
    };
  }

  /** A pending bit stored by software, which it may do while EnableLPIs=0. */
  pendingBit(): Step {
    const [cpu, intid] = [this.#any.cpu(), this.#any.lpi()];
    return {
      text: `PE ${cpu} stores the pending bit of LPI ${intid}, if its LPIs are disabled`,
      run: (side) => {
        if ((side.model.read(side.gicr(cpu, 0), 4) & 1) === 0) side.storePendingBit(cpu, intid);
      },
    };
  }

  /** The table registers are written as a whole or by halves, the pending table with or without the promise of PTZ. */
  revive(cpu: number): Step {
    const zero = this.#dice.chance(4) ? 1n << 62n : 0n;
    const halves = this.#dice.pick([[], [], [0, 4], [4, 0]]);
    return {
      text: `PE ${cpu} awake and open, with its own LPI tables, PTZ ${zero !== 0n}, written by halves [${halves}]`,
      run: (side) => {
        side.enableDistributor();
        side.disableLpis(cpu);
        side.enableCpu(cpu);
        for (const [offset, value] of [
          [0x0070, BigInt(side.configTable) | BigInt(this.#config.intidBits - 1)],
          [0x0078, BigInt(side.pendingTable(cpu)) | zero],
        ] as const) {
          const address = side.gicr(cpu, offset);
          if (halves.length === 0) side.model.write(address, 8, value);
          for (const at of halves)
            side.model.write(address + at, 4, (value >> BigInt(8 * at)) & 0xffff_ffffn);
        }
        side.model.write(side.gicr(cpu, 0), 4, 1);
      },
    };
  }
}

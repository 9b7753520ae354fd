import type { MachineConfig } from '../../../bindings/index.ts';
import type { Dice } from './dice.ts';
import { Operands } from './operands.ts';
import type { Step } from './pair.ts';
import { hex, type Kinds, read, write } from './register_steps.ts';
import { NOWHERE, type Side, VMS } from './side.ts';
import { groupTable, vpropbaser41 } from './vpe_tables.ts';

const VALID = 1n << 63n;
const VPROPBASER = 0x0070;
const VPENDBASER = 0x0078;
const VSGIR = 0x0080;
const GITS_SGIR = 0x2_0020;

/** Which vPE runs where, the configuration of its VLPIs, and its virtual SGIs. */
export class ResidencyTraffic {
  readonly #dice: Dice;
  readonly #config: MachineConfig;
  readonly #any: Operands;
  readonly #byVpeId: boolean;

  constructor(dice: Dice, config: MachineConfig) {
    this.#dice = dice;
    this.#config = config;
    this.#any = new Operands(dice, config);
    this.#byVpeId = config.architecture === 'GICv4.1';
  }

  usual(): Kinds {
    const only41: Kinds = [
      [8, () => this.#sendVsgi()],
      [2, () => this.#queryVsgis()],
      [3, () => this.#invalidate()],
    ];
    return [
      [8, () => this.scheduleIn(this.#any.cpu(), this.#any.vpeId())],
      [6, () => this.#scheduleOut()],
      [6, () => this.#configure()],
      ...(this.#byVpeId ? only41 : []),
    ];
  }

  disruptive(): Kinds {
    return [
      [4, () => this.#anyVpendbaser()],
      [3, () => this.#anyVpropbaser()],
      [3, () => this.#pendingBit()],
    ];
  }

  setConfiguration(vm: number, vIntid: number, priority: number, enabled: boolean): Step {
    return {
      text: `VM ${vm}'s configuration of VLPI ${vIntid}: priority ${priority}, ${enabled ? 'enabled' : 'disabled'}`,
      run: ({ model, vmTables }) =>
        model.write(vmTables[vm]! + vIntid - 8192, 1, (priority & 0xfc) | (enabled ? 3 : 2)),
    };
  }

  #configure(): Step {
    const [vm, vIntid, priority] = [this.#dice.below(VMS), this.#any.vlpi(), this.#dice.below(256)];
    return this.setConfiguration(vm, vIntid, priority, !this.#dice.chance(4));
  }

  /** GICv4.0: the VM's table, then the vPE's; GICv4.1: the vPEID. */
  scheduleIn(cpu: number, vpeId: number): Step {
    if (this.#byVpeId) return this.#load(cpu, vpeId);
    const bits = BigInt(this.#dice.chance(6) ? this.#dice.pick([12, 13, 31]) : this.#config.intidBits - 1);
    const which = this.#dice.pick([0, 0, 0, 0, 1] as const);
    const idai = this.#dice.chance(2) ? 1n << 62n : 0n;
    return {
      text: `vPE ${vpeId} with pending table ${which} scheduled in on PE ${cpu}, IDbits ${bits}, IDAI ${idai !== 0n}`,
      run: (side) => {
        const { model } = side;
        const vpt = side.vpts[vpeId % side.vpts.length]![which];
        model.write(side.gicrVlpi(cpu, VPROPBASER), 8, BigInt(side.vmTables[vpeId % VMS]!) | bits);
        model.write(side.gicrVlpi(cpu, VPENDBASER), 8, VALID | idai | (1n << 61n) | BigInt(vpt));
      },
    };
  }

  #load(cpu: number, vpeId: number): Step {
    const groups = BigInt(this.#dice.pick([3, 3, 3, 2, 1, 0])) << 58n;
    return write(
      `GICR${cpu}_VPENDBASER, vPE ${vpeId} scheduled in`,
      (side) => side.gicrVlpi(cpu, VPENDBASER),
      8,
      VALID | groups | BigInt(vpeId),
    );
  }

  /** As software does: what it reads, less Valid; in GICv4.1 with or without a wish for a doorbell. */
  #scheduleOut(): Step {
    const cpu = this.#any.cpu();
    const asked = this.#byVpeId ? BigInt(this.#dice.pick([0, 1, 2, 2, 2, 3])) << 61n : 0n;
    return {
      text: `PE ${cpu} scheduled out, Doorbell and PendingLast ${hex(asked)}`,
      run: (side) => {
        const address = side.gicrVlpi(cpu, VPENDBASER);
        const kept = side.model.read(address, 8) & ~(this.#byVpeId ? 15n << 60n : 9n << 60n);
        side.model.write(address, 8, kept | asked);
        return side.model.read(address, 8);
      },
    };
  }

  /** Any value, whole or half. */
  #anyVpendbaser(): Step {
    const cpu = this.#any.cpu();
    const vpeId = this.#any.vpeId();
    const junk = this.#dice.doubleword() & this.#dice.pick([0x7fff_0000_0000_ffffn, 0x6c00n << 48n, 0n]);
    const valid = this.#dice.chance(2) ? VALID : 0n;
    const half = this.#dice.pick([undefined, 0, 4] as const);
    const value = (side: Side): bigint =>
      junk | valid | BigInt(this.#byVpeId ? vpeId : side.vpts[vpeId % side.vpts.length]![0]);
    return {
      text: `GICR${cpu}_VPENDBASER${half === undefined ? '' : `+${half}`}: vPE ${vpeId}, ${hex(junk | valid)}`,
      run: (side) => {
        const address = side.gicrVlpi(cpu, VPENDBASER);
        if (half === undefined) side.model.write(address, 8, value(side));
        else side.model.write(address + half, 4, (value(side) >> BigInt(8 * half)) & 0xffff_ffffn);
      },
    };
  }

  /** A VM's table, or in GICv4.1 the vPE Configuration table of the group or none. */
  #anyVpropbaser(): Step {
    const [cpu, vm] = [this.#any.cpu(), this.#dice.below(VMS)];
    const place = this.#dice.pick(['own', 'own', 'own', 'none', 'outside RAM'] as const);
    const junk = this.#dice.chance(3) ? this.#dice.doubleword() & 0x7810_0000_0000_0f80n : 0n;
    const value = (side: Side): bigint => {
      if (!this.#byVpeId) return BigInt(place === 'outside RAM' ? NOWHERE : side.vmTables[vm]!) | 15n;
      if (place === 'none') return 0n;
      return vpropbaser41(place === 'own' ? groupTable(side, cpu) : NOWHERE);
    };
    return {
      text: `GICR${cpu}_VPROPBASER: ${place} table, ${hex(junk)}`,
      run: (side) => side.model.write(side.gicrVlpi(cpu, VPROPBASER), 8, value(side) | junk),
    };
  }

  /** A pending bit stored by software in a table that is not in use. */
  #pendingBit(): Step {
    const [vpeId, vIntid] = [this.#dice.below(4), this.#any.vlpi()];
    return {
      text: `software stores the pending bit of VLPI ${vIntid} in the unused table of vPE ${vpeId}`,
      run: (side) => {
        const used = Array.from({ length: this.#config.itsCount }, (_, its) =>
          side.model.vpeEntry(its, vpeId),
        );
        const table = side.vpts[vpeId]!.find((vpt) => used.every((entry) => entry?.vptAddress !== vpt));
        if (table === undefined || side.config.affinities.some((_, cpu) => isResident(side, cpu))) return;
        const address = table + (vIntid >> 3);
        side.model.write(address, 1, side.model.read(address, 1) | (1 << (vIntid & 7)));
      },
    };
  }

  #sendVsgi(): Step {
    const [its, vpeId] = [this.#any.its(), this.#any.vpeId()];
    const intid = this.#dice.pick([this.#dice.below(3), this.#dice.below(16)]);
    const junk = this.#dice.chance(6) ? 0xffff_0000_ffff_fff0n : 0n;
    const size = this.#dice.chance(12) ? 4 : 8;
    const value = (BigInt(vpeId) << 32n) | BigInt(intid) | junk;
    return write(`GITS${its}_SGIR`, (side) => side.gits(GITS_SGIR, its), size, size === 8 ? value : intid);
  }

  #queryVsgis(): Step {
    const [cpu, vpeId] = [this.#any.cpu(), this.#any.vpeId()];
    if (this.#dice.chance(8)) return read(`GICR${cpu}_VSGIR`, (side) => side.gicrVlpi(cpu, VSGIR), 4);
    return write(`GICR${cpu}_VSGIR`, (side) => side.gicrVlpi(cpu, VSGIR), 4, vpeId);
  }

  /** GICR_INVLPIR and INVALLR with V=1. */
  #invalidate(): Step {
    const [cpu, vpeId] = [this.#any.cpu(), this.#any.vpeId()];
    const [offset, intid] = [this.#dice.pick([0x00a0, 0x00b0]), this.#any.vIntid()];
    const value = VALID | (BigInt(vpeId) << 32n) | BigInt(intid);
    return write(`GICR${cpu}+${hex(offset)}`, (side) => side.gicr(cpu, offset), 8, value);
  }
}

function isResident(side: Side, cpu: number): boolean {
  return side.model.read(side.gicrVlpi(cpu, VPENDBASER), 8) >> 63n === 1n;
}

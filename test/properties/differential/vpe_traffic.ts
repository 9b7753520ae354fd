import type { MachineConfig } from '../../../bindings/index.ts';
import type { Dice } from './dice.ts';
import { GuestTraffic } from './guest_traffic.ts';
import { LpiRegisters } from './lpi_registers.ts';
import { Operands } from './operands.ts';
import type { Step } from './pair.ts';
import type { Kinds } from './register_steps.ts';
import { ResidencyTraffic } from './residency_traffic.ts';
import { FIRST_DOORBELL, VMS, VPES } from './side.ts';
import { VpeCommands } from './vpe_commands.ts';
import { groupTable, setVpeTable, vpropbaser41 } from './vpe_tables.ts';

/** Traffic of virtual interrupts: of guests on any machine, of vPEs where there are VLPIs. */
export class VpeTraffic {
  readonly #dice: Dice;
  readonly #config: MachineConfig;
  readonly #any: Operands;
  readonly #guests: GuestTraffic;
  readonly #commands: VpeCommands;
  readonly #residency: ResidencyTraffic;
  readonly #lpis: LpiRegisters;
  readonly #vlpis: boolean;

  constructor(dice: Dice, config: MachineConfig) {
    this.#dice = dice;
    this.#config = config;
    this.#any = new Operands(dice, config);
    this.#guests = new GuestTraffic(dice, config);
    this.#commands = new VpeCommands(dice, config);
    this.#residency = new ResidencyTraffic(dice, config);
    this.#lpis = new LpiRegisters(dice, config);
    this.#vlpis = config.architecture !== 'GICv3' && config.intidBits >= 14;
  }

  setUp(): Step[] {
    return [this.#guests.setUp(), ...(this.#vlpis ? this.#setUpVpes() : [])];
  }

  /** Every vPE mapped and some resident, half of the events VLPIs, all of them enabled. */
  #setUpVpes(): Step[] {
    const dice = this.#dice;
    const steps: Step[] = [this.#tables()];
    for (let vpeId = 0; vpeId < VPES; vpeId++) steps.push(this.#commands.mapEverywhere(vpeId));
    for (let vm = 0; vm < VMS; vm++) {
      for (let n = 0; n < 6; n++)
        steps.push(this.#residency.setConfiguration(vm, 8192 + n, 0x20 * n + 0x40, true));
    }
    for (let n = 0; n < 3; n++) steps.push(this.#lpis.setConfig(FIRST_DOORBELL + n, 0xa0, true));
    for (let its = 0; its < this.#config.itsCount; its++) {
      for (let n = 0; n < 8; n++) {
        const [vpeId, vlpi] = [dice.below(VPES), this.#any.vlpi()];
        steps.push(this.#commands.vmapti(its, n % 3, (n >> 1) ^ 1, vpeId, vlpi));
      }
    }
    const resident = Math.min(this.#config.cpus, VPES);
    for (let cpu = 0; cpu < resident; cpu++) {
      if (dice.chance(2)) steps.push(this.#residency.scheduleIn(cpu, cpu));
    }
    if (this.#config.architecture === 'GICv4.1') {
      if (dice.chance(2)) steps.push(this.#withoutActiveSgis());
      for (let n = 0; n < 4; n++) steps.push(this.#commands.only41());
    }
    return steps;
  }

  /** GICD_CTLR.nASSGIreq, which can be set while both groups are disabled. */
  #withoutActiveSgis(): Step {
    return {
      text: 'SGIs without active state',
      run: (side) => {
        side.model.write(side.gicd(0), 4, 0);
        side.model.write(side.gicd(0), 4, 0x103);
      },
    };
  }

  #tables(): Step {
    return {
      text: 'vPE tables',
      run: (side) => {
        const { config, model } = side;
        for (let its = 0; its < config.itsCount; its++) setVpeTable(side, its);
        if (config.architecture !== 'GICv4.1') return;
        for (let cpu = 0; cpu < config.cpus; cpu++) {
          model.write(side.gicrVlpi(cpu, 0x0070), 8, vpropbaser41(groupTable(side, cpu)));
        }
      },
    };
  }

  /** Seen when the doorbell rings next, or by an INVDB that follows. */
  #configureDoorbell(): Step {
    const [vpeId, its, priority] = [this.#dice.below(VPES), this.#any.its(), this.#dice.below(256)];
    const config = this.#lpis.setConfig(FIRST_DOORBELL + (vpeId % 3), priority, !this.#dice.chance(3));
    const { architecture, itsCount } = this.#config;
    if (architecture !== 'GICv4.1' || itsCount === 0 || this.#dice.chance(3)) return config;
    const invdb = this.#commands.invdb(its, vpeId);
    return {
      text: `${config.text}; ${invdb.text}`,
      run: (side) => {
        config.run(side);
        invdb.run(side);
      },
    };
  }

  usual(): Kinds {
    if (!this.#vlpis) return this.#guests.usual();
    const only41: Kinds = this.#config.architecture === 'GICv4.1' ? [[8, () => this.#commands.only41()]] : [];
    const its: Kinds = [[16, () => this.#commands.usual()], [2, () => this.#commands.remap()], ...only41];
    return [
      ...this.#guests.usual(),
      ...this.#residency.usual(),
      [3, () => this.#configureDoorbell()],
      ...(this.#config.itsCount > 0 ? its : []),
    ];
  }

  disruptive(): Kinds {
    if (!this.#vlpis) return this.#guests.disruptive();
    const its: Kinds = [
      [6, () => this.#commands.remap()],
      [3, () => this.#tables()],
    ];
    return [
      ...this.#guests.disruptive(),
      ...this.#residency.disruptive(),
      ...(this.#config.itsCount > 0 ? its : []),
    ];
  }
}

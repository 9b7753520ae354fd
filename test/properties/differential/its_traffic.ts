import type { MachineConfig } from '../../../bindings/index.ts';
import { CommandTraffic } from './command_traffic.ts';
import type { Dice } from './dice.ts';
import { ItsRegisters } from './its_registers.ts';
import { LpiRegisters } from './lpi_registers.ts';
import { Operands } from './operands.ts';
import type { Step } from './pair.ts';
import type { Kinds } from './register_steps.ts';

/** Traffic of LPIs: devices, commands, the registers and tables of ITSs and redistributors. */
export class ItsTraffic {
  readonly #dice: Dice;
  readonly #config: MachineConfig;
  readonly #any: Operands;
  readonly #commands: CommandTraffic;
  readonly #its: ItsRegisters;
  readonly #lpis: LpiRegisters;

  constructor(dice: Dice, config: MachineConfig) {
    this.#dice = dice;
    this.#config = config;
    this.#any = new Operands(dice, config);
    this.#commands = new CommandTraffic(dice, config);
    this.#its = new ItsRegisters(dice, config);
    this.#lpis = new LpiRegisters(dice, config);
  }

  /** Devices, collections and events mapped, their LPIs enabled; the tables as they are, or in two levels. */
  setUp(): Step[] {
    const steps: Step[] = [];
    const commands = this.#commands;
    for (let its = 0; its < this.#config.itsCount; its++) {
      if (this.#dice.chance(3)) steps.push(this.#its.twoLevels(its));
      for (let n = 0; n < 3; n++) {
        steps.push(commands.mapd(its, n), commands.mapc(its, n, this.#any.cpu()));
      }
      for (let n = 0; n < 8; n++) steps.push(commands.mapti(its, n % 3, n >> 1, 8192 + n, n % 3));
    }
    for (let n = 0; n < 8; n++) steps.push(this.#lpis.setConfig(8192 + n, 0x20 * n, true));
    return steps;
  }

  /** Brings everything into use again and sends every event, which shows what is mapped. */
  probe(): Step[] {
    const steps: Step[] = [];
    for (let cpu = 0; cpu < this.#config.cpus; cpu++) steps.push(this.#lpis.revive(cpu));
    for (let its = 0; its < this.#config.itsCount; its++) {
      steps.push(this.#its.newQueue(its));
      for (let deviceId = 0; deviceId < 3; deviceId++) {
        for (let eventId = 0; eventId < 4; eventId++) steps.push(this.#sendMsi(its, deviceId, eventId));
      }
    }
    return steps;
  }

  /** What goes on all the time. */
  usual(): Kinds {
    const dice = this.#dice;
    const stepped = this.#config.policy.commandExecution === 'stepped';
    return [
      [24, () => this.#sendMsi(this.#any.its(), this.#any.deviceId(), this.#any.eventId())],
      [6, () => this.#commands.map()],
      [20, () => this.#commands.anyCommand()],
      [4, () => this.#commands.restart()],
      [stepped ? 40 : 1, () => this.#commands.step()],
      [3, () => this.#lpis.setConfig(this.#any.lpi(), dice.below(256), !dice.chance(4))],
      [3, () => this.#lpis.reconfigure(this.#any.its(), this.#any.lpi(), dice.below(256), !dice.chance(4))],
      [4, () => this.#lpis.directLpi()],
      [2, () => this.#its.readStatus()],
    ];
  }

  /** What takes an ITS or the LPIs of a PE out of use, or brings them back. */
  disruptive(): Kinds {
    return [
      [3, () => this.#commands.unmap()],
      [2, () => this.#commands.storeCommand()],
      [3, () => this.#its.writeCwriter()],
      [2, () => this.#its.writeCreadr()],
      [2, () => this.#its.enable()],
      [2, () => this.#its.newQueue(this.#any.its())],
      [2, () => this.#its.cbaser()],
      [2, () => this.#its.baser()],
      [3, () => this.#its.twoLevels(this.#any.its())],
      [3, () => this.#its.link()],
      [6, () => this.#its.revive(this.#any.its())],
      [4, () => this.#lpis.table()],
      [2, () => this.#lpis.pendingBit()],
      [6, () => this.#lpis.revive(this.#any.cpu())],
    ];
  }

  #sendMsi(its: number, deviceId: number, eventId: number): Step {
    return {
      text: `ITS ${its} MSI of device ${deviceId} event ${eventId}`,
      run: ({ model }) => {
        model.sendMsi(deviceId, eventId, its);
      },
    };
  }
}

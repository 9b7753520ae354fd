import type { MachineConfig } from '../../../bindings/index.ts';
import { commands } from '../../support/driver.ts';
import type { Dice } from './dice.ts';
import { Operands } from './operands.ts';
import type { Step } from './pair.ts';
import { hex } from './register_steps.ts';
import { ITT_BITS, ITTS, NOWHERE, QUEUE_SLOTS, type Side } from './side.ts';

type Words = readonly [bigint, bigint, bigint, bigint];

/** A command that is not put into a queue yet. */
interface Draft {
  readonly text: string;
  readonly words: (side: Side) => Words;
}

/** ITS commands, and what software does about the queue. */
export class CommandTraffic {
  readonly #dice: Dice;
  readonly #config: MachineConfig;
  readonly #any: Operands;

  constructor(dice: Dice, config: MachineConfig) {
    this.#dice = dice;
    this.#config = config;
    this.#any = new Operands(dice, config);
  }

  #command(its: number, text: string, words: (side: Side) => Words): Step {
    return { text: `ITS ${its} ${text}`, run: (side) => side.command(words(side), its) };
  }

  mapc(its: number, icid: number, cpu: number): Step {
    return this.#command(its, `MAPC ${icid} to PE ${cpu}`, (side) => commands.mapc(icid, side.rdbase(cpu)));
  }

  mapti(its: number, deviceId: number, eventId: number, intid: number, icid: number): Step {
    const text = `MAPTI device ${deviceId} event ${eventId} LPI ${intid} collection ${icid}`;
    return this.#command(its, text, () => commands.mapti(deviceId, eventId, intid, icid));
  }

  /** A device with a few events. */
  mapd(its: number, deviceId: number): Step {
    const bits = 2 + deviceId;
    return this.#command(its, `MAPD ${deviceId}`, (side) =>
      commands.mapd(deviceId, bits, side.itt(its, deviceId)),
    );
  }

  /** A mapping as software makes it. */
  map(): Step {
    const [its, n, eventId, cpu] = [
      this.#any.its(),
      this.#dice.below(3),
      this.#dice.below(4),
      this.#any.cpu(),
    ];
    switch (this.#dice.below(4)) {
      case 0:
        return this.mapd(its, n);
      case 1:
        return this.mapc(its, n, cpu);
      default:
        return this.mapti(its, n, eventId, this.#any.lpi(), this.#dice.below(3));
    }
  }

  unmap(): Step {
    const its = this.#any.its();
    if (this.#dice.chance(2)) {
      const deviceId = this.#any.deviceId();
      return this.#command(its, `unmaps device ${deviceId}`, () => commands.unmapd(deviceId));
    }
    const icid = this.#any.icid();
    return this.#command(its, `unmaps collection ${icid}`, () => commands.unmapc(icid));
  }

  anyCommand(): Step {
    const { text, words } = this.#drawCommand();
    if (!this.#dice.chance(10)) return this.#command(this.#any.its(), text, words);
    // Reserved bits are to be ignored. MOVALL has none in its last doubleword.
    const junk = BigInt(this.#dice.word() >>> 8) << 8n;
    return this.#command(this.#any.its(), `${text}, reserved bits ${hex(junk)}`, (side) => {
      const [first, ...rest] = words(side);
      return [first | junk, ...rest];
    });
  }

  #drawCommand(): Draft {
    const dice = this.#dice;
    const [device, event, icid] = [this.#any.deviceId(), this.#any.eventId(), this.#any.icid()];
    const rdbase = this.#any.rdbase();
    const otherRdbase = this.#any.rdbase();
    const fixed = (text: string, words: Words): Draft => ({
      text,
      words: () => words,
    });
    const name = `device ${device} event ${event}`;
    switch (dice.below(16)) {
      case 0:
        return this.#drawMapd(device);
      case 1:
        return { text: `MAPC ${icid}`, words: (side) => commands.mapc(icid, rdbase(side)) };
      case 2:
      case 3: {
        const intid = this.#any.intid();
        return fixed(
          `MAPTI ${name} LPI ${intid} collection ${icid}`,
          commands.mapti(device, event, intid, icid),
        );
      }
      case 4:
        return fixed(`MAPI ${name} collection ${icid}`, commands.mapi(device, event, icid));
      case 5:
      case 6:
      case 7:
        return fixed(`MOVI ${name} collection ${icid}`, commands.movi(device, event, icid));
      case 8:
        return { text: 'MOVALL', words: (side) => commands.movall(rdbase(side), otherRdbase(side)) };
      case 9:
      case 10:
        return fixed(`INT ${name}`, commands.int(device, event));
      case 11:
        return fixed(`CLEAR ${name}`, commands.clear(device, event));
      case 12:
        return fixed(`DISCARD ${name}`, commands.discard(device, event));
      case 13:
        return fixed(`INV ${name}`, commands.inv(device, event));
      case 14:
        return fixed(`INVALL ${icid}`, commands.invall(icid));
      default:
        if (dice.chance(2)) return { text: 'SYNC', words: (side) => commands.sync(rdbase(side)) };
        return this.#drawUnknown();
    }
  }

  #drawMapd(device: number): Draft {
    const its = this.#any.its();
    const bits = this.#dice.pick([1, 2, 2, 3, 5, ITT_BITS, Math.min(this.#config.eventIdBits + 1, 32)]);
    const n = device % ITTS;
    const outside = this.#dice.chance(12);
    const itt = (side: Side): number => (outside || bits > ITT_BITS ? NOWHERE : side.itt(its, n));
    return {
      text: `MAPD ${device} with ${bits} bits, ITT ${outside || bits > ITT_BITS ? 'outside RAM' : `${n} of ITS ${its}`}`,
      words: (side) => commands.mapd(device, bits, itt(side)),
    };
  }

  /** A number that no GICv3 command has, or GICv4's where the machine has none of it. */
  #drawUnknown(): Draft {
    const virtual =
      this.#config.architecture === 'GICv3' ? [0x21, 0x22, 0x23, 0x25, 0x29, 0x2a, 0x2d, 0x2e] : [];
    const number = this.#dice.pick([0, 2, 6, 0x10, 0x20, 0x40, 0xff, ...virtual]);
    const words: Words = [BigInt(number), this.#dice.doubleword(), this.#dice.doubleword(), 0n];
    return { text: `command number ${hex(number)}`, words: () => words };
  }

  /** What software does with a stalled queue: a SYNC over the command, then Retry. */
  restart(): Step {
    const its = this.#any.its();
    return {
      text: `ITS ${its} SYNC over a command that stalls, Retry`,
      run: (side) => {
        const { offset, stalled } = side.readPointer(its);
        if (!stalled || offset >= 32 * QUEUE_SLOTS) return;
        side.storeCommand(offset, commands.sync(side.rdbase(0)), its);
        side.ring(its, { retry: true });
      },
    };
  }

  storeCommand(): Step {
    const its = this.#any.its();
    const offset = 32 * this.#dice.below(QUEUE_SLOTS);
    const { text, words } = this.#drawCommand();
    return {
      text: `ITS ${its} queue at ${hex(offset)}: ${text}`,
      run: (side) => side.storeCommand(offset, words(side), its),
    };
  }

  step(): Step {
    const [its, count] = [this.#any.its(), this.#dice.pick([1, 1, 1, 2, 5])];
    return { text: `ITS ${its} takes ${count} steps`, run: ({ model }) => model.stepIts(its, count) };
  }
}

import type { MachineConfig } from '../../../bindings/index.ts';
import { virtualCommands } from '../../support/vpe_driver.ts';
import { commands41 } from '../../support/vpe41_driver.ts';
import type { Dice } from './dice.ts';
import { Operands } from './operands.ts';
import type { Step } from './pair.ts';
import { hex } from './register_steps.ts';
import { FIRST_DOORBELL, NOWHERE, type Side, VMS } from './side.ts';

type Words = readonly [bigint, bigint, bigint, bigint];

/** How a vPE is mapped. */
interface Mapping {
  readonly cpu: number;
  readonly size: number;
  /** Which of its two virtual pending tables it has. */
  readonly vpt: 0 | 1;
  readonly outside?: boolean;
  readonly alloc?: boolean;
  readonly ptz?: boolean;
  readonly doorbell?: number;
}

/** The ITS commands of GICv4. */
export class VpeCommands {
  readonly #dice: Dice;
  readonly #config: MachineConfig;
  readonly #any: Operands;

  constructor(dice: Dice, config: MachineConfig) {
    this.#dice = dice;
    this.#config = config;
    this.#any = new Operands(dice, config);
  }

  command(its: number, text: string, words: (side: Side) => Words): Step {
    return { text: `ITS ${its} ${text}`, run: (side) => side.command(words(side), its) };
  }

  vmapp(its: number, vpeId: number, mapping: Mapping): Step {
    const text = `VMAPP ${vpeId} ${JSON.stringify(mapping)}`;
    return this.command(its, text, (side) => this.#vmappWords(side, vpeId, mapping));
  }

  #vmappWords(side: Side, vpeId: number, mapping: Mapping): Words {
    const { cpu, size, outside = false, alloc = true, ptz = false } = mapping;
    const vpt = outside ? NOWHERE : side.vpts[vpeId % side.vpts.length]![mapping.vpt];
    const rdbase = side.rdbase(cpu);
    if (this.#config.architecture === 'GICv4.0') return virtualCommands.vmapp(vpeId, rdbase, vpt, size);
    const configTable = side.vmTables[vpeId % VMS]!;
    const doorbell = mapping.doorbell ?? 1023;
    return commands41.vmapp({ id: vpeId, vpt, configTable, size, doorbell }, rdbase, { alloc, ptz });
  }

  /** Maps a vPE as a hypervisor does, in every ITS. */
  mapEverywhere(vpeId: number): Step {
    const cpu = this.#any.cpu();
    const doorbell = FIRST_DOORBELL + (vpeId % 3);
    const size = this.#config.intidBits - 1;
    return {
      text: `vPE ${vpeId} mapped to PE ${cpu} in all ITSs`,
      run: (side) => {
        for (let its = 0; its < this.#config.itsCount; its++) {
          const mapping = { cpu, size, vpt: 0, alloc: its === 0, doorbell } as const;
          side.command(this.#vmappWords(side, vpeId, mapping), its);
        }
      },
    };
  }

  vmapti(its: number, deviceId: number, eventId: number, vpeId: number, vIntid: number): Step {
    const doorbell = this.#any.doorbell();
    const text = `VMAPTI device ${deviceId} event ${eventId} VLPI ${vIntid} of vPE ${vpeId}, doorbell ${doorbell}`;
    return this.command(its, text, () => virtualCommands.vmapti(deviceId, eventId, vpeId, vIntid, doorbell));
  }

  /** Maps, moves and invalidates. */
  usual(): Step {
    const [its, vpeId, cpu] = [this.#any.its(), this.#any.vpeId(), this.#any.cpu()];
    const [deviceId, eventId, vIntid] = [this.#any.deviceId(), this.#any.eventId(), this.#any.vIntid()];
    const doorbell = this.#any.doorbell();
    const event = `device ${deviceId} event ${eventId}`;
    switch (this.#dice.below(9)) {
      case 0:
      case 1:
        return this.vmapti(its, deviceId, eventId, vpeId, vIntid);
      case 2:
        return this.command(its, `VMAPI ${event} of vPE ${vpeId}, doorbell ${doorbell}`, () =>
          virtualCommands.vmapi(deviceId, eventId, vpeId, doorbell),
        );
      case 3:
      case 4: {
        const given = this.#dice.chance(2) ? doorbell : undefined;
        return this.command(its, `VMOVI ${event} to vPE ${vpeId}, doorbell ${given ?? 'kept'}`, () =>
          virtualCommands.vmovi(deviceId, eventId, vpeId, given),
        );
      }
      case 5:
        return this.vmovp(its, vpeId, cpu);
      case 6:
        return this.command(its, `VINVALL ${vpeId}`, () => virtualCommands.vinvall(vpeId));
      case 7:
        return this.command(its, `VSYNC ${vpeId}`, () => virtualCommands.vsync(vpeId));
      default:
        return this.only41();
    }
  }

  /** A vPE moves; where every ITS of ITSList has to be told, mostly all are. */
  vmovp(first: number, vpeId: number, cpu: number): Step {
    const { cpus, itsCount, vmovpOnAnyIts } = this.#config;
    const doorbell = this.#dice.chance(3) ? this.#any.doorbell() : undefined;
    const all = Array.from({ length: itsCount }, (_, n) => (first + n) % itsCount);
    if (vmovpOnAnyIts) return this.#tell([first], vpeId, cpu, 0, doorbell);
    // One ITS alone waits, until the same command comes to the others some time: it has to be one of few.
    if (this.#dice.chance(2)) return this.#tell([first], vpeId, vpeId % cpus, 0, undefined);
    return this.#tell(all, vpeId, cpu, this.#dice.below(4), doorbell);
  }

  #tell(
    itses: readonly number[],
    vpeId: number,
    cpu: number,
    sequence: number,
    doorbell: number | undefined,
  ): Step {
    const { architecture, itsCount } = this.#config;
    const together = { sequence, list: 2 ** itsCount - 1 };
    const words = (side: Side): Words =>
      architecture === 'GICv4.1'
        ? commands41.vmovp(vpeId, side.rdbase(cpu), doorbell, together)
        : virtualCommands.vmovp(vpeId, side.rdbase(cpu), together);
    return {
      text: `ITSs ${itses.join(', ')} VMOVP ${vpeId} to PE ${cpu}, sequence ${sequence}, doorbell ${doorbell ?? 'kept'}`,
      run: (side) => {
        for (const its of itses) side.command(words(side), its);
      },
    };
  }

  invdb(its: number, vpeId: number): Step {
    return this.command(its, `INVDB ${vpeId}`, () => commands41.invdb(vpeId));
  }

  /** VSGI and INVDB. */
  only41(): Step {
    const [its, vpeId, intid] = [this.#any.its(), this.#any.vpeId(), this.#dice.below(16)];
    const few = this.#dice.chance(2) ? intid : intid % 3;
    if (this.#dice.chance(4)) return this.invdb(its, vpeId);
    if (this.#dice.chance(5)) {
      // The other fields of the command are to be ignored.
      const others = this.#dice.pick([0n, 0x00f0_0500n, 0x0040_0100n]);
      return this.command(its, `VSGI clears ${few} of vPE ${vpeId}, other fields ${hex(others)}`, () => {
        const [first, second] = commands41.clearVsgi(vpeId, few);
        return [first | others, second, 0n, 0n];
      });
    }
    const [group, priority] = [this.#dice.below(2), this.#dice.below(16) * 16];
    const enable = !this.#dice.chance(4);
    const text = `VSGI ${few} of vPE ${vpeId}: group ${group}, priority ${hex(priority)}, enabled ${enable}`;
    return this.command(its, text, () => commands41.vsgi(vpeId, few, { enable, group, priority }));
  }

  /** Mapping and unmapping of vPEs, well and badly. */
  remap(): Step {
    const dice = this.#dice;
    const [its, vpeId] = [this.#any.its(), this.#any.vpeId()];
    const alloc = dice.chance(2);
    if (dice.chance(3)) {
      return this.command(its, `unmaps vPE ${vpeId}, Alloc ${alloc}`, () => commands41.unmap(vpeId, alloc));
    }
    if (dice.chance(3)) return this.mapEverywhere(vpeId);
    const most = this.#config.intidBits - 1;
    const cpu = dice.chance(12) ? this.#config.cpus : this.#any.cpu();
    const size = dice.pick([most, most, most, 13, 12, 3, most + 1]);
    const vpt = dice.pick([0, 0, 1] as const);
    const doorbell = this.#any.doorbell();
    const outside = dice.chance(12);
    return this.vmapp(its, vpeId, {
      cpu,
      size: Math.min(size, 31),
      vpt,
      outside,
      alloc,
      ptz: dice.chance(3),
      doorbell,
    });
  }
}

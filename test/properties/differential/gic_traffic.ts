import type { MachineConfig } from '../../../bindings/index.ts';
import type { Dice } from './dice.ts';
import type { Step } from './pair.ts';
import { hex, type Kinds, read, write } from './register_steps.ts';
import type { Group, Side } from './side.ts';

/** Registers with a bit for each interrupt: offset, and offset of that of the Extended SPIs. */
const bitRegisters = {
  IGROUPR: [0x0080, 0x1000],
  ISENABLER: [0x0100, 0x1200],
  ICENABLER: [0x0180, 0x1400],
  ISPENDR: [0x0200, 0x1600],
  ICPENDR: [0x0280, 0x1800],
  ISACTIVER: [0x0300, 0x1a00],
  ICACTIVER: [0x0380, 0x1c00],
} as const;
type BitRegister = keyof typeof bitRegisters;
const bitRegisterNames = Object.keys(bitRegisters) as BitRegister[];
/** Those of which many ones would leave little pending. */
const sparse: readonly BitRegister[] = ['ICENABLER', 'ICPENDR', 'ISACTIVER'];

/** Registers of the CPU interface that can be read without side effects. */
const readableRegisters = [
  'ICC_RPR_EL1',
  'ICC_HPPIR0_EL1',
  'ICC_HPPIR1_EL1',
  'ICC_BPR0_EL1',
  'ICC_BPR1_EL1',
  'ICC_CTLR_EL1',
  'ICC_PMR_EL1',
  'ICC_SRE_EL1',
  'ICC_SRE_EL2',
  'ICC_IGRPEN0_EL1',
  'ICC_IGRPEN1_EL1',
  'ICC_DIR_EL1',
  'ICC_AP0R0_EL1',
  'ICC_AP0R3_EL1',
  'ICC_AP1R0_EL1',
  'ICC_AP1R1_EL1',
];

/** Traffic at the Distributor, the redistributors, the CPU interfaces and the wires. */
export class GicTraffic {
  readonly #dice: Dice;
  readonly #config: MachineConfig;
  readonly #lpis: boolean;
  /** The SPI that has most of the traffic, less 32: much can happen to it. */
  readonly #focus: number;

  constructor(dice: Dice, config: MachineConfig) {
    this.#dice = dice;
    this.#config = config;
    this.#lpis = config.intidBits >= 14;
    this.#focus = dice.below(10);
  }

  /** Groups, priorities and enables that let much through. */
  setUp(): Step {
    const fill = this.#dice.pick([0x90a0_b0a0, 0xa0a0_a0a0, 0x00f0_8810]);
    return {
      text: `everything on, interrupts enabled in Group 1 or 0, priorities ${hex(fill)}`,
      run: (side) => {
        if (this.#lpis) side.start();
        else {
          side.enableDistributor();
          for (let cpu = 0; cpu < this.#config.cpus; cpu++) side.enableCpu(cpu);
        }
        const { model } = side;
        for (let cpu = 0; cpu < this.#config.cpus; cpu++) {
          model.write(side.gicrSgi(cpu, 0x0080), 4, 0xffff_0ff0);
          model.write(side.gicrSgi(cpu, 0x0100), 4, 0xffff_ffff);
          for (let n = 0; n < 8; n++) model.write(side.gicrSgi(cpu, 0x0400 + 4 * n), 4, fill);
        }
        for (const [offset, bits] of [
          [0x0084, 0xffff_ff0f],
          [0x0104, 0xffff_ffff],
          [0x1000, 0x0fff_ffff],
          [0x1200, 0xffff_ffff],
        ] as const) {
          model.write(side.gicd(offset), 4, bits);
        }
        for (let n = 0; n < 8; n++) model.write(side.gicd(0x0420 + 4 * n), 4, fill);
      },
    };
  }

  /** What goes on all the time. */
  usual(): Kinds {
    return [
      [10, () => this.#wire()],
      [5, () => this.#distributorBits()],
      [4, () => this.#redistributorBits()],
      [2, () => this.#priority()],
      [4, () => this.#router()],
      [5, () => this.#message()],
      [5, () => this.#sgi()],
      [12, () => this.#acknowledge()],
      [10, () => this.#end()],
      [4, () => this.#deactivate()],
      [4, () => this.#cpuInterface()],
      [2, () => this.#readAnywhere()],
    ];
  }

  /** What takes units out of use, or does little at all. */
  disruptive(): Kinds {
    return [
      [2, () => this.#trigger()],
      [2, () => this.#control()],
      [3, () => this.#redistributorControl()],
      [4, () => this.#endAny()],
      [2, () => this.#deactivateAny()],
      [4, () => this.#cpuInterfaceControl()],
      [2, () => this.#readAnywhere()],
      [2, () => this.#touchReserved()],
    ];
  }

  #cpu(): number {
    return this.#dice.below(this.#config.cpus);
  }

  #spi(): number {
    const { spis } = this.#config;
    if (this.#dice.chance(2)) return 32 + this.#focus;
    const usual = 32 + this.#dice.below(10);
    return this.#dice.pick([usual, usual, usual, usual, 31 + spis, 32 + spis, 4096, 4103, 5119]);
  }

  /** A PPI that nothing in the machine drives: a wire has one driver. */
  #ppi(): number {
    const { maintenancePpi, timerPpis } = this.#config;
    const taken = [maintenancePpi, ...Object.values(timerPpis)];
    return this.#dice.pick(
      [16, 20, 21, 24, 29, 31, 1056, 1087, 1088, 1119].filter((ppi) => !taken.includes(ppi)),
    );
  }

  /** Any INTID that an interrupt could have, or none could. */
  #intid(): number {
    const lpi = 8192 + this.#dice.below(8);
    const odd = this.#dice.pick([1020, 1022, 1023, 1024, 2000, 8191, 65_535, 65_536, 0xff_ffff]);
    return this.#dice.pick([this.#spi(), this.#spi(), this.#ppi(), this.#dice.below(16), lpi, lpi, odd]);
  }

  #wire(): Step {
    const level = this.#dice.chance(2);
    if (this.#dice.chance(3)) {
      const [cpu, intid] = [this.#cpu(), this.#ppi()];
      return {
        text: `PE ${cpu} PPI ${intid} ${level}`,
        run: ({ model }) => model.setPpi(cpu, intid, level),
      };
    }
    const intid = this.#spi();
    return { text: `SPI ${intid} ${level}`, run: ({ model }) => model.setSpi(intid, level) };
  }

  #bits(name: BitRegister): number {
    const usual = sparse.includes(name) ? this.#dice.bit() : this.#dice.bits();
    return this.#dice.pick([usual, usual, 2 ** this.#focus, 2 ** this.#focus, 0xffff_ffff]);
  }

  #distributorBits(): Step {
    const extended = this.#dice.chance(4);
    const name = this.#dice.pick(bitRegisterNames);
    const n = this.#dice.pick(extended ? [0, 0, 0, 1, 31] : [0, 1, 1, 1, 1, 2, 30, 31]);
    const offset = bitRegisters[name][extended ? 1 : 0] + 4 * n;
    const text = `GICD_${name}${n}${extended ? 'E' : ''}`;
    return write(text, (side) => side.gicd(offset), 4, this.#bits(name));
  }

  #redistributorBits(): Step {
    const cpu = this.#cpu();
    const name = this.#dice.pick(bitRegisterNames);
    const n = this.#dice.pick([0, 0, 0, 1, 2]);
    const offset = bitRegisters[name][0] + 4 * n;
    return write(`GICR${cpu}_${name}${n}`, (side) => side.gicrSgi(cpu, offset), 4, this.#bits(name));
  }

  #priority(): Step {
    const size = this.#dice.pick([1, 1, 4] as const);
    const value = size === 1 ? this.#dice.below(256) : this.#dice.word();
    const align = (intid: number): number => intid - (intid % size);
    if (this.#dice.chance(2)) {
      const cpu = this.#cpu();
      const offset = 0x0400 + align(this.#dice.below(96));
      return write(`GICR${cpu} SGI_base+${hex(offset)}`, (side) => side.gicrSgi(cpu, offset), size, value);
    }
    const offset = align(this.#dice.pick([0x0400 + 28, 0x0420, 0x0420, 0x2000]) + this.#dice.below(12));
    return write(`GICD+${hex(offset)}`, (side) => side.gicd(offset), size, value);
  }

  #trigger(): Step {
    const value = this.#dice.bits();
    if (this.#dice.chance(2)) {
      const cpu = this.#cpu();
      const offset = 0x0c00 + 4 * this.#dice.below(6);
      return write(`GICR${cpu} SGI_base+${hex(offset)}`, (side) => side.gicrSgi(cpu, offset), 4, value);
    }
    const offset = this.#dice.pick([0x0c00, 0x0c04, 0x0c08, 0x0c08, 0x0c0c, 0x3000, 0x3004]);
    return write(`GICD+${hex(offset)}`, (side) => side.gicd(offset), 4, value);
  }

  #router(): Step {
    const intid = this.#spi();
    const offset = intid >= 4096 ? 0x8000 + 8 * (intid - 4096) : 0x6000 + 8 * intid;
    const affinity = this.#dice.pick([...this.#config.affinities, 0x0707_0707]);
    const named = (BigInt(affinity >>> 24) << 32n) | BigInt(affinity & 0xff_ffff);
    const value = this.#dice.pick([0x8000_0000n, 0x8000_0000n, named, named, named | (0x7fn << 24n)]);
    if (!this.#dice.chance(5)) {
      return write(`GICD_IROUTER ${intid}`, (side) => side.gicd(offset), 8, value);
    }
    const half = this.#dice.pick([0, 4]);
    const word = half ? value >> 32n : value & 0xffff_ffffn;
    return write(`GICD_IROUTER ${intid}, half at ${half}`, (side) => side.gicd(offset + half), 4, word);
  }

  #message(): Step {
    const offset = this.#dice.pick([0x0040, 0x0040, 0x0040, 0x0048, 0x0048, 0x0048, 0x0050, 0x0058]);
    const size = this.#dice.pick([2, 4, 4, 4, 4, 1, 8] as const);
    const intid = this.#dice.chance(8) ? this.#dice.pick([0, 31, 1020, 0x1fff]) : this.#spi();
    const value = size === 1 ? intid & 0xff : intid;
    return write(`GICD+${hex(offset)}`, (side) => side.gicd(offset), size, value);
  }

  #control(): Step {
    const value = this.#dice.pick([3, 3, 3, 2, 1, 0, 0, 0x103, 0x103, 0xffff_ffff]);
    return write('GICD_CTLR', (side) => side.gicd(0), 4, value);
  }

  #redistributorControl(): Step {
    const cpu = this.#cpu();
    if (this.#dice.chance(2)) {
      const value = this.#dice.pick([0, 0, 0, 2, 6, 0xffff_ffff]);
      return write(`GICR${cpu}_WAKER`, (side) => side.gicr(cpu, 0x0014), 4, value);
    }
    const excluded = this.#dice.pick([0, 0, 1, 2, 3, 7]) * 2 ** 24;
    const value = excluded + this.#dice.pick([1, 1, 0]);
    return write(`GICR${cpu}_CTLR`, (side) => side.gicr(cpu, 0), 4, value);
  }

  #system(cpu: number, name: string, value: number | bigint): Step {
    return {
      text: `PE ${cpu} ${name} = ${hex(value)}`,
      run: ({ model }) => model.writeSystemRegister(cpu, name, value),
    };
  }

  #readSystem(cpu: number, name: string): Step {
    return { text: `PE ${cpu} reads ${name}`, run: ({ model }) => model.readSystemRegister(cpu, name) };
  }

  #acknowledge(): Step {
    const cpu = this.#cpu();
    const group: Group = this.#dice.pick([0, 1, 1, 1]);
    return {
      text: `PE ${cpu} acknowledges in Group ${group}`,
      run: (side) => side.acknowledge(cpu, group),
    };
  }

  #end(): Step {
    const cpu = this.#cpu();
    return { text: `PE ${cpu} ends what it acknowledged last`, run: (side) => side.end(cpu) };
  }

  #deactivate(): Step {
    const cpu = this.#cpu();
    return { text: `PE ${cpu} deactivates what it ended last`, run: (side) => side.deactivate(cpu) };
  }

  #endAny(): Step {
    return this.#system(this.#cpu(), `ICC_EOIR${this.#dice.below(2)}_EL1`, this.#intid());
  }

  #deactivateAny(): Step {
    return this.#system(this.#cpu(), 'ICC_DIR_EL1', this.#intid());
  }

  /** Preemption and priority masks, and reads. */
  #cpuInterface(): Step {
    const [cpu, dice] = [this.#cpu(), this.#dice];
    switch (dice.below(6)) {
      case 0:
        return this.#system(cpu, 'ICC_PMR_EL1', dice.pick([0xff, 0xff, 0xff, 0xf0, 0xa0]));
      case 1:
        return this.#system(cpu, `ICC_IGRPEN${dice.below(2)}_EL1`, dice.pick([1, 1, 1, 1, 1, 0]));
      case 2:
        return this.#system(cpu, `ICC_BPR${dice.below(2)}_EL1`, dice.below(8));
      case 3:
        return this.#system(cpu, 'ICC_CTLR_EL1', dice.below(4));
      default:
        return this.#readSystem(cpu, dice.pick(readableRegisters));
    }
  }

  /** Values that software has no reason to write. */
  #cpuInterfaceControl(): Step {
    const [cpu, dice] = [this.#cpu(), this.#dice];
    const group = dice.below(2);
    switch (dice.below(6)) {
      case 0:
        return this.#system(cpu, 'ICC_PMR_EL1', dice.pick([0x01, 0, dice.word()]));
      case 1:
        return this.#system(cpu, `ICC_IGRPEN${group}_EL1`, dice.pick([0, 0xffff_fffe, 0xffff_ffff]));
      case 2:
        return this.#system(cpu, dice.pick([`ICC_BPR${group}_EL1`, 'ICC_CTLR_EL1']), dice.word());
      case 3:
        return this.#system(cpu, `ICC_AP${group}R${dice.below(4)}_EL1`, dice.pick([0, 0, dice.bits()]));
      case 4:
        return this.#system(cpu, dice.pick(['ICC_RPR_EL1', 'ICC_HPPIR1_EL1', 'ICC_SRE_EL1']), dice.word());
      default:
        return { text: `PE ${cpu} resets`, run: ({ model }) => model.resetCpuInterface(cpu) };
    }
  }

  /** Section 8.2: an affinity, or all others; with and without a range; or any bits. */
  #sgi(): Step {
    const dice = this.#dice;
    const name = dice.pick(['ICC_SGI1R_EL1', 'ICC_SGI1R_EL1', 'ICC_SGI0R_EL1', 'ICC_ASGI1R_EL1']);
    const affinity = BigInt(dice.pick(this.#config.affinities));
    const cluster =
      ((affinity >> 24n) << 48n) | (((affinity >> 16n) & 0xffn) << 32n) | (((affinity >> 8n) & 0xffn) << 16n);
    const range = BigInt(dice.pick([0, 0, 1, 15])) << 44n;
    const all = dice.chance(6) ? 1n << 40n : 0n;
    const value = cluster | range | all | (BigInt(dice.below(16)) << 24n) | BigInt(dice.bits() & 0xffff);
    return this.#system(this.#cpu(), name, dice.chance(8) ? dice.doubleword() : value);
  }

  /** Any size and alignment, any location of any frame. */
  #readAnywhere(): Step {
    const { frame, text } = this.#frame();
    const size = this.#dice.pick([4, 4, 4, 8, 2, 1] as const);
    const near = this.#dice.pick([0, 0, 0x0040, 0x0080, 0x0100, 0x0200, 0x0400, 0x6100, 0xffd0]);
    const place = this.#dice.chance(4) ? this.#dice.below(0x1_0000) : near + this.#dice.below(0x30);
    const offset = this.#dice.chance(8) ? place : place - (place % size);
    return read(`${text}+${hex(offset)}`, (side) => frame(side) + offset, size);
  }

  /** Writes to locations that are reserved, read-only or do not take the size: only the STATUSR registers tell. */
  #touchReserved(): Step {
    const { frame, text } = this.#frame();
    const size = this.#dice.pick([4, 8, 2, 1] as const);
    const offset = this.#dice.pick([0x0004, 0x0008, 0x0010, 0x0010, 0x0020, 0x0f00, 0x5000, 0xffe8, 0x0403]);
    const value = size === 8 ? this.#dice.doubleword() : this.#dice.word() % 2 ** (8 * size);
    return write(`${text}+${hex(offset)}`, (side) => frame(side) + offset, size, value);
  }

  #frame(): { text: string; frame: (side: Side) => number } {
    const cpu = this.#cpu();
    const { itsCount, architecture } = this.#config;
    const its = this.#dice.below(Math.max(1, itsCount));
    const frames: { text: string; frame: (side: Side) => number }[] = [
      { text: 'GICD', frame: (side) => side.gicd(0) },
      { text: `GICR${cpu}`, frame: (side) => side.gicr(cpu, 0) },
      { text: `GICR${cpu} SGI_base`, frame: (side) => side.gicrSgi(cpu, 0) },
    ];
    if (itsCount > 0) {
      frames.push(
        { text: `GITS${its}`, frame: (side) => side.gits(0, its) },
        { text: `GITS${its} translation`, frame: (side) => side.gits(0x1_0000, its) },
      );
    }
    if (architecture === 'GICv3' && itsCount > 0) {
      frames.push({ text: `behind GITS${its}`, frame: (side) => side.gits(0x2_0000, its) });
    }
    return this.#dice.pick(frames);
  }
}

import type { TwinGic } from '../../bench/twin/twin_gic.ts';
import { DEVICE, FIRST_LPI, onEvent, perEvent } from '../../bindings/bench/rig.ts';
import { VirtualRig, Vpe } from '../../bindings/bench/vpe.ts';
import type { ItsCommand } from '../../bindings/commands/command.ts';
import type { MachineOptions } from '../../bindings/config.ts';
import type { MachineEvent } from '../../bindings/events.ts';
import type { Random } from '../../bindings/fuzz/random.ts';
import type { Machine } from '../../bindings/machine.ts';

const CPUS = 4;
const EVENTS = 512;
export const VIRTUAL_DEVICE = 2;
const ENABLE = 1;
const RES1 = 2;

/** One GIC with LPIs of four PEs and VLPIs of eight vPEs, of several priorities. */
export class Side {
  readonly rig: VirtualRig;
  readonly gic: Machine | TwinGic;
  readonly vpes: readonly Vpe[];

  constructor(make: (options: MachineOptions) => Machine | TwinGic, options: MachineOptions) {
    let made: Machine | TwinGic | undefined;
    this.rig = new VirtualRig(
      (all) => {
        made = make(all);
        made.recordEvents(true);
        return made;
      },
      { cpus: CPUS, ...options },
    );
    this.gic = made as Machine | TwinGic;
    const { rig } = this;
    for (let n = 0; n < EVENTS; n++) rig.setPriority(FIRST_LPI + n, (n * 8) & 0xf8);
    this.vpes = Array.from({ length: 2 * CPUS }, (_, id) => new Vpe(rig, id, id % CPUS));
    rig.mapDevice(DEVICE);
    rig.execute(
      perEvent(EVENTS, (eventId) => ({
        command: 'MAPTI',
        deviceId: DEVICE,
        eventId,
        pIntid: FIRST_LPI + eventId,
        icid: eventId % CPUS,
      })),
    );
    rig.mapDevice(VIRTUAL_DEVICE);
    rig.execute(
      perEvent(EVENTS, (eventId) => ({
        command: 'VMAPTI',
        deviceId: VIRTUAL_DEVICE,
        eventId,
        vpeId: eventId % (2 * CPUS),
        vIntid: FIRST_LPI + eventId,
        doorbell: eventId % 3 === 0 ? FIRST_LPI + EVENTS + eventId : 1023,
      })),
    );
    this.gic.takeChangedCpus();
  }

  /** What software and devices can see, and what was counted. */
  state(): unknown {
    const { gic, rig } = this;
    const cpus = Array.from({ length: CPUS }, (_, cpu) => ({
      pending: rig.pendingLpis(cpu),
      physical: view(gic, cpu, 'ICC'),
      virtual: view(gic, cpu, 'ICV'),
      hcr: gic.readSystemRegister(cpu, 'ICH_HCR_EL2'),
    }));
    return {
      cpus,
      vpes: this.vpes.map((vpe) => rig.countPending(vpe.pendingTable)),
      counters: gic.counters(),
    };
  }

  /** What one action showed and left. */
  outcome(): unknown {
    const { gic } = this;
    const cpus = Array.from({ length: CPUS }, (_, cpu) => [
      gic.highestPending(cpu),
      gic.irq(cpu),
      gic.fiq(cpu),
      gic.virtualOutputs(cpu),
    ]);
    return {
      cpus,
      changed: gic.takeChangedCpus(),
      events: gic.takeEvents().filter(isShared).map(unnumbered),
    };
  }
}

function view(gic: Machine | TwinGic, cpu: number, prefix: string): bigint[] {
  const registers = [
    'RPR',
    'HPPIR0',
    'HPPIR1',
    'AP0R0',
    'AP1R0',
    'BPR0',
    'BPR1',
    'PMR',
    'IGRPEN0',
    'IGRPEN1',
  ];
  return registers.map((name) => gic.readSystemRegister(cpu, `${prefix}_${name}_EL1`));
}

/** The twin diagnoses nothing. */
function isShared({ kind }: MachineEvent): boolean {
  return kind !== 'diagnostic';
}

/** Diagnostics are events too, so that the engine's have other numbers. */
function unnumbered({ sequence: _, ...event }: MachineEvent): unknown {
  return event;
}

/** Doing it tells what came back. */
export type Action = (side: Side) => unknown;

/** Draws actions. */
export class Traffic {
  readonly #random: Random;
  readonly #resident = new Set<number>();

  constructor(random: Random) {
    this.#random = random;
  }

  draw(): Action {
    const { length } = this.#kinds;
    return (this.#kinds[this.#random.below(length)] as () => Action)();
  }

  readonly #kinds: readonly (() => Action)[] = [
    () => this.#msi(),
    () => this.#msi(),
    () => this.#msi(),
    () => this.#msi(),
    () => this.#take(),
    () => this.#take(),
    () => this.#guestTake(),
    () => this.#guestTake(),
    () => this.#acknowledge(),
    () => this.#endOfInterrupt(),
    () => this.#endOfInterrupt(),
    () => this.#commands(),
    () => this.#configuration(),
    () => this.#residency(),
    () => this.#cpuInterface(),
    () => this.#listRegister(),
    () => this.#listRegister(),
    () => this.#rarely(),
  ];

  get #cpu(): number {
    return this.#random.below(CPUS);
  }

  /** Some events often, some that are not mapped. */
  get #event(): number {
    return this.#random.below(this.#oneOf(16, 64, EVENTS + 8));
  }

  #oneOf<Item>(...items: readonly Item[]): Item {
    return items[this.#random.below(items.length)] as Item;
  }

  #msi(): Action {
    const deviceId = this.#random.below(8) === 0 ? 3 : 1 + this.#random.below(2);
    const eventId = this.#event;
    return ({ gic }) => void gic.sendMsi(deviceId, eventId);
  }

  #take(): Action {
    const cpu = this.#cpu;
    return ({ rig }) => rig.take(cpu);
  }

  #guestTake(): Action {
    const cpu = this.#cpu;
    return ({ vpes }) => vpes[cpu]?.take();
  }

  /** An interrupt that stays active: those that come preempt it, or wait. */
  #acknowledge(): Action {
    const cpu = this.#cpu;
    const register = this.#oneOf('ICC_IAR1_EL1', 'ICV_IAR1_EL1', 'ICV_IAR0_EL1', 'ICC_IAR0_EL1');
    return ({ gic }) => gic.readSystemRegister(cpu, register);
  }

  /** An end that may be that of the interrupt acknowledged last, or of none. */
  #endOfInterrupt(): Action {
    const cpu = this.#cpu;
    const register = this.#oneOf('EOIR0', 'EOIR1', 'EOIR1');
    const view = this.#oneOf('ICC', 'ICV');
    const intid = this.#oneOf(
      5,
      40,
      900,
      1020,
      1023,
      8000,
      FIRST_LPI,
      FIRST_LPI + this.#random.below(9),
      2 ** 16,
    );
    return ({ gic }) => gic.writeSystemRegister(cpu, `${view}_${register}_EL1`, intid);
  }

  #commands(): Action {
    const commands = ['INT', 'INT', 'CLEAR', 'CLEAR', 'INV', 'INV'] as const;
    const batch: ItsCommand[] = Array.from({ length: 1 + this.#random.below(6) }, () => ({
      ...onEvent(this.#oneOf(...commands), this.#event % EVENTS),
      deviceId: 1 + this.#random.below(2),
    }));
    if (this.#random.below(4) === 0) batch.push({ command: 'INVALL', icid: this.#cpu });
    return ({ rig }) => rig.execute(batch);
  }

  /** A configuration byte, or that of 32 LPIs, which counts from the next use or invalidation on, at once or later. */
  #configuration(): Action {
    const n = this.#event % EVENTS;
    const isVirtual = this.#random.below(2) === 1;
    const byte = (this.#random.below(32) << 3) | RES1 | (this.#random.below(4) ? ENABLE : 0);
    const inv = { ...onEvent('INV', n), deviceId: isVirtual ? VIRTUAL_DEVICE : DEVICE };
    const times = this.#random.below(3);
    const first = n & ~31;
    const alike = this.#random.below(2) === 1;
    return ({ rig, gic }) => {
      const table = isVirtual ? rig.virtualConfigTable : rig.config.ram.base;
      if (alike) for (let m = first; m < first + 32; m++) gic.write(table + m, 1, byte);
      else gic.write(table + n, 1, byte);
      for (let time = 0; time < times; time++) rig.execute([inv]);
    };
  }

  /** A vPE comes or goes; what is pending for one that is out may be changed behind its back, whole words at once. */
  #residency(): Action {
    const id = this.#random.below(2 * CPUS);
    const cpu = id % CPUS;
    const isResident = this.#resident.has(cpu);
    const word = this.#oneOf(0, 0xffff_ffff, 0xffff_ffff, 0x0000_0010, 0x8000_0421);
    const first = this.#random.below(4) * 64;
    if (isResident) this.#resident.delete(cpu);
    else this.#resident.add(cpu);
    return ({ vpes, gic }) => {
      const vpe = vpes[id] as Vpe;
      if (isResident) return vpe.scheduleOut();
      if (word !== 0)
        for (let n = 0; n < 64; n += 4) gic.write(vpe.pendingTable + FIRST_LPI / 8 + first + n, 4, word);
      vpe.scheduleIn();
      return undefined;
    };
  }

  #cpuInterface(): Action {
    const cpu = this.#cpu;
    const view = this.#oneOf('ICC', 'ICV');
    const often = this.#random.below(6) !== 0;
    const [name, value] = this.#oneOf<readonly [string, number]>(
      ['PMR', often ? 0xff : this.#random.below(256)],
      ['BPR0', this.#random.below(8)],
      ['BPR1', this.#random.below(8)],
      ['CTLR', often ? 0 : this.#random.below(4)],
      ['IGRPEN0', often ? 1 : 0],
      ['IGRPEN1', often ? 1 : 0],
      ['AP0R0', often ? 0 : 1 << this.#random.below(32)],
      ['AP1R0', often ? 0 : this.#random.next()],
    );
    return ({ gic }) => gic.writeSystemRegister(cpu, `${view}_${name}_EL1`, value >>> 0);
  }

  /** A list register of any state, group and kind, or ICH_HCR_EL2. */
  #listRegister(): Action {
    const cpu = this.#cpu;
    if (this.#random.below(3) === 0) {
      const hcr = this.#oneOf(1, 1, 1, 0, 1 | (1 << 15), 1 | (this.#random.below(128) << 1));
      return ({ gic }) => gic.writeSystemRegister(cpu, 'ICH_HCR_EL2', hcr);
    }
    const n = this.#random.below(4);
    const intid = this.#oneOf(5, 40, FIRST_LPI, FIRST_LPI + this.#random.below(9), 1021);
    const high = this.#oneOf(0, (this.#oneOf(0, 1, 1, 1, 2, 3) << 30) | (this.#random.next() >>> 2));
    const value = (BigInt(high >>> 0) << 32n) | BigInt(intid);
    return ({ gic }) => gic.writeSystemRegister(cpu, `ICH_LR${n}_EL2`, value);
  }

  /** The Distributor's group enables, a redistributor's LPIs, the ITS: mostly on. */
  #rarely(): Action {
    const cpu = this.#cpu;
    const on = this.#random.below(8) !== 0;
    return this.#oneOf<Action>(
      ({ gic, rig }) => gic.write(rig.gicd('GICD_CTLR'), 4, on ? 0b11 : 0b01),
      ({ gic, rig }) => gic.write(rig.gicr(cpu, 'GICR_CTLR'), 4, on ? 1 : 0),
      ({ gic, rig }) => gic.write(rig.gits('GITS_CTLR'), 4, on ? 1 : 0),
    );
  }
}

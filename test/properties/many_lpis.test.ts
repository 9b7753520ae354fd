import { expect, test } from 'vitest';
import { type GicHardware, loadEngine, Machine, type MachineOptions } from '../../bindings/index.ts';
import { ReferenceGic } from '../reference/gic.ts';
import { Driver } from '../support/driver.ts';
import { Random } from './random.ts';

/** PEs, and LPIs of INTIDs of 14 bits. */
const CPUS = 2;
const FIRST = 8192;
const LPIS = 8192;
/** Lengths of the runs that pending bits and configuration come in: 64 LPIs are a word of the pending table. */
const RUNS = [1, 5, 64, 128, 512, 2048, LPIS];
const OPERATIONS = 150;

const GICR_SETLPIR = 0x0040;
const GICR_CLRLPIR = 0x0048;
const GICR_INVLPIR = 0x00a0;
const GICR_INVALLR = 0x00b0;

/** What is done to each of several GICs alike: whole runs of LPIs become pending or change their configuration. */
class Crowd {
  readonly #random: Random;
  readonly #drivers: readonly Driver[];
  readonly #operations: readonly (() => void)[] = [
    () => this.#fillTable(),
    () => this.#fillTable(),
    () => this.#configure(),
    () => this.#configure(),
    () => this.#setOrClear(),
    () => this.#setOrClear(),
    () => this.#take(),
    () => this.#take(),
    () => this.#invalidate(),
    () => this.#invalidate(),
    () => this.#invalidateAll(),
    () => this.#moveAll(),
    () => this.#moveAll(),
    () => this.#use(),
    () => this.#use(),
  ];

  constructor(gics: readonly (GicHardware & Pick<Machine, 'config'>)[], seed: number) {
    this.#random = new Random(seed);
    this.#drivers = gics.map((gic) => new Driver(gic, gic.config).start());
  }

  step(): void {
    this.#pick(this.#operations)();
  }

  /** Software stores pending bits while LPIs are disabled. */
  #fillTable(): void {
    const cpu = this.#random.below(CPUS);
    const { start, length } = this.#run();
    const [from, to] = [start >> 3, Math.max(1, length >> 3)];
    const byte = this.#pick([0xff, 0xff, 0xff, 0, 0x10]);
    this.#each((driver) => {
      driver.disableLpis(cpu);
      driver.gic.writeMemory(driver.pendingTable(cpu) + FIRST / 8 + from, new Uint8Array(to).fill(byte));
      driver.enableLpis(cpu);
    });
  }

  #configure(): void {
    const { start, length } = this.#run();
    const byte = this.#pick([0xa3, 0xa1, 0x83, 0x82, 0x80, 0x42, 0x43, 0xff]);
    const stripe = this.#pick([byte, byte, byte, 0x93]);
    const bytes = Uint8Array.from({ length }, (_, n) => (n % 7 === 3 ? stripe : byte));
    this.#each((driver) => driver.gic.writeMemory(driver.configTable + start, bytes));
  }

  #setOrClear(): void {
    const [cpu, offset] = [this.#random.below(CPUS), this.#pick([GICR_SETLPIR, GICR_CLRLPIR])];
    const { start, length } = this.#run();
    for (let n = 0; n < Math.min(length, 70); n++) this.#writeGicr(cpu, offset, FIRST + start + n);
  }

  /** Pending and gone again: the configuration stays cached. */
  #use(): void {
    const cpu = this.#random.below(CPUS);
    const { start } = this.#run();
    for (const offset of [GICR_SETLPIR, GICR_CLRLPIR]) this.#writeGicr(cpu, offset, FIRST + start);
  }

  #take(): void {
    const cpu = this.#random.below(CPUS);
    const count = this.#pick([1, 3, 10]);
    const taken = this.#drivers.map((driver) => Array.from({ length: count }, () => driver.take(cpu)));
    for (const other of taken.slice(1)) expect(other).toEqual(taken[0]);
  }

  #invalidate(): void {
    const cpu = this.#random.below(CPUS);
    const { start } = this.#run();
    for (let n = 0; n < 3; n++) {
      this.#writeGicr(cpu, GICR_INVLPIR, FIRST + ((start + n * this.#pick(RUNS)) % LPIS));
    }
  }

  #invalidateAll(): void {
    this.#writeGicr(this.#random.below(CPUS), GICR_INVALLR, 0);
  }

  #moveAll(): void {
    const from = this.#random.below(CPUS);
    this.#each((driver) => driver.movall(from, 1 - from));
  }

  #writeGicr(cpu: number, offset: number, value: number): void {
    this.#each((driver) => driver.gic.write(driver.gicr(cpu, offset), 8, BigInt(value)));
  }

  /** LPIs from a multiple of their number on. */
  #run(): { start: number; length: number } {
    const length = this.#pick(RUNS);
    return { start: length * this.#random.below(Math.floor(LPIS / length)), length };
  }

  #each(action: (driver: Driver) => void): void {
    this.#drivers.forEach(action);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#random.below(items.length)] as Item;
  }
}

/** What software sees of the LPIs of all PEs. */
function view(gic: GicHardware, tables: readonly number[]): unknown {
  return tables.map((table, cpu) => ({
    best: gic.highestPending(cpu),
    pending: Buffer.from(gic.readMemory(table + FIRST / 8, LPIS / 8)).toString('hex'),
  }));
}

test.each([
  ...[1, 2, 3, 4].map((seed) => ({ seed, tieBreak: 'lowest-intid' as const })),
  ...[5, 6].map((seed) => ({ seed, tieBreak: 'highest-intid' as const })),
])(
  'LPIs that come in thousands are as the reference model has them (seed $seed)',
  async ({ seed, tieBreak }) => {
    const options: MachineOptions = {
      cpus: CPUS,
      intidBits: 14,
      priorityBits: 8,
      ram: { base: 0x8000_0000, size: 0x20_0000 },
      policy: { tieBreak },
    };
    const machines = [
      new Machine(await loadEngine('single'), options),
      new Machine(await loadEngine('shared'), options),
    ];
    const reference = new ReferenceGic(options);
    const crowd = new Crowd([...machines, reference], seed);
    const probe = new Driver(reference, reference.config);
    const tables = Array.from({ length: CPUS }, (_, cpu) => probe.pendingTable(cpu));
    for (let n = 0; n < OPERATIONS; n++) {
      crowd.step();
      const expected = view(reference, tables);
      for (const machine of machines) {
        expect(view(machine, tables), `after operation ${n}`).toEqual(expected);
        expect([0, 1].map((cpu) => machine.checkLpiIndex(cpu))).toEqual([0, 0]);
      }
      expect(machines[1]?.digest()).toBe(machines[0]?.digest());
    }
  },
);

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Engine, loadEngine, Machine, type Policy } from '../../bindings/index.ts';
import { clear, discard, int, mapc, mapd, mapti, movall, movi } from '../its/commands.ts';
import { ENABLED, FIRST_LPI, ITS_RAM, ItsBoard } from '../its/fixture.ts';
import { expectConserved } from '../support/conservation.ts';
import { type Operation, operations, randomOperation } from './operation.ts';
import { Random } from './random.ts';

const CPUS = 4;
const EVENTS = 16;
/** Few, and anyone's: events share them, and each can be pending at several PEs. */
const LPIS = 12;
const DEVICE = 1;
const CTLR = 0x0000;
const SETLPIR = 0x0040;
const CLRLPIR = 0x0048;

const policies: fc.Arbitrary<Partial<Policy>> = fc.record({
  maptiClearsPending: fc.boolean(),
  moviTargetDisabled: fc.constantFrom('keep', 'drop'),
  movallTargetDisabled: fc.constantFrom('keep', 'drop'),
});

/** Software that does what it likes with LPIs, but leaves the pending tables to the redistributors. */
class CarelessWorld {
  readonly machine: Machine;
  readonly #board: ItsBoard;
  readonly #kinds: readonly ((a: number, b: number, c: number) => void)[];

  constructor(engine: Engine, policy: Partial<Policy>) {
    this.machine = new Machine(engine, { ram: ITS_RAM, cpus: CPUS, intidBits: 14, policy });
    const board = new ItsBoard(this.machine);
    this.#board = board;
    const { its } = board;
    board.open();
    this.machine.writeMemory(board.configTable, new Uint8Array(0x2000).fill(ENABLED));
    for (let cpu = 0; cpu < CPUS; cpu++) board.enableLpis(cpu, 13);
    its.setUp();
    its.run([mapd(DEVICE, its.itt(0), 3), ...Array.from({ length: CPUS }, (_, cpu) => mapc(cpu, cpu))]);
    for (let event = 0; event < EVENTS; event++) its.run([mapti(DEVICE, event, lpi(event), event % CPUS)]);
    const set = (a: number, b: number, register: number): void =>
      this.machine.write(board.gicrAddress(a % CPUS, register), 8, lpi(b));
    const weighted: [number, (a: number, b: number, c: number) => void][] = [
      [6, (a) => void this.machine.sendMsi(DEVICE, a % EVENTS)],
      [2, (a) => its.post([int(DEVICE, a % EVENTS)])],
      [6, (a, b) => set(a, b, SETLPIR)],
      [1, (a, b) => set(a, b, CLRLPIR)],
      [1, (a) => its.post([clear(DEVICE, a % EVENTS)])],
      [1, (a) => its.post([discard(DEVICE, a % EVENTS)])],
      [2, (a, b, c) => its.post([mapti(DEVICE, a % EVENTS, lpi(b), c % CPUS)])],
      [1, (a, b) => its.post([mapc(a % CPUS, b % CPUS)])],
      [4, (a, b) => its.post([movi(DEVICE, a % EVENTS, b % CPUS)])],
      [2, (a, b) => its.post([movall(a % CPUS, b % CPUS)])],
      [1, (a, b) => board.setGicr(a % CPUS, CTLR, b % 3 === 0 ? 0 : 1)],
      [2, (a) => board.setIcc(a % CPUS, 'EOIR1', board.icc(a % CPUS, 'IAR1'))],
    ];
    this.#kinds = weighted.flatMap(([weight, perform]) => Array(weight).fill(perform));
  }

  perform([kind, a, b, c]: Operation): void {
    this.#kinds[kind % this.#kinds.length]?.(a, b, c);
    expectConserved(this.machine.counters(), { lpis: this.#pending() });
  }

  /** In all pending tables, those of redistributors with EnableLPIs=0 too. */
  #pending(): number {
    const bits = Array.from({ length: CPUS }, (_, cpu) =>
      this.machine.read(this.#board.pendingTable(cpu) + FIRST_LPI / 8, 4),
    );
    return bits.reduce((sum, word) => sum + word.toString(2).replaceAll('0', '').length, 0);
  }
}

const lpi = (n: number): number => FIRST_LPI + (n % LPIS);

describe('every LPI that became pending is acknowledged, cleared or still pending', () => {
  it('whatever software does, after each step', async () => {
    const engine = await loadEngine();
    const property = fc.property(policies, operations(200), (policy, sequence) => {
      const world = new CarelessWorld(engine, policy);
      for (const operation of sequence) world.perform(operation);
    });
    fc.assert(property, { numRuns: 40 });
  });

  it.each(['keep', 'drop'] as const)('the same for a long sequence: %s what cannot move', async (choice) => {
    const policy = { maptiClearsPending: true, moviTargetDisabled: choice, movallTargetDisabled: choice };
    const world = new CarelessWorld(await loadEngine(), policy);
    const random = new Random(7);
    for (let n = 0; n < 3000; n++) world.perform(randomOperation(random));
    const { acknowledged, cleared } = world.machine.counters();
    expect(acknowledged.lpi, 'the sequence was worth something').toBeGreaterThan(100);
    expect(cleared.lpi).toBeGreaterThan(100);
  });
});

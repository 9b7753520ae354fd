import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Engine, loadEngine, Machine } from '../../bindings/index.ts';
import { Board, RAM } from '../support/gic.ts';

const ENABLE = 1;
const IMASK = 2;
const ISTATUS = 4;
const MAX = 2n ** 64n - 1n;

/** The timers of a PE in one order: register names and PPIs. */
const timers = [
  { ctl: 'CNTV_CTL_EL0', cval: 'CNTV_CVAL_EL0', tval: 'CNTV_TVAL_EL0', ppi: 27 },
  { ctl: 'CNTP_CTL_EL0', cval: 'CNTP_CVAL_EL0', tval: 'CNTP_TVAL_EL0', ppi: 30 },
  { ctl: 'CNTHP_CTL_EL2', cval: 'CNTHP_CVAL_EL2', tval: 'CNTHP_TVAL_EL2', ppi: 26 },
  { ctl: 'CNTHV_CTL_EL2', cval: 'CNTHV_CVAL_EL2', tval: 'CNTHV_TVAL_EL2', ppi: 28 },
] as const;

const CPUS = 2;

interface PlainTimer {
  control: number;
  compare: bigint;
  /** CNTVOFF_EL2 of the EL1 virtual timer, 0 for the others. */
  offset: bigint;
}

/** The timers of a machine as a few lines of arithmetic. */
class PlainTimers {
  counter = 0n;
  readonly timers: PlainTimer[] = Array.from({ length: CPUS * timers.length }, () => ({
    control: 0,
    compare: 0n,
    offset: 0n,
  }));

  at(cpu: number, n: number): PlainTimer {
    return this.timers[cpu * timers.length + n]!;
  }

  count({ offset }: PlainTimer, counter = this.counter): bigint {
    return BigInt.asUintN(64, counter - offset);
  }

  met(timer: PlainTimer, counter = this.counter): boolean {
    return (timer.control & ENABLE) !== 0 && this.count(timer, counter) >= timer.compare;
  }

  line(timer: PlainTimer, counter = this.counter): boolean {
    return this.met(timer, counter) && (timer.control & IMASK) === 0;
  }

  /** The first moment from now on at which some line rises. It can only be where a count is at its compare value. */
  deadline(): bigint | undefined {
    const rises = this.timers
      .map((timer) => ({ timer, at: BigInt.asUintN(64, timer.offset + timer.compare) }))
      .filter(({ timer, at }) => at > this.counter && this.line(timer, at) && !this.line(timer, at - 1n))
      .map(({ at }) => at);
    return rises.reduce<bigint | undefined>(
      (least, at) => (least === undefined || at < least ? at : least),
      undefined,
    );
  }
}

type Action = (machine: Machine, plain: PlainTimers) => void;

/** Times that are close to each other, to the ends of 64 bits and to the sign of 32. */
const time = fc.oneof(
  fc.bigInt({ min: 0n, max: 40n }),
  fc.bigInt({ min: MAX - 40n, max: MAX }),
  fc.bigInt({ min: 2n ** 31n - 3n, max: 2n ** 31n + 3n }),
  fc.bigInt({ min: 0n, max: MAX }),
);
const cpu = fc.nat(CPUS - 1);
const which = fc.nat(timers.length - 1);

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.tuple(cpu, which, fc.constantFrom(0, 1, 1, 1, 2, 3, 0xffff_fff9)).map(
    ([pe, n, value]): Action =>
      (machine, plain) => {
        machine.cpu(pe).write(timers[n]!.ctl, value);
        plain.at(pe, n).control = value & (ENABLE | IMASK);
      },
  ),
  fc.tuple(cpu, which, time).map(
    ([pe, n, value]): Action =>
      (machine, plain) => {
        machine.cpu(pe).write(timers[n]!.cval, value);
        plain.at(pe, n).compare = value;
      },
  ),
  fc.tuple(cpu, which, fc.oneof(fc.integer({ min: -5, max: 40 }), fc.integer())).map(
    ([pe, n, left]): Action =>
      (machine, plain) => {
        machine.cpu(pe).write(timers[n]!.tval, left >>> 0);
        const timer = plain.at(pe, n);
        timer.compare = BigInt.asUintN(64, plain.count(timer) + BigInt(left));
      },
  ),
  fc.tuple(cpu, time).map(
    ([pe, value]): Action =>
      (machine, plain) => {
        machine.cpu(pe).write('CNTVOFF_EL2', value);
        plain.at(pe, 0).offset = value;
      },
  ),
  fc.oneof(fc.bigInt({ min: 0n, max: 20n }), time).map(
    (step): Action =>
      (machine, plain) => {
        if (plain.counter + step > MAX) return;
        plain.counter += step;
        machine.advanceCounter(plain.counter);
      },
  ),
  fc.constant<Action>((machine, plain) => {
    const deadline = machine.nextTimerDeadline();
    if (deadline === undefined) return;
    machine.advanceCounter(deadline);
    plain.counter = deadline;
  }),
);

function expectAlike(machine: Machine, plain: PlainTimers): void {
  const board = new Board(machine);
  expect(machine.counter).toBe(plain.counter);
  for (let pe = 0; pe < CPUS; pe++) {
    const pending = board.gicr(pe, 0x1_0200);
    for (const [n, { ctl, cval, tval, ppi }] of timers.entries()) {
      const timer = plain.at(pe, n);
      const status = timer.control | (plain.met(timer) ? ISTATUS : 0);
      const left = BigInt.asUintN(32, timer.compare - plain.count(timer));
      expect(
        [machine.cpu(pe).read(ctl), machine.cpu(pe).read(cval), machine.cpu(pe).read(tval)],
        `${ctl}, ${cval}, ${tval} of PE ${pe}`,
      ).toEqual([BigInt(status), timer.compare, left]);
      expect(((pending >>> ppi) & 1) === 1, `PPI ${ppi} of PE ${pe}`).toBe(plain.line(timer));
    }
    expect(machine.cpu(pe).read('CNTVCT_EL0')).toBe(plain.count(plain.at(pe, 0)));
  }
  // All ones stands for no deadline, also for a timer that fires at the very last count.
  const deadline = plain.deadline();
  expect(machine.nextTimerDeadline()).toBe(deadline === MAX ? undefined : deadline);
}

describe('timers under any sequence of writes and steps of time', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await loadEngine();
  });

  it('lines, registers and the next deadline are those of plain arithmetic', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 1, maxLength: 30 }), (actions) => {
        const machine = new Machine(engine, { cpus: CPUS, ram: RAM, intidBits: 10, itsCount: 0 });
        const plain = new PlainTimers();
        for (const act of actions) {
          act(machine, plain);
          expectAlike(machine, plain);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('stopping at each deadline sees each timer fire once, in order; one step sees the same in the end', () => {
    const times = fc.array(fc.tuple(cpu, which, fc.integer({ min: 1, max: 1000 })), { maxLength: 12 });
    fc.assert(
      fc.property(times, (settings) => {
        const [stepped, jumped] = [0, 1].map(() => new Machine(engine, { cpus: CPUS, ram: RAM }));
        const expected = new Set<number>();
        for (const machine of [stepped!, jumped!]) {
          for (const [pe, n, at] of settings) machine.cpu(pe).write(timers[n]!.cval, at);
          for (const [pe, n] of settings) machine.cpu(pe).write(timers[n]!.ctl, ENABLE);
        }
        for (const [pe, n] of settings) expected.add(Number(stepped!.cpu(pe).read(timers[n]!.cval)));
        const stops: number[] = [];
        for (
          let next = stepped!.nextTimerDeadline();
          next !== undefined;
          next = stepped!.nextTimerDeadline()
        ) {
          stops.push(Number(next));
          stepped!.advanceCounter(next);
        }
        expect(stops).toEqual([...expected].sort((a, b) => a - b));
        jumped!.advanceCounter(1000);
        for (let pe = 0; pe < CPUS; pe++) {
          expect(new Board(jumped!).gicr(pe, 0x1_0200)).toBe(new Board(stepped!).gicr(pe, 0x1_0200));
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('512 PEs', () => {
  it('each has its own timers, and the deadline is the earliest of all', async () => {
    const machine = new Machine(await loadEngine(), { cpus: 512, ram: RAM, intidBits: 10, itsCount: 0 });
    const board = new Board(machine);
    const deadlines = Array.from({ length: 512 }, (_, pe) => 1 + ((pe * 211) % 512));
    deadlines.forEach((at, pe) => {
      machine.cpu(pe).write('CNTV_CVAL_EL0', at);
      machine.cpu(pe).write('CNTV_CTL_EL0', ENABLE);
    });
    machine.takeChangedCpus();
    for (let at = 1; at <= 512; at++) {
      expect(machine.nextTimerDeadline()).toBe(BigInt(at));
      machine.advanceCounter(at);
      const pe = deadlines.indexOf(at);
      expect(board.gicr(pe, 0x1_0200)).toBe(1 << 27);
    }
    expect(machine.nextTimerDeadline()).toBeUndefined();
    expect(deadlines.every((_, pe) => board.gicr(pe, 0x1_0200) === 1 << 27)).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { createMachine, type Machine } from '../../bindings/index.ts';
import { Board, RAM } from '../support/gic.ts';

const ENABLE = 1;
const VIRTUAL = 27;
const LAST = 2n ** 64n - 1n;

async function start(): Promise<{ machine: Machine; isPending: (ppi: number) => boolean }> {
  const machine = await createMachine({ cpus: 1, ram: RAM });
  const board = new Board(machine);
  return { machine, isPending: (ppi) => ((board.gicr(0, 0x1_0200) >>> ppi) & 1) === 1 };
}

describe('advanceCounter', () => {
  it.each<[string, number | bigint, string]>([
    ['a time that has passed', 9, 'ticks'],
    ['a negative time', -1n, 'ticks'],
    ['a time of more than 64 bits', 2n ** 64n, 'ticks'],
    ['half a tick', 10.5, 'ticks'],
    ['a number that is none', Number.NaN, 'ticks'],
  ])('refuses %s, and nothing changes', async (_, ticks, field) => {
    const { machine } = await start();
    machine.advanceCounter(10);
    expect(() => machine.advanceCounter(ticks)).toThrow(
      expect.objectContaining({ name: 'GicError', code: 'INVALID_ARGUMENT', field }),
    );
    expect(machine.counter).toBe(10n);
  });

  it('to the present changes nothing', async () => {
    const { machine } = await start();
    machine.advanceCounter(10);
    machine.advanceCounter(10n);
    expect(machine.counter).toBe(10n);
  });

  it('is the only thing that moves time: MSIs, accesses and commands do not', async () => {
    const { machine } = await start();
    machine.advanceCounter(10);
    machine.setPpi(0, 20, true);
    machine.cpu(0).acknowledge();
    machine.its(0).write('GITS_CTLR', 1);
    machine.sendMsi(0, 0);
    expect([machine.counter, machine.cpu(0).read('CNTVCT_EL0')]).toEqual([10n, 10n]);
  });

  it('reaches the last count of 64 bits', async () => {
    const { machine, isPending } = await start();
    machine.cpu(0).write('CNTP_CVAL_EL0', LAST);
    machine.cpu(0).write('CNTP_CTL_EL0', ENABLE);
    machine.advanceCounter(LAST - 1n);
    expect(isPending(30)).toBe(false);
    machine.advanceCounter(LAST);
    expect([isPending(30), machine.counter]).toEqual([true, LAST]);
  });
});

describe('the virtual count, which wraps where CNTVOFF is ahead of the counter', () => {
  /** CNTVCT is 2^64 - 10 and the timer compares with 2^64 - `before`. */
  async function aheadBy(before: bigint): ReturnType<typeof start> {
    const started = await start();
    const pe = started.machine.cpu(0);
    pe.write('CNTVOFF_EL2', 10);
    pe.write('CNTV_CVAL_EL0', 2n ** 64n - before);
    pe.write('CNTV_CTL_EL0', ENABLE);
    expect(pe.read('CNTVCT_EL0')).toBe(2n ** 64n - 10n);
    return started;
  }

  it('fires before it wraps', async () => {
    const { machine, isPending } = await aheadBy(3n);
    expect([isPending(VIRTUAL), machine.nextTimerDeadline()]).toEqual([false, 7n]);
    machine.advanceCounter(7);
    expect(isPending(VIRTUAL)).toBe(true);
  });

  it('drops its interrupt when it wraps, which is no deadline of its own', async () => {
    const { machine, isPending } = await aheadBy(20n);
    expect([isPending(VIRTUAL), machine.nextTimerDeadline()]).toEqual([true, LAST - 9n]);
    machine.advanceCounter(9);
    expect(isPending(VIRTUAL)).toBe(true);
    machine.advanceCounter(10);
    expect([isPending(VIRTUAL), machine.cpu(0).read('CNTV_CTL_EL0')]).toEqual([false, BigInt(ENABLE)]);
  });

  it('fires again when it comes to the compare value the second time', async () => {
    const { machine, isPending } = await start();
    const pe = machine.cpu(0);
    pe.write('CNTVOFF_EL2', 10);
    pe.write('CNTV_CVAL_EL0', 5);
    pe.write('CNTV_CTL_EL0', ENABLE);
    expect([isPending(VIRTUAL), machine.nextTimerDeadline()]).toEqual([true, 15n]);
    machine.advanceCounter(12);
    expect([isPending(VIRTUAL), machine.nextTimerDeadline()]).toEqual([false, 15n]);
    machine.advanceCounter(15);
    expect(isPending(VIRTUAL)).toBe(true);
  });

  it('never fires for a compare value that lies behind the wrap of the counter itself', async () => {
    const { machine, isPending } = await start();
    const pe = machine.cpu(0);
    machine.advanceCounter(100);
    pe.write('CNTVOFF_EL2', 60);
    pe.write('CNTV_CVAL_EL0', LAST - 20n);
    pe.write('CNTV_CTL_EL0', ENABLE);
    expect(machine.nextTimerDeadline()).toBeUndefined();
    machine.advanceCounter(LAST);
    expect(isPending(VIRTUAL)).toBe(false);
  });
});

describe('TVAL', () => {
  it.each([
    ['0', 0n, 100n],
    ['the largest positive one', 0x7fff_ffffn, 0x8000_0063n],
    ['the smallest negative one', 0x8000_0000n, 2n ** 64n - 0x8000_0000n + 100n],
    ['-1', 0xffff_ffffn, 99n],
    ['upper bits, which do not count', 0x1234_0000_0005n, 105n],
  ])('%s', async (_, written, compare) => {
    const { machine } = await start();
    machine.advanceCounter(100);
    machine.cpu(0).write('CNTHP_TVAL_EL2', written);
    expect(machine.cpu(0).read('CNTHP_CVAL_EL2')).toBe(compare);
    expect(machine.cpu(0).read('CNTHP_TVAL_EL2')).toBe(written & 0xffff_ffffn);
  });

  it('counts down to zero and beyond', async () => {
    const { machine } = await start();
    machine.cpu(0).write('CNTP_CVAL_EL0', 2);
    const seen = [0, 1, 2, 3].map((at) => {
      machine.advanceCounter(at);
      return machine.cpu(0).read('CNTP_TVAL_EL0');
    });
    expect(seen).toEqual([2n, 1n, 0n, 0xffff_ffffn]);
  });

  it('of CNTV is relative to the virtual count', async () => {
    const { machine } = await start();
    machine.advanceCounter(1000);
    machine.cpu(0).write('CNTVOFF_EL2', 900);
    machine.cpu(0).write('CNTV_TVAL_EL0', 50);
    expect(machine.cpu(0).read('CNTV_CVAL_EL0')).toBe(150n);
    machine.cpu(0).write('CNTV_CTL_EL0', ENABLE);
    expect(machine.nextTimerDeadline()).toBe(1050n);
  });
});
